"""The firing rate of a neuron under a constant current, without noise."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import as_leaf, check_broadcast, check_finite, gauss_legendre, violates, where_defined
from ..models import LIF, IntegrateAndFire

_NODES = 400


def fi_curve(model: LIF | IntegrateAndFire, current: Any) -> Float[Array, "..."]:
    """The firing rate of an integrate-and-fire neuron without adaptation under a constant current I.

    A LIF neuron has the closed form

        1/rate = t_ref + tau_m log((v_rest + I - v_reset)/(v_rest + I - v_th)),

    0 where v_rest + I does not reach v_th; any other

        1/rate = t_ref + tau_m (integral over V from v_reset to v_peak of dV/(F(V) + I)),

    by Gauss-Legendre quadrature in a variable in which the bottleneck at the minimum of F is flat.

    **Arguments:**

    - `model`: a `LIF` or an `IntegrateAndFire` neuron with a = b = 0.
    - `current`: I [mV], any shape.

    **Returns:** the rate [Hz], of the shape of `current`.

    Raises `ValueError` where the model is another, adapts, or has one number a neuron, or `current` is not finite; in
    a transformation, where values are not known, NaN.

    Derivatives: forward and reverse mode; 0 where the rate is 0.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.theory.fi_curve(jn.LIF(), 30.0)):.4f} Hz"
    '63.0400 Hz'
    >>> f"{float(jn.theory.fi_curve(jn.neurons.qif(), 5.0)):.4f} Hz"
    '8.7483 Hz'

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, equation (5.11); source text 003.
    """
    i = as_leaf(current, "current")
    check_finite("current", i)
    if isinstance(model, LIF):
        numbers = ("tau_m", "v_rest", "v_th", "v_reset", "t_ref")
        check_broadcast({"current": i} | {name: getattr(model, name) for name in numbers})
        above = model.v_rest + i - model.v_th
        fires = above > 0
        safe = jnp.where(fires, above, 1.0)
        period = model.t_ref + model.tau_m * jnp.log1p((model.v_th - model.v_reset) / safe)
        return where_defined(jnp.isfinite(i), jnp.where(fires, 1000.0 / period, 0.0), i)
    if not isinstance(model, IntegrateAndFire) or any(leaf.ndim for leaf in jax.tree_util.tree_leaves(model)):
        raise ValueError(
            f"`model` has to be a LIF or an IntegrateAndFire neuron of single numbers; got {type(model).__name__}."
        )
    if violates(lambda a, b: (a == 0.0) & (b == 0.0), model.a, model.b):
        raise ValueError("`model` adapts (`a` or `b` is not 0): its rate has no closed form; simulate it.")
    lowest = model.curve.lowest()
    excess = i + model.curve(lowest)
    fires = excess > 0
    width = jnp.sqrt(jnp.where(fires, excess, 1.0)) + 1e-3
    # V = lowest + width sinh(s): nodes crowd where the neuron is slow.
    ends = [jnp.arcsinh((v - lowest) / width) for v in (model.v_reset, model.v_peak)]
    rule = gauss_legendre(_NODES)
    share, weight = (as_leaf(x) for x in (rule.nodes, rule.weights))
    length = ends[1] - ends[0]
    s = ends[0][..., None] + length[..., None] * share
    v = lowest + width[..., None] * jnp.sinh(s)
    speed = model.curve(v) + jnp.where(fires, i, 1.0 - model.curve(lowest))[..., None]
    integral = jnp.sum(weight * width[..., None] * jnp.cosh(s) / speed, axis=-1) * length
    rate = jnp.where(fires, 1000.0 / (model.t_ref + model.tau_m * integral), 0.0)
    return where_defined(jnp.isfinite(i), rate, i)
