"""The gain of a network with conductances at strong coupling: nu = rho nu_X."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from .._numerics import (
    Result,
    Shown,
    as_leaf,
    check_broadcast,
    check_finite,
    check_nonnegative,
    check_positive,
    violates,
    where_defined,
)
from ._afferents import Afferents
from ._conductance_neuron import DrivenNeuron, check_conductance, driven_neuron
from ._effective_input import checked_noise
from ._free_rates import free_rates
from ._noise import AbstractNoise


class NetworkGain(Shown):
    """Gains of a network, one number where E and I cells are alike, else (E, I); NaN where there is no root.

    - `rho`: from the theory's rate itself, without leak and refractoriness; `rho_simplified`: from its strong-coupling
      form, (D2), (D9), (D26), the root with (v_th - mu)/sigma > 1.
    - `rho_2`: the next term of the latter, nu = nu_X (rho + rho_2 t_ref nu_X), (D11); `rho_2_leading`: to leading order
      in a, (D3), (D12), which forgets all but the exponent; NaN in
      model B with one nu_X, where the exponents of E and I depend on nu_I/(nu_X + nu_E) alone and leave one rate free.
    - `result`: of `rho`, and `result_simplified`: successful or no_fixed_point.
    """

    rho: Float[Array, "*kinds"]
    rho_simplified: Float[Array, "*kinds"]
    rho_2: Float[Array, "*kinds"]
    rho_2_leading: Float[Array, "*kinds"]
    result: Result
    result_simplified: Result


def network_gain(
    *,
    a: ArrayLike | tuple[ArrayLike, ArrayLike],
    k: ArrayLike | tuple[ArrayLike, ArrayLike],
    g: ArrayLike | tuple[ArrayLike, ArrayLike],
    gamma: ArrayLike | tuple[ArrayLike, ArrayLike],
    noise: AbstractNoise | None = None,
    nu_x: ArrayLike | tuple[ArrayLike, ArrayLike] = 1.0,
    v_th: ArrayLike = -55.0,
    v_reset: ArrayLike = -65.0,
    e_e: ArrayLike = 0.0,
    e_i: ArrayLike = -75.0,
) -> NetworkGain:
    """Returns the gain rho of a network with conductances, nu = rho nu_X, where leak and refractoriness are gone.

        rho = 1/Q(rho),    T = Q/nu_X,    r_E = (1 + rho) nu_X,    r_I = rho nu_X,
        rho_2 = -rho^2/(1 + rho dlog Q/d rho),    to leading order in a: -rho/(d exponent/d rho),

    with T the mean passage time, which then depends on the rates through rho alone. In model B any of `a`, `k`, `g`,
    `gamma` and `nu_x` is a pair (of E, of I), and so are the gains: rho_j = 1/Q_j(rho_E, rho_I), over nu_X of E.

    **Arguments:** one number or a pair each, as of `networks.conductance_based`; of `nu_x` only the ratio counts;
    `noise`: `EffectiveNoise()`, `ItoNoise()` or `StratonovichNoise()`; `v_th`, `v_reset`, `e_e`, `e_i` [mV].

    **Returns:** a `NetworkGain`.

    Raises `ValueError` where a number is out of range, or the theory has no strong-coupling form; NaN where the number
    is known to a transformation alone.

    Derivatives: implicit, forward and reverse mode.

    ```python
    >>> from jaxneuro.theory import network_gain
    >>> gain = network_gain(a=0.0005, k=1e5, g=20.0, gamma=0.25)
    >>> f"{gain.rho:.5f}, {gain.rho_simplified:.5f}"
    '2.65438, 2.68081'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (20), (D2), (D3), (D9), (D11),
    (D12, corrected), (D26). The simplified conditions have a second root where mu comes close to threshold, which is
    spurious.
    """
    theory = checked_noise(noise)
    leaves = {
        name: as_leaf(value, name) for name, value in (("a", a), ("k", k), ("g", g), ("gamma", gamma), ("nu_x", nu_x))
    }
    for name, leaf in leaves.items():
        if leaf.shape not in ((), (2,)):
            raise ValueError(
                f"`{name}` has to be a number or a pair (of E, of I); got shape {leaf.shape}: map over networks with "
                "jax.vmap."
            )
        check_nonnegative(name, leaf)
        if name in ("a", "k", "nu_x"):
            check_positive(name, leaf)
    alike = all(leaf.ndim == 0 for leaf in leaves.values())
    numbers = dict(tau_m=20.0, v_rest=-80.0, v_th=v_th, v_reset=v_reset, t_ref=0.0, e_e=e_e, e_i=e_i, eta=1.0)
    neurons = []
    for i in range(1 if alike else 2):
        own = {name: leaf if leaf.ndim == 0 else leaf[i] for name, leaf in leaves.items()}
        neuron = driven_neuron(**own, **numbers)
        if neuron.nu_x.ndim:
            raise ValueError(
                f"`network_gain` is of one network; got numbers of shape {neuron.nu_x.shape}: use jax.vmap."
            )
        check_conductance(theory, neuron)
        theory.asymptotics(neuron.afferents())
        neurons.append(neuron)
    return _gain(theory, tuple(neurons))


def linear_gain(
    *, g: ArrayLike, gamma: ArrayLike, v_th: ArrayLike = -55.0, e_e: ArrayLike = 0.0, e_i: ArrayLike = -75.0
) -> Float[Array, "..."]:
    """Returns the gain at which the mean potential stands at threshold, to which networks tend where noise vanishes.

        nu/nu_X = (E_E - v_th)/(v_th (1 + g gamma) - E_E - g gamma E_I).

    **Arguments:** `g`, `gamma`, dimensionless; `v_th`, `e_e`, `e_i` [mV]; they broadcast together.

    **Returns:** the gain, dimensionless; infinite where inhibition cannot hold the potential below threshold.

    Raises `ValueError` where `g` or `gamma` is negative, a number is not finite, `v_th` does not lie between `e_i` and
    `e_e`, or shapes do not broadcast; NaN under jit. Derivatives: forward and reverse mode.

    ```python
    >>> from jaxneuro.theory import linear_gain
    >>> f"{linear_gain(g=20.0, gamma=0.25):.6f}"
    '1.222222'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (21).
    """
    g, gamma = as_leaf(g, "g"), as_leaf(gamma, "gamma")
    top, excitation, inhibition = as_leaf(v_th, "v_th"), as_leaf(e_e, "e_e"), as_leaf(e_i, "e_i")
    for name, value in (("g", g), ("gamma", gamma)):
        check_nonnegative(name, value)
    for name, value in (("v_th", top), ("e_e", excitation), ("e_i", inhibition)):
        check_finite(name, value)
    if violates(lambda low, th, high: (low < th) & (th < high), inhibition, top, excitation):
        raise ValueError(f"`v_th` has to lie between `e_i` and `e_e`; got {v_th}, {e_i} and {e_e}.")
    check_broadcast({"g": g, "gamma": gamma, "v_th": top, "e_e": excitation, "e_i": inhibition})
    valid = (g >= 0.0) & (gamma >= 0.0) & jnp.isfinite(g) & jnp.isfinite(gamma)
    valid = valid & (inhibition < top) & (top < excitation) & jnp.isfinite(excitation - inhibition)
    held = g * gamma * (top - inhibition) - (excitation - top)
    gain = jnp.where(held > 0.0, (excitation - top) / jnp.where(held > 0.0, held, 1.0), jnp.inf)
    return where_defined(valid, gain, g, gamma, top, excitation, inhibition)


def _received(neurons: tuple[DrivenNeuron, ...], x: Float[Array, "kinds"]) -> tuple[Afferents, ...]:
    """What the neurons receive in the network that fires at log rates x."""
    excitation, inhibition = jnp.exp(x[0]), jnp.exp(x[-1])

    def inside(neuron: DrivenNeuron) -> Afferents:
        r_e = neuron.nu_x + excitation
        return eqx.tree_at(lambda n: (n.nu_x, n.eta), neuron, (r_e, inhibition / r_e)).afferents()

    return tuple(inside(neuron) for neuron in neurons)


def _gain(theory: AbstractNoise, neurons: tuple[DrivenNeuron, ...]) -> NetworkGain:
    valid = _valid(neurons)
    safe = jax.tree.map(lambda leaf: jnp.where(valid, leaf, 1.0), neurons)
    found = free_rates(_received, safe, theory, safe[0].nu_x, len(neurons))

    def shown(exists: Bool[Array, ""], value: Float[Array, "kinds"]) -> Float[Array, "*kinds"]:
        defined = where_defined(exists & valid, value, *(jnp.sum(leaf) for leaf in jax.tree.leaves(neurons)))
        return defined[0] if len(neurons) == 1 else defined

    rho, simplified = jnp.exp(found.full), jnp.exp(found.simplified)
    first, short = found.full_exists, found.simplified_exists
    result, result_simplified = (
        Result.where(one & valid, Result.successful, Result.no_fixed_point) for one in (first, short)
    )
    rho_2, leading = (shown(short, simplified * bend) for bend in (found.next, found.leading))
    return NetworkGain(shown(first, rho), shown(short, simplified), rho_2, leading, result, result_simplified)


def _valid(neurons: tuple[DrivenNeuron, ...]) -> Bool[Array, ""]:
    """Whether the numbers are what the checks ask for, also under a transformation."""
    every = [n.valid() & (n.a > 0.0) & (n.k > 0.0) & (n.nu_x > 0.0) for n in neurons]
    return jnp.all(jnp.stack(every))
