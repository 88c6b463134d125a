"""Rates of a network over its input: self-consistent, from the rate of one neuron by any theory of the noise.

`theory.mean_field` solves one network at a time, any network; this solves many inputs of one model A at a time, and
compiles the rate alone. `tests/fitting_studies/test_figures.py` holds the two against each other.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxneuro.theory import (
    AbstractNoise,
    ShotNoise,
    conductance_cv,
    conductance_rate,
    lif_rate_filtered,
    strong_coupling,
)

from ._membrane import RESET, T_REF, THRESHOLD, Membrane

_LEAST, _MOST = 1e-4, 499.99
# How many points between the least and the highest rate [Hz] are looked at, then in the interval that holds the root.
_POINTS = (48, 48, 48)
# Of a theory that solves a linear system for each neuron, and how many neurons it is asked for at once: its memory.
_FEW_POINTS, _AT_ONCE = (16, 8, 8), 48


def seen_by(nu_x: ArrayLike, nu: ArrayLike) -> dict[str, Any]:
    """What a neuron of the network is given: excitation at nu_X + nu, inhibition at nu."""
    excitation = np.asarray(nu_x) + np.asarray(nu)
    return dict(nu_x=excitation, eta=np.asarray(nu) / excitation)


def self_consistent(
    nu_x: ArrayLike, phi: Callable[[Any, Any], Any], points: tuple[int, ...] = _POINTS
) -> NDArray[np.float64]:
    """The rates [Hz] at inputs nu_X [Hz], at the highest root where phi(nu_X, nu) falls below nu; 0 below 1e-4 Hz.

    `phi` takes nu_X (inputs, 1) and nu (inputs, points). The interval that is left is 1e-4 of the rate, 2% of it with
    few points; in it phi/nu is taken as a power of nu.
    """
    inputs = np.asarray(nu_x, float)
    low, high = np.full(inputs.shape, np.log(_LEAST)), np.full(inputs.shape, np.log(_MOST))
    active, full = np.ones(inputs.shape, bool), np.zeros(inputs.shape, bool)
    rows, root = np.arange(inputs.size), low
    for n in points:
        x = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, n)
        nu = np.exp(x)
        over = np.log(np.maximum(np.asarray(phi(inputs[:, None], nu), float), 1e-300)) - x
        above = over > 0.0
        full |= above.all(axis=1)
        falls = above[:, :-1] & ~above[:, 1:]
        active &= falls.any(axis=1)
        last = n - 2 - np.argmax(falls[:, ::-1], axis=1)
        low, high = x[rows, last], x[rows, last + 1]
        before, after = over[rows, last], over[rows, last + 1]
        with np.errstate(divide="ignore", invalid="ignore"):  # of rows without a root
            share_of = before / (before - after)
        root = low + (high - low) * np.where((share_of >= 0.0) & (share_of <= 1.0), share_of, 0.5)
    return np.where(full, _MOST, np.where(active, np.exp(root), 0.0))


def network_rates(
    nu_x: ArrayLike,
    *,
    a: ArrayLike,
    k: ArrayLike,
    g: ArrayLike,
    gamma: float = 0.25,
    noise: AbstractNoise | None = None,
) -> NDArray[np.float64]:
    """The rates [Hz] of model A at inputs nu_X [Hz]; `a`, `k`, `g` are one number or one an input."""
    shape = np.shape(nu_x)
    network = {name: np.reshape(np.broadcast_to(x, shape), (-1, 1)) for name, x in dict(a=a, k=k, g=g).items()}

    if isinstance(noise, ShotNoise):
        return self_consistent(nu_x, partial(in_parts, network, gamma, noise), _FEW_POINTS)
    return self_consistent(
        nu_x, lambda inputs, nu: conductance_rate(**seen_by(inputs, nu), **network, gamma=gamma, noise=noise)
    )


def in_parts(
    network: dict[str, NDArray[np.float64]], gamma: float, noise: AbstractNoise, inputs: Any, nu: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The rates of neurons by one program, so many of them at once as memory should hold."""
    numbers = seen_by(inputs, nu) | network
    flat = np.stack([np.ravel(x) for x in np.broadcast_arrays(*numbers.values())])
    # The first ones again make the last part a whole one.
    parts = np.resize(flat.T, (-(-nu.size // _AT_ONCE), _AT_ONCE, len(flat)))
    rates = [conductance_rate(**dict(zip(numbers, part.T, strict=True)), gamma=gamma, noise=noise) for part in parts]
    return np.concatenate([np.asarray(x) for x in rates])[: nu.size].reshape(nu.shape)


def filtered_rates(
    nu_x: ArrayLike, *, tau_s: float, regime: Any = None, a: float, k: float, g: float, gamma: float = 0.25
) -> NDArray[np.float64]:
    """The same with synapses of time constant tau_S [ms], by a formula of appendix G."""

    def phi(inputs: Any, nu: Any) -> Any:
        m = Membrane(a=a, k=k, g=g, gamma=gamma, r_e=inputs + nu, r_i=nu)
        return lif_rate_filtered(
            m.mu, m.sigma(m.mu), tau=m.tau, tau_s=tau_s, v_th=THRESHOLD, v_reset=RESET, t_ref=T_REF, regime=regime
        )

    return self_consistent(nu_x, phi)


def network_cv(nu_x: ArrayLike, nu: ArrayLike, **network: Any) -> NDArray[np.float64]:
    """The CV of the intervals at these rates; NaN where the network is silent."""
    silent = np.asarray(nu) <= 0.0
    seen = seen_by(nu_x, np.where(silent, 1.0, nu))
    found = np.asarray(conductance_cv(**seen, gamma=network.pop("gamma", 0.25), **network))
    return np.where(silent, np.nan, found)


@partial(jax.jit, static_argnames="noise_type")
@partial(jax.vmap, in_axes=(0, 0, 0, 0, 0, None, None))
def _strong(nu_x: Any, a: Any, k: Any, g: Any, eta: Any, gamma: Any, noise_type: type[AbstractNoise]) -> Any:
    found = strong_coupling(nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, noise=noise_type())
    return found.rate, found.cv


def strong_curves(noise: type[AbstractNoise], **numbers: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rate [Hz] and CV of `theory.strong_coupling` over arrays that broadcast together."""
    gamma = float(numbers.pop("gamma"))  # type: ignore[arg-type]
    names = ("nu_x", "a", "k", "g", "eta")
    arrays = np.broadcast_arrays(*(np.asarray(numbers[name], float) for name in names))
    rate, cv = _strong(*(array.ravel() for array in arrays), gamma, noise)
    return np.reshape(rate, arrays[0].shape), np.reshape(cv, arrays[0].shape)
