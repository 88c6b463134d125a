"""The gain of a network with conductances at strong coupling: nu = rho nu_X."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float

from .._numerics import Result, as_leaf, check_finite, check_nonnegative, check_positive, implicit_roots, violates
from ._conductance import ConductanceNeuron, check_conductance, conductance_neuron
from ._effective_input import checked_noise
from ._noise import AbstractNoise
from ._strong_coupling import without_leak

_LEAST, _MOST, _GRID = 1e-4, 1e3, 400


class NetworkGain(eqx.Module):
    """Gains of a network whose E and I cells are alike; NaN where there is no root.

    - `rho`: from the theory's rate itself, without leak and refractoriness; `rho_simplified`: from its strong-coupling
      form, (D2), (D9), the root with (v_th - mu)/sigma > 1; `rho_2`: the next term, nu = nu_X (rho + rho_2 t_ref nu_X).
    - `result`: of `rho`, and `result_simplified`: successful or no_fixed_point.
    """

    rho: Float[Array, ""]
    rho_simplified: Float[Array, ""]
    rho_2: Float[Array, ""]
    result: Result
    result_simplified: Result


def network_gain(
    *,
    a: ArrayLike,
    k: ArrayLike,
    g: ArrayLike,
    gamma: ArrayLike,
    noise: AbstractNoise | None = None,
    v_th: ArrayLike = -55.0,
    v_reset: ArrayLike = -65.0,
    e_e: ArrayLike = 0.0,
    e_i: ArrayLike = -75.0,
) -> NetworkGain:
    """Returns the gain rho of a network with conductances, nu = rho nu_X, where leak and refractoriness are gone.

        rho = 1/Q(rho),    T = Q/nu_X,    r_E = (1 + rho) nu_X,    r_I = rho nu_X,
        rho_2 = -rho^2/(1 + rho dlog Q/d rho),

    with T the mean passage time, which then depends on the rates through rho alone.

    **Arguments:** one number each, as of `networks.conductance_based`; `noise`: `EffectiveNoise()`, `ItoNoise()` or
    `StratonovichNoise()`; `v_th`, `v_reset`, `e_e`, `e_i` [mV].

    **Returns:** a `NetworkGain`.

    Raises `ValueError` where a number is out of range, or the theory has no strong-coupling form.

    Derivatives: implicit, forward and reverse mode.

    ```python
    >>> from jaxneuro.theory import network_gain
    >>> gain = network_gain(a=0.0005, k=1e5, g=20.0, gamma=0.25)
    >>> f"{gain.rho:.5f}, {gain.rho_simplified:.5f}"
    '2.65438, 2.68081'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (20), (D2), (D9), (D11). The
    simplified conditions have a second root where mu comes close to threshold, which is spurious.
    """
    theory = checked_noise(noise)
    for name, value in (("a", a), ("k", k)):
        check_positive(name, as_leaf(value, name))
    numbers = dict(tau_m=20.0, v_rest=-80.0, v_th=v_th, v_reset=v_reset, t_ref=0.0, e_e=e_e, e_i=e_i)
    neuron = without_leak(conductance_neuron(nu_x=1.0, a=a, k=k, g=g, eta=1.0, gamma=gamma, **numbers))
    if neuron.nu_x.ndim:
        raise ValueError(f"`network_gain` is of one network; got numbers of shape {neuron.nu_x.shape}: use jax.vmap.")
    check_conductance(theory, neuron)
    theory.asymptotics(neuron.afferents())
    return _gain(theory, neuron)


def linear_gain(
    *, g: ArrayLike, gamma: ArrayLike, v_th: ArrayLike = -55.0, e_e: ArrayLike = 0.0, e_i: ArrayLike = -75.0
) -> Float[Array, "..."]:
    """Returns the gain at which the mean potential stands at threshold, to which networks tend where noise vanishes.

        nu/nu_X = (E_E - v_th)/(v_th (1 + g gamma) - E_E - g gamma E_I).

    **Arguments:** `g`, `gamma`, dimensionless; `v_th`, `e_e`, `e_i` [mV]; they broadcast together.

    **Returns:** the gain, dimensionless; infinite where inhibition cannot hold the potential below threshold.

    Raises `ValueError` where a number is negative or not finite. Derivatives: forward and reverse mode.

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
    held = g * gamma * (top - inhibition) - (excitation - top)
    return jnp.where(held > 0.0, (excitation - top) / jnp.where(held > 0.0, held, 1.0), jnp.inf)


def _at(neuron: ConductanceNeuron, rho: Float[Array, ""]) -> ConductanceNeuron:
    """The neuron in the network that fires at rho times the external rate of 1 Hz."""
    return eqx.tree_at(lambda n: (n.nu_x, n.eta), neuron, (1.0 + rho, rho / (1.0 + rho)))


@eqx.filter_jit
def _gain(theory: AbstractNoise, neuron: ConductanceNeuron) -> NetworkGain:
    def full(neuron: ConductanceNeuron, x: Float[Array, ""]) -> tuple[Float[Array, ""], Bool[Array, ""]]:
        return theory.log_rate(_at(neuron, jnp.exp(x)).afferents()) - x, jnp.ones((), bool)

    def simple(neuron: ConductanceNeuron, x: Float[Array, ""]) -> tuple[Float[Array, ""], Bool[Array, ""]]:
        found = theory.asymptotics(_at(neuron, jnp.exp(x)).afferents())
        return jnp.log(1000.0) - found.log_time - x, found.subthreshold & (found.distance > 1.0)

    valid = neuron.valid()
    rho, found = _root(full, neuron)
    simplified, seen = _root(simple, neuron)
    x = jnp.log(jnp.where(seen, simplified, 1.0))
    _, slope = jax.jvp(lambda y: simple(neuron, y)[0], (x,), (jnp.ones_like(x),))
    # The residual is -log Q - log rho: 1 + dlog Q/dlog rho is minus its slope.
    second = jnp.where(seen, jnp.square(simplified) / slope, jnp.nan)
    rho, simplified, second = (jnp.where(valid, value, jnp.nan) for value in (rho, simplified, second))
    good = Result.where(found & valid, Result.successful, Result.no_fixed_point)
    good_simplified = Result.where(seen & valid, Result.successful, Result.no_fixed_point)
    return NetworkGain(rho, simplified, second, good, good_simplified)


Residual = Callable[[ConductanceNeuron, Float[Array, ""]], tuple[Float[Array, ""], Bool[Array, ""]]]


def _root(residual: Residual, neuron: ConductanceNeuron) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """The lowest stable root: where a residual that holds at both ends falls through 0."""
    fixed = lax.stop_gradient(neuron)
    dtype = neuron.a.dtype
    x = jnp.linspace(jnp.log(_LEAST), jnp.log(_MOST), _GRID).astype(dtype)
    values, holds = jax.vmap(lambda y: residual(fixed, y))(x)
    falls = holds[:-1] & holds[1:] & (values[:-1] > 0.0) & (values[1:] <= 0.0)
    at = jnp.argmax(falls)

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        above = residual(fixed, middle)[0] > 0.0
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    low, high = lax.fori_loop(0, 50, halve, (x[at], x[at + 1]))
    exists = jnp.any(falls)
    root = jnp.where(exists, 0.5 * (low + high), 0.0)

    def implicit(y: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.where(exists, residual(neuron, y)[0], -y)

    return jnp.where(exists, jnp.exp(implicit_roots(implicit, root)), jnp.nan), exists
