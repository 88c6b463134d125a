"""Self-consistent rates of a network."""

import dataclasses
from typing import Any, overload

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._network import BinaryNetwork, Network, check_network
from .._numerics import (
    Result,
    Shown,
    check_precision,
    html_table,
    implicit_root,
    is_concrete,
    one_at_a_time,
    told,
    violates,
    where_defined,
)
from ._afferents import Afferents, afferents, side_by_side, source_rate
from ._binary import BinaryMeanField, binary_mean_field
from ._binary_field import AbstractField, PoissonField
from ._effective_input import check_covered, checked_noise
from ._noise import AbstractNoise, EffectiveInput
from ._polish import polish
from ._roots import Roots, search_line, search_starts
from ._stable_noise import StableNoise, heavy_tailed
from ._unknowns import Groups, by_population, groups_of, log_rates

# |det(1 - d Phi/d nu)| below this many square roots of the rounding unit is a fold: a root is known there to
# about the square root of that unit only, and its derivative, the inverse, not to a digit more than one.
_FOLD = 500.0


class MeanField(Shown):
    """Self-consistent rates of a network and what goes with them, {population: value}.

    - `rate` [Hz], `cv` (of the interspike intervals; NaN where the theory of the noise has none).
    - `mu` [mV, absolute], `sigma` [mV], `tau` [ms]: of the input, where the theory sums it up so; else NaN.
    - `stable`: whether the rates are stable under d nu/dt = Phi(nu) - nu.
    - `branches`: every root found, {population: (roots,) Hz}, in ascending order, NaN where there
      is none; `branch_stable` beside it.
    - `exhaustive`: whether the search saw every sign change on its grid (one unknown), or only what
      its starts led to (several).
    - `result`: a `jn.Result`: successful, no_fixed_point, or at_fold.
    - `left_out`: what of this network the theory leaves out, in words; `theory`: that of the noise, where it is not the
      usual one.
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
    left_out: tuple[str, ...] = eqx.field(static=True, default=())
    theory: str = eqx.field(static=True, default="")

    def __str__(self) -> str:
        if not self._is_one():
            return f"Mean field of {', '.join(self.rate)}"
        rows = []
        for name in self.mu:
            known = [
                f"{label} {float(value[name]):{form}}{unit and ' ' + unit}"
                for label, value, form, unit in self._quantities()[1:]
                if not np.isnan(value[name])
            ]
            rows.append(", ".join([f"  {name}: {float(self.rate[name]):.5g} Hz", *known]))
        return "\n".join([self._verdict(), *rows, *[f"  {note}" for note in self._notes()]])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        if not self._is_one():
            return html_table(str(self), (), ())
        header = [f"{label} [{unit}]" if unit else label for label, _, _, unit in self._quantities()]
        rows = [
            [name, *[f"{float(value[name]):{form}}" for _, value, form, _ in self._quantities()]] for name in self.mu
        ]
        return html_table(self._verdict(), ["population", *header], rows, self._notes())

    def _is_one(self) -> bool:
        return is_concrete(self.rate, self.result) and not np.ndim(self.stable)

    def _verdict(self) -> str:
        return f"Mean field: {Result[self.result]} {'Stable.' if bool(self.stable) else 'Unstable.'}"  # type: ignore[index]

    def _quantities(self) -> tuple[tuple[str, dict[str, Array], str, str], ...]:
        """(label, values, format, unit) of what is told of a population."""
        return (
            ("rate", self.rate, ".5g", "Hz"),
            ("CV", self.cv, ".4f", ""),
            ("mu", self.mu, ".4g", "mV"),
            ("sigma", self.sigma, ".4g", "mV"),
            ("tau", self.tau, ".4g", "ms"),
        )

    def _notes(self) -> list[str]:
        n = int(np.sum(~np.isnan(np.asarray(next(iter(self.branches.values()))))))
        how = "every sign change on the grid" if self.exhaustive else "that the search came to; there may be more"
        notes = [f"{n} self-consistent {'state' if n == 1 else 'states'} ({how})."]
        if self.theory:
            notes.append(f"Noise: {self.theory}.")
        return [*notes, f"Left out: {', '.join(self.left_out)}."] if self.left_out else notes


@overload
def mean_field(net: Network, *, noise: AbstractNoise | None = None, throw: bool = True) -> MeanField: ...


@overload
def mean_field(net: BinaryNetwork, *, field: AbstractField | None = None, throw: bool = True) -> BinaryMeanField: ...


@one_at_a_time
def mean_field(
    net: Network | BinaryNetwork,
    *,
    noise: AbstractNoise | None = None,
    field: AbstractField | None = None,
    throw: bool = True,
) -> MeanField | BinaryMeanField:
    """The self-consistent rates of a network of LIF neurons in the diffusion approximation.

        nu_i = Phi(mu_i(nu), sigma_i(nu), tau_i(nu)),

    with Phi the rate of a LIF neuron under white noise (`lif_rate`), or noise through the filter of its synapses
    (`lif_rate_filtered`), and the input of `effective_input`. Populations with equal neurons and equal input share one
    unknown. With one unknown every sign change of log Phi(nu) - log nu on 512 logarithmic points from 1e-10 Hz to
    1/t_ref, and on the points between them where it turns, is a root, and so is the quiescent state below; with
    several, the solve goes from 65 starts and `exhaustive` is False. In-degrees enter by their mean.

    Of several roots the fields hold the stable one of highest rate, where a network is that was
    brought to activity; `branches` holds all.

    **Arguments:**

    - `net`: a `Network` of synapses that act at once, or of `ExponentialCurrent` and `ExponentialConductance` of one
      tau_s; populations need no size. Or a `BinaryNetwork`, whose
      activities solve m = F(m) with F the probability to be active; a `BinaryMeanField` is returned.
    - `noise`: a theory of the noise, of a `Network` alone: `EffectiveNoise()` by default, the effective-time-constant
      approximation, and `StableNoise()` where weights are heavy-tailed; of conductances also `ItoNoise()`,
      `StratonovichNoise()` and `ShotNoise()`; or one of your own. Of synapses with a time course
      `EffectiveNoise(ShortFilter())` and its like choose the formula.
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
    check_network(net)
    check_precision("net", net)
    return net.handed(
        to_neurons=lambda n: _of_neurons(n, noise, field, throw), to_binary=lambda n: _of_units(n, noise, field, throw)
    )


