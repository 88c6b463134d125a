"""Both traces with their fits and twins."""

from typing import Any

import numpy as np

from jaxneuro.plot import COLOURS

from ._study import SILENT, SPIKING, Study


def draw(study: Study) -> Any:
    """The figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.2), layout="constrained")
        for ax, name, title in zip(axes, (SPIKING, SILENT), ("A  With spikes", "B  Without spikes"), strict=True):
            data, fit, twin = study.traces[name], study.fits[name], study.twins[name]
            t = data.dt * data.every * (1 + np.arange(data.v.shape[0]))
            ax.plot(t, data.v, ".", color="0.75", ms=2, label="recorded")
            ax.plot(t, fit.model.potential(data), color=COLOURS[1], lw=1.2, label="fitted")
            label = "twin: g$_{Na}$ 20% off, others refitted"
            ax.plot(t, twin.model.potential(data), color="k", lw=0.9, ls="--", label=label)
            ax.set(xlabel="time (ms)", ylabel="membrane potential (mV)")
            ax.set_title(f"{title}: deviance of the twin {twin.deviance:.3g}", loc="left", fontsize=9)
        axes[0].legend(frameon=False, fontsize=7, loc="upper right")
    return figure
