"""What a fit found: laws with bands, profiles, resamples."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._fit import FitResult
from .._fit._plot import plot_laws
from .._fit._profile import Profile
from .._numerics import read_numbers, units_of
from ..laws import PSPTable
from ._common import COLOURS, axes_or_new, label, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def laws(results: FitResult | Mapping[str, FitResult], *, k: Any = None, ax: "Axes | None" = None) -> "Axes":
    """Draws fitted scaling laws with their 95% bands over the amplitudes that they were fitted to.

    **Arguments:** `results`, what `jn.fit` returned of a law, or {name: result} of several laws for one table; `k`,
    numbers of connections, by default those of the table and up to 12,000; `ax`, where to draw, by default a new
    figure.

    **Returns:** the axes.

    Raises `ValueError` for what is no fit of a law to amplitudes, `ImportError` without matplotlib.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> k = np.array([50.0, 100.0, 200.0, 50.0, 100.0, 200.0])
    >>> table = jn.laws.PSPTable(k, 10.0 / np.sqrt(k) * np.tile([1.1, 0.9, 1.05], 2), list("EEEIII"))
    >>> ax = jn.plot.laws(jn.fit(jn.laws.CurrentScaling(), table, starts=1))

    ```
    """
    several = named(results, "results", FitResult, "what `jn.fit` returns")
    for name, result in several.items():
        if not isinstance(result.data, PSPTable):
            raise ValueError(
                f"`results`{f', {name!r}:' if name else ''} has to be of a law fitted to amplitudes; got one of "
                f"{type(result.model).__name__} to {type(result.data).__name__}: draw it by `result.plot(inputs)`."
            )
    axes = axes_or_new(ax, 5.4, 4.0)
    plot_laws(
        {name or _noun(result): result for name, result in several.items()},
        axes,
        k=None if k is None else read_numbers(k, "k"),
    )
    axes.legend(frameon=False, fontsize="small")
    return axes


def _noun(result: FitResult) -> str:
    return type(result.model).__name__.removesuffix("Scaling").lower()


def _with_unit(name: str, unit: str) -> str:
    text = label(name)
    return f"{text} ({unit})" if unit and "(" not in text else text


def profile(found: Profile, *, ax: "Axes | None" = None) -> "Axes":
    """Draws the profile likelihood of one parameter: how bad the best fit becomes when it is held.

    Where the curve is below the dashed line, at 3.84 for a likelihood, is the 95% interval, which is shaded; a curve
    that stays below it on one side says that the data cannot tell the parameter.

    **Arguments:** `found`, of `result.profile(name)`; `ax`, where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` for what is no profile, `ImportError` without matplotlib.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> k = np.array([50.0, 100.0, 200.0, 50.0, 100.0, 200.0])
    >>> table = jn.laws.PSPTable(k, 10.0 / np.sqrt(k) * np.tile([1.1, 0.9, 1.05], 2), list("EEEIII"))
    >>> result = jn.fit(jn.laws.CurrentScaling(), table, starts=1)
    >>> ax = jn.plot.profile(result.profile(next(iter(result.params)), points=11))

    ```
    """
    if not isinstance(found, Profile):
        raise ValueError(f"`found` has to be what `result.profile(name)` returns; got {type(found).__name__}.")
    axes = axes_or_new(ax)
    shown = np.isfinite(found.deviance)
    axes.plot(found.values[shown], found.deviance[shown], color=COLOURS[0])
    axes.axhline(found.limit, color="0.4", ls="--", lw=0.9)
    ends = np.clip(found.ci95, found.values.min(), found.values.max())
    axes.axvspan(*ends, color=COLOURS[0], alpha=0.15, lw=0)
    top = min(float(found.deviance[shown].max(initial=0.0)), 4.0 * found.limit)
    axes.set(
        xlabel=_with_unit(found.name, found.unit),
        ylabel="deviance, 2 (log L$_{best}$ - log L)",
        ylim=(0.0, 1.05 * max(top, found.limit)),
    )
    return axes


def bootstrap(result: FitResult, name: str, *, ax: "Axes | None" = None) -> "Axes":
    """Draws how a fitted parameter scatters over resamples of the data, with its two 95% intervals.

    The shaded area is the interval of the resamples, the bar above them that of the fit's own errors. Under a flat
    prior, and with enough data, the resamples are about those of the posterior.

    **Arguments:** `result`, of `jn.fit(..., bootstrap=)`; `name` of the parameter; `ax`, where to draw, by default a
    new figure.

    **Returns:** the axes.

    Raises `ValueError` where the fit was not resampled or has no such parameter, `ImportError` without matplotlib.

    ```python
    >>> import jax, numpy as np, jaxneuro as jn
    >>> k = np.array([50.0, 100.0, 200.0, 50.0, 100.0, 200.0])
    >>> table = jn.laws.PSPTable(k, 10.0 / np.sqrt(k) * np.tile([1.1, 0.9, 1.05], 2), list("EEEIII"))
    >>> result = jn.fit(jn.laws.CurrentScaling(), table, starts=1, bootstrap=50, key=jax.random.key(0))
    >>> ax = jn.plot.bootstrap(result, next(iter(result.params)))

    ```

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, doi:10.1201/9780429246593, chapters 6 and 13.
    """
    if not isinstance(result, FitResult):
        raise ValueError(f"`result` has to be what `jn.fit` returns; got {type(result).__name__}.")
    if result.bootstrap is None:
        raise ValueError("`result` was not resampled: fit with `bootstrap=500, key=jax.random.key(0)`.")
    if name not in result.params:
        raise ValueError(f"`name` is {name!r}, which was not fitted; there are {', '.join(result.params)}.")
    values = np.asarray(result.bootstrap.samples[name])
    values = values[np.isfinite(values)]
    axes = axes_or_new(ax)
    heights, _, _ = axes.hist(values, bins="auto", density=True, color=COLOURS[0], alpha=0.35, label="resamples")
    axes.axvspan(*result.bootstrap.ci95[name], color=COLOURS[0], alpha=0.12, lw=0, label="their 95%")
    centre, (low, high) = result.params[name], result.ci95[name]
    at = 1.08 * float(np.max(heights))
    bar = {"fmt": "o", "color": "k", "ms": 4, "capsize": 3, "label": "fit and its 95%"}
    axes.errorbar([centre], [at], xerr=[[centre - low], [high - centre]], **bar)
    unit = units_of(type(result.model)).get(name, "")
    per = f" (1/{unit})" if unit else ""
    axes.set(xlabel=_with_unit(name, unit), ylabel=f"density{per}", ylim=(0, 1.2 * at))
    axes.legend(frameon=False, fontsize="small")
    return axes