def _of_units(net: BinaryNetwork, noise: Any, field: AbstractField | None, throw: bool) -> BinaryMeanField:
    if noise is not None:
        raise ValueError("`noise` is of a network of neurons; a BinaryNetwork takes `field` in its place.")
    if not isinstance(field, AbstractField | None):
        raise ValueError(f"`field` has to be `PoissonField()` or `GaussianField()`; got {told(field)}.")
    return binary_mean_field(net, PoissonField() if field is None else field, throw)


def _of_neurons(net: Network, noise: AbstractNoise | None, field: Any, throw: bool) -> MeanField:
    if field is not None:
        raise ValueError("`field` is of a BinaryNetwork; a Network takes `noise` in its place.")
    names = net.neuron_names
    if not names:
        raise ValueError("`net` has no population of neurons whose rate could be solved for.")
    seen = afferents(net, dict.fromkeys(names, np.ones(())))
    heavy = any(heavy_tailed(one) for one in seen.values())
    theory = "StableNoise, since weights have heavy tails" if noise is None and heavy else ""
    noise = StableNoise() if theory else checked_noise(noise)
    check_covered(noise, seen)
    with jax.debug_nans(False):  # branches that are not there are NaN, which is no fault
        solved = _solve(net, noise, groups_of(net, names))
    if throw and is_concrete(solved.result) and not bool(solved.result == Result.successful):
        raise RuntimeError(f"Mean field: {Result[solved.result]}")  # type: ignore[index]
    return dataclasses.replace(solved, left_out=_left_out(noise, seen), theory=theory)


