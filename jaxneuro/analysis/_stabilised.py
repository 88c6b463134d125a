"""Whether inhibition holds excitation that would run away alone."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._numerics import Shown, is_concrete
from ..models import EIRate
from ._fixed_points import reached_root
from ._vector import check_model, flat, point_of


class Stabilisation(Shown):
    """The operating regime of an E/I pair at a fixed point.

    - `stabilised`: whether the fixed point is stable and excitation alone, with v_I held, would not be.
    - `feedback`: M_EE F'(x_E), the gain of excitation on itself; above 1 it runs away alone.
    - `paradox`: dv_I / d(input to I). Negative where more input makes inhibitory rates fall, as it does in every
      stabilised pair.
    - `y`: the rates.
    """

    stabilised: Bool[Array, ""]
    feedback: Float[Array, ""]
    paradox: Float[Array, ""]
    y: Float[Array, "2"]

    def __str__(self) -> str:
        if not is_concrete(self.y) or self.y.ndim != 1:
            return "Stabilisation of an E/I pair"
        what = "inhibition-stabilised" if bool(self.stabilised) else "not inhibition-stabilised"
        return f"{what}: M_EE F' = {float(self.feedback):.4g}, dv_I/dI_I = {float(self.paradox):.4g}"


def inhibition_stabilisation(pair: EIRate, *, near: Any = None) -> Stabilisation:
    """Whether an E/I pair is inhibition-stabilised, and its paradoxical response.

    Linearised at the fixed point, tau dv/dt = (D M - 1) dv + D dI with D = diag F'(x). Excitation alone is unstable
    where F'(x_E) M_EE > 1, and then an input to I lowers v_I in the steady state:

        dv_I/dI_I = F'(x_I) (1 - F'(x_E) M_EE) / det(1 - D M).

    **Arguments:** `pair`, an `EIRate`; `near`, (2,), from where the fixed point is sought, by default its start.

    **Returns:** a `Stabilisation`; NaN where there is no fixed point.

    Raises `ValueError` where `pair` is no `EIRate`. Works under jit and vmap.

    Derivatives: forward and reverse mode, of `feedback`, `paradox` and `y`.

    ```python
    >>> import jaxneuro as jn
    >>> print(jn.analysis.inhibition_stabilisation(jn.networks.ei_rate(tau_i=30.0)))
    inhibition-stabilised: M_EE F' = 1.25, dv_I/dI_I = -0.3333

    ```

    Source: Tsodyks, Skaggs, Sejnowski and McNaughton (1997), doi:10.1523/JNEUROSCI.17-11-04382.1997.
    """
    check_model(pair, None)
    if not isinstance(pair, EIRate):
        raise ValueError(f"`pair` has to be an `EIRate`; got {type(pair).__name__}.")
    field, start = flat(pair, None)
    y = reached_root(field, point_of("near", near, start))
    slopes = jax.jvp(pair.transfer, (pair.drive(y),), (jnp.ones_like(y),))[1]
    m = pair.weights()
    whole = jnp.eye(2, dtype=y.dtype) - slopes[:, None] * m
    determinant = whole[0, 0] * whole[1, 1] - whole[0, 1] * whole[1, 0]
    jacobian = field.jacobian(y)
    trace = jacobian[0, 0] + jacobian[1, 1]
    feedback = slopes[0] * m[0, 0]
    stable = (trace < 0.0) & (determinant > 0.0)
    return Stabilisation(stable & (feedback > 1.0), feedback, slopes[1] * (1.0 - feedback) / determinant, y)
