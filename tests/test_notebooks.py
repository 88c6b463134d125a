"""Every notebook runs from start to end in its small size."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


# The first repeats what other tests run; the whole takes two minutes.
NOTEBOOKS = [
    pytest.param(path, id=path.stem, marks=pytest.mark.proof if path.stem.startswith("01") else pytest.mark.slow)
    for path in sorted((ROOT / "notebooks").glob("*.py"))
]


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_notebook_runs(path):
    environment = os.environ | {"MPLBACKEND": "Agg", "JAXNEURO_NOTEBOOK_SIZE": "small"}
    done = subprocess.run([sys.executable, "-W", "error::UserWarning:jaxneuro", path], env=environment, cwd=ROOT,
                          capture_output=True, text=True, timeout=900)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
