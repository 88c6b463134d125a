"""What makes a neuron fire, how fast, and when: steps of current from rest, and small kicks on a cycle."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._formulas import Input
from .._numerics import as_leaf, check_count, check_finite, check_positive, check_precision, is_concrete
from ..models import AbstractConductanceNeuron, AbstractNeuron, RungeKutta4

# Currents tried at once, and by how much they narrow the bracket.
_BATCH = 32


class Rheobase(eqx.Module):
    """The least steps of current from rest that are answered by a spike, and by spikes without end.

    In the units of the model's current, uA/cm2 of neurons with channels; NaN where no step of the range does it.
    """

    one_spike: Float[Array, ""]
    repetitive: Float[Array, ""]

    def __str__(self) -> str:
        one, repetitive = float(self.one_spike), float(self.repetitive)
        single = "no threshold of a spike in the range tried" if np.isnan(one) else f"one spike from {one:.4g}"
        firing = "none of repetitive firing" if np.isnan(repetitive) else f"repetitive firing from {repetitive:.4g}"
        return f"{single}, {firing}"


def _solver(model: AbstractNeuron) -> Any:
    """Of fourth order for smooth membranes, whose thresholds want it."""
    return RungeKutta4() if isinstance(model, AbstractConductanceNeuron) else model.default_solver()


class _Counts(eqx.Module):
    early: Array
    late: Array
    first: Array
    last: Array
    state: Any


def _answers(model: AbstractNeuron, current: Float[Array, "n"], dt: float, steps: int, late_from: int) -> _Counts:
    """Spikes of a step of `current` from rest, and those at or after the step `late_from`, with their times [ms]."""
    n = current.shape[0]
    constants = model.prepare(dt, _solver(model))
    rest = jnp.broadcast_to(model.resting_potential(), (n,))
    none = jnp.zeros(n, jnp.int32)
    unknown = jnp.full(n, jnp.nan)
    start = _Counts(none, none, unknown, unknown, model.init(rest))

    def step(now: _Counts, k: Array) -> tuple[_Counts, None]:
        new, firing = model.step(constants, now.state, Input(current=current))
        share = jnp.ones(n) if firing.share is None else firing.share
        time = (k.astype(share.dtype) + share) * dt
        late = firing.spikes & (k >= late_from)
        first = jnp.where(late & (now.late == 0), time, now.first)
        last = jnp.where(late, time, now.last)
        early = now.early + firing.spikes.astype(jnp.int32)
        return _Counts(early, now.late + late.astype(jnp.int32), first, last, new), None

    return lax.scan(step, start, jnp.arange(steps))[0]


@eqx.filter_jit
def _threshold(
    model: AbstractNeuron, ends: Float[Array, "2"], dt: float, steps: int, late_from: int, rounds: int, repetitive: bool
) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    def narrow(k: Any, now: tuple[Array, Array]) -> tuple[Array, Array]:
        bracket, finite = now
        tried = jnp.linspace(bracket[0], bracket[1], _BATCH)
        counts = _answers(model, tried, dt, steps, late_from)
        fires = (counts.late if repetitive else counts.early) > 0
        # Where the lower end of the range fires already, what is sought lies below it.
        found = jnp.any(fires) & ((k > 0) | ~fires[0])
        first = jnp.argmax(fires)
        low = tried[jnp.maximum(first - 1, 0)]
        known = jnp.where(jnp.any(jnp.isnan(bracket)), True, jnp.all(_finite(counts.state)))
        return jnp.where(found, jnp.stack([low, tried[first]]), jnp.full(2, jnp.nan)), finite & known

    bracket, finite = lax.fori_loop(0, rounds, narrow, (ends, jnp.asarray(True)))
    return jnp.where(finite, jnp.mean(bracket), jnp.nan), finite


def rheobase(
    model: AbstractNeuron,
    *,
    over: Any = (0.0, 20.0),
    duration: float = 1_000.0,
    dt: float = 0.05,
    tolerance: float = 1e-4,
) -> Rheobase:
    """The least step of current from rest that is answered by one spike, and by repetitive firing.

    32 currents are tried at once, and again between the last that fails and the first that does not, until they are
    `tolerance` apart. A spike in the first quarter of `duration` counts as an answer; firing is repetitive where there
    still are spikes in the last quarter. Neurons with channels are stepped by `RungeKutta4`.

    **Arguments:**

    - `model`: a neuron whose parameters are single numbers.
    - `over`: (low, high), in the unit of the model's current (uA/cm2, or mV of `LIF`): the answers are sought between,
      and are NaN where there is none: also where the step `low` is answered already.
    - `duration` of the step and `dt` [ms]; `tolerance`, in the unit of the current.

    **Returns:** a `Rheobase`.

    Raises `ValueError` where an argument does not fit, `RuntimeError` where a run became NaN or infinite.

    Derivatives: none; the answers are thresholds of runs.

    ```python
    >>> import jaxneuro as jn
    >>> print(jn.analysis.rheobase(jn.HodgkinHuxley()))
    one spike from 2.241, repetitive firing from 6.264

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, chapter 5; Rinzel (1978), Fed Proc 37:2793.
    """
    check_neuron(model)
    ends = as_leaf(over, "over")
    if ends.shape != (2,) or not bool(ends[0] < ends[1]) or not bool(jnp.all(jnp.isfinite(ends))):
        raise ValueError(f"`over` has to be (low, high) with low below high; got {over!r}.")
    for name, value in (("duration", duration), ("dt", dt), ("tolerance", tolerance)):
        check_positive(name, value)
    width = float(ends[1] - ends[0])
    rounds = max(1, int(np.ceil(np.log(width / (2 * tolerance)) / np.log(_BATCH - 1))))
    steps = round(duration / dt)
    one, early = _threshold(model, ends, dt, steps // 4, 0, rounds, False)
    repetitive, late = _threshold(model, ends, dt, steps, 3 * steps // 4, rounds, True)
    if is_concrete(early, late) and not bool(early & late):
        raise RuntimeError(f"A run became NaN or infinite. Take a smaller `dt` than {dt:g} ms or a lower `over`.")
    return Rheobase(one, repetitive)


def check_neuron(model: Any) -> None:
    """Raises `ValueError` where `model` is no neuron of single numbers."""
    if not isinstance(model, AbstractNeuron):
        raise ValueError(f"`model` has to be a neuron, such as `jn.HodgkinHuxley()`; got {type(model).__name__}.")
    check_precision("model", model)
    if any(leaf.ndim for leaf in jax.tree_util.tree_leaves(model)):
        raise ValueError("`model` has one number a neuron; give it single numbers and map over them with jax.vmap.")


def fi_curve(
    model: AbstractNeuron, current: Any, *, start: float = 200.0, duration: float = 1_000.0, dt: float = 0.02
) -> Float[Array, "n"]:
    """The firing rate under steps of current from rest, simulated: the inverse of the mean interval after `start`.

    **Arguments:** `model`, a neuron of single numbers; `current`, (n,), in the unit of the model's current; `start`,
    from when on intervals count, `duration` of the steps and `dt` [ms].

    **Returns:** (n,) [Hz]; 0 with fewer than two spikes after `start`, NaN where a run became NaN or infinite, as it
    does at a `dt` that is too long.

    Raises `ValueError` where an argument does not fit. Derivatives: none. `jn.theory.fi_curve` has those of
    integrate-and-fire neurons.

    ```python
    >>> import jaxneuro as jn
    >>> [round(float(f), 1) for f in jn.analysis.fi_curve(jn.HodgkinHuxley(), [5.0, 10.0], duration=400.0, dt=0.02)]
    [0.0, 68.3]

    ```

    Source: source text 003.
    """
    check_neuron(model)
    i = jnp.atleast_1d(as_leaf(current, "current"))
    if i.ndim > 1:
        raise ValueError(f"`current` has to be a number or (n,); got the shape {i.shape}.")
    check_finite("current", i)
    if not 0.0 <= start < duration:
        raise ValueError(f"`start` has to lie before `duration`, {duration} ms; got {start} ms.")
    check_positive("dt", dt)
    return _rates(model, i, dt, round(duration / dt), round(start / dt))


@eqx.filter_jit
def _rates(model: AbstractNeuron, current: Float[Array, "n"], dt: float, steps: int, late_from: int) -> Array:
    counts = _answers(model, current, dt, steps, late_from)
    finite = _finite(counts.state)
    some = counts.late > 1
    gap = (counts.last - counts.first) / jnp.maximum(counts.late - 1, 1).astype(counts.first.dtype)
    return jnp.where(finite, jnp.where(some, 1000.0 / jnp.where(some, gap, 1.0), 0.0), jnp.nan)


def _finite(state: Any) -> Bool[Array, "n"]:
    """Whether nothing in the state of a neuron is NaN or infinite, which counts as silence otherwise."""
    leaves = jax.tree_util.tree_leaves(eqx.filter(state, eqx.is_inexact_array))
    return jnp.all(jnp.stack(jnp.broadcast_arrays(*map(jnp.isfinite, leaves))), axis=0)


class PhaseResponse(eqx.Module):
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
) -> PhaseResponse:
    """The phase response curve of a neuron that fires: the shift of later spikes by a jump of V at each phase.

        advance = (t_k - t_k') / period,   k = `cycles` spikes after the kick.

    All phases run side by side.

    **Arguments:**

    - `model`: a neuron of single numbers, which fires under the constant `current`.
    - `kick` [mV]; `n_phases`; `cycles` to wait before the shift is read; `settle` and `dt` [ms].

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
    warm = _answers_jit(model, i[None], dt, round(settle / dt), round(0.5 * settle / dt))
    if int(warm.late[0]) < 2:
        nothing = jnp.full(n_phases, jnp.nan)
        return PhaseResponse(jnp.arange(n_phases) / n_phases, nothing, jnp.asarray(jnp.nan))
    period = (warm.last - warm.first)[0] / (int(warm.late[0]) - 1)
    steps = int(np.ceil((cycles + 2.5) * float(period) / dt))
    return _kicked(model, i, warm.state, period, as_leaf(kick, "kick"), dt, steps, n_phases, cycles)


_answers_jit = eqx.filter_jit(_answers)


@eqx.filter_jit
def _kicked(
    model: AbstractNeuron, i: Array, state: Any, period: Array, kick: Array, dt: float, steps: int, n: int, cycles: int
) -> PhaseResponse:
    constants = model.prepare(dt, _solver(model))
    phase = jnp.arange(n, dtype=period.dtype) / n
    # The last one is never kicked.
    wide = jax.tree_util.tree_map(lambda x: jnp.broadcast_to(x, (n + 1,)), state)

    def step(carry: tuple, k: Array) -> tuple[tuple, None]:
        now, spikes, first, last, kicked = carry
        since = (k.astype(period.dtype) + 1.0) * dt - first
        hit = (spikes > 0) & (since >= jnp.append(phase * period, jnp.inf)) & ~kicked
        jump = jnp.where(hit, kick, 0.0)
        new, firing = model.step(constants, now, Input(current=jnp.broadcast_to(i, (n + 1,)), kick=jump))
        share = jnp.ones(n + 1, period.dtype) if firing.share is None else firing.share
        time = (k.astype(period.dtype) + share) * dt
        first = jnp.where(firing.spikes & (spikes == 0), time, first)
        last = jnp.where(firing.spikes & (spikes <= cycles), time, last)
        return (new, spikes + firing.spikes.astype(jnp.int32), first, last, kicked | hit), None

    nan = jnp.full(n + 1, jnp.nan, period.dtype)
    start = (wide, jnp.zeros(n + 1, jnp.int32), nan, nan, jnp.zeros(n + 1, bool))
    (_, _, _, last, _), _ = lax.scan(step, start, jnp.arange(steps))
    return PhaseResponse(phase, (last[-1] - last[:-1]) / period, period)
