"""What all figures share. matplotlib is loaded when a figure is asked for."""

from typing import Any

from .._numerics import COLOURS as COLOURS, KIND_COLOURS as KIND_COLOURS, install

# Of classes, as the states of `jn.analysis.State`, in their order.
CLASS_COLOURS = ("#9a9a9a", "#0b5fa5", "#c4442b", "#3a7d44", "#7b5aa6", "#d9a441", "#4fb0c6", "#8a6d3b")
# The recorder that makes each record a figure may need.
RECORDERS = {
    "rate": "Rate()",
    "cv": "CV()",
    "spikes": 'Spikes("E")',
    "population_rate": "PopulationRate()",
}

# Parameters as axes; others keep their names.
LABELS = {
    "nu_ext_over_nu_thr": r"$\nu_\mathrm{ext} / \nu_\mathrm{thr}$",
    "nu_ext": r"$\nu_\mathrm{ext}$ (Hz)",
    "j": r"$J$ (mV)",
    "g": r"$g$",
    "k": r"$K$",
    "c_e": r"$C_E$",
    "c_i": r"$C_I$",
    "m0": r"$m_0$",
    "mu": r"$\mu$ (mV)",
    "sigma": r"$\sigma$ (mV)",
    "tau_m": r"$\tau_m$ (ms)",
    "t_ref": r"$\tau_\mathrm{ref}$ (ms)",
    "v_th": r"$\theta$ (mV)",
    "v_reset": r"$V_r$ (mV)",
}


def kind_colour(name: str, index: int = 0) -> str:
    """The colour of a population: that of its kind where its name begins or ends with E or I, else one by its place."""
    for kind, colour in KIND_COLOURS.items():
        if name.startswith(kind) or name.endswith(kind):
            return colour
    return COLOURS[index % len(COLOURS)]


def label(parameter: str) -> str:
    """A parameter as the field writes it."""
    return LABELS.get(parameter, parameter.replace("_", " "))


def pyplot() -> Any:
    """matplotlib.pyplot, or a sentence that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"Figures need matplotlib: {install('plot')}.") from error
    return plt
