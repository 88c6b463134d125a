"""Runs as a user does: float32, no shape checks, only what jaxneuro itself needs. See docs/testing.md."""

import os
import sys
from importlib.metadata import version

import pytest

# In float64 and with shape checks, as the other tests are run, tolerances and dtypes here are not what they claim.
if "shape_checks" in sys.modules:
    pytest.exit("tests/compat runs alone, as a user does: `python -m pytest tests/compat`.", returncode=4)

os.environ.setdefault("MPLBACKEND", "Agg")
# The programs take longer to compile than to run. Newer compilers stop at the flag of the older emitters of loops.
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
OLDER = "--xla_cpu_use_fusion_emitters=false" if version("jaxlib").startswith("0.10.") else ""
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK} {OLDER}"
