"""Checks of arguments: one clear sentence, and only where a value is known."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike

from ._read import read_numbers


def _known(name: str, value: ArrayLike) -> np.ndarray | None:
    """The value as numpy, or None under a transformation, where it is not known."""
    known = value if isinstance(value, Tracer) else read_numbers(value, name)
    return None if isinstance(known, Tracer) else np.asarray(known)


def _in_a_line(known: np.ndarray) -> str:
    if not known.ndim:
        return str(known[()])  # "-1.0", where an array prints as "-1."
    return " ".join(np.array2string(known, threshold=20, edgeitems=3).split())


def in_a_line(value: object) -> str:
    """A value as it prints, in one line, cut where it is long: models print over many."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 160 else f"{text[:157]}..."


def told(value: object) -> str:
    """What came in place of a part of a model, in a sentence: its value, or that it is a class and no object."""
    if isinstance(value, type):
        return f"the class `{value.__name__}`: make an object of it, `{value.__name__}(...)`"
    return in_a_line(value)


def is_one_float(value: object) -> bool:
    """Whether what a loss returned is one number that has a gradient."""
    known = isinstance(value, float | np.ndarray | np.floating | jax.Array)
    return known and np.ndim(value) == 0 and bool(jnp.issubdtype(jnp.result_type(value), jnp.floating))


# What an index of 32 bits counts, and about what a machine holds.
MOST = 2**31 - 1


def check_count(name: str, value: object, what: str = "a positive whole number", *, least: int = 1) -> int:
    """`value` as a Python integer. Raises `ValueError` where it is none, below `least`, or more than arrays hold."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"`{name}` has to be {what}; got {told(value)}.")
    if value > MOST:
        raise ValueError(f"`{name}` is {value:,}, more than the {MOST:,} that an array can number: take fewer.")
    return int(value)


def check_yes_or_no(name: str, value: object) -> bool:
    """`value` as a Python bool. Raises `ValueError` where it is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"`{name}` has to be True or False; got {told(value)}.")
    return bool(value)


def check_broadcast(values: Mapping[str, np.ndarray | Array]) -> None:
    """Raises `ValueError`, with the shape of each, where named arrays do not broadcast against each other."""
    try:
        np.broadcast_shapes(*(value.shape for value in values.values()))
    except ValueError:
        shapes = ", ".join(f"`{name}` {value.shape}" for name, value in values.items() if value.ndim)
        raise ValueError(f"The lengths do not fit: {shapes}; give numbers or arrays that broadcast.") from None


def check_precision(name: str, model: object) -> None:
    """Raises `ValueError` where `model` holds numbers of the float type that jax was set to before, and is not now."""
    now = jnp.result_type(float)
    held = {leaf.dtype for leaf in jax.tree.leaves(model) if isinstance(leaf, jax.Array)}
    others = sorted(str(dtype) for dtype in held if dtype in (jnp.float32, jnp.float64) and dtype != now)
    if others:
        raise ValueError(
            f"`{name}` was made in {others[0]}, and jax is set to {now} now: set `jax_enable_x64` before anything is "
            "made, or make it again."
        )


def check_finite(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is NaN or infinite.

    ```python
    >>> import jaxneuro as jn
    >>> jn.extend.check_finite("v_rest", float("nan"))
    Traceback (most recent call last):
    ValueError: `v_rest` has to be finite; got nan.

    ```
    """
    known = _known(name, value)
    if known is not None and not np.all(np.isfinite(known)):
        raise ValueError(f"`{name}` has to be finite; got {_in_a_line(known)}.")


def check_positive(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is not finite and above 0.

    ```python
    >>> import jaxneuro as jn
    >>> jn.extend.check_positive("tau_m", -1.0)
    Traceback (most recent call last):
    ValueError: `tau_m` has to be positive; got -1.0.

    ```
    """
    check_finite(name, value)
    known = _known(name, value)
    if known is not None and not np.all(known > 0):
        raise ValueError(f"`{name}` has to be positive; got {_in_a_line(known)}.")


def check_nonnegative(name: str, value: ArrayLike) -> None:
    """Raises `ValueError` where a known `value` is not finite and at least 0.

    ```python
    >>> import jaxneuro as jn
    >>> jn.extend.check_nonnegative("t_ref", -1.0)
    Traceback (most recent call last):
    ValueError: `t_ref` must not be negative; got -1.0.

    ```
    """
    check_finite(name, value)
    known = _known(name, value)
    if known is not None and not np.all(known >= 0):
        raise ValueError(f"`{name}` must not be negative; got {_in_a_line(known)}.")