def _left_out(noise: AbstractNoise, seen: dict[str, Afferents]) -> tuple[str, ...]:
    """What of the network the theory leaves out, each once."""
    origins = [origin for one in seen.values() for origin in one.origins]
    streams = [stream for one in seen.values() for stream in one.streams]
    found = ["correlations of inputs"] if any(o.pre is not None for o in origins) else []
    if any(o.pre in seen for o in origins):
        found += ["trains that are not Poisson", "delays"]
    if not all(violates(lambda v: v != 0, s.in_degree.variance) for s in streams):
        found.append("differences in in-degree")
    if not all(violates(lambda v: v != 0, s.weight.moments().variance) for s in streams):
        found.append("differences in summed weight")
    if any(s.synapse.presynaptic(1) is not None for s in streams):
        found.append("how releases differ from spike to spike")
    found += [what for one in seen.values() for what in noise.left_out(one)]
    return tuple(dict.fromkeys(found))


@eqx.filter_jit
def _solve(net: Network, noise: AbstractNoise, groups: Groups) -> MeanField:
    fixed: Any = lax.stop_gradient(net)

    first = tuple(group[0] for group in groups)
    cheap = noise.cheap()

    def residual_of(network: Network, theory: AbstractNoise, x: Float[Array, "unknowns"]) -> Float[Array, "unknowns"]:
        return log_rates(network, theory, first, by_population(groups, jnp.exp(x))) - x

    seen = afferents(fixed, dict.fromkeys(net.neuron_names, np.ones(())))
    log_most = jnp.log(jnp.max(jnp.stack([noise.most_rate(seen[name]) for name in first])))
    searched = noise if cheap is None else cheap
    roots = _search(lambda x: residual_of(fixed, searched, x), len(groups), log_most)
    if cheap is not None:
        roots = _polished(fixed, noise, groups, roots)
    order = jnp.argsort(jnp.where(roots.found, jnp.sum(jnp.exp(roots.log_rates), axis=1), jnp.inf))
    x, found = roots.log_rates[order], roots.found[order]
    if roots.matrices is not None:
        # Populations of one unknown answer alike, whichever of them changes: their matrix has rank one.
        linear = jax.vmap(_linear)(roots.matrices[order])
    else:
        linear = jax.vmap(lambda v: _linearise(fixed, noise, groups, v))(x)
    stable = linear.stable & found

    chosen = _choose(found, stable)
    # Without any noise a silent population's log rate is -inf: its rate is 0 whatever the parameters.
    silent = jnp.isneginf(x[chosen])
    start = jnp.where(found[chosen] & ~silent, x[chosen], 0.0)

    def implicit(v: Float[Array, "unknowns"]) -> Float[Array, "unknowns"]:
        return jnp.where(silent, -v, residual_of(net, noise, jnp.where(silent, -jnp.inf, v)))

    log_rate = jnp.where(silent, -jnp.inf, implicit_root(implicit, start))
    at_fold = linear.determinant[chosen] < _FOLD * float(jnp.finfo(x.dtype).eps) ** 0.5
    exists = found[chosen]
    result = Result.where(exists, Result.where(at_fold, Result.at_fold, Result.successful), Result.no_fixed_point)
    rates = {n: where_defined(exists, jnp.exp(v)) for n, v in by_population(groups, log_rate).items()}
    branches = by_population(groups, jnp.where(found, jnp.exp(x).T, jnp.nan))
    exhaustive = len(groups) == 1 and cheap is None
    return _assemble(net, noise, groups, rates, stable[chosen], branches, stable, result, exhaustive)


def _search(residual: Any, n_unknowns: int, log_most: Float[Array, ""]) -> Roots:
    return search_line(residual, log_most) if n_unknowns == 1 else search_starts(residual, n_unknowns, log_most)


