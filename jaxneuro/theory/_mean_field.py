"""Self-consistent rates of a network."""

from typing import Any, overload

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._formulas import lif_cv, lif_log_rate
from .._network import BinaryNetwork, Network
from .._numerics import Result, as_leaf, implicit_root, is_concrete
from ..connectivity import FixedInDegree, GaussianInDegree
from ..models import LIF, AbstractNeuron, Poisson
from ._binary import BinaryMeanField, binary_mean_field
from ._binary_field import AbstractField, PoissonField
from ._effective_input import AbstractNoise, EffectiveInput, EffectiveNoise, effective_input
from ._roots import Roots, search_line, search_starts

# The least refractory period [ms] that bounds the search: with none, rates are searched to 100 kHz.
_LEAST_REFRACTORINESS = 0.01
# |det(1 - d Phi/d nu)| below this many square roots of the rounding unit is a fold: a root is known there to
# about the square root of that unit only, and its derivative, the inverse, not to a digit more than one.
_FOLD = 500.0


class MeanField(eqx.Module):
    """Self-consistent rates of a network and what goes with them, {population: value}.

    - `rate` [Hz], `cv` (of the interspike intervals), `mu` [mV, absolute], `sigma` [mV], `tau` [ms].
    - `stable`: whether the rates are stable under d nu/dt = Phi(nu) - nu.
    - `branches`: every root found, {population: (roots,) Hz}, in ascending order, NaN where there
      is none; `branch_stable` beside it.
    - `exhaustive`: whether the search saw every sign change on its grid (one unknown), or only what
      its starts led to (several).
    - `result`: a `jn.Result`: successful, no_fixed_point, or at_fold.
    """

    rate: dict[str, Float[Array, ""]]
    cv: dict[str, Float[Array, ""]]
    mu: dict[str, Float[Array, ""]]
    sigma: dict[str, Float[Array, ""]]
    tau: dict[str, Float[Array, ""]]
    stable: Bool[Array, ""]
    branches: dict[str, Float[Array, "roots"]]
    branch_stable: Bool[Array, "roots"]
    result: Result
    exhaustive: bool = eqx.field(static=True)

    def __str__(self) -> str:
        if not is_concrete(self.rate, self.result) or np.ndim(self.stable):
            return f"Mean field of {', '.join(self.rate)}"
        lines = [f"Mean field: {Result[self.result]} {'Stable.' if bool(self.stable) else 'Unstable.'}"]  # type: ignore[index]
        for name in self.mu:
            lines.append(
                f"  {name}: {float(self.rate[name]):.5g} Hz, CV {float(self.cv[name]):.4f}, "
                f"mu {float(self.mu[name]):.4g} mV, sigma {float(self.sigma[name]):.4g} mV, "
                f"tau {float(self.tau[name]):.4g} ms"
            )
        n = int(np.sum(~np.isnan(np.asarray(next(iter(self.branches.values()))))))
        how = "every sign change on the grid" if self.exhaustive else "from 65 starts; there may be more"
        lines.append(f"  {n} self-consistent {'state' if n == 1 else 'states'} ({how}).")
        return "\n".join(lines)


@overload
def mean_field(net: Network, *, noise: AbstractNoise | None = None, throw: bool = True) -> MeanField: ...


@overload
def mean_field(net: BinaryNetwork, *, field: AbstractField | None = None, throw: bool = True) -> BinaryMeanField: ...


