"""Time as an integer number of steps, counted from 0: t = k dt."""

import math

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ._check import told
from ._read import is_real, read_array

# A time given in decimal, such as 1000.1 ms, misses a multiple of dt by a few units in the last place.
_RELATIVE_SLACK = 1e-9
# What is on its way has a row a step: more of them are a slip of units.
_MOST_DELAY_STEPS = 100_000


def to_milliseconds(name: str, value: object) -> float:
    """A time argument as a finite Python float, or `ValueError` naming it."""
    if isinstance(value, Tracer):
        raise ValueError(
            f"`{name}` decides the program, so it has to be known before the run; here it is traced by a "
            "transformation such as jit, vmap or grad, or is an axis of a map: loop over its values in Python."
        )
    known = read_array(value, name)
    if not is_real(known):
        raise ValueError(f"`{name}` has to be a number of milliseconds known before the run; got {told(value)}.")
    if known.ndim != 0:
        raise ValueError(f"`{name}` has to be one number of milliseconds; got shape {known.shape}.")
    number = float(known)
    if not np.isfinite(number):
        raise ValueError(f"`{name}` has to be finite; got {number}.")
    return number


def check_dt(dt: object) -> float:
    """The time step as a positive Python float, or `ValueError`."""
    step = to_milliseconds("dt", dt)
    if step <= 0:
        raise ValueError(f"`dt` has to be positive; got {step} ms.")
    return step


def count_steps(name: str, time: object, dt: float) -> int:
    """How many steps of `dt` [ms] make `time` [ms]; `ValueError` where that is no integer."""
    return whole_steps(name, to_milliseconds(name, time), dt)


def whole_steps(name: str, milliseconds: float, dt: float) -> int:
    """The same of a time that was read before."""
    ratio = milliseconds / dt
    steps = round(ratio)
    if abs(ratio - steps) > _RELATIVE_SLACK * max(1.0, abs(ratio)):
        raise ValueError(f"`{name}` has to be a multiple of dt = {dt} ms; got {milliseconds} ms, {ratio:.6g} steps.")
    if abs(steps) >= 2**31 - 1:
        raise ValueError(f"`{name}` is {steps} steps of dt = {dt} ms, more than the 2^31 - 2 that a run can count.")
    return steps


def delay_steps(name: str, delay: float, dt: float) -> int:
    """A delay [ms] rounded to whole steps of `dt` [ms]; `ValueError` where it is below one step or of too many."""
    if delay < dt * (1 - _RELATIVE_SLACK):
        raise ValueError(f"`{name}` has to be at least dt = {dt} ms; got {delay} ms. Lengthen it or take a smaller dt.")
    if delay / dt > _MOST_DELAY_STEPS:
        raise ValueError(
            f"`{name}` of {delay} ms is {delay / dt:.3g} steps of dt = {dt} ms, each of which is kept; at most "
            f"{_MOST_DELAY_STEPS:,} are. Shorten it or take a larger dt."
        )
    return max(1, round(delay / dt))


def distinguishes_steps(end: float, dt: float) -> bool:
    """Whether the default float holds times up to `end` [ms] to an eighth of a step of `dt` [ms]; float32 may not."""
    return bool(np.spacing(np.asarray(abs(end), jnp.result_type(float))) <= 0.25 * dt)


def last_distinguished(dt: float) -> float:
    """The time [ms] from which on the default float no longer distinguishes steps of `dt` [ms]: a power of two."""
    digits = jnp.finfo(jnp.result_type(float)).nmant
    return 2.0 ** (math.floor(math.log2(0.25 * dt)) + digits + 1)


def run_steps(t0: object, t1: object, dt: float) -> tuple[int, int]:
    """The first step of a run from `t0` to `t1` [ms] and how many it has; `ValueError` where that is no run."""
    first, last = count_steps("t0", t0, dt), count_steps("t1", t1, dt)
    if first < 0:
        raise ValueError(f"`t0` has to be at least 0, from where time is counted; got {t0} ms.")
    if last <= first:
        raise ValueError(f"`t1` has to lie after `t0`; got {t0} and {t1} ms.")
    return first, last - first
