"""Pairs in a dense binary network, whose correlations fall with its size though every pair shares inputs."""

from dataclasses import dataclass

import jax
import numpy as np

import jaxneuro as jn

# Probability of a synapse, the activity of the external population, N times the correlation that is asked for.
P, ACTIVITY, ASKED, MARGIN = 0.2, 0.1, 2.1, 0.2
WARM_UP, STEP, DURATION = 200.0, 5.0, 20_000.0
SIZES = (500, 1_000, 2_000)


@dataclass(frozen=True)
class Pairs:
    """By the number of neurons: N times the mean over E pairs of covariance over variance at equal times."""

    scaled: dict[int, float]


def pairs(sizes: tuple[int, ...] = SIZES, duration: float = DURATION, seed: int = 0) -> Pairs:
    """Runs one wiring of each size for `duration` [ms]."""
    found = {}
    for n in sizes:
        net = jn.networks.binary(k=P * n, n_e=n, n_i=n, m0=ACTIVITY, external=jn.Bernoulli(P), n_x=n)
        record = {"pairs": jn.record.PairCorrelation(width=STEP, start=WARM_UP)}
        sol = jn.simulate(net, 0.0, duration, dt=STEP, key=jax.random.key(seed), record=record)
        found[n] = n * float(sol["pairs"]["E"]["E"])
    return Pairs(found)


def report_pairs(found: Pairs) -> str:
    """A line a size, and their mean."""
    lines = ["dense binary network: N times the correlation of E pairs"]
    lines += [f"  N = {n:5,}: {value:.2f}" for n, value in found.scaled.items()]
    mean = float(np.mean(list(found.scaled.values())))
    told = "met" if abs(mean / ASKED - 1.0) <= MARGIN else "MISSED"
    return "\n".join([*lines, f"  mean {mean:.2f}, asked {ASKED:g} +- {MARGIN:.0%}: {told}"])
