"""All parts together, and what is claimed of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..figures._figure import Findings
from ._inputs import (
    FREE,
    SDS_I,
    SHIFT,
    Currents,
    Lagging,
    Potential,
    half_width,
    lagging,
    log_spread,
    matching,
    potential,
    skewness_of_shots,
)
from ._rates import Runs, Size, Theory, runs, theory

SMALL = Size((2.0, 1.8, 1.5, 1.2, 1.1), 400, 1_600)
FULL = Size((2.0, 1.8, 1.5, 1.3, 1.2, 1.1), 4_000, 40_000)
# What is asked for: exponent and rate [Hz] of the maximum with their margins; half widths [deg]; skewness.
TOP, TOP_MARGIN = (1.175, 55.8), (0.005, 0.01 * 55.8)
HALF_WIDTHS = (23.548, 10.407)
SKEWNESS = {"c = 0": 0.210819, "c = 0.05": 0.582548}
# By how much runs of free potentials may miss the closed form; of 200 neurons over 4 s the error is 0.01 and
# more, and moments about means of so short a time are smaller by 2%.
SKEWNESS_MARGIN = 0.05
# At which exponent rates and CVs of the published network were asked for: {alpha: (Hz, CV)}.
ASKED = {2.0: (18.7, 0.15), 1.2: (49.8, 1.13)}


@dataclass(frozen=True)
class Study:
    """Theory and runs over the exponent, currents without and with matching, potentials by drive, and the lag."""

    theory: Theory
    runs: Runs
    currents: dict[str, Currents]
    potentials: dict[str, Potential]
    lagging: Lagging


def run(full: bool = False, told: Callable[[str], None] = lambda _: None) -> Study:
    """The small study, or with `full` the network of the published size and longer runs."""
    size = FULL if full else SMALL
    told("rates in theory")
    by_theory = theory(size, 37 if full else 19)
    told("runs of the network")
    measured = runs(size)
    told("matching, correlated sources, and the lag")
    n_e, c_e = (4_000, 4_000) if full else (800, 400)
    currents = {name: matching(n_e, c_e, matched=name == "matched") for name in ("drawn alone", "matched")}
    n, duration = (1_000, 10_000.0) if full else (200, 4_000.0)
    potentials = {name: potential(*numbers, n=n, duration=duration) for name, numbers in (FREE | SHIFT).items()}
    return Study(by_theory, measured, currents, potentials, lagging(rounds=12 if full else 3))


def check(study: Study) -> Findings:
    """Claims that hold, and how far theory, runs and what was asked for are apart; `NotShown` where one does not."""
    found = Findings()
    _check_theory(found, study.theory)
    _check_runs(found, study.runs)
    _check_matching(found, study.currents)
    _check_potentials(found, study.potentials)
    for sd, asked in zip(SDS_I, HALF_WIDTHS, strict=True):
        width = half_width(sd)
        found.claim(abs(width - asked) < 1e-3, f"tuning less inhibition of SD {sd:g} deg: half width {width:.3f} deg")
    lag = study.lagging.lag
    low, median, high = np.nanpercentile(lag, [5, 50, 95])
    found.claim(
        low > 0.0,
        f"g_I follows g_E by {median:.1f} ms (median neuron; 95% of neurons above {low:.1f}, 5% above {high:.1f})",
    )
    tops = {kind: study.lagging.time[np.argmax(g)] for kind, g in study.lagging.conductance.items()}
    found.gap(
        "that lag is of a common rhythm too; means over neurons and rounds, in which no rhythm is left, are largest "
        f"{tops['E']:.1f} ms (g_E) and {tops['I']:.1f} ms (g_I) after the preferred stimulus"
    )
    return found


def _check_theory(found: Findings, theory: Theory) -> None:
    direct, closure = theory.direct, theory.closure
    found.claim(abs(direct[-1] / closure[-1] - 1.0) < 1e-4, f"at alpha = 2 rate and closure agree, {direct[-1]:.3f} Hz")
    at = int(np.argmin(abs(theory.alphas - 1.5)))
    found.claim(
        direct[at] > closure[at],
        f"one neuron at alpha = {theory.alphas[at]:g}: {direct[at]:.3f} Hz direct, {closure[at]:.3f} Hz by the closure",
    )
    alpha, rate = theory.top
    found.claim(
        abs(alpha - TOP[0]) < TOP_MARGIN[0] and abs(rate - TOP[1]) < TOP_MARGIN[1],
        f"the published network has its maximum in theory at alpha = {alpha:.4f}: {rate:.2f} Hz",
    )
    found.gap(f"theory at alpha = 2: {theory.published[-1]:.4f} Hz; the smaller network {theory.small[-1]:.2f} Hz")


def _check_runs(found: Findings, runs: Runs) -> None:
    lines = ["alpha   theory   run    SD over neurons   CV     Hill exponent of the input"]
    for row in zip(runs.size.alphas, runs.theory, runs.rate, runs.sd, runs.cv, runs.hill, strict=True):
        tail = f"{row[-1]:.2f}" if np.isfinite(row[-1]) else "no tail"
        lines.append("{:5.2f}   {:6.2f}   {:6.2f}   {:13.2f}   {:5.3f}   ".format(*row) + tail)
    n = runs.size.n_e * 5 // 4
    found.table("\n".join([f"runs of {n:,} neurons of {runs.size.c_e} excitatory synapses; rates in Hz", *lines]))
    falling = -np.array(runs.size.alphas)
    order = np.argsort(falling)
    found.claim(np.all(np.diff(runs.sd[order]) > 0.0), "rates differ the more between neurons the heavier the tail")
    found.claim(np.all(np.diff(runs.cv[order]) > 0.0), "and the CV grows")
    tails = runs.hill[order][np.isfinite(runs.hill[order])]
    found.claim(np.all(np.diff(tails) < 0.0), "the Hill exponent of the input falls with alpha")
    heavy = np.isfinite(runs.hill)
    above = runs.hill[heavy] - np.array(runs.size.alphas)[heavy]
    found.gap(f"the Hill exponent is off that of the weights by {above.min():+.2f} to {above.max():+.2f}")
    off = ", ".join(
        f"{rate / said - 1.0:+.1%} at alpha {alpha:g}"
        for alpha, rate, said in zip(runs.size.alphas, runs.rate, runs.theory, strict=True)
    )
    found.gap(f"rates of runs against theory of that network: {off}")
    if runs.size.c_e == FULL.c_e:
        for alpha, (hz, cv) in ASKED.items():
            i = runs.size.alphas.index(alpha)
            found.gap(
                f"alpha {alpha:g}: asked {hz:g} Hz (5%), CV {cv:g} (10%); {runs.rate[i]:.1f} Hz, {runs.cv[i]:.2f}"
            )
    top, of_theory = (runs.size.alphas[int(np.argmax(x))] for x in (runs.rate, runs.theory))
    found.gap(
        f"of these exponents runs fire most at {top:g}, theory at {of_theory:g}: sums of {runs.size.c_e:,} weights are "
        "not yet stable at the smallest"
    )


def _check_matching(found: Findings, currents: dict[str, Currents]) -> None:
    (alone, of_alone), (matched, of_matched) = (log_spread(x) for x in currents.values())
    found.claim(
        alone > 10.0 * matched,
        f"SD of log(E/I) over neurons: {alone:.3f} drawn alone, {matched:.5f} matched, "
        f"{alone / matched:.0f} times less",
    )
    left = np.max(np.abs(currents["matched"][0] - currents["matched"][1]))
    found.claim(left <= 1.001e-3, f"every matched neuron is within {left:.1e} of its mean")
    n = currents["matched"].shape[1]
    found.gap(
        f"left out, since a current is near 0: {n - of_alone} neurons drawn alone, {n - of_matched} matched, of {n}"
    )


def _check_potentials(found: Findings, potentials: dict[str, Potential]) -> None:
    for name, (rate, c, _) in FREE.items():
        exact, run = skewness_of_shots(rate, c), potentials[name].skewness
        found.claim(
            abs(exact - SKEWNESS[name]) < 1e-6 and abs(run - exact) < SKEWNESS_MARGIN,
            f"free potential, {name}: skewness {exact:.6f} in closed form, {run:.4f} in the run",
        )
    before, after = (potentials[name] for name in SHIFT)
    found.claim(
        before.skewness > 0.8 > 0.3 > after.skewness,
        f"with c = 0.2 at 10 Hz skewness {before.skewness:.2f} ({before.v.mean():.1f} mV, {before.rate:.1f} Hz), "
        f"with c = 0 at 40 Hz {after.skewness:.2f} ({after.v.mean():.1f} mV, {after.rate:.1f} Hz)",
    )


def report(study: Study) -> str:
    """What was found, in lines."""
    return "\n".join(check(study).lines)


def to_json(study: Study) -> dict[str, Any]:
    """Theory and runs over the exponent, spreads of currents, and the measures of potentials and the lag."""
    size = study.runs.size
    table: dict[str, Any] = {
        "theory": _numbers(study.theory, ("alphas", "direct", "closure", "published", "small", "top")),
        "runs": {"alphas": list(size.alphas), "c_e": size.c_e, "n_e": size.n_e}
        | _numbers(study.runs, ("theory", "rate", "sd", "cv", "hill")),
        "sd of log(E/I)": {name: log_spread(currents)[0] for name, currents in study.currents.items()},
        "potentials": {name: {"skewness": x.skewness, "rate": x.rate} for name, x in study.potentials.items()},
        "lag": float(np.nanmedian(study.lagging.lag)),
    }
    return table


def _numbers(found: Any, names: tuple[str, ...]) -> dict[str, list[float | None]]:
    """Arrays as lists, NaN as None."""
    values = {name: np.asarray(getattr(found, name), float).tolist() for name in names}
    return {name: [x if np.isfinite(x) else None for x in given] for name, given in values.items()}
