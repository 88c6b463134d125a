"""A GPU beside the CPU: the checks of `make gpu-check`, each as a test; one sentence where there is no GPU."""

import subprocess
import sys
from pathlib import Path

import jax
import pytest

from benchmarks._gpu_checks import CHECKS, draws_are_equal, runs_may_be_cut

ROOT = Path(__file__).resolve().parents[2]
NO_GPU = jax.default_backend() == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(NO_GPU, reason="JAX sees no GPU")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_gpu_does_as_the_cpu(check):
    check(jax.devices("gpu")[0])


@pytest.mark.slow
@pytest.mark.parametrize("check", [draws_are_equal, runs_may_be_cut], ids=lambda check: check.__name__)
def test_the_checks_hold_on_the_cpu_itself(check):
    check(jax.devices("cpu")[0])


@pytest.mark.skipif(not NO_GPU, reason="there is a GPU")
def test_without_a_gpu_one_sentence_says_so():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu_check"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == "No check ran: JAX sees no GPU on this machine.\n"
    assert done.stderr == ""