def mean_field(
    net: Network | BinaryNetwork,
    *,
    noise: AbstractNoise | None = None,
    field: AbstractField | None = None,
    throw: bool = True,
) -> MeanField | BinaryMeanField:
    """The self-consistent rates of a network of LIF neurons in the diffusion approximation.

        nu_i = Phi(mu_i(nu), sigma_i(nu), tau_i(nu)),

    with Phi the rate of a LIF neuron under white noise (`lif_rate`) and the input of
    `effective_input`. Populations with equal neurons and equal input share one unknown. With one
    unknown every sign change of log Phi(nu) - log nu on 512 logarithmic points from 1e-10 Hz to
    1/t_ref, and on the points between them where it turns, is a root, and so is the quiescent state
    below; with several, the solve goes from 65
    starts and `exhaustive` is False. In-degrees enter by their mean.

    Of several roots the fields hold the stable one of highest rate, where a network is that was
    brought to activity; `branches` holds all.

    **Arguments:**

    - `net`: a `Network` with delta synapses; populations need no size. Or a `BinaryNetwork`, whose
      activities solve m = F(m) with F the probability to be active; a `BinaryMeanField` is returned.
    - `noise`: `EffectiveNoise()`, the effective-time-constant approximation; of a `Network` alone.
    - `field`: of a `BinaryNetwork` alone: `PoissonField()`, exact at finite K, by default, or
      `GaussianField()`, the limit of large K.
    - `throw`: whether no fixed point, or a fold, raises; if not, `result` says so.

    **Returns:** a `MeanField`, or a `BinaryMeanField`.

    Raises `ValueError` where the theory does not cover the network, `RuntimeError` for a failed
    solve where `throw` is true and the values are known.

    Derivatives: implicit, in forward and reverse mode and of any order, with respect to every
    number of the network, in-degrees included; they do not exist at a fold. Works under jit and
    vmap; the sharing of unknowns is decided by the values that are known when it is traced.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    >>> round(float(jn.theory.mean_field(net).rate["E"]), 2)
    37.95
    >>> slope = jax.grad(lambda g: jn.theory.mean_field(jn.networks.brunel(g=g)).rate["E"])(5.0)
    >>> round(float(slope), 2)
    -25.25

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, section 4; Sanzeni, Histed and Brunel (2022),
    doi:10.1103/PhysRevX.12.011044, equations (10), (19).
    """
    if isinstance(net, BinaryNetwork):
        if noise is not None:
            raise ValueError("`noise` is of a network of neurons; a BinaryNetwork takes `field` in its place.")
        if not isinstance(field, AbstractField | None):
            raise ValueError(f"`field` has to be `PoissonField()` or `GaussianField()`; got {field!r}.")
        return binary_mean_field(net, PoissonField() if field is None else field, throw)
    if field is not None:
        raise ValueError("`field` is of a BinaryNetwork; a Network takes `noise` in its place.")
    if not isinstance(net, Network):
        raise ValueError(f"`net` has to be a Network or a BinaryNetwork; got {type(net).__name__}.")
    names = tuple(n for n in net.names if isinstance(net.populations[n].model, LIF))
    for name, population in net.populations.items():
        if isinstance(population.model, AbstractNeuron) and name not in names:
            raise ValueError(
                f"The mean field is that of `LIF` neurons; {name!r} of `net` has {type(population.model).__name__}."
            )
    if not names:
        raise ValueError("`net` has no population of neurons whose rate could be solved for.")
    solved = _solve(net, EffectiveNoise() if noise is None else noise, _groups(net, names))
    if throw and is_concrete(solved.result) and not bool(solved.result == Result.successful):
        raise RuntimeError(f"Mean field: {Result[solved.result]}")  # type: ignore[index]
    return solved


