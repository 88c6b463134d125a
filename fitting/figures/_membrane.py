"""The equation of one neuron in numbers: (4), (5) and (A8)-(A10), in NumPy, apart from the package that is tested."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

THRESHOLD, RESET, E_LEAK, E_E, E_I = -55.0, -65.0, -80.0, 0.0, -75.0  # mV
TAU_LEAK, T_REF = 20.0, 2.0  # ms


@dataclass(frozen=True)
class Membrane:
    """A neuron with `k` excitatory inputs of efficacy `a` at r_E and `gamma k` inhibitory ones of `g a` at r_I [Hz].

    Numbers, or arrays that broadcast together.
    """

    a: Any
    k: Any
    g: Any
    gamma: Any
    r_e: Any
    r_i: Any

    @property
    def excitation(self) -> Any:
        """a K r_E [1/ms]."""
        return self.a * self.k * self.r_e / 1000.0

    @property
    def inhibition(self) -> Any:
        """a K g gamma r_I [1/ms]."""
        return self.a * self.k * self.g * self.gamma * self.r_i / 1000.0

    @property
    def tau(self) -> Any:
        """The effective time constant [ms]."""
        return 1.0 / (1.0 / TAU_LEAK + self.excitation + self.inhibition)

    @property
    def mu(self) -> Any:
        """The mean potential [mV]."""
        return self.tau * (E_LEAK / TAU_LEAK + self.excitation * E_E + self.inhibition * E_I)

    @property
    def chi(self) -> Any:
        """(A9) [ms]."""
        return 1000.0 / (self.r_e + self.g**2 * self.gamma * self.r_i)

    @property
    def e_s(self) -> Any:
        """The potential of least noise [mV], (A10)."""
        return self.chi / 1000.0 * (self.r_e * E_E + self.g**2 * self.gamma * self.r_i * E_I)

    @property
    def e_d(self) -> Any:
        """(A10) [mV]."""
        return self.chi / 1000.0 * np.sqrt(self.r_e * self.r_i * self.g**2 * self.gamma) * (E_E - E_I)

    def drift(self, v: ArrayLike) -> NDArray[np.float64]:
        """(mu - V)/tau [mV/ms]."""
        return (self.mu - np.asarray(v)) / self.tau

    def variance(self, v: ArrayLike) -> NDArray[np.float64]:
        """sigma^2(V)/tau [mV^2/ms], (A8)."""
        return self.a**2 * self.k / self.chi * ((np.asarray(v) - self.e_s) ** 2 + self.e_d**2)

    def sigma(self, v: ArrayLike) -> Any:
        """sigma(V) [mV], of tau dV/dt = mu - V + sigma sqrt(tau) zeta."""
        return np.sqrt(self.variance(v) * self.tau)
