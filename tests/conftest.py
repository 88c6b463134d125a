"""Every test runs with shape checks and strict promotion, in float64 unless JAXNEURO_TEST_X64=0."""

import gc
import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

from importlib.metadata import version

# How much work the compiler spares, by JAXNEURO_TEST_QUICK_COMPILE. 1: the older emitters of loops. 2: nor any
# optimisation: the programs of most tests take longer to compile than to run. What compares bits is also run in full.
QUICK = {
    "1": "--xla_cpu_use_fusion_emitters=false",
    "2": "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=0 "
    "--xla_llvm_disable_expensive_passes=true",
}
quick = os.environ.get("JAXNEURO_TEST_QUICK_COMPILE", "0")
if quick in QUICK and version("jaxlib").startswith("0.10."):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK[quick]}"

from jaxtyping import install_import_hook

_hook = install_import_hook("jaxneuro", "beartype.beartype")

import jax

jax.config.update("jax_enable_x64", os.environ.get("JAXNEURO_TEST_X64", "1") == "1")
jax.config.update("jax_numpy_dtype_promotion", "strict")

import jaxtyping
import pytest

# That folder is run by itself, on other versions: `make compat`.
collect_ignore = ["compat"]


@pytest.fixture
def as_users_run():
    """Switches the shape checks off, so that a wrong type meets the library's own sentence."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


# Every compiled program maps memory, and a process may have 65,530 maps on Linux: beyond, the compiler crashes.
_MAPS = Path("/proc/self/maps")
_MOST_MAPS = 30_000


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Forgets what was compiled where it has become very much, between two files of tests."""
    leaves_file = nextitem is None or nextitem.path != item.path
    if leaves_file and _MAPS.exists() and _MAPS.read_bytes().count(b"\n") > _MOST_MAPS:
        jax.clear_caches()
        gc.collect()
