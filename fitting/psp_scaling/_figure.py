"""The four panels of Fig. 5 of Sanzeni, Histed & Brunel (2022), with 95% bands."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from jaxneuro._fit import FitResult, plot_laws
from jaxneuro.laws import ConductanceScaling, CurrentScaling

from ._study import Study

TAU_LEAK = 20.0  # ms
K = np.geomspace(40.0, 20_000.0, 120)
RATES = {1.0: "black", 5.0: "0.55"}  # Hz
V_REST, E_E, E_I = -60.0, 0.0, -80.0  # mV


def _distance(law: ConductanceScaling, k: Array) -> Array:
    return law.distance_to_threshold(k)


def _conductance(law: ConductanceScaling, k: Array, rate: Array) -> Array:
    return law.conductance_ratio(k, rate=rate, tau_leak=TAU_LEAK)


def _time_constant(law: ConductanceScaling, k: Array, rate: Array) -> Array:
    return law.effective_time_constant_ratio(k, rate=rate, tau_leak=TAU_LEAK)


def _current_conductance(law: CurrentScaling, k: Array, rate: Array) -> Array:
    """What conductances of the size that the current-based law asks for would add up to."""
    return law.excitatory(k) / (E_E - V_REST) * k * rate * TAU_LEAK / 1000.0


def _current_time_constant(law: CurrentScaling, k: Array, rate: Array) -> Array:
    inhibition = law.g * (E_E - V_REST) / (V_REST - E_I)  # as conductance, relative to excitation
    return 1.0 / (1.0 + _current_conductance(law, k, rate) * (1.0 + inhibition))


def _band(axes: Any, fit: FitResult, function: Any, style: str, colour: str, label: str, *inputs: Array) -> None:
    found = fit.predict(jnp.asarray(K), *inputs, function=function)
    axes.plot(K, found.value, style, color=colour, lw=1.4, label=label)
    axes.fill_between(K, found.low, found.high, color=colour, alpha=0.15, lw=0)


def _draw_rates(axes: Any, study: Study, conductance: Any, current: Any) -> None:
    for rate, colour in RATES.items():
        argument = jnp.asarray(rate)
        name = f"{rate:g} spk/s"
        _band(axes, study.fits["conductance"], conductance, "-", colour, f"conductance law, {name}", argument)
        _band(axes, study.fits["current"], current, "--", colour, r"$1/\sqrt{K}$, " + name, argument)


def draw(study: Study) -> Any:
    """The figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure, ((a, b), (c, d)) = plt.subplots(2, 2, figsize=(7.4, 6.4), layout="constrained")
        plot_laws({name: study.fits[name] for name in ("conductance", "current", "power")}, a, k=K)
        a.set_ylim(0.006, 40.0)
        a.legend(frameon=False, fontsize=6, ncols=2, loc="lower left")
        _band(b, study.fits["conductance"], _distance, "-", "black", "conductance law")
        b.axhline(1.0, color="0.6", lw=0.8, ls=":")
        b.text(45.0, 1.04, "the law means nothing below", color="0.4", fontsize=6.5)
        b.set(xscale="log", ylabel=r"distance to threshold $\bar{v}/\sqrt{a}$ (1)", ylim=(0.8, 3.2))
        _draw_rates(c, study, _conductance, _current_conductance)
        c.set(xscale="log", yscale="log", ylabel=r"excitatory over leak conductance $g_E/g_L$ (1)")
        c.legend(frameon=False, fontsize=6.5, loc="upper left")
        _draw_rates(d, study, _time_constant, _current_time_constant)
        d.set(xscale="log", yscale="log", ylabel=r"effective over leak time constant $\tau/\tau_L$ (1)")
        for letter, axes in zip("ABCD", (a, b, c, d), strict=True):
            axes.set_xlabel("number of connections $K$ (1)")
            axes.set_xlim(K[0], K[-1])
            axes.set_title(letter, loc="left", fontweight="bold", fontsize=10)
        figure.suptitle(
            "Scaling laws fitted to a SYNTHETIC reconstruction of Barral & Reyes (2016); bands: 95%", fontsize=8.5
        )
    return figure
