"""Stability of the asynchronous state: growth and frequency of the modes of a network."""

import math
from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from .._network import Network, check_spiking
from .._numerics import (
    Shown,
    as_leaf,
    check_nonnegative,
    implicit_by,
    implicit_root,
    is_concrete,
    one_at_a_time,
    where_defined,
)
from ._afferents import afferents, side_by_side
from ._effective_input import check_covered, check_each, checked_noise
from ._loop import RecurrentLoop, longest_delay, loop_of
from ._mean_field import mean_field
from ._modes import Zeros, search_modes, window_of
from ._noise import AbstractNoise
from ._time_course import check_at_once
from ._unknowns import Groups, by_population, groups_of, log_rates

# A rate given is self-consistent where log Phi(nu) - log nu is below this.
_CONSISTENT = 1e-3


class Stability(Shown):
    """Modes exp(lambda t) of a network near a self-consistent state, by falling growth.

    - `growth` [1/s], `frequency` [Hz]: of the leading mode; NaN where none was found.
    - `modes`: growth and frequency of all found, NaN beyond the last; a frequency above 0 is a pair.
    - `stable`: whether no mode grows.
    - `n_unstable`: how many grow, both of a pair counted: those found and those that the turns of the
      characteristic function along the imaginary axis show beside them; `complete`: whether none is missing.
    - `rate`: the state it was taken at, {population: Hz}.
    """

    growth: Float[Array, ""]
    frequency: Float[Array, ""]
    modes: "Modes"
    stable: Bool[Array, ""]
    n_unstable: Int[Array, ""]
    complete: Bool[Array, ""]
    rate: dict[str, Float[Array, ""]]

    def __str__(self) -> str:
        if not is_concrete(self.growth, self.rate) or np.ndim(self.growth):
            return f"Stability of {', '.join(self.rate)}"
        state = ", ".join(f"{name} {float(value):.4g} Hz" for name, value in self.rate.items())
        lines = [f"Stability at {state}: {'stable' if bool(self.stable) else 'unstable'}."]
        for growth, frequency in zip(np.asarray(self.modes.growth), np.asarray(self.modes.frequency), strict=True):
            if not np.isnan(growth):
                lines.append(f"  growth {growth:9.1f} /s at {frequency:6.1f} Hz")
        if not bool(self.complete):
            lines.append(f"  {int(self.n_unstable)} modes grow, conjugates counted: not all are listed.")
        return "\n".join(lines)


class Modes(Shown):
    """Growth [1/s] and frequency [Hz] of each mode."""

    growth: Float[Array, "modes"]
    frequency: Float[Array, "modes"]


@one_at_a_time
def brunel_stability(
    net: Network,
    *,
    rates: Mapping[str, ArrayLike] | None = None,
    noise: AbstractNoise | None = None,
    throw: bool = True,
) -> Stability:
    """The modes of a sparse network of LIF neurons with delays near a state of constant rates.

    A modulation of the rates by dnu exp(lambda t) comes back through the mean and through the
    variance of the recurrent input; it sustains itself where

        det(1 - M(lambda)) = 0,
        M_ij = tau_i K_ij (J_ij R_mu,i(lambda) + J_ij^2 R_var,i(lambda)) <exp(-lambda d_ij)>,

    with R_mu and R_var the `response` of the theory of the noise (`lif_response` unless told), and the mean taken over
    the delays. Re lambda > 0 grows.
    Infinitely many modes decay; searched are growth from -1/(2 d) to 3/d and frequencies to 10/(3 d),
    with d the longest delay. Populations with equal neurons and equal input move together.

    **Arguments:**

    - `net`: a `Network` of LIF and Poisson populations with `DeltaCurrent` synapses.
    - `rates`: the self-consistent state {population: Hz}; `mean_field(net).rate` by default. For
      branch number k: `{name: found[k] for name, found in mean_field(net).branches.items()}`.
    - `noise`: a theory of the noise that has a `response`, `EffectiveNoise()` by default.
    - `throw`: as in `mean_field`.

    **Returns:** a `Stability`.

    Raises `ValueError` where a synapse is not `DeltaCurrent` or remembers spikes, the theory of the noise has no
    `response`, or known `rates` are negative, NaN or not self-consistent; otherwise as `mean_field`.

    Derivatives: implicit, of `growth` and `frequency`, in forward and reverse mode and of any order,
    with respect to every number of the network; the delays are static. `modes` has none. Works under
    jit and vmap.

    ```python
    >>> import jaxneuro as jn
    >>> fast = jn.theory.brunel_stability(jn.networks.brunel(g=6.0, nu_ext_over_nu_thr=4.0))
    >>> bool(fast.stable), round(float(fast.frequency))
    (False, 190)

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, section 5 and appendix; the response to the
    variance, and to both after the refractory period, from the references of `lif_response`.
    """
    check_spiking(net)
    noise, names = checked_noise(noise), net.neuron_names
    reached = afferents(net, dict.fromkeys(names, np.ones(())))
    check_each(check_at_once, reached)
    check_covered(noise, reached)
    # A theory without a response says so.
    jax.eval_shape(
        lambda seen: side_by_side(lambda one: noise.response(jnp.asarray(1j), one), seen), [*reached.values()]
    )
    seen = mean_field(net, noise=noise, throw=throw).rate if rates is None else _given_rates(rates, names, net.names)
    groups = groups_of(net, names)
    start = jnp.log(jnp.stack([seen[group[0]] for group in groups]))
    if rates is not None and is_concrete(net, start):
        with jax.ensure_compile_time_eval():
            _check_consistent(start, np.asarray(_answers(net, noise, groups, start)))
    with jax.debug_nans(False):  # modes that are not there are NaN, which is no fault
        return _solve(net, noise, groups, start)


