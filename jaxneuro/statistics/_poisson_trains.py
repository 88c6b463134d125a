"""Poisson spike trains: exact in continuous time, and in bins."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from .._numerics import (
    as_leaf,
    below_probability,
    check_count,
    check_dt,
    check_key,
    check_nonnegative,
    count_steps,
    distinguishes_steps,
    read_numbers,
    role_key,
    to_milliseconds,
    violates,
)
from ._trains import SpikeTrains, pack

# Trains of more spikes than this would not fit into the memory of a small machine.
_MOST_SPIKES = 1e8


def poisson_trains(
    rate: float | Float[np.ndarray, "n"] | Float[Array, "n"] | Callable[[np.ndarray], np.ndarray],
    t0: float,
    t1: float,
    *,
    n: int,
    key: PRNGKeyArray,
    t_ref: float = 0.0,
    most: float | None = None,
) -> list[Float[np.ndarray, "spikes"]]:
    """Draws Poisson spike trains in continuous time, with a dead time or a rate that varies.

    Intervals are t_ref + x with x exponential of mean 1/rate - t_ref, so that `rate` is the rate of
    spikes whatever `t_ref`; the first spike is drawn from the stationary process. Counts in a window
    T are Poisson with mean and variance rate T for t_ref = 0, where the Fano factor is 1 and the
    CV of the intervals 1; with a dead time both fall: CV = 1 - rate t_ref, Fano -> CV^2 for long T.
    A rate that varies is drawn by thinning: spikes at the rate `most` are kept with probability rate(t) / most.

    **Arguments:**

    - `rate`: [Hz], a number, one a neuron, (n,), or a function of an array of times [ms] to an array of rates.
    - `t0`, `t1`: [ms]; `n`: number of neurons; `key`: a `jax.random.key`.
    - `t_ref`: dead time [ms], for rates that do not vary.
    - `most`: [Hz], needed where `rate` is a function: a rate that it never exceeds.

    **Returns:** one array of increasing spike times [ms] in (t0, t1) a neuron.

    Raises `ValueError` where an argument does not fit, such as rate t_ref >= 1 or a rate above `most`.

    ```python
    >>> import jax, jaxneuro as jn
    >>> trains = jn.statistics.poisson_trains(20.0, 0.0, 10_000.0, n=3, key=jax.random.key(0))
    >>> len(trains), bool(abs(len(trains[0]) - 200) < 4 * 200**0.5)
    (3, True)

    ```

    Sources: Cox, Renewal Theory (1962), section 5.2 (the first spike); Deger et al. (2012),
    doi:10.1007/s10827-011-0362-8 (dead time); Lewis and Shedler (1979), doi:10.1002/nav.3800260304 (thinning).
    """
    check_key(key)
    begin, end = _span(t0, t1)
    n = _checked_n(n)
    dead = to_milliseconds("t_ref", t_ref)
    if not callable(rate):
        if most is not None:
            raise ValueError("`most` is for a `rate` that is a function of time.")
        return _stationary(_checked_rate(rate, n), begin, end, dead, key)
    if most is None or not to_milliseconds("most", most) > 0:
        raise ValueError(f"`most` has to be a positive rate [Hz] that the function `rate` never exceeds; got {most}.")
    if dead != 0.0:
        raise ValueError("`t_ref` is for rates that do not vary: leave it at 0 where `rate` is a function.")
    candidates = _stationary(np.full(n, float(most)), begin, end, 0.0, role_key(key, "candidates"))
    longest = max(times.size for times in candidates)
    uniform = np.asarray(jax.random.uniform(role_key(key, "thinning"), (n, longest)))
    kept = []
    for times, drawn in zip(candidates, uniform, strict=True):
        now = np.asarray(read_numbers(rate(times), "rate"), float)
        if now.shape not in ((), times.shape):
            raise ValueError(f"`rate` has to give a number or one rate a time, {times.shape}; it gave {now.shape}.")
        if not np.all((now >= 0) & (now <= most)):
            raise ValueError(f"`rate` has to lie between 0 and `most` = {most} Hz; got {now.min()} to {now.max()} Hz.")
        kept.append(times[drawn[: times.size] * most < now])
    return kept


def bernoulli_trains(
    rate: ArrayLike | Callable[[Float[np.ndarray, "time"]], ArrayLike],
    t0: float,
    t1: float,
    *,
    n: int,
    dt: float,
    key: PRNGKeyArray,
) -> SpikeTrains:
    """Draws spike trains in bins: in each bin a neuron spikes once with probability rate dt, independently.

    The count in a time T of M = T / dt bins is binomial, with mean rate T and the Fano factor

        F = 1 - rate T / M = 1 - rate dt

    which tends to Poisson's 1 as dt falls; intervals are geometric, with CV = sqrt(1 - rate dt).

    **Arguments:**

    - `rate`: [Hz], a number, one a neuron, (n,), or a function of an array of times [ms], the
      middles of the bins, to an array of rates; at most one spike a bin.
    - `t0`, `t1`: [ms], multiples of `dt`; `n`: number of neurons; `dt`: bin [ms]; `key`: a `jax.random.key`.

    **Returns:** `SpikeTrains`.

    Raises `ValueError` where an argument does not fit, such as rate dt > 1. Works under jit and vmap
    over `rate` and `key`, where a rate is not known: every bin then holds a spike at rate dt > 1, none
    at a negative or NaN rate. Derivatives: none, a spike is a random step.

    ```python
    >>> import jax, jaxneuro as jn
    >>> trains = jn.statistics.bernoulli_trains(100.0, 0.0, 1_000.0, n=50, dt=1.0, key=jax.random.key(0))
    >>> trains.counts.shape
    (50,)

    ```

    Source: the binomial limit of the Poisson process, Cox (1962), Renewal Theory, section 1.3.
    """
    check_key(key)
    dt, n = check_dt(dt), _checked_n(n)
    _span(t0, t1)
    first = count_steps("t0", t0, dt)
    steps = count_steps("t1", t1, dt) - first
    middles = (np.arange(steps) + (first + 0.5)) * dt
    given = rate(middles) if callable(rate) else rate
    if callable(rate) and isinstance(given, jax.Array) and not distinguishes_steps(middles[-1], dt):
        raise ValueError(
            f"`rate` is a function of time in float32, and at {middles[-1]:.10g} ms that cannot tell bins of {dt:g} ms "
            "apart: write it with NumPy, or set `jax_enable_x64`."
        )
    rates = as_leaf(given, "rate")
    shape = (steps,) if callable(rate) else (n,)
    if rates.ndim and rates.shape != shape:
        raise ValueError(f"`rate` has to be a number or of shape {shape}; got {rates.shape}.")
    check_nonnegative("rate", rates)
    p = rates * (dt / 1000.0)
    if violates(lambda p: p <= 1, p):
        raise ValueError(f"`rate` gives {float(np.max(p)):g} spikes a bin of {dt} ms, which holds at most one.")
    p = p[:, None] if callable(rate) and p.ndim else p
    spikes = below_probability(jax.random.bits(key, (steps, n), jnp.uint32), p)
    return SpikeTrains(pack(spikes), jnp.asarray(first, jnp.int32), n, dt)


def _span(t0: float, t1: float) -> tuple[float, float]:
    begin, end = to_milliseconds("t0", t0), to_milliseconds("t1", t1)
    if end <= begin:
        raise ValueError(f"`t1` has to lie after `t0`; got {t0} and {t1} ms.")
    return begin, end


def _checked_n(n: int) -> int:
    return check_count("n", n, "a positive number of neurons")


def _checked_rate(rate: ArrayLike, n: int) -> Float[np.ndarray, "n"]:
    known = np.asarray(read_numbers(rate, "rate"), float)
    check_nonnegative("rate", known)
    if known.shape not in ((), (n,)):
        raise ValueError(f"`rate` has to be a number or of shape ({n},); got {known.shape}.")
    return np.broadcast_to(known, (n,))


def _stationary(
    rate: Float[np.ndarray, "n"], begin: float, end: float, dead: float, key: PRNGKeyArray
) -> list[Float[np.ndarray, "spikes"]]:
    """Renewal trains with intervals of a dead time and an exponential part."""
    per_ms = rate / 1000.0
    if dead < 0 or np.any(per_ms * dead >= 1):
        raise ValueError(f"`t_ref` has to be at least 0 and below 1 / rate, {1000.0 / rate.max():g} ms; got {dead} ms.")
    # A silent neuron's mean interval is infinite, and its first spike lies beyond any end.
    with np.errstate(divide="ignore"):
        mean = 1.0 / per_ms - dead
    expected = float(per_ms.max() * (end - begin))
    if expected * rate.size > _MOST_SPIKES:
        raise ValueError(f"`rate` makes about {expected * rate.size:.2g} spikes; at most {_MOST_SPIKES:.0e} are drawn.")
    rows = int(expected + 6.0 * expected**0.5) + 10
    exponential, uniform = jax.random.exponential, jax.random.uniform
    first = np.asarray(exponential(role_key(key, "first"), rate.shape), float) * mean
    if dead:  # the residual life: uniform in the dead time with probability rate t_ref, else beyond it
        inside = np.asarray(uniform(role_key(key, "inside"), rate.shape)) < per_ms * dead
        within = np.asarray(uniform(role_key(key, "within"), rate.shape), float) * dead
        first = np.where(inside, within, dead + first)
    blocks, last, index = [first[None]], first, 0
    while np.any(last < end - begin):
        drawn = np.asarray(exponential(jax.random.fold_in(role_key(key, "gaps"), index), (rows, rate.size)), float)
        blocks.append(last + np.cumsum(drawn * mean + dead, axis=0))
        last, index = blocks[-1][-1], index + 1
    times = begin + np.concatenate(blocks)
    return [column[column < end] for column in times.T]
