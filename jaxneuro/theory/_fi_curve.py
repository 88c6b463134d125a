"""The firing rate of a neuron under a constant current, without noise."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import as_leaf, check_finite, where_defined
from ..models import AbstractNeuron


def fi_curve(model: AbstractNeuron, current: Any) -> Float[Array, "..."]:
    """The firing rate of an integrate-and-fire neuron without adaptation under a constant current I.

    A LIF neuron has the closed form

        1/rate = t_ref + tau_m log((v_rest + I - v_reset)/(v_rest + I - v_th)),

    0 where v_rest + I does not reach v_th; any other

        1/rate = t_ref + tau_m (integral over V from v_reset to v_peak of dV/(F(V) + I)),

    by Gauss-Legendre quadrature in a variable in which the bottleneck at the minimum of F is flat.

    **Arguments:**

    - `model`: a `LIF`, an `IntegrateAndFire` neuron with a = b = 0, or one of your own with `rate_under(current)`.
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
    if not isinstance(model, AbstractNeuron):
        raise ValueError(f"`model` has to be a LIF or another neuron; got {type(model).__name__}.")
    return where_defined(jnp.isfinite(i), model.rate_under(i), i)
