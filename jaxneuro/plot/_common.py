"""What all figures share. matplotlib is loaded when a figure is asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._numerics import COLOURS as COLOURS, KIND_COLOURS as KIND_COLOURS, install

# Of classes, as the states of `jn.analysis.State`, in their order; those that often meet differ in grey too.
CLASS_COLOURS = ("#f5f5f5", "#444444", "#e2703a", "#34bb89", "#f2d060", "#0b559f", "#86c5f0", "#927092")
CLASS_ALPHA = 0.75
# Beside the colours, so that curves are told apart without them.
LINES = ("-", "--", "-.", ":", (0, (4, 1, 1, 1, 1, 1)))
# Beyond this ratio of the largest to the smallest value a logarithmic axis shows both.
WIDE = 30.0
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
    "j0": r"$J_0$",
    "alpha": r"$\alpha$",
    "beta": r"$\beta$",
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def style() -> dict[str, Any]:
    """The settings that all figures of the package are made with, for figures of your own beside them.

    **Returns:** settings of matplotlib, {name: value}, for `plt.rc_context(jn.plot.style())` or
    `plt.rcParams.update(jn.plot.style())`: colours that are told apart by every eye and in grey, lines on two sides.

    Raises `ImportError` without matplotlib.

    ```python
    >>> import jaxneuro as jn
    >>> list(jn.plot.style()["axes.prop_cycle"])[0]["color"] == jn.plot.KIND_COLOURS["E"]
    True

    ```
    """
    cycler = pyplot().cycler
    return {
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "axes.grid": False,
        "legend.frameon": False,
        "legend.fontsize": "small",
        "lines.linewidth": 1.4,
        "image.cmap": "viridis",
    }


def axes_or_new(ax: "Axes | None", width: float = 4.8, height: float = 3.4) -> Any:
    """The given axes, or those of a new figure in the style of the package, `width` x `height` inches."""
    if ax is not None:
        if not callable(getattr(ax, "plot", None)):
            raise ValueError(f"`ax` has to be axes of matplotlib, such as `plt.gca()`; got {type(ax).__name__}.")
        return ax
    with pyplot().rc_context(style()):
        return pyplot().figure(figsize=(width, height), layout="constrained").gca()


def named(values: Any, argument: str, kind: type, comes_from: str) -> dict[str, Any]:
    """`values` as {name: value}, one without a name as {"": value}; `ValueError` where one is not of `kind`."""
    several = dict(values) if isinstance(values, Mapping) else {"": values}
    if not several:
        raise ValueError(f"`{argument}` is empty; it has to be {comes_from}.")
    for name, value in several.items():
        if not isinstance(value, kind):
            where = f"`{argument}[{name!r}]`" if name else f"`{argument}`"
            raise ValueError(f"{where} has to be {comes_from}; got {type(value).__name__}.")
    return several


def kind_colour(name: str, index: int = 0) -> str:
    """The colour of a population: that of its kind where its name begins or ends with E or I, else one by its place.

    ```python
    >>> import jaxneuro as jn
    >>> jn.plot.kind_colour("L4E") == jn.plot.KIND_COLOURS["E"]
    True

    ```
    """
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
