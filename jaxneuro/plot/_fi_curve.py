"""Firing rates over the input."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import read_numbers
from ._common import COLOURS, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = "os^Dv"


def fi_curve(
    current: Any,
    rates: Any,
    *,
    theory: Any = None,
    unit: str = "mV",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws firing rates over the input: what was measured or simulated as marks, theory as lines.

    **Arguments:** `current`, (n,), in `unit`; `rates` [Hz], (n,), as of `jn.analysis.fi_curve`, one or {name: rates};
    `theory` [Hz], the same of `jn.theory.fi_curve`, where a name that is also in `rates` has its colour; `ax`, where to
    draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` where a curve has another length, `ImportError` without matplotlib.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> current = np.linspace(10.0, 30.0, 9)
    >>> known = jn.theory.fi_curve(jn.LIF(), current)
    >>> ax = jn.plot.fi_curve(current, {"LIF": known}, theory={"LIF": known})

    ```
    """
    x = np.asarray(read_numbers(current, "current"))
    if x.ndim != 1 or not x.size:
        raise ValueError(f"`current` has to be (n,), one value or more; got shape {x.shape}.")
    seen, lines = _curves(rates, "rates", x), {} if theory is None else _curves(theory, "theory", x)
    axes = axes_or_new(ax)
    places = {name: index for index, name in enumerate(dict.fromkeys([*seen, *lines]))}
    for name, y in lines.items():
        axes.plot(x, y, color=COLOURS[places[name] % len(COLOURS)], label=f"{name}, theory".removeprefix(", "))
    for name, y in seen.items():
        place = places[name]
        mark = _MARKS[place % len(_MARKS)]
        axes.plot(x, y, mark, ms=4, color=COLOURS[place % len(COLOURS)], label=name or None)
    axes.set(xlabel=f"current ({unit})", ylabel="firing rate (Hz)", ylim=(0, None))
    if any(seen) or lines:
        axes.legend(frameon=False, fontsize="small")
    return axes


def _curves(given: Any, argument: str, x: np.ndarray) -> dict[str, np.ndarray]:
    several = dict(given) if isinstance(given, Mapping) else {"": given}
    found = {}
    for name, one in several.items():
        where = f"{argument}[{name!r}]" if name else argument
        found[name] = np.asarray(read_numbers(one, where))
        if found[name].shape != x.shape:
            raise ValueError(f"`{where}` has shape {found[name].shape}; `current` has {x.shape}.")
    return found
