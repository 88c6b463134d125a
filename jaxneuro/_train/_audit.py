"""The gradient audit: what a surrogate gradient is worth, beside estimates that know no surrogate."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Key, PRNGKeyArray, Shaped

from .._network import Network
from .._numerics import (
    Result,
    Shown,
    as_leaf,
    check_count,
    check_key,
    check_positive,
    html_table,
    in_a_line,
    is_one_float,
    told,
)
from .._simulate import Solution, Wiring, adjoint as adjoints, record as records, simulate, wire
from .._simulate._plan import delays_of, initial_state
from .._simulate.adjoint import checked_adjoint
from ..surrogate import AbstractSurrogate

REFERENCE = "differences"


class Estimate(eqx.Module):
    """One way to a gradient: its mean over seeds and the standard deviation of a single one, (parameters,)."""

    mean: np.ndarray
    sd: np.ndarray
    seeds: int = eqx.field(static=True)

    @property
    def error(self) -> np.ndarray:
        """The standard error of the mean."""
        return self.sd / np.sqrt(self.seeds)


class GradientAudit(Shown):
    """Gradients of one loss by several ways; it prints as a table.

    `estimates` holds an `Estimate` for each of "surrogate", "forward", "differences", "smoothed" and, where a theory
    was given, "mean field". `growth` [1/ms] is the rate at which a derivative by the state, through the surrogate,
    grows in the run, `horizon` [ms] the time in which it grows e-fold, infinite where it shrinks.
    """

    estimates: dict[str, Estimate]
    names: tuple[str, ...] = eqx.field(static=True)
    growth: float
    horizon: float
    duration: float = eqx.field(static=True)

    def bias(self, name: str) -> np.ndarray:
        """The difference of the mean from that of finite differences, (parameters,)."""
        return self.estimates[name].mean - self.estimates[REFERENCE].mean

    def bias_in_errors(self, name: str) -> np.ndarray:
        """The bias over its standard error, (parameters,)."""
        error = np.hypot(self.estimates[name].error, self.estimates[REFERENCE].error)
        return np.divide(self.bias(name), error, out=np.zeros_like(error), where=error > 0)

    def cosine(self, name: str) -> float:
        """The cosine of the angle to the mean of finite differences; NaN where one is 0, of one parameter its sign."""
        a, b = self.estimates[name].mean, self.estimates[REFERENCE].mean
        scale = np.linalg.norm(a) * np.linalg.norm(b)
        return float(a @ b / scale) if scale > 0 else float("nan")

    def __str__(self) -> str:
        head = f"{'':12s} {'cosine':>7s} " + " ".join(f"{name:>26s}" for name in self.names)
        lines = [head]
        for name, e in self.estimates.items():
            cells = " ".join(f"{m:>10.4g} +- {r:<8.2g} ({z:+.1f})" for m, r, z in self._cells(name, e))
            lines.append(f"{name:12s} {self.cosine(name):7.3f} {cells}")
        return "\n".join([*lines, *self._notes()])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = [
            [
                name,
                f"{self.cosine(name):.3f}",
                *[f"{m:.4g} +- {r:.2g} ({z:+.1f})" for m, r, z in self._cells(name, estimate)],
            ]
            for name, estimate in self.estimates.items()
        ]
        return html_table("Gradient audit", ["gradient by", "cosine", *self.names], rows, self._notes())

    def _notes(self) -> list[str]:
        notes = ["mean +- standard error of each derivative; in brackets the bias over its standard error"]
        if np.isfinite(self.horizon):
            longer = self.duration > 5.0 * self.horizon
            verdict = "the run is longer: take `Truncated`, or theory" if longer else "the run is short beside that"
            return [*notes, f"derivatives grow e-fold in {self.horizon:.3g} ms; {verdict}"]
        shrink = f"derivatives shrink e-fold in {-1.0 / self.growth:.3g} ms"
        return [*notes, shrink if self.growth < 0 else "no growth"]

    def _cells(self, name: str, e: Estimate) -> list[tuple[float, float, float]]:
        return list(zip(e.mean, e.error, self.bias_in_errors(name), strict=True))


def audit_gradient(
    model: Callable[[Array], Network],
    loss: Callable[[Solution], Array],
    at: Any,
    *,
    t1: float,
    dt: float,
    key: PRNGKeyArray,
    surrogate: AbstractSurrogate | Mapping[str, AbstractSurrogate],
    step: ArrayLike,
    record: Mapping[str, records.AbstractRecorder] | None = None,
    stimulus: Any = None,
    wiring: Wiring | None = None,
    adjoint: adjoints.AbstractAdjoint | None = None,
    seeds: int = 16,
    theory: Callable[[Network], Array] | None = None,
    names: tuple[str, ...] | None = None,
) -> GradientAudit:
    """Compares the surrogate gradient of a loss with gradients that need no surrogate.

    - "surrogate": reverse mode through the run; "forward": the same in forward mode, which has to agree.
    - "differences": (L(p + h) - L(p - h)) / 2h with the same random numbers on both sides, the reference: unbiased for
      the mean loss to order h^2.
    - "smoothed": the mean of (L(p + h z) - L(p - h z)) z / 2h over normal z, the gradient of the loss averaged over
      parameter noise of standard deviation h.
    - "mean field": the derivative of `theory(model(p))`.

    **Arguments:**

    - `model(p)`: a network at the parameters p, (parameters,).
    - `loss(sol)`: a number.
    - `at`: (parameters,), where.
    - `t1`, `dt`, `record`, `stimulus`, `wiring`, `surrogate`: as of `simulate`; runs go from 0 to `t1` [ms].
    - `adjoint`: of "surrogate", such as `jn.adjoint.Truncated(20.0)`, whose bias is then seen; by default as of
      `simulate`.
    - `key`; `seeds`: how many runs, which share the wiring.
    - `step`: h, a number or one a parameter, large beside what a single spike changes.
    - `theory(net)`: the loss by theory, such as `lambda net: jn.theory.mean_field(net).rate["E"]`.
    - `names`: of the parameters, for the table.

    **Returns:** a `GradientAudit`, which prints as a table; `jn.plot.gradient_audit` draws it.

    Raises `ValueError` where `at` is no vector, `step` is not positive or of another length, `seeds` is below 2,
    `names` are not as many as parameters, there is no `surrogate`, `adjoint` has no reverse mode or `loss` gives no
    single number; `RuntimeError` where a run fails or its loss is not finite.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> def model(p):
    ...     cells = jn.Population(jn.LIF(v_reset=10.0), 50, initial=jn.initial.UniformPotential(0.0, 20.0))
    ...     return jn.Network({"E": cells}, drives=[jn.WhiteNoiseDrive("E", mu=p[0], sigma=p[1])])
    >>> audit = jn.audit_gradient(
    ...     model, lambda sol: jnp.mean(sol["rate"]["E"]), jnp.asarray([22.0, 4.0]), t1=60.0, dt=0.5, seeds=8,
    ...     key=jax.random.key(0), surrogate=jn.surrogate.Triangular(2.0), step=0.5,
    ...     theory=lambda net: jn.theory.mean_field(net).rate["E"], names=("mu", "sigma"),
    ... )
    >>> sorted(audit.estimates)
    ['differences', 'forward', 'mean field', 'smoothed', 'surrogate']
    >>> ax = jn.plot.gradient_audit(audit)

    ```

    Source: of the smoothed gradient Nesterov and Spokoiny (2017), doi:10.1007/s10208-015-9296-2; of the growth of
    derivatives Engelken, Wolf and Abbott (2023), doi:10.1103/PhysRevResearch.5.043044.
    """
    check_key(key)
    for name, given in (("model", model), ("loss", loss), ("theory", (lambda net: net) if theory is None else theory)):
        if not callable(given):
            raise ValueError(f"`{name}` has to be a function; got {in_a_line(given)}.")
    at = as_leaf(at, "at")
    labels = _checked(at, seeds, surrogate, names)
    h = as_leaf(step, "step")
    check_positive("step", h)
    if h.shape not in ((), at.shape):
        raise ValueError(f"`step` has to be a number or one a parameter, {at.shape}; got shape {h.shape}.")
    h = jnp.broadcast_to(h, at.shape)
    if isinstance(adjoint, adjoints.Forward):
        raise ValueError("`adjoint` is of reverse mode: `Direct()`, `Checkpoint()` or `Truncated(horizon)`.")
    wiring = wire(model(at), key=key) if wiring is None else wiring
    run = _Run(
        model, loss, t1, dt, surrogate, checked_adjoint(adjoint, adjoints.Checkpoint()), record, stimulus, wiring
    )
    keys = jax.random.split(key, seeds)
    found = {name: np.asarray(values) for name, values in _estimates(run, at, h, keys).items()}
    n_failed = int(np.sum(found["failed"]))
    if n_failed:
        raise RuntimeError(
            f"{n_failed} of {found['failed'].size} runs failed or had a loss that is not finite, at {at} or a `step` "
            "from it: look at `sol.result` of a run there."
        )
    estimates = {
        name: Estimate(found[name].mean(axis=0), found[name].std(axis=0, ddof=1), seeds)
        for name in ("surrogate", "forward", REFERENCE, "smoothed")
    }
    if theory is not None:
        gradient = np.asarray(jax.grad(lambda p: jnp.asarray(theory(model(p))))(at))
        estimates["mean field"] = Estimate(gradient, np.zeros_like(gradient), 1)
    growth = _growth(run, at, keys)
    return GradientAudit(estimates, labels, growth, 1.0 / growth if growth > 0 else float("inf"), t1)


def _checked(at: Array, seeds: Any, surrogate: Any, names: Any) -> tuple[str, ...]:
    if at.ndim != 1 or at.size == 0:
        raise ValueError(f"`at` has to be a vector of parameters; got shape {at.shape}.")
    check_count("seeds", seeds, "at least 2", least=2)
    if surrogate is None:
        raise ValueError("`surrogate` has to be of `jn.surrogate`, such as `Triangular()`: it is what is audited.")
    if names is None:
        return tuple(f"p[{i}]" for i in range(at.size))
    if isinstance(names, str) or len(names) != at.size:
        raise ValueError(f"`names` has to hold one for each of the {at.size} parameters; got {told(names)}.")
    return tuple(names)


class _Run(eqx.Module):
    """What all runs of an audit share."""

    model: Callable[[Array], Network] = eqx.field(static=True)
    loss: Callable[[Solution], Array] = eqx.field(static=True)
    t1: float = eqx.field(static=True)
    dt: float = eqx.field(static=True)
    surrogate: Any
    adjoint: adjoints.AbstractAdjoint
    record: Any
    stimulus: Any
    wiring: Wiring

    def solve(self, p: Array, key: PRNGKeyArray, **arguments: Any) -> Solution:
        given: dict[str, Any] = dict(record=self.record, wiring=self.wiring, stimulus=self.stimulus) | arguments
        return simulate(self.model(p), 0.0, self.t1, dt=self.dt, key=key, throw=False, **given)

    def value(self, p: Array, key: PRNGKeyArray, **arguments: Any) -> tuple[Array, Bool[Array, ""]]:
        """The loss of a run, and whether the run failed or its loss is not finite."""
        sol = self.solve(p, key, **arguments)
        given = self.loss(sol)
        if not is_one_float(given):
            got = f"an array of shape {given.shape}" if isinstance(given, jax.Array) else in_a_line(given)
            raise ValueError(f"`loss` has to give one float; got {got}.")
        value = jnp.asarray(given)
        return value, (sol.result != Result.successful) | ~jnp.isfinite(value)


@eqx.filter_jit
def _estimates(
    run: _Run, at: Float[Array, "p"], h: Float[Array, "p"], keys: Key[Array, "seeds"]
) -> dict[str, Shaped[Array, "seeds *p"]]:
    soft = {"surrogate": run.surrogate}
    # Truncation is the same in both modes; the other ways to run the loop are reverse mode's alone.
    ahead = run.adjoint if isinstance(run.adjoint, adjoints.Truncated) else adjoints.Forward()

    def one(key: PRNGKeyArray) -> dict[str, Shaped[Array, "*p"]]:
        def forward(p: Array) -> Array:
            return run.value(p, key, adjoint=ahead, **soft)[0]

        z = jax.random.normal(jax.random.fold_in(key, 1), at.shape, at.dtype)
        axes = jnp.eye(at.size, dtype=at.dtype)
        by_surrogate, here = jax.grad(lambda p: run.value(p, key, adjoint=run.adjoint, **soft), has_aux=True)(at)
        moves = h * jnp.concatenate([axes, z[None]])
        values, aside = jax.lax.map(lambda p: run.value(p, key), jnp.concatenate([at + moves, at - moves]))
        plus, minus = values.reshape(2, -1)
        differences = 0.5 * (plus - minus)
        return {
            "surrogate": by_surrogate,
            "forward": jax.jacfwd(forward)(at),
            REFERENCE: differences[:-1] / h,
            "smoothed": differences[-1] * z / h,
            "failed": here | jnp.any(aside),
        }

    return jax.lax.map(one, keys)


def _growth(run: _Run, at: Float[Array, "p"], keys: Key[Array, "seeds"]) -> float:
    """The rate [1/ms] at which a derivative of the potentials by the state grows, median over seeds."""
    net = run.model(at)
    spiking = [name for name in net.neuron_names if net.populations[name].model.sends_spikes()]

    @eqx.filter_jit
    def norms(run: _Run, key: PRNGKeyArray) -> Float[Array, "time"]:
        start = initial_state(run.model(at), run.wiring, delays_of(run.model(at), run.dt), 0, run.dt, key)
        traces = {name: records.Trace(f"{name}.v") for name in spiking}

        def potentials(v: list[Array]) -> list[Array]:
            state = eqx.tree_at(lambda s: [s.neurons[name].v for name in spiking], start, v)
            soft = dict(surrogate=run.surrogate, adjoint=adjoints.Forward())
            sol = run.solve(at, key, state=state, record=traces, **soft)
            return [sol[name] for name in spiking]

        at_start = [start.neurons[name].v for name in spiking]
        draws = [jax.random.normal(jax.random.fold_in(key, i), v.shape, v.dtype) for i, v in enumerate(at_start)]
        tangents = jax.jvp(potentials, (at_start,), (draws,))[1]
        squares = jnp.stack([jnp.sum(t**2, axis=1) for t in tangents])
        return jnp.sqrt(jnp.sum(squares, axis=0))

    found = np.asarray([norms(run, key) for key in keys[: min(4, keys.shape[0])]])
    later = found[:, found.shape[1] // 4 :]
    times = np.arange(later.shape[1]) * run.dt
    slopes = [np.polyfit(times[row > 0], np.log(row[row > 0]), 1)[0] for row in later if np.sum(row > 0) > 2]
    return float(np.median(slopes)) if slopes else float("-inf")
