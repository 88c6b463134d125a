"""Float leaves of a model: strongly typed arrays, so that a new value never retraces."""

import contextlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Bool, Float

from ._check import told
from ._read import read_numbers


def as_leaf(value: Any, name: str | None = None) -> Float[Array, "..."]:
    """Converts a number to a strongly typed array of the default float dtype.

    `jnp.asarray(20.0)` is weakly typed, so that a model made from it traces again where
    a model made from an array does not. 20.0, 20, `np.float32(20)`, `np.float64(20)` and
    an array, a list or a column of any of these give leaves of one type here. Tracers pass through; what is known
    stays known inside a user's `jax.jit`, where `jnp.asarray` gives a tracer.

    Raises `ValueError`, naming the argument `name`, where `value` is no real number or array of real numbers, has a
    unit, a mask or missing values (see `read_array`), or is too large for the dtype.
    """
    known = as_known(value, name, jnp.result_type(float))
    if isinstance(known, jax.Array):
        return known
    with jax.ensure_compile_time_eval():
        return jax.device_put(known)


def as_known(value: Any, name: str | None, dtype: np.dtype) -> np.ndarray | Float[Array, "..."]:
    """As `as_leaf`, of `dtype`; what is no array of jax stays with NumPy, which reads single numbers a hundred times
    as fast.
    """
    known = read_numbers(value, name)
    if isinstance(known, jax.Array):
        same = known.dtype == dtype and not known.weak_type
        return known if same else jax.lax.convert_element_type(known, dtype)
    if known.dtype == dtype:
        return known
    with np.errstate(over="ignore"):
        narrow = known.astype(dtype)
    if np.any(np.isinf(narrow) & np.isfinite(known)):
        what = "A parameter" if name is None else f"`{name}`"
        raise ValueError(f"{what} is too large for {dtype}; got {told(value)}.")
    return narrow


def is_concrete(*values: Any) -> bool:
    """Whether no array among `values` (pytrees) is a tracer.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> seen = []
    >>> _ = jax.jit(lambda x: seen.append(jn.extend.is_concrete(x)) or x)(jnp.ones(3))
    >>> jn.extend.is_concrete(jnp.ones(3)), seen
    (True, [False])

    ```
    """
    found = True
    for leaf in jax.tree_util.tree_leaves(values):
        found = found and not isinstance(leaf, Tracer)
    return found


def kept_known(*values: Any) -> contextlib.AbstractContextManager[Any]:
    """Where all `values` (pytrees) are known, what follows from them stays known inside a user's `jax.jit`."""
    return jax.ensure_compile_time_eval() if is_concrete(*values) else contextlib.nullcontext()


def violates(requirement: Callable[..., Bool[Array, "..."]], *values: Any) -> bool:
    """Whether known `values` miss a requirement anywhere; of tracers nothing is known, so False.

    Known values stay known inside a user's `jax.jit`, where a bare comparison of them gives a tracer. They are compared
    in NumPy, which has nothing to compile.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.extend.violates(lambda x: x > 0.0, jnp.asarray([1.0, -1.0]))
    True

    ```
    """
    if not is_concrete(values):
        return False
    known = jax.tree.map(lambda x: np.asarray(x) if isinstance(x, jax.Array) else x, values)
    with jax.ensure_compile_time_eval():
        met = requirement(*known)
        # A function of the user's, which a requirement may call, may hold numbers that are not known.
        return is_concrete(met) and not bool(np.all(met))
