"""The table and both fitted curves."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from ._study import EXPONENTIAL, LEAKY, Study


def draw(study: Study) -> Any:
    """The figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure, ax = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
        current = np.linspace(0.0, float(jnp.max(study.data.current)), 400)
        ax.plot(study.data.current, study.data.rate, "o", color="0.5", ms=4, label="Wang-Buzsaki neuron, simulated")
        for name, label, style in ((LEAKY, "LIF", "--"), (EXPONENTIAL, "EIF", "-")):
            fit = study.fits[name]
            ax.plot(current, fit.model.predict(jnp.asarray(current)), style, label=f"{label}, rms {fit.rms:.2g} Hz")
        ax.set(xlabel="current (uA/cm$^2$)", ylabel="firing rate (Hz)")
        ax.legend(frameon=False, fontsize=7)
    return figure
