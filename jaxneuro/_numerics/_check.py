"""Checks of arguments: one clear sentence, and only where a value is known."""

from collections.abc import Mapping

import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike

from ._read import read_numbers


def _known(name: str, value: ArrayLike) -> np.ndarray | None:
    """The value as numpy, or None under a transformation, where it is not known."""
    known = value if isinstance(value, Tracer) else read_numbers(value, name)
    return None if isinstance(known, Tracer) else np.asarray(known)


def _in_a_line(known: np.ndarray) -> str:
    return " ".join(np.array2string(known, threshold=20, edgeitems=3).split())


def check_broadcast(values: Mapping[str, Array]) -> None:
    """Raises `ValueError`, with the shape of each, where named arrays do not broadcast against each other."""
    try:
        np.broadcast_shapes(*(value.shape for value in values.values()))
    except ValueError:
        shapes = ", ".join(f"`{name}` {value.shape}" for name, value in values.items() if value.ndim)
        raise ValueError(f"The lengths do not fit: {shapes}; give numbers or arrays that broadcast.") from None


def check_finite(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is NaN or infinite."""
    known = _known(name, value)
    if known is not None and not np.all(np.isfinite(known)):
        raise ValueError(f"`{name}` has to be finite; got {_in_a_line(known)}.")


def check_positive(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is not finite and above 0."""
    check_finite(name, value)
    known = _known(name, value)
    if known is not None and not np.all(known > 0):
        raise ValueError(f"`{name}` has to be positive; got {_in_a_line(known)}.")


def check_nonnegative(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is not finite and at least 0."""
    check_finite(name, value)
    known = _known(name, value)
    if known is not None and not np.all(known >= 0):
        raise ValueError(f"`{name}` must not be negative; got {_in_a_line(known)}.")
