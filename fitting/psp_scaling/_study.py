"""The fits, and the table that holds them against the published figures."""

from collections.abc import Mapping
from dataclasses import dataclass

import jaxneuro as jn
from jaxneuro import FitResult
from jaxneuro._fit import Comparison, text_table

from .._report import DATA, fit_side_by_side

TABLE = DATA / "barral_reyes_2016_SYNTHETIC.csv"
FREE_TAU_BAR = "conductance_free_tau_bar"

# Sanzeni, Histed & Brunel (2022), section VII and Fig. 5; the "v = 0.08" printed there is v^2.
PUBLISHED = {
    "exponent": 0.59,
    "exponent, 95% low": 0.47,
    "exponent, 95% high": 0.70,
    "current J0 (mV)": 20.0,
    "current g": 1.1,
    "current RMS (mV)": 2.2,
    "conductance g": 3.4,
    "conductance v_bar^2": 0.08,
    "conductance RMS (mV)": 2.4,
}
_DIGITS = (2, 2, 2, 0, 1, 1, 1, 2, 1)


@dataclass(frozen=True)
class Study:
    """The fits by name, the comparison of the three laws, and the bootstrap behind their intervals."""

    fits: dict[str, FitResult]
    comparison: Comparison


def _raw_figures(fits: Mapping[str, FitResult]) -> dict[str, float]:
    power, current, conductance = (fits[name] for name in ("power", "current", "conductance"))
    low, high = power.ci95["beta"]
    values = (
        power.params["beta"],
        low,
        high,
        current.params["j0"],
        current.params["g"],
        current.rms,
        conductance.params["g"],
        conductance.params["v_bar"] ** 2,
        conductance.rms,
    )
    return dict(zip(PUBLISHED, values, strict=True))


def figures_of(fits: Mapping[str, FitResult]) -> dict[str, float]:
    """The figures that were published, from these fits, rounded as they were printed."""
    return {
        name: round(value, digits) for (name, value), digits in zip(_raw_figures(fits).items(), _DIGITS, strict=True)
    }


def run() -> Study:
    """Fits the three laws, and the conductance law with tau_bar free."""
    data = jn.io.read_psp_csv(TABLE)
    free_tau_bar = {"free": ("v_bar", "g", "tau_bar"), "bounds": {"tau_bar": jn.bounds.Positive()}}
    fits = fit_side_by_side(
        {
            "conductance": lambda: jn.fit(jn.laws.ConductanceScaling(), data),
            "power": lambda: jn.fit(jn.laws.PowerLaw(), data),
            "current": lambda: jn.fit(jn.laws.CurrentScaling(), data),
            FREE_TAU_BAR: lambda: jn.fit(jn.laws.ConductanceScaling(tau_bar=0.2), data, **free_tau_bar),
        }
    )
    fits = {name: fits[name] for name in ("power", "current", "conductance", FREE_TAU_BAR)}
    comparison = jn.compare({name: fit for name, fit in fits.items() if name != FREE_TAU_BAR})
    return Study(fits, comparison)


def report(study: Study) -> str:
    """Everything as text."""
    raw = _raw_figures(study.fits)
    rows = [[name, f"{PUBLISHED[name]:g}", f"{raw[name]:.4g}"] for name in PUBLISHED]
    predictions = [
        [name, repr(fit.predictions[0, -1]), repr(fit.predictions[1, -1])] for name, fit in study.fits.items()
    ]
    free = study.fits[FREE_TAU_BAR]
    fixed = study.fits["conductance"]
    low, high = free.ci95["tau_bar"]
    return "\n\n".join(
        [
            "PSP SCALING, on a SYNTHETIC reconstruction of Barral & Reyes (2016): the raw table is not public",
            text_table(["figure", "published", "refitted"], rows),
            *(f"{name} law: {fit!r}" for name, fit in study.fits.items()),
            "Comparison of the laws (AICc and leave-one-out log density)\n" + repr(study.comparison),
            "Amplitude at K = 10,000 (mV, 95% band)\n" + text_table(["law", "J_E", "J_I"], predictions),
            f"tau_bar is not fitted: it is 1 / (1 + g) = {1 / (1 + fixed.params['g']):.3f}. Left free it goes to "
            f"{free.params['tau_bar']:.2f} [{low:.2f}, {high:.2f}],\noutside (0, 1], and the prediction at K = 10,000 "
            f"falls from {float(fixed.predictions[0, -1]):.2f} to {float(free.predictions[0, -1]):.2f} mV: it rests on "
            f"tau_bar. AICc changes by {free.aicc - fixed.aicc:+.1f}.",
        ]
    )
