"""Self-consistent activities of a network of binary units."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._network import BinaryNetwork
from .._numerics import Moments, Result, Shown, implicit_root, is_concrete, violates, where_defined
from ._binary_field import (
    AbstractField,
    BinaryInputs,
    field_mean,
    field_variance,
    quenched_variance,
)

_STARTS = (0.0, 1e-3, 0.02, 0.1, 0.3, 0.7)
# Implicit steps of growing length: the first follow the dynamics, the last are Newton's.
_FIRST_STEP, _GROWTH, _MOST_STEPS = 0.02, 1.6, 80
_FOLD = 500.0  # in square roots of the rounding unit, as for spiking networks


class BinaryMeanField(Shown):
    """Self-consistent activities of a binary network and what goes with them, {population: value}.

    - `rate`: mean activity m, the share of active units.
    - `balance`: the activities for K to infinity, where the mean inputs cancel: the solution of
      sum_l J_kl K_kl m_l + drive_k = 0, thresholds left out.
    - `q`: quenched order parameter, the mean over units of their squared activity over time.
    - `u`: mean of the field less the threshold; `alpha`: its variance over units and time; `beta`:
      the part of it that is quenched, the variance over units of their mean field.
    - `stable`: whether the activities are stable under tau dm/dt = F(m) - m; `relaxation` [ms]: the
      time of its slowest mode, by which the network follows its drive; infinite if unstable. It has
      no derivative.
    - `lyapunov` [Hz]: rate at which a small damage grows, the largest eigenvalue of
      (offspring - 1) / tau; positive: chaos. It grows like sqrt(K) under `PoissonField()` and is
      infinite under `GaussianField()`, the limit.
    - `branches`: every state found, {population: (starts,)}, ascending, NaN where there is none;
      `branch_stable` beside it. The search follows the dynamics from seven starts; there may be more.
    - `result`: a `jn.Result`: successful, no_fixed_point, or at_fold.
    """

    rate: dict[str, Float[Array, ""]]
    balance: dict[str, Float[Array, ""]]
    q: dict[str, Float[Array, ""]]
    u: dict[str, Float[Array, ""]]
    alpha: dict[str, Float[Array, ""]]
    beta: dict[str, Float[Array, ""]]
    stable: Bool[Array, ""]
    relaxation: Float[Array, ""]
    lyapunov: Float[Array, ""]
    branches: dict[str, Float[Array, "starts"]]
    branch_stable: Bool[Array, "starts"]
    result: Result

    def __str__(self) -> str:
        if not is_concrete(self.rate, self.result) or np.ndim(self.stable):
            return f"Mean field of {', '.join(self.rate)}"
        lines = [f"Mean field: {Result[self.result]} {'Stable.' if bool(self.stable) else 'Unstable.'}"]  # type: ignore[index]
        for name in self.rate:
            lines.append(
                f"  {name}: activity {float(self.rate[name]):.5g} (balance {float(self.balance[name]):.4g}), "
                f"q {float(self.q[name]):.4g}, u {float(self.u[name]):.4g}, alpha {float(self.alpha[name]):.4g}, "
                f"beta {float(self.beta[name]):.4g}"
            )
        lines.append(f"  relaxation {float(self.relaxation):.4g} ms, Lyapunov exponent {float(self.lyapunov):.4g} Hz")
        return "\n".join(lines)


def binary_mean_field(net: BinaryNetwork, field: AbstractField, throw: bool) -> BinaryMeanField:
    """The self-consistent activities of a network of binary units; see `mean_field`."""
    inputs = binary_inputs(net)
    outside = jnp.stack([net.drives[name] for name in net.names])
    with jax.debug_nans(False):  # states that are not there are NaN, which is no fault
        solved = _solve(inputs, outside, field.prepare(inputs), net.names)
    if throw and is_concrete(solved.result) and not bool(solved.result == Result.successful):
        raise RuntimeError(f"Mean field: {Result[solved.result]}")  # type: ignore[index]
    return solved


def binary_inputs(net: BinaryNetwork) -> BinaryInputs:
    """Weights, in-degrees and drives by population; `ValueError` where they differ within one."""
    names = net.names
    zero = jnp.zeros((), jnp.result_type(float))
    weight, in_degree, spread = ([[zero for _ in names] for _ in names] for _ in range(3))
    taken = set()
    for index, projection in enumerate(net.projections):
        pre = net.populations[projection.pre]
        if projection.weight.ndim:
            raise ValueError(f"`weight` of `projections[{index}]` has to be one number for the mean field.")
        for post in projection.post:
            k, l = names.index(post), names.index(projection.pre)
            if (k, l) in taken:
                raise ValueError(f"The mean field takes one projection from {projection.pre!r} to {post!r}.")
            taken.add((k, l))
            weight[k][l] = projection.weight
            number = projection.connectivity.in_degree(pre, net.populations[post], post == projection.pre)
            if pre.n is not None and violates(lambda mean, n=pre.n: mean < n - 1.0, number.mean):
                raise ValueError(
                    "The mean field is for sparse random connections, such as those of `Bernoulli` or `FixedInDegree`; "
                    f"`projections[{index}]` connects a unit to all {pre.n} of {projection.pre!r}."
                )
            in_degree[k][l], spread[k][l] = number.mean, _narrowness(number, pre.n)
    drive, temperature = [], []
    for name in names:
        model = net.populations[name].model
        for argument, value in (
            ("threshold", model.threshold), ("temperature", model.temperature), ("drives", net.drives[name])
        ):  # fmt: skip
            if value.ndim:
                raise ValueError(f"`{argument}` of {name!r} has to be one number for the mean field.")
        drive.append(net.excess(name))
        temperature.append(model.temperature)
    tables = [jnp.stack([jnp.stack(row) for row in table]) for table in (weight, in_degree, spread)]
    tau = jnp.stack([net.populations[name].model.tau for name in names])
    return BinaryInputs(tables[0], tables[1], tables[2], jnp.stack(drive), jnp.stack(temperature), tau)


def _narrowness(number: Moments, n_pre: int | None) -> Float[Array, ""]:
    """1 - variance/mean of an in-degree: 1 where it is fixed, 0 where sources are drawn one by one, for N >> K."""
    mean = jnp.where(number.mean > 0.0, number.mean, 1.0)
    spread = 1.0 - number.variance / mean
    if n_pre is None or n_pre < 2:
        return spread
    # A binomial number has (1 - K/N) K, with or without the unit itself among the N.
    near = jnp.stack([spread - mean / n_pre, spread - mean / (n_pre - 1)])
    return jnp.where(jnp.min(jnp.abs(near)) < 1e-5, 0.0, spread)


def _balance(inputs: BinaryInputs, outside: Float[Array, "n"]) -> Float[Array, "n"]:
    gain = inputs.weight * inputs.in_degree
    # A population without input is outside of the balance: its activity is its own.
    alone = jnp.all(gain == 0.0, axis=1)
    cold = inputs.temperature == 0
    warm = jax.nn.sigmoid(inputs.drive / jnp.where(cold, 1.0, inputs.temperature))
    own = jnp.where(cold, (inputs.drive > 0).astype(warm.dtype), warm)
    rows = jnp.where(alone[:, None], jnp.eye(alone.size, dtype=gain.dtype), gain)
    return _solved(rows, jnp.where(alone, own, -outside))


@eqx.filter_jit
def _solve(
    inputs: BinaryInputs, outside: Float[Array, "n"], field: AbstractField, names: tuple[str, ...]
) -> BinaryMeanField:
    """Of the numbers alone, so that networks of other sizes are the same program."""
    fixed: Any = lax.stop_gradient(inputs)
    balance = _balance(inputs, outside)
    n = len(names)
    sensible = jnp.where(jnp.isfinite(balance), jnp.clip(lax.stop_gradient(balance), 0.0, 1.0), 0.5)
    starts = jnp.concatenate([jnp.asarray(np.tile(np.array(_STARTS)[:, None], (1, n)), balance.dtype), sensible[None]])
    ends = lax.map(lambda m: _settle(lambda x: field.activity(fixed, x), m, _FIRST_STEP), starts)
    slack = 1e-9 if ends.dtype == jnp.float64 else 1e-5

    def look(m: Float[Array, "n"]) -> tuple[Bool[Array, ""], Float[Array, "n n"]]:
        missed = jnp.max(jnp.abs(field.activity(fixed, m) - m))
        return missed < slack, jax.jacfwd(lambda x: field.activity(fixed, x))(m)

    found, slopes = lax.map(look, ends)
    close = jnp.all(jnp.abs(ends[:, None] - ends[None]) < 100 * slack, axis=2)
    found = found & ~jnp.any(jnp.tril(close & found[None], k=-1), axis=1)
    order = jnp.argsort(jnp.where(found, jnp.sum(ends, axis=1), jnp.inf))
    ends, found, slopes = ends[order], found[order], slopes[order]
    growth = jax.vmap(lambda slope: _growth(slope, fixed.tau))(slopes)
    stable = found & (growth < 0)
    index = jnp.arange(ends.shape[0], dtype=jnp.int32)
    chosen = jnp.max(jnp.where(jnp.where(jnp.any(stable), stable, found), index, 0))

    exists = found[chosen]
    m = implicit_root(lambda x: field.activity(inputs, x) - x, jnp.where(exists, ends[chosen], 0.0))
    first = lax.stop_gradient(m)
    start = _settle(lambda x: field.overlap(fixed, first, x), first**2, 1.0)
    q = implicit_root(lambda x: field.overlap(inputs, m, x) - x, start)
    determinant = jnp.abs(jnp.linalg.det(slopes[chosen] - jnp.eye(n, dtype=m.dtype)))
    at_fold = determinant < _FOLD * float(jnp.finfo(m.dtype).eps) ** 0.5
    result = Result.where(exists, Result.where(at_fold, Result.at_fold, Result.successful), Result.no_fixed_point)
    # Without a solution the sums would have to reach to all units active.
    reaches = field.covers(fixed, jnp.where(exists, first, 1.0))
    result = Result.where(reaches, result, Result.short_window)

    def by_name(values: Array) -> dict[str, Array]:
        return {name: values[k] for k, name in enumerate(names)}

    def where_found(values: Float[Array, "n"]) -> dict[str, Float[Array, ""]]:
        return by_name(where_defined(jnp.broadcast_to(exists, values.shape), values))

    lyapunov = 1000.0 * _growth(field.offspring(inputs, m), inputs.tau)
    slowest = growth[chosen]
    return BinaryMeanField(
        where_found(m),
        by_name(balance),
        where_found(q),
        where_found(field_mean(inputs, m)),
        where_found(field_variance(inputs, m)),
        where_found(quenched_variance(inputs, m, q)),
        stable[chosen],
        jnp.where(slowest < 0, -1.0 / jnp.where(slowest < 0, slowest, -1.0), jnp.inf),
        lyapunov,
        by_name(jnp.where(found, ends.T, jnp.nan)),
        stable,
        result,
    )


def _settle(function: Any, start: Float[Array, "n"], first_step: float) -> Float[Array, "n"]:
    """A fixed point of `function`, towards which dx/dt = function(x) - x leads from `start`.

    Differences serve for the slopes: half the program of a derivative, and the steps correct their error.
    """
    eye = jnp.eye(start.shape[0], dtype=start.dtype)
    small, near = (1e-11, 1e-6) if start.dtype == jnp.float64 else (1e-6, 1e-3)

    def advance(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        x, taken, _ = carry
        apart = near * jnp.maximum(x, 1e-3)
        values = jax.vmap(function)(jnp.concatenate([x[None], x + apart[:, None] * eye]))
        residual = values[0] - x
        step = first_step * _GROWTH ** taken.astype(x.dtype)
        slope = ((values[1:] - values[0]) / apart[:, None]).T
        moved = jnp.clip(x + _solved(eye / step + eye - slope, residual), 0.0, 1.0)
        return moved, taken + 1, jnp.max(jnp.abs(residual)) + jnp.max(jnp.abs(moved - x))

    def goes_on(carry: tuple[Array, Array, Array]) -> Array:
        return (carry[2] > small) & (carry[1] < _MOST_STEPS)

    first = (start, jnp.zeros((), jnp.int32), jnp.full((), jnp.inf, start.dtype))
    return lax.while_loop(goes_on, advance, first)[0]


def _solved(matrix: Float[Array, "n n"], right: Float[Array, "n"]) -> Float[Array, "n"]:
    """The solution of a linear equation, of one and of two by Cramer's rule, without a factorisation to compile."""
    if right.size == 1:
        return right / matrix[0]
    if right.size == 2:
        (a, b), (c, d) = matrix
        return jnp.stack([d * right[0] - b * right[1], a * right[1] - c * right[0]]) / (a * d - b * c)
    return jnp.linalg.solve(matrix, right)


def _growth(slopes: Float[Array, "n n"], tau: Float[Array, "n"]) -> Float[Array, ""]:
    """The largest real part of an eigenvalue of (slopes - 1) / tau [1/ms]."""
    n = slopes.shape[0]
    matrix = (slopes - jnp.eye(n, dtype=slopes.dtype)) / tau[:, None]
    if n == 1:
        return matrix[0, 0]
    if n == 2:  # no eigenvalue solver, which a GPU may lack
        half = 0.5 * jnp.trace(matrix)
        difference = 0.25 * (matrix[0, 0] - matrix[1, 1]) ** 2 + matrix[0, 1] * matrix[1, 0]
        real = difference > 0
        root = jnp.where(real, jnp.sqrt(jnp.where(real, difference, 1.0)), 0.0)
        return jnp.where(jnp.any(jnp.isinf(slopes)), jnp.inf, half + root)
    finite = jnp.all(jnp.isfinite(matrix))
    largest = jnp.max(jnp.linalg.eigvals(jnp.where(finite, matrix, 0.0)).real)
    return jnp.where(finite, largest, jnp.inf)
