"""When a neuron fires that was kicked: small kicks on its cycle."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .._formulas import Input
from .._numerics import Shown, as_leaf, check_count, check_finite, check_positive
from ..models import AbstractConductanceNeuron, AbstractNeuron, crossing
from ._excitability import Counts, as_level, check_neuron, membrane_solver, middle, settled_answers


class PhaseResponse(Shown):
    """How far a kick at a phase moves the next spikes.

    `phase`, 0 to 1 from spike to spike; `advance`, in periods, above 0 where the spikes come earlier, for `kick` mV;
    `period` [ms].
    """

    phase: Float[Array, "phases"]
    advance: Float[Array, "phases"]
    period: Float[Array, ""]


def phase_response(
    model: AbstractNeuron,
    current: Any,
    *,
    kick: float = 0.5,
    n_phases: int = 32,
    cycles: int = 4,
    settle: float = 300.0,
    dt: float = 0.02,
    threshold: float | None = None,
) -> PhaseResponse:
    """The phase response curve of a neuron that fires: the shift of later spikes by a jump of V at each phase.

        advance = (t_k - t_k') / period,   k = `cycles` spikes after the kick.

    All phases run side by side.

    **Arguments:**

    - `model`: a neuron of single numbers, which fires under the constant `current`.
    - `kick` [mV]; `n_phases`; `cycles` to wait before the shift is read; `settle` and `dt` [ms].
    - `threshold`: of neurons with channels the potential [mV] whose upward crossing is a spike, by default the middle
      of the swing in the second half of `settle`, as in `fi_curve`.

    **Returns:** a `PhaseResponse`; NaN where the neuron does not fire.

    Raises `ValueError` where an argument does not fit. Derivatives: none.

    ```python
    >>> import jaxneuro as jn
    >>> response = jn.analysis.phase_response(jn.neurons.qif(v_peak=200.0, v_reset=-200.0), 10.0, n_phases=8, dt=0.02)
    >>> bool((response.advance > -1e-3).all())
    True

    ```

    Source: Ermentrout (1996), doi:10.1162/neco.1996.8.5.979.
    """
    check_neuron(model)
    for name, value in (("n_phases", n_phases), ("cycles", cycles)):
        check_count(name, value, "a positive integer")
    for name, value in (("settle", settle), ("dt", dt)):
        check_positive(name, value)
    i = as_leaf(current, "current")
    check_finite("current", i)
    if i.ndim:
        raise ValueError(f"`current` has to be one number [uA/cm2]; got shape {i.shape}.")
    level, steps = as_level(model, threshold), round(settle / dt)
    warm, level = _warm(model, i[None], level, dt, steps, steps // 2)
    if int(warm.late[0]) < 2:
        nothing = jnp.full(n_phases, jnp.nan)
        return PhaseResponse(jnp.arange(n_phases) / n_phases, nothing, jnp.asarray(jnp.nan))
    period = (warm.last - warm.first)[0] / (int(warm.late[0]) - 1)
    steps = int(np.ceil((cycles + 2.5) * float(period) / dt))
    return _kicked(model, i, warm.state, level, period, as_leaf(kick, "kick"), dt, steps, n_phases, cycles)


@eqx.filter_jit
def _warm(
    model: AbstractNeuron, current: Float[Array, "1"], level: Float[Array, ""] | None, dt: float, steps: int, late: int
) -> tuple[Counts, Float[Array, "*n"] | None]:
    """What the second half of settling shows, and the level of its spikes."""
    seen = settled_answers(model, current, level, dt, steps, late)
    return seen, middle(seen) if level is None and isinstance(model, AbstractConductanceNeuron) else level


@eqx.filter_jit
def _kicked(
    model: AbstractNeuron,
    i: Array,
    state: Any,
    level: Float[Array, "*n"] | None,
    period: Array,
    kick: Array,
    dt: float,
    steps: int,
    n: int,
    cycles: int,
) -> PhaseResponse:
    constants = model.prepare(dt, membrane_solver(model))
    phase = jnp.arange(n, dtype=period.dtype) / n
    # The last one is never kicked.
    wide = jax.tree_util.tree_map(lambda x: jnp.broadcast_to(x, (n + 1,)), state)

    def step(carry: tuple, k: Array) -> tuple[tuple, None]:
        now, spikes, first, last, kicked = carry
        since = (k.astype(period.dtype) + 1.0) * dt - first
        hit = (spikes > 0) & (since >= jnp.append(phase * period, jnp.inf)) & ~kicked
        jump = jnp.where(hit, kick, 0.0)
        new, firing = model.step(constants, now, Input(current=jnp.broadcast_to(i, (n + 1,)), kick=jump))
        if level is not None:
            firing = crossing(model.observe(now)["v"], model.observe(new)["v"], level)
        share = jnp.ones(n + 1, period.dtype) if firing.share is None else firing.share
        time = (k.astype(period.dtype) + share) * dt
        first = jnp.where(firing.spikes & (spikes == 0), time, first)
        last = jnp.where(firing.spikes & (spikes <= cycles), time, last)
        return (new, spikes + firing.spikes.astype(jnp.int32), first, last, kicked | hit), None

    nan = jnp.full(n + 1, jnp.nan, period.dtype)
    start = (wide, jnp.zeros(n + 1, jnp.int32), nan, nan, jnp.zeros(n + 1, bool))
    (_, _, _, last, _), _ = lax.scan(step, start, jnp.arange(steps))
    return PhaseResponse(phase, (last[-1] - last[:-1]) / period, period)
