"""Recordings of single neurons, and models that are fitted to them."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from ._network import Population
from ._numerics import (
    AbstractBijection,
    Positive,
    Shown,
    Unbounded,
    as_leaf,
    check_finite,
    check_nonnegative,
    check_positive,
)
from ._simulate import Clamp, simulate
from ._simulate.adjoint import Checkpoint
from ._simulate.record import Trace
from .models import HodgkinHuxley


class VoltageTrace(Shown):
    """A potential recorded under an injected current.

    **Arguments:** `v` (samples,) [mV], at the times `every` dt, 2 `every` dt, ...; `current` (steps,) [uA/cm2], one a
    step of `dt` [ms] from t = 0 on, at which the neuron was at rest; `every`, steps a sample.

    Raises `ValueError` where lengths do not fit or a value is not finite.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> trace = jn.recordings.VoltageTrace(np.full(10, -65.0), np.zeros(20), dt=0.05, every=2)

    ```
    """

    v: Float[Array, "samples"]
    current: Float[Array, "steps"]
    dt: float = eqx.field(static=True)
    every: int = eqx.field(static=True)

    def __init__(self, v: Any, current: Any, *, dt: float, every: int = 1):
        self.v, self.current, self.dt, self.every = as_leaf(v, "v"), as_leaf(current, "current"), dt, every
        check_finite("v", self.v)
        check_finite("current", self.current)
        check_positive("dt", dt)
        if self.current.shape != (self.v.shape[0] * every,):
            raise ValueError(
                f"`current` has to have `every` = {every} values a sample of `v`; got {self.current.shape} and "
                f"{self.v.shape}."
            )


class TracedNeuron(Shown):
    """A Hodgkin-Huxley neuron that is fitted to a recorded potential, tied to it at first.

        C dV/dt = ... + coupling (V_recorded - V).

    A free run loses the gradient where its spikes are shifted: the misfit of two spikes that do not overlap does not
    tell which way to go. A conductance that pulls the model to the recording keeps its spikes in place; the misfit that
    is left is smooth in the parameters, and least at the true ones. A fit goes from strong coupling to none.

    **Arguments:** `neuron`, where the fit starts; `coupling` [mS/cm2], not fitted. Free are `g_na`, `g_k`, `g_l` and
    `e_l` of the neuron.

    Raises `ValueError` where `coupling` is negative.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> model = jn.recordings.TracedNeuron(jn.HodgkinHuxley(g_na=100.0), coupling=1.0)

    ```

    Source: Abarbanel, Creveling, Farsian and Kostuk (2009), doi:10.1137/090749761.
    """

    neuron: HodgkinHuxley
    coupling: Float[Array, ""]

    def __init__(self, neuron: HodgkinHuxley, *, coupling: ArrayLike = 0.0):
        self.neuron, self.coupling = neuron, as_leaf(coupling, "coupling")
        check_nonnegative("coupling", self.coupling)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        """The conductances, positive, and the reversal potential of the leak."""
        return {
            "neuron.g_na": Positive(),
            "neuron.g_k": Positive(),
            "neuron.g_l": Positive(),
            "neuron.e_l": Unbounded(),
        }

    def potential(self, data: VoltageTrace) -> Float[Array, "samples"]:
        """The potential of the model at the samples of the recording [mV]."""
        rest = jnp.atleast_1d(self.neuron.resting_potential())
        before = jnp.concatenate([rest, data.v[:-1]])[:, None]
        # The recording between its samples, in the middle of each step.
        shares = as_leaf((np.arange(data.every) + 0.5) / data.every)
        recorded = before + shares * (data.v[:, None] - before)
        clamp = Clamp(current=data.current[:, None], conductance=self.coupling, reversal=recorded.reshape(-1, 1))
        n_steps = data.current.shape[0]
        sol = simulate(
            Population(self.neuron, 1), 0.0, n_steps * data.dt, dt=data.dt, key=jax.random.key(0), stimulus=clamp,
            record={"v": Trace("v", every=data.every)}, adjoint=Checkpoint(), throw=False,
        )  # fmt: skip
        return sol["v"][:, 0]

    def residuals(self, data: VoltageTrace) -> Float[Array, "samples"]:
        """Recorded minus model [mV]."""
        return data.v - self.potential(data)
