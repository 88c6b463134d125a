"""Currents that an experimenter injects: a number, one a neuron, a table over time or a function of time."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from .._formulas import Input
from .._numerics import (
    Shown,
    as_callable,
    as_leaf,
    check_finite,
    check_nonnegative,
    distinguishes_steps,
    last_distinguished,
)
from ..models import AbstractStimulated


class Stimulus(eqx.Module):
    """The injected current of one population, in the units of its model's current [mV for LIF]."""

    table: Float[Array, "time n"] | None
    constant: Float[Array, "*n"] | None
    function: Any
    dt: float = eqx.field(static=True)
    share: float = eqx.field(static=True, default=0.0)
    """Where in its step a function is called: 0 at the start, 1/2 in the middle."""

    def rows(self, since_start: Int[Array, "time"], steps: Int[Array, "time"]) -> Float[Array, "time ..."]:
        """The current of each step of a block; a function is called at the time [ms] of its share."""
        if self.table is not None:
            return lax.dynamic_slice_in_dim(self.table, since_start[0], since_start.shape[0])
        if self.constant is not None:
            return jnp.broadcast_to(self.constant, (steps.shape[0], *self.constant.shape))
        function: Any = self.function
        times = (steps.astype(jnp.result_type(float)) + self.share) * self.dt
        return jax.vmap(lambda t: as_leaf(function(t), "stimulus"))(times)

    def within(self, row: Float[Array, "*n"], t: Float[Array, ""]) -> Float[Array, "*n"]:
        """The current at a time `t` [ms] inside the step whose row is `row`: what is no function is constant there."""
        if self.function is None:
            return row
        function: Any = self.function
        return as_leaf(function(t), "stimulus")


def make_stimulus(name: str, value: Any, n: int, first: int, n_steps: int, dt: float, share: float = 0.0) -> Stimulus:
    """Checks a stimulus for a population of `n` neurons and a run of `n_steps` steps from step `first` on."""
    if callable(value):
        by_step = "give values by step, (time, n), "
        check_late_times(f"`stimulus` of {name!r} is a function of time", first + n_steps, dt, by_step)
        function: Any = value
        shape = jax.eval_shape(lambda t: as_leaf(function(t), "stimulus"), as_leaf(0.0)).shape
        if shape not in ((), (n,)):
            raise ValueError(f"`stimulus` of {name!r}: the function returns shape {shape}; it has to be () or ({n},).")
        return Stimulus(None, None, as_callable(value, 0.0), dt, share)
    leaf = as_leaf(value, f"stimulus[{name!r}]")
    check_finite(f"stimulus[{name!r}]", leaf)
    if leaf.shape in ((), (n,)):
        return Stimulus(None, leaf, None, dt)
    if leaf.shape in ((n_steps, n), (n_steps, 1)):
        return Stimulus(leaf, None, None, dt)
    raise ValueError(
        f"`stimulus` of {name!r} has shape {leaf.shape}; it has to be a number, ({n},) or (time, n) = ({n_steps}, {n})."
    )


def check_late_times(what: str, last: int, dt: float, instead: str = "") -> None:
    """Raises `ValueError` where a time t that `what` is given cannot tell the steps up to the `last` apart.

    `instead` is what may be done in place of it.
    """
    if not distinguishes_steps(last * dt, dt):
        raise ValueError(
            f"{what}, and at {last * dt:.10g} ms float32 cannot tell times apart that are a step of {dt:g} ms "
            f"apart: set `jax_enable_x64`, {instead}or let the run end before {last_distinguished(dt):.10g} ms."
        )


class AbstractInjection(Shown):
    """What is done to neurons from outside, in several parts of their input."""

    @abc.abstractmethod
    def stimuli(self, name: str, n: int, first: int, n_steps: int, dt: float, share: float) -> dict[str, Stimulus]:
        """Its parts, checked, for a population `name` of `n` neurons: `current`, `conductance` with `reversal`, `kick`.

        A function of time is called at the `share` of its step.
        """


