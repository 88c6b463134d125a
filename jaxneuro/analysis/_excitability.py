"""What makes a neuron fire, and how fast: steps of current from rest."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._formulas import Input
from .._numerics import Shown, as_leaf, check_finite, check_positive, check_precision, is_concrete, told
from ..models import AbstractConductanceNeuron, AbstractNeuron, RungeKutta4, crossing

# Currents tried at once, and by how much they narrow the bracket.
_BATCH = 32
# A potential that swings by less [mV] does not fire.
_LEAST_SWING = 10.0


class Rheobase(Shown):
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


def membrane_solver(model: AbstractNeuron) -> Any:
    """Of fourth order for smooth membranes, whose thresholds want it."""
    return RungeKutta4() if isinstance(model, AbstractConductanceNeuron) else model.default_solver()


class Counts(eqx.Module):
    """Spikes, those that count, the times [ms] of the first and last of these, and the swing of V while they count."""

    early: Array
    late: Array
    first: Array
    last: Array
    lowest: Array
    highest: Array
    state: Any


def _at_rest(model: AbstractNeuron, n: int) -> Any:
    """The state of `n` neurons that a step of current finds."""
    return model.init(jnp.broadcast_to(model.starting_potential(), (n,)))


def answers(
    model: AbstractNeuron,
    current: Float[Array, "n"],
    state: Any,
    dt: float,
    steps: int,
    late_from: int,
    level: Float[Array, "*n"] | None = None,
) -> Counts:
    """Spikes under a constant `current`, and those at or after the step `late_from`.

    A spike is what the model says, or of a smooth membrane an upward crossing of `level`.
    """
    n = current.shape[0]
    constants = model.prepare(dt, membrane_solver(model))
    none = jnp.zeros(n, jnp.int32)
    unknown = jnp.full(n, jnp.nan)
    start = Counts(none, none, unknown, unknown, unknown, unknown, state)

    def step(now: Counts, k: Array) -> tuple[Counts, None]:
        new, firing = model.step(constants, now.state, Input(current=current))
        before, after = (model.observe(x).get("v", unknown) for x in (now.state, new))
        fired = firing if level is None else crossing(before, after, level)
        share = jnp.ones(n) if fired.share is None else fired.share
        time = (k.astype(share.dtype) + share) * dt
        counts = k >= late_from
        late = fired.spikes & counts
        seen = jnp.where(counts, after, jnp.nan)
        return Counts(
            now.early + fired.spikes.astype(jnp.int32),
            now.late + late.astype(jnp.int32),
            jnp.where(late & (now.late == 0), time, now.first),
            jnp.where(late, time, now.last),
            jnp.fmin(now.lowest, seen),
            jnp.fmax(now.highest, seen),
            new,
        ), None

    return lax.scan(step, start, jnp.arange(steps))[0]


def as_level(model: AbstractNeuron, threshold: Any) -> Float[Array, ""] | None:
    """`threshold` as a number; raises `ValueError` where it is none, or the model spikes where its reset is."""
    if threshold is None:
        return None
    if not isinstance(model, AbstractConductanceNeuron):
        raise ValueError(
            f"`threshold` is of neurons with channels; a {type(model).__name__} spikes where its model says."
        )
    level = as_leaf(threshold, "threshold")
    check_finite("threshold", level)
    if level.ndim:
        raise ValueError(f"`threshold` has to be one number [mV]; got the shape {level.shape}.")
    return level


def middle(seen: Counts) -> Float[Array, "n"]:
    """The middle of the swing; above all of it where the potential stands about still."""
    swings = seen.highest - seen.lowest > _LEAST_SWING
    return jnp.where(swings, 0.5 * (seen.lowest + seen.highest), jnp.inf)


@eqx.filter_jit
def _threshold(
    model: AbstractNeuron,
    ends: Float[Array, "2"],
    level: Float[Array, ""] | None,
    dt: float,
    steps: int,
    late_from: int,
    rounds: int,
    repetitive: bool,
) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    def narrow(k: Any, now: tuple[Array, Array]) -> tuple[Array, Array]:
        bracket, finite = now
        tried = jnp.linspace(bracket[0], bracket[1], _BATCH)
        counts = answers(model, tried, _at_rest(model, _BATCH), dt, steps, late_from, level)
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
    threshold: float | None = None,
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
    - `threshold`: of neurons with channels the potential [mV] whose upward crossing is a spike, by default that of the
      neuron, 50 mV above rest: a response that stays below is none.

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
        raise ValueError(f"`over` has to be (low, high) with low below high; got {told(over)}.")
    for name, value in (("duration", duration), ("dt", dt), ("tolerance", tolerance)):
        check_positive(name, value)
    level, width = as_level(model, threshold), float(ends[1] - ends[0])
    rounds = max(1, int(np.ceil(np.log(width / (2 * tolerance)) / np.log(_BATCH - 1))))
    steps = round(duration / dt)
    one, early = _threshold(model, ends, level, dt, steps // 4, 0, rounds, False)
    repetitive, late = _threshold(model, ends, level, dt, steps, 3 * steps // 4, rounds, True)
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
    model: AbstractNeuron,
    current: Any,
    *,
    start: float = 200.0,
    duration: float = 1_000.0,
    dt: float = 0.02,
    threshold: float | None = None,
) -> Float[Array, "n"]:
    """The firing rate under steps of current from rest, simulated: the inverse of the mean interval after `start`.

    **Arguments:**

    - `model`: a neuron of single numbers; `current`: (n,), in the unit of the model's current.
    - `start`, from when on intervals count, `duration` of the steps and `dt` [ms].
    - `threshold`: of neurons with channels the potential [mV] whose upward crossing is a spike. By default it is the
      middle between the lowest and the highest potential after `start`, for each current, and there is none where these
      are less than 10 mV apart: under strong currents spikes are low, those of the squid axon at 100 uA/cm2 end 45 mV
      above rest. The run after `start` is then made twice.

    **Returns:** (n,) [Hz]; 0 with fewer than two spikes after `start`, NaN where a run became NaN or infinite, as it
    does at a `dt` that is too long.

    Raises `ValueError` where an argument does not fit. Derivatives: none. `jn.theory.fi_curve` has those of
    integrate-and-fire neurons.

    ```python
    >>> import jaxneuro as jn
    >>> rates = jn.analysis.fi_curve(jn.HodgkinHuxley(), [5.0, 10.0, 100.0], duration=400.0, dt=0.02)
    >>> [round(float(f), 1) for f in rates]
    [0.0, 68.3, 147.3]

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
    return _rates(model, i, as_level(model, threshold), dt, round(duration / dt), round(start / dt))


@eqx.filter_jit
def _rates(
    model: AbstractNeuron, current: Float[Array, "n"], level: Float[Array, ""] | None, dt: float, steps: int, late: int
) -> Array:
    counts = settled_answers(model, current, level, dt, steps, late)
    finite = _finite(counts.state)
    some = counts.late > 1
    gap = (counts.last - counts.first) / jnp.maximum(counts.late - 1, 1).astype(counts.first.dtype)
    return jnp.where(finite, jnp.where(some, 1000.0 / jnp.where(some, gap, 1.0), 0.0), jnp.nan)


def settled_answers(
    model: AbstractNeuron,
    current: Float[Array, "n"],
    level: Float[Array, "*n"] | None,
    dt: float,
    steps: int,
    at: int,
) -> Counts:
    """What comes after the step `at`; of a smooth membrane without a given level at the middle of its swing."""
    early = answers(model, current, _at_rest(model, current.shape[0]), dt, at, at)
    if level is None and isinstance(model, AbstractConductanceNeuron):
        level = middle(answers(model, current, early.state, dt, steps - at, 0))
    return answers(model, current, early.state, dt, steps - at, 0, level)


def _finite(state: Any) -> Bool[Array, "n"]:
    """Whether nothing in the state of a neuron is NaN or infinite, which counts as silence otherwise."""
    leaves = jax.tree_util.tree_leaves(eqx.filter(state, eqx.is_inexact_array))
    return jnp.all(jnp.stack(jnp.broadcast_arrays(*map(jnp.isfinite, leaves))), axis=0)
