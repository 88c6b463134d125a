"""Histograms with the fitted mixtures."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxneuro.plot import COLOURS

from ._study import BIN_MV, BOYD_MARTIN, PAULSEN, Study


def _draw_end_plate(axes: Any, study: Study) -> None:
    data, fit = study.end_plate, study.fits[BOYD_MARTIN]
    scale = data.n_trials * BIN_MV
    v = np.linspace(0.01, 3.3, 400)
    found = fit.predict(jnp.asarray(v), function=lambda model, v: model.density(v))
    axes.bar(0.0, data.n_failures, BIN_MV, color="0.35", label="failures")
    axes.bar(data.centres, data.counts, BIN_MV, color="0.8", edgecolor="white", lw=0.4, label="responses")
    axes.plot(v, scale * found.value, color=COLOURS[1], lw=1.5, label="fitted mixture, 95% band")
    axes.fill_between(v, scale * found.low, scale * found.high, color=COLOURS[1], alpha=0.2, lw=0)
    axes.plot(0.0, data.n_trials * np.exp(-fit.params["m"]), "D", color=COLOURS[1], ms=5, label="failures expected")
    axes.set(xlabel="end-plate potential (mV)", ylabel="trials", xlim=(-0.15, 3.3), ylim=(0, 30))
    axes.legend(frameon=False, fontsize=7)
    axes.set_title("A  Boyd & Martin (1956)", loc="left", fontsize=9)
    inset = axes.inset_axes((0.62, 0.3, 0.36, 0.28))
    inset.bar(data.miniature_centres, data.miniature_counts, BIN_MV, color="0.8", edgecolor="white", lw=0.4)
    inset.axvline(fit.params["u"], color=COLOURS[1], lw=1.2)
    inset.set_xlabel("Miniature (mV); line: fitted u", fontsize=6)
    inset.tick_params(labelsize=6)
    inset.set_xlim(0.0, 0.8)


def _draw_currents(axes: Any, study: Study) -> None:
    fit, width = study.fits[PAULSEN], 1.0
    v = np.linspace(0.05, 32.0, 400)
    found = fit.predict(jnp.asarray(v), function=lambda model, v: model.density(v) / -jnp.expm1(-model.m))
    scale = len(study.currents) * width
    axes.hist(study.currents, np.arange(0.0, 32.0, width), color="0.8", edgecolor="white", lw=0.4, label="currents")
    axes.plot(v, scale * found.value, color=COLOURS[0], lw=1.5, label="fitted mixture, 95% band")
    axes.fill_between(v, scale * found.low, scale * found.high, color=COLOURS[0], alpha=0.2, lw=0)
    axes.set(xlabel="EPSC amplitude (pA)", ylabel="events", xlim=(0, 32), ylim=(0, None))
    axes.legend(frameon=False, fontsize=7)
    axes.set_title("B  Paulsen & Heggelund (1994)", loc="left", fontsize=9)


def draw(study: Study) -> Any:
    """The figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.2), layout="constrained")
        _draw_end_plate(left, study)
        _draw_currents(right, study)
    return figure
