"""Alpha from simulated rates: by theory, which is biased, then by the rates of other runs."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

import jaxneuro as jn
from jaxneuro import FitResult
from jaxneuro.extend import AbstractBijection, Positive, Unbounded, as_leaf, is_concrete
from jaxneuro.theory import AbstractNoise

from ._laws import NU_X, PowerScaling, Recordings, aside, conditions, network
from ._recover import POWER, STARTS, fit_theory

DT, TRANSIENT, STEP = 0.1, 100.0, 0.05  # ms; a step of log a and of alpha
_SEARCHES = 4


class Runs:
    """Networks with given wirings and noise, as a function of log a and alpha: common random numbers.

    One seed is one wiring of every in-degree and one noise of every network.
    """

    def __init__(self, in_degrees: tuple[float, ...], seeds: int, duration: float, key: PRNGKeyArray):
        self.in_degrees, self.duration = in_degrees, duration
        self.keys = list(jax.random.split(key, seeds))  # a list, which a trace leaves alone
        self.wirings = {
            (k, seed): jn.wire(network(as_leaf(0.001), k, as_leaf(30.0), **_sizes(k)), key=own)
            for k in in_degrees
            for seed, own in enumerate(self.keys)
        }
        self.log_rate = by_differences(lambda x: jnp.mean(self.each(x), axis=0), STEP)
        self._made: dict[tuple[float, ...], Array] = {}

    def each(self, x: Float[Array, "2"]) -> Float[Array, "seeds n"]:
        """Log rates at x = (log a, alpha), in the order of `Recordings.logs`; once at each x, for runs are dear."""
        if not is_concrete(x):
            return self._each(x)
        place = tuple(np.asarray(x).tolist())
        if place not in self._made:
            self._made[place] = self._each(x)
        return self._made[place]

    def _each(self, x: Float[Array, "2"]) -> Float[Array, "seeds n"]:
        law = PowerScaling(jnp.exp(x[0]), x[1])
        rows = []
        for seed, own in enumerate(self.keys):
            at = [
                _rates(law.efficacy(jnp.asarray([k]))[0], as_leaf(nu_x), k, own, self.wirings[k, seed], self.duration)
                for nu_x in NU_X
                for k in self.in_degrees
            ]
            rows.append(jnp.log(jnp.concatenate(at)))
        return jnp.stack(rows)


def _sizes(k: float) -> dict[str, Any]:
    """Sizes; potentials that start apart, so that the network does not start as one; delays as in Fig. 13.

    With delays of 1 ms alone the network fires in volleys at K = 2000: at 86 Hz, and not at 49, of nu_X = 30 Hz.
    """
    potentials, delays = jn.initial.UniformPotential(-65.0, -55.0), jn.UniformDelay(0.0, 10.0)
    return {"n_e": round(10 * k), "n_i": round(2.5 * k), "initial": potentials, "delay": delays}


@eqx.filter_jit
def _rates(
    a: Float[Array, ""], nu_x: Float[Array, ""], k: float, key: PRNGKeyArray, wiring: jn.Wiring, duration: float
) -> Float[Array, "2"]:
    record = {"rate": jn.record.Rate(start=TRANSIENT)}
    sol = jn.simulate(
        network(a, k, nu_x, **_sizes(k)), 0.0, duration, dt=DT, key=key, wiring=wiring, record=record, throw=False
    )
    return jnp.stack([jnp.mean(sol["rate"][name]) for name in ("E", "I")])


def by_differences(function: Callable[[Array], Array], step: float) -> Callable[[Array], Array]:
    """The function with central differences over `step` for its derivatives."""
    wrapped = jax.custom_jvp(lambda x: aside(function, x))

    @wrapped.defjvp
    def derivative(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        (x,), (dx,) = primals, tangents
        moves = step * jnp.eye(x.size, dtype=x.dtype)
        slopes = jnp.stack([(aside(function, x + h) - aside(function, x - h)) / (2.0 * step) for h in moves], axis=1)
        return aside(function, x), slopes @ dx

    return wrapped


class SimulatedScaling(eqx.Module):
    """The power law with rates of runs in place of theory's."""

    a: Float[Array, ""]
    alpha: Float[Array, ""]
    runs: Runs = eqx.field(static=True)

    def residuals(self, data: Recordings) -> Float[Array, " n"]:
        return data.logs() - self.runs.log_rate(jnp.stack([jnp.log(self.a), self.alpha]))

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"a": Positive(), "alpha": Unbounded()}


