"""Densities of recorded values, with theory over them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import read_numbers, told
from .._simulate.record import Density
from ._common import axes_or_new, kind_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 40


def density(
    found: Any,
    *,
    theory: Mapping[str, Any] | None = None,
    label: str = "membrane potential (mV)",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws how recorded values are distributed, as areas, and densities of theory as lines over them.

    **Arguments:**

    - `found`: a record of `jn.record.Histogram`, or values such as `sol["rate"]["E"]`, whose NaNs are left out; several
      as {name: one of these}.
    - `theory`: {name: (x, density)}; a name that is also in `found` has its colour.
    - `label`: what the values are, with their unit in brackets; `ax`, where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` where there is no value or a curve has another length, `ImportError` without matplotlib.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> x = np.linspace(-4.0, 4.0, 100)
    >>> normal = np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
    >>> drawn = np.random.default_rng(0).normal(size=1_000)
    >>> jn.plot.density({"E": drawn}, theory={"E": (x, normal)}).get_ylabel()
    'density (1/mV)'

    ```
    """
    several = dict(found) if isinstance(found, Mapping) else {"": found}
    areas = {name: _area(name, one) for name, one in several.items()}
    lines = {} if theory is None else {name: _line(name, pair) for name, pair in theory.items()}
    if not areas:
        raise ValueError("`found` is empty: it has to be a record of `jn.record.Histogram`, or values.")
    if not isinstance(label, str):
        raise ValueError(f"`label` has to be text such as 'rate (Hz)'; got {told(label)}.")
    axes = axes_or_new(ax)
    colours = {name: kind_colour(name, index) for index, name in enumerate([*areas, *lines])}
    for name, (edges, values) in areas.items():
        axes.stairs(values, edges, fill=True, alpha=0.35, color=colours[name], label=name or None)
    for name, (x, y) in lines.items():
        axes.plot(x, y, "--", color=colours[name] if any(areas) else "k", label=f"{name}, theory".removeprefix(", "))
    unit = label[label.rfind("(") + 1 : -1] if label.endswith(")") else ""
    per = f" (1/{unit})" if unit and unit != "1" else ""
    axes.set(xlabel=label, ylabel=f"density{per}", ylim=(0, None))
    if any(areas) or lines:
        axes.legend(frameon=False, fontsize="small")
    return axes


def _area(name: str, one: Any) -> tuple[np.ndarray, np.ndarray]:
    """Edges and values of the density of one record."""
    if isinstance(one, Density):
        return np.asarray(one.edges), np.asarray(one.values)
    where = f"found[{name!r}]" if name else "found"
    values = np.asarray(read_numbers(one, where), float).ravel()
    known = values[np.isfinite(values)]
    if not known.size:
        raise ValueError(f"`{where}` has no value that is finite.")
    heights, edges = np.histogram(known, bins=_BINS, density=True)
    return edges, heights


def _line(name: str, pair: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"`theory[{name!r}]` has to be (x, density); got {type(pair).__name__}.")
    x, y = (np.asarray(read_numbers(one, f"theory[{name!r}]")) for one in pair)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"`theory[{name!r}]` has to be two rows of one length; got {x.shape} and {y.shape}.")
    return x, y
