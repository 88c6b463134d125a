"""Two figures: what tails do to a network, and what its neurons receive."""

from typing import Any

import numpy as np

from ..figures._style import GREEN, PURPLE, E, I, letters, panels, style
from ._inputs import FREE, SDS_I, SHARE, SHIFT, half_width, skewness_of_shots, tuned
from ._rates import PUBLISHED
from ._study import Study

LINES: dict[str, dict[str, Any]] = {"black": dict(color="black", ls="-"), "grey": dict(color="0.55", ls="--")}
SHIFTED = dict(zip(SHIFT, (PURPLE, GREEN), strict=True))
ALPHA = r"exponent $\alpha$ of the weights (1)"


def draw_tails(study: Study) -> Any:
    """Rates, CVs, tails and currents over the exponent."""
    with style():
        figure, axes = panels(2, 3)
        letters(list(axes.flat))
        one, network, cv, tail, sd, currents = axes.flat
        _rates(one, network, study)
        alphas, runs = np.array(study.runs.size.alphas), study.runs
        cv.plot(alphas, runs.cv, "o-", color="black", ms=4)
        cv.set(xlabel=ALPHA, ylabel="CV of intervals in runs (1)", ylim=(0.0, None))
        heavy = np.isfinite(runs.hill)
        tail.plot(alphas[heavy], alphas[heavy], label="exponent of the weights", **LINES["grey"])
        tail.plot(alphas[heavy], runs.hill[heavy], "o-", color="black", ms=4, label="input in a step")
        tail.set(xlabel=ALPHA, ylabel="Hill exponent (1)")
        tail.legend()
        sd.plot(alphas, runs.sd, "o-", color="black", ms=4)
        sd.set(xlabel=ALPHA, ylabel="SD of rates over neurons (Hz)", ylim=(0.0, None))
        _currents(currents, study)
    return figure


def _rates(one: Any, network: Any, study: Study) -> None:
    theory, runs = study.theory, study.runs
    one.plot(theory.alphas, theory.direct, label="direct", **LINES["black"])
    one.plot(theory.alphas, theory.closure, label="published closure", **LINES["grey"])
    one.set(xlabel=r"exponent $\alpha$ of the noise (1)", ylabel="rate of one neuron (Hz)")
    one.legend()
    network.plot(theory.alphas, theory.published, label=f"theory, $C_E$ = {PUBLISHED:,}", **LINES["black"])
    alpha, rate = theory.top
    network.plot(alpha, rate, "k*", ms=8, label=rf"{rate:.1f} Hz at $\alpha$ = {alpha:.3f}")
    if runs.size.c_e != PUBLISHED:
        network.plot(theory.alphas, theory.small, label=f"theory, $C_E$ = {runs.size.c_e:,}", **LINES["grey"])
    network.plot(runs.size.alphas, runs.rate, "o", color=GREEN, ms=5, label=f"runs, $C_E$ = {runs.size.c_e:,}")
    network.set(xlabel=ALPHA, ylabel="rate of the network (Hz)", ylim=(0.0, None))
    network.legend()


def _currents(ax: Any, study: Study) -> None:
    for (name, values), colour, size in zip(study.currents.items(), ("0.65", "black"), (3, 2), strict=True):
        shown = values[:, (values > 0.0).all(axis=0)]
        ax.loglog(*shown, ".", color=colour, ms=size, label=name)
    ax.set(xlabel="E current (of its mean)", ylabel="I current (of its mean)")
    ax.xaxis.label.set_color(E)
    ax.yaxis.label.set_color(I)
    ax.legend()


def draw_inputs(study: Study) -> Any:
    """Potentials under correlated sources, tuning, and the lag of inhibition."""
    with style():
        figure, axes = panels(2, 3)
        letters(list(axes.flat))
        trace, density, skewness, tuning, conductance, lag = axes.flat
        _potentials(trace, density, study)
        _skewness(skewness, study)
        _tuning(tuning)
        _lag(conductance, lag, study)
    return figure


def _potentials(trace: Any, density: Any, study: Study) -> None:
    for name, colour in SHIFTED.items():
        v = study.potentials[name].v
        shown = min(len(v), 400)
        trace.plot(np.arange(shown), v[:shown, 0], color=colour, lw=0.9, label=name)
        density.hist(v.ravel(), bins=80, range=(0.0, 20.0), density=True, histtype="step", color=colour, label=name)
    trace.axhline(20.0, color="black", lw=0.8, ls=":")
    trace.set(xlabel="time (ms)", ylabel="$V$ (mV)", ylim=(-0.5, 26.0))
    trace.legend(loc="upper center", ncols=2)
    density.set(xlabel="$V$ (mV)", ylabel="density (1/mV)")
    density.legend()


def _skewness(ax: Any, study: Study) -> None:
    names = [*FREE, *SHIFT]
    colours = ["0.35", "0.35", *SHIFTED.values()]
    ax.bar(range(4), [study.potentials[name].skewness for name in names], 0.6, color=colours)
    exact = [skewness_of_shots(*FREE[name][:2]) for name in FREE]
    ax.plot(range(2), exact, "_", color="black", ms=14, mew=2, label="closed form")
    ax.set(ylabel="skewness of $V$ (1)")
    ax.set_xticks(range(4), [f"free\n{name}" for name in FREE] + [name.replace(", ", "\n") for name in SHIFT])
    ax.legend(loc="upper left", handletextpad=1.2)


def _tuning(ax: Any) -> None:
    angle = np.linspace(-90.0, 90.0, 721)
    ax.plot(angle, np.exp(-0.5 * (angle / 20.0) ** 2), color=E, lw=3.5, alpha=0.5, label="E, SD 20 deg")
    for sd, line in zip(SDS_I, ("-", "--"), strict=True):
        ax.plot(angle, SHARE * np.exp(-0.5 * (angle / sd) ** 2), color=I, ls=line, lw=1.0, label=f"I, SD {sd:g} deg")
        response, width = tuned(angle, sd), half_width(sd)
        ax.plot(angle, response / response.max(), color="black", ls=line, label=f"E less I: {width:.1f} deg")
    ax.set(xlabel="angle from the preferred (deg)", ylabel="input, response (of its top)", ylim=(0.0, 1.75))
    ax.set_xticks([-90, -45, 0, 45, 90])
    ax.legend(ncols=2, loc="upper center")


def _lag(conductance: Any, lag: Any, study: Study) -> None:
    found = study.lagging
    for kind, colour in (("E", E), ("I", I)):
        g = found.conductance[kind]
        conductance.plot(found.time, g / g.max(), color=colour, label=f"$g_{kind}$, top {g.max():.2f} leaks")
    conductance.set(
        xlabel="time since the preferred stimulus (ms)", ylabel="conductance (of its top)", xlim=(-200.0, 200.0)
    )
    conductance.set_ylim(0.0, 1.3)
    conductance.legend(loc="upper left")
    median = float(np.nanmedian(found.lag))
    lag.plot(found.lags, found.correlation, color="black")
    lag.axvline(median, color=I, lw=1.0, ls="--", label=f"median neuron: {median:.1f} ms")
    lag.axvline(0.0, color="0.7", lw=0.8, ls=":")
    lag.set(xlabel="$g_I$ follows $g_E$ by (ms)", ylabel="correlation (1)")
    lag.set_ylim(None, 1.25)
    lag.legend(loc="upper left")
