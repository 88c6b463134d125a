"""The energy of a rate network with symmetric weights."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import as_leaf, check_finite
from ..models import RateNetwork


def energy(net: RateNetwork, v: Any) -> Float[Array, "*batch"]:
    """The energy of a rate network at the rates `v`.

    With x = h + M v and s = F(x),

        E = -1/2 s.M s - h.s + sum_i int^s_i F^-1(y) dy = -1/2 s.M s - h.s + sum_i (x_i s_i - Phi(x_i)),

    Phi an integral of F: Legendre's transform in place of the inverse, which a rectified F does not have. For symmetric
    M it falls along every trajectory,

        dE/dt = -1/tau sum_i F'(x_i) (h_i + (M s)_i - x_i)^2,

    (F' stands inside the sum: corrected); for other M it may rise.

    **Arguments:** `net`, a `RateNetwork` with recurrent weights; `v`, rates, (..., n), such as a recorded trace.

    **Returns:** E, (...), in squared units of the rates; it is determined up to a constant.

    Raises `ValueError` where `net` is no `RateNetwork` with weights or its transfer function has no closed integral,
    or `v` does not fit.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> net = jn.RateNetwork([[0.0, 0.5], [0.5, 0.0]], h=1.0)
    >>> [round(float(e), 3) for e in jn.theory.energy(net, jnp.asarray([[0.0, 0.0], [2.0, 2.0]]))]
    [-1.5, -2.0]

    ```

    Source: Hopfield (1984), doi:10.1073/pnas.81.10.3088; source text 001, equations (45)-(47).
    """
    if not isinstance(net, RateNetwork) or net.m is None:
        raise ValueError(f"`net` has to be a RateNetwork with weights `m`; got {type(net).__name__}.")
    v = as_leaf(v, "v")
    if v.shape[-1:] != (net.size(),):
        raise ValueError(f"`v` has to hold rates of the {net.size()} units, (..., {net.size()}); got shape {v.shape}.")
    check_finite("v", v)
    x = net.drive(v)
    s = net.transfer(x)
    constant = x - v @ net.m.T  # h, and W u where there is feedforward input
    each = -0.5 * s * (s @ net.m.T) - constant * s + x * s - net.transfer.antiderivative(x)
    return jnp.sum(each, axis=-1)
