"""The fits, and the estimates that need none."""

import csv
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro import FitResult
from jaxneuro._fit import text_table
from jaxneuro.quantal import AmplitudeHistogram, QuantalRelease

from .._report import DATA, fit_side_by_side

BOYD_MARTIN, PAULSEN = "quantal_boyd_martin", "quantal_paulsen"
BIN_MV, RESOLUTION_PA = 0.1, 0.1
# What the same likelihood gave before, at sigma_0 = 0.
REFERENCE = {"m": 2.336, "u": 0.3993, "sigma_1": 0.0749}


@dataclass(frozen=True)
class EndPlate:
    """Boyd & Martin (1956): end-plate and miniature potentials, bin centres [mV] and counts."""

    centres: np.ndarray
    counts: np.ndarray
    n_failures: int
    miniature_centres: np.ndarray
    miniature_counts: np.ndarray

    @property
    def n_trials(self) -> int:
        return int(self.counts.sum()) + self.n_failures

    @property
    def direct(self) -> float:
        """Mean response over mean miniature potential."""
        mean = np.sum(self.centres * self.counts) / self.n_trials
        return float(mean / np.average(self.miniature_centres, weights=self.miniature_counts))

    @property
    def from_failures(self) -> float:
        """ln(trials / failures)."""
        return float(np.log(self.n_trials / self.n_failures))

    def histogram(self) -> AmplitudeHistogram:
        half = BIN_MV / 2
        return AmplitudeHistogram(
            self.centres - half, self.centres + half, self.counts, n_failures=float(self.n_failures)
        )


@dataclass(frozen=True)
class Study:
    """The two fits by name, with the data they were made to."""

    fits: dict[str, FitResult]
    end_plate: EndPlate
    currents: np.ndarray


def read_end_plate() -> EndPlate:
    """The bins of Fig. 8 of Boyd & Martin (1956)."""
    rows = {"end_plate": [], "miniature": []}
    with (DATA / "boyd_martin_1956.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["kind"]].append((float(row["amplitude_mv"]), float(row["count"])))
    centres, counts = np.array(rows["end_plate"]).T
    miniature_centres, miniature_counts = np.array(rows["miniature"]).T
    failed = centres == 0.0
    return EndPlate(centres[~failed], counts[~failed], int(counts[failed].sum()), miniature_centres, miniature_counts)


def read_currents() -> np.ndarray:
    """The 346 amplitudes [pA] of Paulsen & Heggelund (1994)."""
    return np.loadtxt(DATA / "paulsen_heggelund_1994.csv", skiprows=1)


def _start(m: float, u: float, sigma_1: float) -> QuantalRelease:
    return QuantalRelease(jnp.asarray(m), jnp.asarray(u), jnp.asarray(sigma_1))


def run() -> Study:
    """Fits both data sets with sigma_0 = 0."""
    end_plate, currents = read_end_plate(), read_currents()
    start = _start(end_plate.direct, 0.4, 0.1)
    events = AmplitudeHistogram.from_amplitudes(currents, bin_width=RESOLUTION_PA, n_failures=None)
    unit = float(np.median(currents))
    fits = fit_side_by_side(
        {
            BOYD_MARTIN: lambda: jn.fit(start, end_plate.histogram()),
            PAULSEN: lambda: jn.fit(_start(0.5, unit, 0.25 * unit), events),
        }
    )
    return Study(fits, end_plate, currents)


def report(study: Study) -> str:
    """Everything as text."""
    fit = study.fits[BOYD_MARTIN]
    names = {"m": "m", "u": "u (mV)", "sigma_1": "sigma_1 (mV)"}
    rows = [[names[name], f"{REFERENCE[name]:g}", f"{fit.params[name]:.4g}"] for name in names]
    rows.append(["-log L", "592.07", f"{-fit.log_likelihood:.2f}"])
    return "\n\n".join(
        [
            "QUANTAL RELEASE, on real data",
            f"Boyd & Martin (1956), {study.end_plate.n_trials} trials, mV: {fit!r}",
            text_table(["figure", "reference", "fitted"], rows),
            f"m without a fit: mean over mean miniature {study.end_plate.direct:.3f}, "
            f"from failures ln(198 / 18) = {study.end_plate.from_failures:.3f}",
            f"Paulsen & Heggelund (1994), {len(study.currents)} spontaneous and evoked currents, pA, "
            f"failures not recorded: {study.fits[PAULSEN]!r}",
        ]
    )
