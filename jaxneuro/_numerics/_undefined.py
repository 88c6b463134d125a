"""Values that do not exist: NaN, with a derivative that is NaN too and not a silent 0."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Inexact


@jax.custom_jvp
def where_defined(
    defined: Bool[Array, "..."], value: Inexact[Array, "..."], *arguments: Inexact[Array, "..."]
) -> Inexact[Array, "..."]:
    """`value` where it is `defined`, else NaN with NaN for the derivatives by `value` and by the `arguments`.

    With `jnp.where` a derivative would be 0 there. The arguments, from which `value` was made, broadcast to its shape.
    """
    return jnp.where(defined, value, jnp.nan)


@where_defined.defjvp
def _where_defined_jvp(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    defined, value, *_ = primals
    _, of_value, *of_arguments = tangents
    undefined = jnp.where(defined, jnp.zeros_like(value), jnp.nan)
    tangent = of_value * (1.0 + undefined)
    for one in of_arguments:
        tangent = tangent + undefined * one.astype(value.dtype)
    return where_defined(*primals), tangent