def _groups(net: Network, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Populations with equal neurons and equal input, as far as values are known."""
    groups: list[list[str]] = []
    for name in names:
        for group in groups:
            if _alike(net, name, group[0]):
                group.append(name)
                break
        else:
            groups.append([name])
    return tuple(tuple(group) for group in groups)


def _alike(net: Network, a: str, b: str) -> bool:
    models = [jax.tree_util.tree_leaves(net.populations[n].model) for n in (a, b)]
    for x, y in zip(*models, strict=True):
        if x is not y and not (is_concrete(x, y) and np.array_equal(np.asarray(x), np.asarray(y))):
            return False
    targets = [p.post for p in net.projections] + [d.targets for d in net.drives]
    if any((a in t) != (b in t) for t in targets):
        return False
    # A rule that follows the size of its source counts a neuron's own population differently.
    recurrent = [p for p in net.projections if p.pre in (a, b) and a in p.post]
    return all(isinstance(p.connectivity, FixedInDegree | GaussianInDegree) for p in recurrent)


def _log_phi(
    net: Network, noise: AbstractNoise, names: tuple[str, ...], rates: dict[str, Float[Array, ""]]
) -> Float[Array, "names"]:
    """The log rate [log Hz] of each of `names` in answer to `rates` [Hz]; one call, which compiles once."""
    inputs = effective_input(net, rates, noise=noise)
    stacked = _stack(net, {name: inputs[name] for name in names})
    return lif_log_rate(stacked["mu"], stacked["sigma"], **{k: stacked[k] for k in _NEURON})


_NEURON = ("tau", "v_th", "v_reset", "t_ref")


def _stack(net: Network, inputs: dict[str, EffectiveInput]) -> dict[str, Float[Array, "names"]]:
    """The arguments of the rate, one row a population."""
    stacked = {field: jnp.stack([getattr(seen, field) for seen in inputs.values()]) for field in ("mu", "sigma", "tau")}
    models = [net.populations[name].model for name in inputs]
    return stacked | {field: jnp.stack([getattr(m, field) for m in models]) for field in _NEURON[1:]}


def _spread(
    groups: tuple[tuple[str, ...], ...], values: Float[Array, "unknowns *more"]
) -> dict[str, Float[Array, "*more"]]:
    return {name: values[i] for i, group in enumerate(groups) for name in group}


@eqx.filter_jit
def _solve(net: Network, noise: AbstractNoise, groups: tuple[tuple[str, ...], ...]) -> MeanField:
    fixed: Any = lax.stop_gradient(net)

    first = tuple(group[0] for group in groups)

    def residual_of(network: Network, x: Float[Array, "unknowns"]) -> Float[Array, "unknowns"]:
        return _log_phi(network, noise, first, _spread(groups, jnp.exp(x))) - x

    shortest = jnp.min(jnp.stack([jnp.min(fixed.populations[g[0]].model.t_ref) for g in groups]))
    log_most = jnp.log(1000.0 / jnp.maximum(shortest, _LEAST_REFRACTORINESS))
    roots = _search(lambda x: residual_of(fixed, x), len(groups), log_most)
    order = jnp.argsort(jnp.where(roots.found, jnp.sum(jnp.exp(roots.log_rates), axis=1), jnp.inf))
    x, found = roots.log_rates[order], roots.found[order]
    linear = jax.vmap(lambda v: _linearise(fixed, noise, groups, v))(x)
    stable = linear.stable & found

    chosen = _choose(found, stable)
    # Without any noise a silent population's log rate is -inf: its rate is 0 whatever the parameters.
    silent = jnp.isneginf(x[chosen])
    start = jnp.where(found[chosen] & ~silent, x[chosen], 0.0)

    def implicit(v: Float[Array, "unknowns"]) -> Float[Array, "unknowns"]:
        return jnp.where(silent, -v, residual_of(net, jnp.where(silent, -jnp.inf, v)))

    log_rate = jnp.where(silent, -jnp.inf, implicit_root(implicit, start))
    at_fold = linear.determinant[chosen] < _FOLD * float(jnp.finfo(x.dtype).eps) ** 0.5
    exists = found[chosen]
    result = Result.where(exists, Result.where(at_fold, Result.at_fold, Result.successful), Result.no_fixed_point)
    rates = {n: jnp.where(exists, jnp.exp(v), jnp.nan) for n, v in _spread(groups, log_rate).items()}
    branches = _spread(groups, jnp.where(found, jnp.exp(x).T, jnp.nan))
    return _assemble(net, noise, rates, stable[chosen], branches, stable, result, len(groups) == 1)


def _search(residual: Any, n_unknowns: int, log_most: Float[Array, ""]) -> Roots:
    return search_line(residual, log_most) if n_unknowns == 1 else search_starts(residual, n_unknowns, log_most)


def _choose(found: Bool[Array, "roots"], stable: Bool[Array, "roots"]) -> Array:
    """The last stable root, else the last root, else 0."""
    index = jnp.arange(found.shape[0], dtype=jnp.int32)
    best = jnp.where(jnp.any(stable), stable, found)
    return jnp.max(jnp.where(best, index, 0))


class _Linear(eqx.Module):
    """The linearised d nu/dt = Phi(nu) - nu: whether it decays, and |det| of its matrix, 0 at a fold."""

    stable: Bool[Array, ""]
    determinant: Float[Array, ""]


def _linearise(
    net: Network, noise: AbstractNoise, groups: tuple[tuple[str, ...], ...], x: Float[Array, "unknowns"]
) -> _Linear:
    """Perturbs every population, also against those that share its unknown."""
    names = tuple(name for group in groups for name in group)
    spread = _spread(groups, x)

    def phi(v: Float[Array, "populations"]) -> Float[Array, "populations"]:
        return jnp.exp(_log_phi(net, noise, names, dict(zip(names, v, strict=True))))

    slopes = jax.jacfwd(phi)(jnp.exp(jnp.stack([spread[name] for name in names])))
    matrix = slopes - jnp.eye(len(names), dtype=x.dtype)
    determinant = jnp.linalg.det(matrix)
    if len(names) == 1:
        stable = matrix[0, 0] < 0
    elif len(names) == 2:  # no eigenvalue solver, which a GPU may lack
        stable = (jnp.trace(matrix) < 0) & (determinant > 0)
    else:
        stable = jnp.all(jnp.linalg.eigvals(matrix).real < 0)
    return _Linear(stable, jnp.abs(determinant))


def _assemble(
    net: Network,
    noise: AbstractNoise,
    rates: dict[str, Float[Array, ""]],
    stable: Bool[Array, ""],
    branches: dict[str, Float[Array, "roots"]],
    branch_stable: Bool[Array, "roots"],
    result: Result,
    exhaustive: bool,
) -> MeanField:
    inputs = effective_input(net, rates, noise=noise)
    stacked = _stack(net, inputs)
    values = lif_cv(stacked["mu"], stacked["sigma"], **{k: stacked[k] for k in _NEURON})
    cv = dict(zip(inputs, values, strict=True))
    for name, population in net.populations.items():
        if isinstance(population.model, Poisson):
            rates = rates | {name: jnp.mean(population.model.rate)}
            cv[name] = as_leaf(1.0)
    mu, sigma, tau = ({n: getattr(seen, field) for n, seen in inputs.items()} for field in ("mu", "sigma", "tau"))
    return MeanField(rates, cv, mu, sigma, tau, stable, branches, branch_stable, result, exhaustive)