class Clamp(AbstractInjection):
    """What an experimenter does to neurons beside a current: a conductance clamp, a voltage clamp, kicks.

        C dV/dt = ... + current + conductance (reversal - V),   and V jumps by `kick` at the end of each step.

    A voltage clamp is a large conductance whose reversal is the command potential.

    **Arguments**, each a number, (n,), (time, n) or a function of time [ms], as a `stimulus` is:

    - `current`: as a plain stimulus.
    - `conductance`: relative to leak of integrate-and-fire neurons, mS/cm2 of neurons with channels; not negative.
    - `reversal`: [mV], needed with a conductance.
    - `kick`: [mV]; as (time, n), 0 but in the steps at whose ends the potential jumps.

    Raises `ValueError` where nothing is given, or one of `conductance` and `reversal` is missing.

    ```python
    >>> import jax, jaxneuro as jn
    >>> clamp = jn.Clamp(conductance=1_000.0, reversal=-40.0)
    >>> cell, key = jn.Population(jn.HodgkinHuxley(), 1), jax.random.key(0)
    >>> sol = jn.simulate(cell, 0.0, 5.0, dt=0.01, key=key, stimulus=clamp, record={"v": jn.record.Trace("v")})
    >>> round(float(sol["v"][-1, 0]), 1)
    -40.0

    ```

    Source: Hodgkin, Huxley and Katz (1952), doi:10.1113/jphysiol.1952.sp004716; Robinson and Kawai (1993),
    doi:10.1016/0165-0270(93)90119-C.
    """

    current: Any = None
    conductance: Any = None
    reversal: Any = None
    kick: Any = None

    def __check_init__(self) -> None:
        if (self.conductance is None) != (self.reversal is None):
            raise ValueError("`conductance` and `reversal` belong together: give both or neither.")
        if self.current is None and self.conductance is None and self.kick is None:
            raise ValueError("`Clamp` needs one of `current`, `conductance` with `reversal`, and `kick`.")

    def stimuli(self, name: str, n: int, first: int, n_steps: int, dt: float, share: float) -> dict[str, Stimulus]:
        """Its parts, checked, for a population `name` of `n` neurons."""
        if self.conductance is not None and not callable(self.conductance):
            check_nonnegative("conductance", as_leaf(self.conductance, "conductance"))
        given = {part: getattr(self, part) for part in ("current", "conductance", "reversal", "kick")}
        return {
            part: make_stimulus(f"{name}, its `{part}`", value, n, first, n_steps, dt, share)
            for part, value in given.items()
            if value is not None
        }


def make_stimuli(name: str, value: Any, model: AbstractStimulated, n: int, first: int, n_steps: int, dt: float) -> dict:
    """What is injected into `n` units of a model, by its parts: a current, or all of a `Clamp`.

    Raises `ValueError` where the model does not understand a part.
    """
    share = model.stimulus_share()
    if not isinstance(value, AbstractInjection):
        return {"current": make_stimulus(name, value, n, first, n_steps, dt, share)}
    given, understood = value.stimuli(name, n, first, n_steps, dt, share), model.understands()
    for part in given:
        if part not in (*understood, "reversal"):
            raise ValueError(
                f"`stimulus` of {name!r} has a `{part}`, which {type(model).__name__} does not understand: it "
                f"understands {', '.join(understood) or 'none'}. Leave it out, or take another model."
            )
    return given


def as_input(parts: dict[str, Float[Array, "*n"]], n: int) -> Input:
    """The `Input` of one step of `n` neurons."""
    own = {part: jnp.broadcast_to(value, (n,)) for part, value in parts.items()}
    reversal = own.pop("reversal", None)
    conductance, pull = own.get("conductance"), None if reversal is None else own["conductance"] * reversal
    return Input(own.get("current"), conductance, pull, kick=own.get("kick"))
