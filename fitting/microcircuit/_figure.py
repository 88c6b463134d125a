"""The figure of the study."""

from typing import Any

import numpy as np

import jaxneuro as jn

from ._study import Study, measured


def draw(study: Study) -> Any:
    """Rates and CVs by population, of theory and the run; raster and spectra of the run."""
    import matplotlib.pyplot as plt

    names, of_run = jn.networks.microcircuit().names, measured(study)
    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    at = np.arange(len(names))
    colours = [jn.plot.KIND_COLOURS[name[-1]] for name in names]
    for ax, theory, record, label in (
        (axes[0, 0], study.fitted, "rate", "rate (Hz)"),
        (axes[0, 1], study.cv, "cv", "CV of interspike intervals"),
    ):
        ax.bar(at, theory, color=colours, alpha=0.45, label="mean field, full network")
        if of_run:
            ax.plot(at, of_run[record], "kD", ms=5, label=f"run, {study.scale:g} of its size")
        ax.set(xticks=at, xticklabels=names, ylabel=label)
    axes[0, 0].plot(at, study.targets, "k_", ms=16, mew=1.5, label="asked for")
    axes[0, 0].legend(frameon=False, fontsize="small")
    if study.solution is None:
        for ax in axes[1]:
            ax.set_axis_off()
        return figure
    jn.plot.raster(study.solution["spikes"], ax=axes[1, 0], most=60)
    axes[1, 0].get_legend().remove()
    spectra, frequencies = study.solution["spectrum"], study.solution.frequencies["spectrum"]
    for name, colour in zip(names, colours, strict=True):
        f = np.asarray(frequencies[name] if isinstance(frequencies, dict) else frequencies)
        axes[1, 1].loglog(
            f[1:], np.asarray(spectra[name])[1:], color=colour, lw=1.0, alpha=0.4 + 0.15 * (int(name[1]) % 5)
        )
    axes[1, 1].set(xlabel="frequency (Hz)", ylabel="power of the population rate (Hz)")
    return figure
