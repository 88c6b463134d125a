"""Where each method ends, and the derivatives that they follow."""

from typing import Any

import numpy as np

from ._study import Study

COLOURS = ("#b2182b", "#e08214", "#8073ac", "#2166ac", "0.45")


def _draw_answers(axes: Any, study: Study) -> None:
    problem = study.problem
    axes.axvline(problem.rate, color="0.85", lw=0.8)
    axes.axhline(problem.cv, color="0.85", lw=0.8)
    start = study.judged["start"].mean
    axes.plot(*start, "s", color="k", ms=4)
    axes.annotate("start", start, xytext=(0, 6), textcoords="offset points", ha="center", fontsize=7)
    for (name, tuned), colour in zip(study.tuned.items(), COLOURS, strict=True):
        judged = study.judged[name]
        cost = f"{tuned.runs} runs" if tuned.runs else f"{tuned.gradients} gradients" if tuned.gradients else "no run"
        axes.errorbar(
            *judged.mean, xerr=judged.sd[0], yerr=judged.sd[1], fmt="o", ms=4, color=colour, label=f"{name}: {cost}"
        )
    axes.plot(*study.expected, "o", mfc="none", ms=6, color=COLOURS[0], label="what theory expects of its answer")
    axes.set(xlabel="Rate (Hz)", ylabel="CV of intervals")
    axes.legend(frameon=False, fontsize=6.5)
    axes.set_title("A  Simulated, at what each method found", loc="left", fontsize=9)


def _draw_derivatives(axes: Any, study: Study) -> None:
    reference = study.derivatives["differences of runs"][0].ravel()
    labels = [f"{what}\nby {by}" for what in ("log rate", "CV") for by in ("J", "g", "drive")]
    x = np.arange(reference.size)
    markers = zip(study.derivatives.items(), ("_", "o", "^", "x"), ("k", "0.45", "#e08214", "#b2182b"), strict=True)
    for (name, (mean, _)), marker, colour in markers:
        axes.plot(x, mean.ravel(), marker, ms=9 if marker == "_" else 5, mew=1.5, color=colour, label=name, ls="none")
    axes.axhline(0.0, color="0.8", lw=0.8)
    axes.set_yscale("symlog", linthresh=0.1)
    top = 10.0 ** np.ceil(np.log10(max(np.abs(mean).max() for mean, _ in study.derivatives.values())))
    decades = np.round(np.linspace(0.0, np.log10(top), 4)[1:])
    axes.set_yticks([*(-(10.0 ** decades[::-1])), 0.0, *(10.0**decades)])
    axes.set_xticks(x, labels)
    axes.tick_params(axis="x", labelsize=6.5)
    axes.set(ylabel="Derivative by the logarithm (1)", xlabel="of what, by what (logarithms)")
    axes.legend(frameon=False, fontsize=6.5)
    axes.set_title("B  Derivatives at the target", loc="left", fontsize=9)


def draw(study: Study) -> Any:
    """The figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.8), layout="constrained")
        _draw_answers(left, study)
        _draw_derivatives(right, study)
    return figure
