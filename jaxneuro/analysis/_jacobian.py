"""The derivative of a model's vector field."""

from typing import Any

import equinox as eqx
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf
from ..models import AbstractODE
from ._vector import Flat, check_model, flat, point_of


def jacobian(model: AbstractODE, y: Any, *, stimulus: ArrayLike | None = None) -> Float[Array, "n n"]:
    """The Jacobian d(dy/dt)/dy of a model: small displacements grow as exp(J t).

    Of the E/I pair it is ((M_EE F_E' - 1)/tau_E, M_EI F_E'/tau_E; M_IE F_I'/tau_I, (M_II F_I' - 1)/tau_I), with
    tau_I in the lower left entry (corrected).

    **Arguments:** `model`, a rate model; `y`, (n,), where, in the order of the model's variables; `stimulus`, a number
    or (n,).

    **Returns:** (n, n) [1/ms]; its eigenvalues are those of `jnp.linalg.eigvals`.

    Raises `ValueError` where an argument does not fit. Works under jit and vmap. Derivatives: any.

    ```python
    >>> import jaxneuro as jn
    >>> print(jn.analysis.jacobian(jn.networks.ei_rate(tau_i=40.0), [80 / 3, 50 / 3]))
    [[ 0.025 -0.1  ]
     [ 0.025 -0.025]]

    ```

    Source: Strogatz (2015), Nonlinear Dynamics and Chaos, section 6.3; source text 002.
    """
    check_model(model, stimulus)
    field, own = flat(model, None if stimulus is None else as_leaf(stimulus, "stimulus"))
    return _jacobian(field, point_of("y", y, own))


@eqx.filter_jit
def _jacobian(field: Flat, y: Float[Array, "n"]) -> Float[Array, "n n"]:
    return field.jacobian(y)
