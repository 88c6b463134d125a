"""Every notebook runs from start to end in its small size."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda p: p.stem)
def test_notebook_runs(path):
    environment = os.environ | {"MPLBACKEND": "Agg", "JAXNEURO_NOTEBOOK_SIZE": "small"}
    done = subprocess.run([sys.executable, "-W", "error::UserWarning:jaxneuro", path], env=environment, cwd=ROOT,
                          capture_output=True, text=True, timeout=900)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
