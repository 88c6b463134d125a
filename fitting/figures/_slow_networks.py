"""Runs of the network of Fig. 6 whose synapses have a time course, over its input: what Figs. 6 and 15 share."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn

NETWORK: dict[str, Any] = dict(a=0.0016, k=1_000.0, g=20.0, gamma=0.25)
# Delays are not printed for this figure; those of one length make the network oscillate at tau_S = 1 ms.
DELAY = (0.0, 10.0)  # ms, drawn evenly, as of E synapses in appendix E


@dataclass(frozen=True)
class Size:
    """Neurons of E and of I, inputs [Hz], synaptic time constants [ms], length, start of counting and step [ms]."""

    n: int
    nu_x: tuple[float, ...]
    tau_s: tuple[float, ...]
    end: float
    start: float
    dt: float

    @property
    def gigabytes(self) -> float:
        """One byte a pair of neurons, twice while it is drawn, and the program."""
        return 0.8 + 2.2 * (2 * self.n) ** 2 / 1e9

    @property
    def seconds(self) -> float:
        """Measured: about 60 ns a neuron and step, and the wiring."""
        runs = len(self.nu_x) * len(self.tau_s)
        return 20.0 + runs * self.end / self.dt * 2 * self.n * 6e-8 + 2e-8 * (2 * self.n) ** 2


@dataclass(frozen=True)
class Runs:
    """Rates [Hz] and CVs (tau_S, nu_X)."""

    rate: NDArray[np.float64]
    cv: NDArray[np.float64]


def run(size: Size) -> Runs:
    """One wiring, driven at every input with every time constant."""
    found, wiring, key = [], None, jax.random.key(0)
    record = {"rate": jn.record.Rate(start=size.start), "cv": jn.record.CV(start=size.start)}
    for tau_s in size.tau_s:
        for nu_x in size.nu_x:
            net = jn.networks.conductance_based(
                nu_x=nu_x, tau_s=tau_s, n_e=size.n, n_i=size.n, delay=jn.UniformDelay(*DELAY), **NETWORK
            )
            wiring = jn.wire(net, key=key) if wiring is None else wiring
            sol = jn.simulate(net, 0.0, size.end, dt=size.dt, key=key, record=record, wiring=wiring)
            cv = np.concatenate([np.asarray(sol["cv"][name]) for name in ("E", "I")])
            known = cv[~np.isnan(cv)]
            rate = float(jnp.mean(jnp.concatenate([sol["rate"]["E"], sol["rate"]["I"]])))
            found.append((rate, float(known.mean()) if known.size else float("nan")))
    table = np.reshape(found, (len(size.tau_s), len(size.nu_x), 2))
    return Runs(table[..., 0], table[..., 1])


SMALL = Size(2_500, (10.0, 20.0, 40.0, 80.0), (1.0, 10.0), 250.0, 100.0, 0.05)
PAPER = Size(10_000, (5.0, 10.0, 20.0, 40.0, 80.0, 160.0), (1.0, 10.0), 2_000.0, 200.0, 0.05)
