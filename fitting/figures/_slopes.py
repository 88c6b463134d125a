"""Networks along scalings of a with K, and how their numbers go with K: local exponents."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import AbstractNoise, critical_heterogeneity, mean_field

# Sizes that hold any in-degree: a network of another size would be compiled again.
_OPEN: dict[str, Any] = dict(n_e=10**9, n_i=10**9, n_x=10**9)


def network(*, a: float, k: float, nu_x: float, tau_s: float | None = None, g: float = 20.0) -> jn.Network:
    """Model A without a size."""
    return jn.networks.conductance_based(a=a, k=k, g=g, gamma=0.25, nu_x=nu_x, tau_s=tau_s, **_OPEN)


@dataclass(frozen=True)
class State:
    """Numbers of a self-consistent network: distances and widths [mV], times [ms], rate [Hz]."""

    rate: float
    cv: float
    distance: float
    sd: float
    time: float
    tau: float
    cv_k: float


def state(net: jn.Network, *, tau_s: float = 0.0, noise: AbstractNoise | None = None, of_k: bool = True) -> State:
    """The state of a network by mean field.

    The potential without spikes is an Ornstein-Uhlenbeck process of variance sigma^2/2, through a filter
    sigma^2/2 tau/(tau + tau_S); the integral of its autocorrelation is tau + tau_S.
    """
    found = mean_field(net, noise=noise)
    mu, sigma, tau = (float(getattr(found, name)["E"]) for name in ("mu", "sigma", "tau"))
    threshold: Any = net.populations["E"].model
    sd = sigma * np.sqrt(0.5 * tau / (tau + tau_s))
    cv_k = _critical(net, noise) if of_k else float("nan")
    return State(float(found.rate["E"]), float(found.cv["E"]), float(threshold.v_th) - mu, sd, tau + tau_s, tau, cv_k)


def _critical(net: jn.Network, noise: AbstractNoise | None) -> float:
    """CV_K*, NaN where none was found."""
    try:
        return float(critical_heterogeneity(net, noise=noise).cv_k)
    except RuntimeError:
        return float("nan")


def local_exponents(k: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """d log value/d log K between neighbours; NaN beside what is no positive number."""
    positive = np.where(values > 0.0, values, np.nan)
    return np.diff(np.log(positive)) / np.diff(np.log(k))
