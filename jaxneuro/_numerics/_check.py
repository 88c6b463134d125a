"""Checks of arguments: one clear sentence, and only where a value is known."""

import numpy as np
from jax.core import Tracer
from jaxtyping import ArrayLike


def _known(value: ArrayLike) -> np.ndarray | None:
    """The value as numpy, or None under a transformation, where it is not known."""
    return None if isinstance(value, Tracer) else np.asarray(value)


def check_finite(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is NaN or infinite."""
    known = _known(value)
    if known is not None and not np.all(np.isfinite(known)):
        raise ValueError(f"`{name}` has to be finite; got {known}.")


def check_positive(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is not finite and above 0."""
    check_finite(name, value)
    known = _known(value)
    if known is not None and not np.all(known > 0):
        raise ValueError(f"`{name}` has to be positive; got {known}.")


def check_nonnegative(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is not finite and at least 0."""
    check_finite(name, value)
    known = _known(value)
    if known is not None and not np.all(known >= 0):
        raise ValueError(f"`{name}` must not be negative; got {known}.")
