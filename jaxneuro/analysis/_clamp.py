"""A membrane whose potential is held by the experimenter."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics import Shown, as_leaf, check_finite, check_nonnegative, in_a_line
from ..models import AbstractConductanceNeuron


class VoltageClamp(Shown):
    """What a clamp shows; the last axes are (time,) or those of the levels and then time.

    - `currents`: {channel: current out of the cell [uA/cm2]}; `conductances`: the same [mS/cm2].
    - `gates`: {gate: its value}; `current`: the sum over channels.
    """

    times: Float[Array, "time"]
    gates: dict[str, Float[Array, "*levels time"]]
    conductances: dict[str, Float[Array, "*levels time"]]
    currents: dict[str, Float[Array, "*levels time"]]

    @property
    def current(self) -> Float[Array, "*levels time"]:
        """The ionic current [uA/cm2]."""
        return jnp.sum(jnp.stack(list(self.currents.values())), axis=0)


def voltage_clamp(model: AbstractConductanceNeuron, v: Any, times: Any, *, holding: Any = None) -> VoltageClamp:
    """Currents by channel after the potential steps from `holding` to `v`, in closed form.

    The rates are constant, so that every gate relaxes exponentially: x(t) = x_inf - (x_inf - x_0) exp(-t/tau).

    **Arguments:**

    - `model`: a neuron with channels and one number a parameter.
    - `v`: levels [mV], any shape; `times` since the step [ms], (time,).
    - `holding`: the potential [mV] before, at which all gates have settled; by default the resting potential.

    **Returns:** a `VoltageClamp`, of the shape of `v` and then time.

    Raises `ValueError` where the model has no channels or parameters that are no single numbers, where a value is
    not finite or a time negative.

    Derivatives: forward and reverse mode, in every number of the model and in the levels.

    ```python
    >>> import jaxneuro as jn
    >>> clamp = jn.analysis.voltage_clamp(jn.HodgkinHuxley(), 0.0, [0.5, 1.0, 5.0])
    >>> [round(float(i), 1) for i in clamp.currents["na"]]
    [-1404.2, -1205.1, -40.8]

    ```

    Source: Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764, equations (7)-(11).
    """
    if not isinstance(model, AbstractConductanceNeuron):
        raise ValueError(f"`model` has to be a neuron with channels such as `HodgkinHuxley()`; got {in_a_line(model)}.")
    levels, t = as_leaf(v, "v"), as_leaf(times, "times")
    check_finite("v", levels)
    if t.ndim != 1:
        raise ValueError(f"`times` has to be (time,); got the shape {t.shape}.")
    check_nonnegative("times", t)
    if any(leaf.ndim for leaf in jax.tree_util.tree_leaves(model)):
        raise ValueError("`model` has one number a neuron; give it single numbers and map over them with jax.vmap.")
    start = model.resting_potential() if holding is None else as_leaf(holding, "holding")
    check_finite("holding", start)
    return _clamp(model, levels, t, start)


@eqx.filter_jit
def _clamp(model: AbstractConductanceNeuron, v: Array, t: Array, holding: Array) -> VoltageClamp:
    at = v[..., None]
    before = model.steady_gates(jnp.broadcast_to(holding, v.shape)[..., None])
    gates = {
        name: moves.infinity() - (moves.infinity() - before[name]) * jnp.exp(-model.phi * moves.total * t)
        for name, moves in model.kinetics(at).items()
    }
    whole = jnp.broadcast_to(at, (*v.shape, t.shape[0]))
    return VoltageClamp(t, gates, model.conductances(whole, gates), model.currents(whole, gates))


def current_voltage(model: AbstractConductanceNeuron, v: Any) -> Float[Array, "..."]:
    """The steady current out of the cell [uA/cm2] at the potentials `v` [mV], the bias counted in.

    Raises `ValueError` where the model has no channels.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> round(float(jn.analysis.current_voltage(jn.HodgkinHuxley(), -50.0)), 2)
    61.74

    ```
    """
    if not isinstance(model, AbstractConductanceNeuron):
        raise ValueError(f"`model` has to be a neuron with channels such as `HodgkinHuxley()`; got {in_a_line(model)}.")
    return _steady_current(model, as_leaf(v, "v"))


@eqx.filter_jit
def _steady_current(model: AbstractConductanceNeuron, v: Float[Array, "*v"]) -> Float[Array, "*v"]:
    return model.steady_current(v)
