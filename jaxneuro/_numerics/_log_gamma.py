"""The logarithm of the gamma function in the right half of the complex plane."""

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex

# Stirling's series is taken this far to the right, where its next term is below 1e-17.
_SHIFT = 9
_TERMS = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)


def log_gamma(z: Complex[Array, "..."]) -> Complex[Array, "..."]:
    """log Gamma(z) for Re z > 0 and |z| < 1e4, up to a multiple of 2 pi i.

    Derivatives: forward and reverse mode, any order.

    Source: Abramowitz and Stegun (1964), equations (6.1.15) and (6.1.40).
    """
    return _log_gamma(z, jnp.log)


def log_gamma_of_known(z: Complex[np.ndarray, "..."]) -> Complex[np.ndarray, "..."]:
    """The same in NumPy."""
    return _log_gamma(z, np.log)


def _log_gamma(z: Any, log: Callable[[Any], Any]) -> Any:
    far, below = z + _SHIFT, z
    for k in range(1, _SHIFT):  # one logarithm of a product, where most of the time would go to nine
        below = below * (z + k)
    series, square = 0.0 * z, 1.0 / (far * far)
    for term in reversed(_TERMS):
        series = series * square + term
    return (far - 0.5) * log(far) - far + 0.5 * math.log(2.0 * math.pi) + series / far - log(below)
