"""Points and fitted curves, and the time constants beside those of 1952."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxneuro.plot import COLOURS

from ._study import POTASSIUM, SODIUM, Study, published


def draw(study: Study) -> Any:
    """The figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.2), layout="constrained")
        for ax, kind, title in zip(axes, (POTASSIUM, SODIUM), ("A  Potassium", "B  Sodium"), strict=False):
            data, model = study.data[kind], study.fits[kind].model
            colours = plt.get_cmap("viridis")(np.linspace(0.0, 0.9, data.depolarisations.size))
            t = np.linspace(0.0, float(jnp.max(data.time)), 300)
            for k, (v, colour) in enumerate(zip(data.depolarisations, colours, strict=True)):
                own = np.asarray(data.level) == k
                ax.plot(np.asarray(data.time)[own], np.asarray(data.conductance)[own], ".", color=colour, ms=4)
                curve = model.at(jnp.asarray(t), jnp.full(t.size, k))
                ax.plot(t, curve, color=colour, lw=1.0, label=f"{v:g} mV")
            ax.set(xlabel="time after the step (ms)", ylabel="conductance (mS/cm$^2$)")
            ax.set_title(title, loc="left", fontsize=9)
        axes[1].legend(frameon=False, fontsize=6, ncols=2)  # of both
        _draw_constants(axes[2], study)
    return figure


def _draw_constants(ax: Any, study: Study) -> None:
    u = np.linspace(1.0, 115.0, 200)
    rows = (
        ("tau_n", POTASSIUM, "tau", COLOURS[0]),
        ("tau_m", SODIUM, "tau_m", COLOURS[1]),
        ("tau_h", SODIUM, "tau_h", COLOURS[2]),
    )
    for name, kind, parameter, colour in rows:
        fit, levels = study.fits[kind], study.data[kind].depolarisations
        keys = [f"{parameter}[{k}]" for k in range(levels.size)]
        found = np.array([fit.params[key] for key in keys])
        low, high = np.array([fit.ci95[key] for key in keys]).T
        ax.errorbar(levels, found, [found - low, high - found], fmt="o", ms=3, lw=0.8, color=colour)
        ax.plot(u, published(u)[name], color=colour, lw=1.0, label=rf"$\{name[:3]}_{name[-1]}$, equation of 1952")
    ax.set(xlabel="depolarisation (mV)", ylabel="time constant (ms)", yscale="log", ylim=(0.03, 30.0))
    ax.set_title("C  Fitted and published", loc="left", fontsize=9)
    ax.legend(frameon=False, fontsize=6)
