"""Where each method ends, and the derivatives that they follow."""

from typing import Any

import numpy as np

from jaxneuro.plot import COLOURS as COLOURS_OF_FIGURES

from ._study import UNCUT, Study

# One a method, in their order; the last is grey.
COLOURS = (*(COLOURS_OF_FIGURES[k] for k in (1, 4, 3, 0)), "0.45")


def _draw_answers(axes: Any, study: Study) -> None:
    problem = study.problem
    axes.axvline(problem.rate, color="0.85", lw=0.8)
    axes.axhline(problem.cv, color="0.85", lw=0.8)
    start = study.judged["start"].mean
    axes.plot(*start, "s", color="k", ms=4)
    axes.annotate("start", start, xytext=(-6, -2), textcoords="offset points", ha="right", fontsize=7)
    for (name, tuned), colour in zip(study.tuned.items(), COLOURS, strict=True):
        judged = study.judged[name]
        cost = f"{tuned.runs} runs" if tuned.runs else f"{tuned.gradients} gradients" if tuned.gradients else "no run"
        axes.errorbar(
            *judged.mean, xerr=judged.sd[0], yerr=judged.sd[1], fmt="o", ms=4, color=colour, label=f"{name}: {cost}"
        )
    axes.plot(*study.expected, "o", mfc="none", ms=6, color=COLOURS[0], label="what theory expects of its answer")
    axes.set(xlabel="rate (Hz)", ylabel="CV of intervals")
    axes.legend(frameon=False, fontsize=6.5)
    axes.set_title("A  Simulated, at what each method found", loc="left", fontsize=9)


def _draw_derivatives(axes: Any, study: Study) -> None:
    shown = {name: mean.ravel() for name, (mean, _) in study.derivatives.items() if name != UNCUT}
    uncut = np.log10(np.max(np.abs(study.derivatives[UNCUT][0])))
    labels = [f"{what}\nby {by}" for what in ("log rate", "CV") for by in ("J", "g", "drive")]
    x = np.arange(len(labels))
    for (name, mean), marker, colour in zip(shown.items(), ("_", "o", "^"), ("k", "0.45", COLOURS[1]), strict=True):
        axes.plot(x, mean, marker, ms=9 if marker == "_" else 5, mew=1.5, color=colour, label=name, ls="none")
    axes.plot([], [], " ", label=f"{UNCUT}: of the size of 1e{uncut:.0f}")
    axes.axhline(0.0, color="0.8", lw=0.8)
    axes.set_yscale("symlog", linthresh=1.0)
    axes.set_ylim(-200.0, 2_000.0)
    axes.set_xticks(x, labels)
    axes.tick_params(axis="x", labelsize=6.5)
    axes.set(ylabel="derivative (1)", xlabel="of what, by the logarithm of what")
    axes.legend(frameon=False, fontsize=6.5, loc="upper left")
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