def _choose(found: Bool[Array, "roots"], stable: Bool[Array, "roots"]) -> Array:
    """The last stable root, else the last root, else 0."""
    index = jnp.arange(found.shape[0], dtype=jnp.int32)
    best = jnp.where(jnp.any(stable), stable, found)
    return jnp.max(jnp.where(best, index, 0))


class _Linear(eqx.Module):
    """The linearised d nu/dt = Phi(nu) - nu: whether it decays, and |det| of its matrix, 0 at a fold."""

    stable: Bool[Array, "*roots"]
    determinant: Float[Array, "*roots"]


def _polished(net: Network, noise: AbstractNoise, groups: Groups, roots: Roots) -> Roots:
    """From the roots of a cheap theory those of a dear one: by every population, or by the one unknown of all."""
    first, names, member = _members(groups)
    if len(groups) == 1:
        member = np.zeros(1, np.int64)

    def respond(y: Float[Array, "populations"]) -> Float[Array, "unknowns"]:
        each = y if len(groups) > 1 else jnp.broadcast_to(y, len(names))
        return log_rates(net, noise, first, dict(zip(names, jnp.exp(each), strict=True)))

    return polish(respond, member, roots)


def _linearise(net: Network, noise: AbstractNoise, groups: Groups, x: Float[Array, "unknowns"]) -> _Linear:
    """Perturbs every population, also against those that share its unknown and answer alike."""
    first, names, member = _members(groups)

    def log_phi(v: Float[Array, "populations"]) -> Float[Array, "unknowns"]:
        return log_rates(net, noise, first, dict(zip(names, v, strict=True)))

    rates = jnp.exp(x)[member]
    slopes = (jnp.exp(x)[:, None] * jax.jacfwd(log_phi)(rates))[member]
    return _linear(slopes - jnp.eye(len(names), dtype=x.dtype))


def _linear(matrix: Float[Array, "n n"]) -> _Linear:
    return _Linear(decays(matrix), jnp.abs(jnp.linalg.det(matrix)))


def _members(groups: Groups) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """The first of every group, all populations, and the group of each."""
    names = tuple(name for group in groups for name in group)
    return tuple(group[0] for group in groups), names, np.repeat(np.arange(len(groups)), [len(g) for g in groups])


def decays(matrix: Float[Array, "n n"]) -> Bool[Array, ""]:
    """Whether dx/dt = matrix x decays: whether every eigenvalue has a negative real part."""
    if matrix.shape[0] == 1:
        return matrix[0, 0] < 0
    if matrix.shape[0] == 2:  # no eigenvalue solver, which a GPU may lack
        return (jnp.trace(matrix) < 0) & (jnp.linalg.det(matrix) > 0)
    return jnp.all(jnp.linalg.eigvals(matrix).real < 0)


def _assemble(
    net: Network,
    noise: AbstractNoise,
    groups: Groups,
    rates: dict[str, Float[Array, ""]],
    stable: Bool[Array, ""],
    branches: dict[str, Float[Array, "roots"]],
    branch_stable: Bool[Array, "roots"],
    result: Result,
    exhaustive: bool,
) -> MeanField:
    seen = afferents(net, rates)

    def answer(one: Afferents) -> tuple[EffectiveInput, Float[Array, ""]]:
        return noise.summary(one), noise.cv(one)

    answers = side_by_side(answer, [seen[group[0]] for group in groups])
    found = {name: value for group, value in zip(groups, answers, strict=True) for name in group}
    cv = {name: value for name, (_, value) in found.items()}
    for name, population in net.populations.items():
        if name not in seen:
            rates = rates | {name: source_rate(name, population)}
            cv[name] = jnp.mean(population.model.cv())
    mu, sigma, tau = ({n: getattr(s, field) for n, (s, _) in found.items()} for field in ("mu", "sigma", "tau"))
    return MeanField(rates, cv, mu, sigma, tau, stable, branches, branch_stable, result, exhaustive)
