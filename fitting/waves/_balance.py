"""The balanced network in space of Rosenbaum et al. (2017), doi:10.1038/nn.4433: a run beside the limit."""

from dataclasses import dataclass

import jax
import numpy as np

import jaxneuro as jn

WARM_UP, BIN = 300.0, 250.0
# Distances, in sides, at which counts are compared; how far above its limit the rate of E may be, by side.
NEAR, FAR = 0.02, 0.3
ABOVE = {100: (0.20, 0.05), 200: (0.10, 0.03)}
GAIN = {"E": 0.0122, "I": 0.0174}


@dataclass(frozen=True)
class Balance:
    """Rates [Hz] of the limit and of a run; covariances of counts over their mean, by theory and in the run."""

    side: int
    limit: dict[str, float]
    rate: dict[str, float]
    by_theory: tuple[float, float]
    covariance: tuple[float, float]
    fano: dict[float, float]


def balance(side: int = 100, measured: float = 3_000.0, seed: int = 0) -> Balance:
    """Runs a sheet with recurrent projections wider than the feedforward one; `measured` [ms], two bins at least."""
    if not 2.0 * BIN <= measured < np.inf:
        raise ValueError(f"`measured` has to be at least {2.0 * BIN:g} ms; got {measured:g}.")
    net = jn.networks.spatial_balanced(width_rec=0.25, width_ffwd=0.1, side=side)
    limit = jn.theory.spatial_balance(net).rate
    distances = [round(far * side) / side for far in (NEAR, FAR)]  # of a side that is no multiple of 50 the nearest
    by_theory = jn.theory.count_correlation(net, np.array(distances), gain=GAIN)
    record = {
        "rate": jn.record.Rate("E", "I", start=WARM_UP),
        "pairs": jn.record.PairCorrelation("E", width=BIN, distances=distances, start=WARM_UP),
        **{f"{width:g}": jn.record.Fano("E", window=width, start=WARM_UP) for width in (10.0, 50.0, BIN)},
    }
    sol = jn.simulate(net, 0.0, WARM_UP + measured, dt=0.1, key=jax.random.key(seed), record=record)
    counts = sol.counts["pairs"]["E"]
    near, far = (np.asarray(counts["covariance"]) / float(counts["mean"])).tolist()
    return Balance(
        side,
        {name: float(value) for name, value in limit.items()},
        {name: float(np.mean(value)) for name, value in sol["rate"].items()},
        (float(by_theory[0, 0, 0]), float(by_theory[1, 0, 0])),
        (near, far),
        {width: float(np.nanmean(sol[f"{width:g}"]["E"])) for width in (10.0, 50.0, BIN)},
    )


def report_balance(found: Balance) -> str:
    """A table of rates and correlations."""
    lines = [f"balanced sheet of side {found.side}, recurrent projections wider than the feedforward one"]
    for name, limit in found.limit.items():
        lines.append(f"  rate of {name:24s} {found.rate[name]:7.3f} Hz, limit {limit:.3f}: {_above(found, name):+.1%}")
    if found.side in ABOVE:
        asked, margin = ABOVE[found.side]
        told = "met" if abs(_above(found, "E") - asked) <= margin else "MISSED"
        lines.append(f"  asked of E: {asked:.0%} +- {margin:.0%} above its limit, {told}")
    asked = ("0.03 to 0.08", "below 0")
    for distance, theory, run, wanted in zip((NEAR, FAR), found.by_theory, found.covariance, asked, strict=True):
        name = f"count covariance/mean at {distance:g}"
        lines.append(f"  {name:32s} {run:7.4f}, theory of many neurons {theory:.4f}, asked {wanted}")
    fano = ", ".join(f"{value:.2f} in {width:g} ms" for width, value in found.fano.items())
    return "\n".join([*lines, f"  Fano factor of E                 {fano}"])


def _above(found: Balance, name: str) -> float:
    return found.rate[name] / found.limit[name] - 1.0