def _given_rates(
    rates: Mapping[str, ArrayLike], names: tuple[str, ...], known: tuple[str, ...]
) -> dict[str, Float[Array, ""]]:
    if not isinstance(rates, Mapping):
        raise ValueError(f"`rates` has to be a dict of {{population: Hz}}; got {type(rates).__name__}.")
    missing = [name for name in names if name not in rates]
    if missing:
        raise ValueError(f"`rates` has no rate of {', '.join(missing)}.")
    seen = {}
    for name, rate in rates.items():
        if name not in known:
            raise ValueError(f"`rates` names the population {name!r}; there are {', '.join(known)}.")
        seen[name] = as_leaf(rate, f"rates[{name!r}]")
        check_nonnegative(f"rates[{name!r}]", seen[name])
        if seen[name].ndim:
            raise ValueError(
                f"`rates[{name!r}]` has to be one number; got shape {seen[name].shape}: map over it with jax.vmap."
            )
    return {name: seen[name] for name in names}


@eqx.filter_jit
def _answers(
    net: Network, noise: AbstractNoise, groups: Groups, x: Float[Array, "unknowns"]
) -> Float[Array, "unknowns"]:
    return log_rates(net, noise, tuple(g[0] for g in groups), by_population(groups, jnp.exp(x)))


def _check_consistent(x: Float[Array, "unknowns"], answers: Float[np.ndarray, "unknowns"]) -> None:
    with np.errstate(invalid="ignore"):  # a silent population has a log rate of -inf
        off = answers - np.asarray(x)
    if not np.all((np.abs(off) < _CONSISTENT) | np.isneginf(x)):
        raise ValueError(
            f"`rates` has to be self-consistent, as the branches of `mean_field` are; log Phi(nu) - log nu is {off}."
        )


@eqx.filter_jit
def _solve(net: Network, noise: AbstractNoise, groups: Groups, start: Float[Array, "unknowns"]) -> Stability:
    rates = self_consistent(net, noise, groups, start)
    loop = loop_of(net, noise, groups, rates)
    fixed = lax.stop_gradient(loop)
    zeros = search_modes(fixed.characteristic, window_of(longest_delay(loop)), jnp.result_type(complex))
    found = zeros.found[0]
    leading = differentiable_zero(loop, zeros, found)
    per_second, hertz = 1000.0, 1000.0 / (2.0 * math.pi)
    return Stability(
        growth=per_second * leading[0],
        frequency=hertz * leading[1],
        modes=Modes(
            jnp.where(zeros.found, per_second * zeros.at.real, jnp.nan),
            jnp.where(zeros.found, hertz * zeros.at.imag, jnp.nan),
        ),
        stable=all_decay(zeros),
        n_unstable=count_growing(zeros),
        complete=zeros.missing == 0,
        rate=rates,
    )


def count_growing(zeros: Zeros) -> Int[Array, ""]:
    """How many modes grow, both of a pair counted: those found and those missing beside them."""
    growing = zeros.found & (zeros.at.real > 0.0)
    both = jnp.where(zeros.at.imag > 0.0, 2, 1)
    return jnp.sum(jnp.where(growing, both, 0), dtype=jnp.int32) + zeros.missing


def all_decay(zeros: Zeros) -> Bool[Array, ""]:
    """Whether no mode grows, of those found and of those missing beside them."""
    return (zeros.missing <= 0) & (count_growing(zeros) <= zeros.missing)


def self_consistent(
    net: Network, noise: AbstractNoise, groups: Groups, start: Float[Array, "unknowns"]
) -> dict[str, Float[Array, ""]]:
    """The rates at log rate `start`, as an implicit function of the network."""
    start = lax.stop_gradient(start)
    known = jnp.isfinite(start)  # a population without any input is silent whatever the parameters

    def implicit(x: Float[Array, "unknowns"]) -> Float[Array, "unknowns"]:
        rates = by_population(groups, jnp.exp(jnp.where(known, x, -jnp.inf)))
        return jnp.where(known, log_rates(net, noise, tuple(g[0] for g in groups), rates) - x, -x)

    x = implicit_root(implicit, jnp.where(known, start, 0.0))
    return by_population(groups, jnp.exp(jnp.where(known, x, start)))


def differentiable_zero(loop: RecurrentLoop, zeros: Zeros, found: Bool[Array, ""]) -> Float[Array, "2"]:
    """The leading zero as (real, imaginary) [1/ms], an implicit function of the loop; NaN where there is none."""
    at = lax.stop_gradient(jnp.where(found, zeros.at[0], 0.0))

    def implicit(x: Float[Array, "2"]) -> Float[Array, "2"]:
        value = loop.characteristic(lax.complex(x[0], x[1]))
        return jnp.where(found, jnp.stack([value.real, value.imag]), -x)

    def solve(linear: Callable[[Array], Array], y: Float[Array, "2"]) -> Float[Array, "2"]:
        # Analytic: one column of the matrix is the complex derivative, and the inverse is a division.
        column = linear(jnp.asarray([1.0, 0.0], y.dtype))
        quotient = lax.complex(y[0], y[1]) / lax.complex(column[0], column[1])
        return jnp.stack([quotient.real, quotient.imag])

    root = implicit_by(implicit, jnp.stack([at.real, at.imag]), solve)
    return where_defined(jnp.broadcast_to(found, root.shape), root)