@dataclass(frozen=True)
class Refitted:
    """The fits to rates of runs: by theory, and by other runs, `a` and `alpha` with the `error` of alpha.

    `true` made the data; `seconds` is the time of all.
    """

    data: Recordings
    true: PowerScaling
    by_theory: FitResult
    by_runs: FitResult
    a: float
    alpha: float
    error: float
    seeds: int
    duration: float
    seconds: float

    @property
    def bias(self) -> float:
        return self.by_theory.params["alpha"] - float(self.true.alpha)

    @property
    def z(self) -> float:
        return (self.alpha - float(self.true.alpha)) / self.error


def refit(
    in_degrees: tuple[float, ...], seeds: int, duration: float, seed: int = 0, noise: AbstractNoise | None = None
) -> Refitted:
    """Rates of runs at the true law, the law that theory finds in them, and the law that other runs find."""
    begin, true = time.perf_counter(), PowerScaling(noise=noise)
    keys = jax.random.split(jax.random.key(seed), 2)
    seen = aside(Runs(in_degrees, seeds, duration, keys[0]).each, jnp.stack([jnp.log(true.a), true.alpha]))
    k, nu_x = (jnp.asarray(x) for x in conditions(in_degrees))
    data = Recordings(k, nu_x, jnp.exp(jnp.mean(seen, axis=0)).reshape(-1, 2), None)
    theory = fit_theory(STARTS[POWER](noise=noise), data)
    runs = Runs(in_degrees, seeds, duration, keys[1])
    fitted, log_a, alpha, error = _by_runs(runs, data, seen, theory.params["a"], theory.params["alpha"])
    seconds = time.perf_counter() - begin
    return Refitted(data, true, theory, fitted, float(np.exp(log_a)), alpha, error, seeds, duration, seconds)


def _by_runs(
    runs: Runs, data: Recordings, seen: Float[Array, "seeds n"], a: float, alpha: float
) -> tuple[FitResult, float, float, float]:
    """The fit with other runs; log a and alpha after its last step, and the error of alpha.

    A network is chaotic: with the same random numbers too, runs at the next place differ about as much as by others. So
    a search ends within three standard errors, and the last step is taken without asking whether it leads down. Far
    from the data such errors are large, for they come from what is left: where the last step was long, one searches on.
    """
    search = jn.optimiser.GaussNewton(tolerance=3.0, max_steps=6)
    log_a = float(np.log(a))
    for _ in range(_SEARCHES):
        start = SimulatedScaling(as_leaf(np.exp(log_a)), as_leaf(alpha), runs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # its interval is not what is wanted
            fitted = jn.fit(start, data, optimiser=search, starts=1, progress=False, throw=False)
        x = jnp.stack([jnp.log(fitted.model.a), fitted.model.alpha])
        there = aside(runs.each, x)
        inverse = np.linalg.pinv(np.asarray(fitted.summary.jacobian))  # of (log a, alpha)
        log_a, alpha = (float(y) for y in np.asarray(x) - inverse @ np.asarray(fitted.summary.terms))
        # Each seed of the data and of the runs moves alpha by this.
        variances = [np.var(np.asarray(rows) @ inverse[1], ddof=1) for rows in (seen, there)]
        error = float(np.sqrt(2.0 * np.mean(variances) / len(runs.keys)))
        if abs(alpha - float(x[1])) <= 3.0 * error:
            break
    return fitted, log_a, alpha, error
