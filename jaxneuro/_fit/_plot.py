"""Data and fitted laws as a figure; matplotlib is imported where it is used."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import ArrayLike

from .._numerics import KIND_COLOURS, install
from ..laws import PSPTable

if TYPE_CHECKING:
    from ._result import FitResult

LINES = ("-", "--", ":", "-.")


def plot_table(data: PSPTable, axes: Any) -> None:
    """Amplitudes against the number of connections, one colour a kind of synapse."""
    k, psp, mask = (np.asarray(x) for x in (data.n_connections, data.psp, data.inhibitory))
    for kind, rows in (("E", ~mask), ("I", mask)):
        if rows.any():
            axes.plot(k[rows], psp[rows], "o", ms=3, alpha=0.35, mew=0, color=KIND_COLOURS[kind], label=f"{kind}PSP")
    axes.set(xscale="log", yscale="log", xlabel="number of connections, K", ylabel="PSP amplitude (mV)")


def plot_laws(results: "Mapping[str, FitResult]", axes: Any, *, k: ArrayLike | None = None) -> None:
    """Data with every fitted law: excitation and inhibition, each with its 95% band."""
    data = next(iter(results.values())).data
    plot_table(data, axes)
    measured = np.asarray(data.n_connections)
    grid = np.geomspace(measured.min() / 1.2, max(measured.max() * 1.2, 12_000.0), 120) if k is None else np.asarray(k)
    mask = np.asarray(data.inhibitory)
    kinds = [("E", False)] * bool((~mask).any()) + [("I", True)] * bool(mask.any())
    for style, (name, result) in zip(LINES, results.items(), strict=False):
        both = result.predict(grid, inhibitory=np.array([[False], [True]]))
        for kind, inhibitory in kinds:
            found = both[int(inhibitory)]
            axes.plot(grid, found.value, style, color=KIND_COLOURS[kind], lw=1.5, label=f"{name} law, {kind}")
            axes.fill_between(grid, found.low, found.high, color=KIND_COLOURS[kind], alpha=0.12, lw=0)


def plot_result(result: "FitResult", inputs: ArrayLike | None, *, axes: Any, label: str | None) -> Any:
    """One result: a law with its data, or any callable model over `inputs`."""
    if axes is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(f"Figures need matplotlib: {install('plot')}.") from error
        _, axes = plt.subplots(layout="constrained")
    if isinstance(result.data, PSPTable):
        plot_laws({label or type(result.model).__name__: result}, axes, k=inputs)
        axes.legend(frameon=False, fontsize="small")
        return axes
    if inputs is None:
        raise ValueError("`inputs` is needed: say at which inputs to draw the fitted model.")
    x = np.asarray(inputs)
    found = result.predict(x)
    (line,) = axes.plot(x, found.value, label=label)
    axes.fill_between(x, found.low, found.high, color=line.get_color(), alpha=0.2, lw=0)
    return axes
