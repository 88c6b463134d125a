"""Every test runs with shape checks and strict promotion, in float64 unless JAXNEURO_TEST_X64=0."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")

from jaxtyping import install_import_hook

_hook = install_import_hook("jaxneuro", "beartype.beartype")

import jax

jax.config.update("jax_enable_x64", os.environ.get("JAXNEURO_TEST_X64", "1") == "1")
jax.config.update("jax_numpy_dtype_promotion", "strict")
