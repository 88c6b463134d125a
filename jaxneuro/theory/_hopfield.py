"""How many patterns Hopfield's network can recall."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import erf
from jaxtyping import Array, Float, Int

from .._numerics import Result, Shown, as_leaf, check_positive, implicit_roots, is_concrete, where_defined
from ._ring import result_of

# Where _root_of_load is largest, the zero of its slope: exp(x^2) erf(x) = 2 x (1 + 2 x^2) / sqrt(pi).
_TURN = 1.51117561


class HopfieldRecall(Shown):
    """The state near a stored pattern.

    - `overlap`: m, the mean of pattern times state; `result`: successful, or no_fixed_point, where it is NaN.
    - `capacity`: the largest load at which there is such a state, 0.13790...
    """

    overlap: Float[Array, "..."]
    capacity: Float[Array, ""]
    result: Result


def hopfield_recall(*, load: Any, throw: bool = True) -> HopfieldRecall:
    """The overlap with a stored pattern in a large Hopfield network of steep units.

        sqrt(2 load) = erf(x)/x - (2/sqrt(pi)) exp(-x^2),   m = erf(x),

    the largest root, of the replica-symmetric theory at temperature 0. There is none above the capacity, where the
    right-hand side is largest: m falls from 0.967 to nothing.

    **Arguments:** `load`, patterns over units, a number or an array, above 0; `throw`, whether a load above capacity
    raises; if not, `result` says so, as vmap needs.

    **Returns:** a `HopfieldRecall`.

    Raises `ValueError` where a known `load` is not positive, `RuntimeError` where it is above capacity and `throw` is
    true.

    Derivatives: forward and reverse mode, implicit; infinite at capacity.

    ```python
    >>> import jaxneuro as jn
    >>> seen = jn.theory.hopfield_recall(load=0.1)
    >>> print(f"overlap {float(seen.overlap):.4f}; up to {float(seen.capacity):.4f} patterns a unit")
    overlap 0.9980; up to 0.1379 patterns a unit

    ```

    Source: Amit, Gutfreund and Sompolinsky (1985), doi:10.1103/PhysRevLett.55.1530.
    """
    leaf = as_leaf(load, "load")
    check_positive("load", leaf)
    seen = _recall(leaf)
    if throw and is_concrete(seen, leaf) and bool(jnp.any(seen.result != Result.successful)):
        raise RuntimeError(
            f"No recall: `load` may not exceed {float(seen.capacity):.4f} patterns a unit; got {float(leaf.max()):.4g}."
        )
    return seen


@jax.jit
def _recall(load: Float[Array, "..."]) -> HopfieldRecall:
    most = _root_of_load(jnp.asarray(_TURN, load.dtype))
    known = jnp.sqrt(2.0 * lax.stop_gradient(load))
    exists = known <= most

    def halve(_: Int[Array, ""], bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bracket
        middle = 0.5 * (low + high)
        above = _root_of_load(middle) > known
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    # erf(x)/x < 1/x bounds the root from above.
    ends = (jnp.full_like(known, _TURN), jnp.maximum(1.0 / known, _TURN))
    low, high = lax.fori_loop(0, 60, halve, ends)
    start = jnp.where(exists, 0.5 * (low + high), 2.0)
    x = implicit_roots(lambda x: jnp.where(exists, _root_of_load(x) - jnp.sqrt(2.0 * load), 2.0 - x), start)
    return HopfieldRecall(where_defined(exists, erf(x), load), 0.5 * jnp.square(most), result_of(exists))


def _root_of_load(x: Float[Array, "..."]) -> Float[Array, "..."]:
    return erf(x) / x - 2.0 / math.sqrt(math.pi) * jnp.exp(-x * x)
