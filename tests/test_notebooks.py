"""Every notebook runs from start to end in its small size."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


# The first and the end of the last repeat what other tests run.
NOTEBOOKS = [
    pytest.param(path, id=path.stem, marks=pytest.mark.proof if path.stem[:2] in ("01", "04") else pytest.mark.slow)
    for path in sorted((ROOT / "notebooks").glob("*.py"))
]


@pytest.mark.slow
def test_the_first_half_of_the_last_notebook_runs(tmp_path):
    text = (ROOT / "notebooks" / "04_train_audit_trust.py").read_text()
    half, rest = text.split("# ## From one step to a horizon")
    assert "jn.audit_gradient(" in half
    assert "jn.train(" in half
    assert rest
    (tmp_path / "half.py").write_text(half)
    test_notebook_runs(tmp_path / "half.py")


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_notebook_runs(path):
    environment = os.environ | {"MPLBACKEND": "Agg", "JAXNEURO_NOTEBOOK_SIZE": "small"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-W", "error::UserWarning:jaxneuro", path], env=environment, cwd=ROOT,
                          capture_output=True, text=True, timeout=900)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
