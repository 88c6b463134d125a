"""One look for all figures: colours, letters, and colours of a series."""

from collections.abc import Sequence
from typing import Any

from jaxneuro.plot import COLOURS, KIND_COLOURS, pyplot

E, I = KIND_COLOURS["E"], KIND_COLOURS["I"]
# Theories of the noise, each with its own line so that colours alone do not tell them apart.
THEORIES = {
    "Effective": dict(color="black", ls="-"),
    "Ito": dict(color=COLOURS[2], ls="--"),
    "Stratonovich": dict(color=COLOURS[3], ls="-."),
    "Shot": dict(color=COLOURS[4], ls=(0, (4, 1, 1, 1, 1, 1))),
}
# Other things have none of the colours of E and I; synaptic time constants [ms] the same ones in every figure.
GREEN, PURPLE, BROWN = COLOURS[2:]
AMBER, LIGHT_BLUE = "#d9a441", "#4fb0c6"
TIMES = {
    1.0: dict(color=GREEN, ls="-", marker="o"),
    5.0: dict(color=LIGHT_BLUE, ls="--", marker="^"),
    10.0: dict(color=PURPLE, ls="-.", marker="s"),
    20.0: dict(color=BROWN, ls="-", marker="D"),
}
LIMIT = dict(color="black", lw=1.2, ls=":")
RC = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 6.5,
    "axes.titlesize": 8,
    "lines.linewidth": 1.3,
}


def style() -> Any:
    """The settings of matplotlib, as a context."""
    import matplotlib

    matplotlib.use("Agg")
    return pyplot().rc_context(RC)


def panels(rows: int, columns: int, *, width: float | None = None, height: float | None = None, **how: Any) -> Any:
    """A figure and its axes, (rows, columns), with letters."""
    size = (2.9 * columns if width is None else width, 2.5 * rows if height is None else height)
    figure, axes = pyplot().subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, **how)
    return figure, axes


def letters(axes: Sequence[Any]) -> None:
    """A, B, C, ... over panels."""
    for letter, one in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", axes, strict=False):
        one.set_title(letter, loc="left", fontweight="bold", fontsize=10)


def series(n: int) -> list[Any]:
    """Colours of n values in order, dark to light, that colour-blind readers can tell apart too."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.88 * i / max(1, n - 1)) for i in range(n)]


def power(value: float) -> str:
    """A number such as 1e5 as 10^5, and 5e4 as 5 10^4, to stand between dollars."""
    mantissa, exponent = f"{value:.0e}".split("e")
    ten = f"10^{{{int(exponent)}}}"
    return ten if mantissa == "1" else rf"{mantissa} \cdot {ten}"
