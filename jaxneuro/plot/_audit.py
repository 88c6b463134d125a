"""Estimates of one gradient side by side."""

from typing import TYPE_CHECKING

import numpy as np

from .._train import GradientAudit
from ._common import COLOURS, WIDE, axes_or_new, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = "osD^v"
_LINEAR = 2.0  # from minus to plus this value, a symmetric logarithmic axis is linear


def gradient_audit(audit: GradientAudit, *, ax: "Axes | None" = None) -> "Axes":
    """Draws every estimate of every derivative, over that of finite differences, with two standard errors.

    Where one of them is far wider than the others, the axis is linear up to 2 and logarithmic beyond.

    **Arguments:** `audit`, of `jn.audit_gradient`; `ax`, where to draw, by default a new figure.

    **Returns:** the axes.

    Raises `ValueError` for what is no audit, `ImportError` without matplotlib.
    """
    if not isinstance(audit, GradientAudit):
        raise ValueError(f"`audit` has to come from `jn.audit_gradient`; got {type(audit).__name__}.")
    axes = axes_or_new(ax, 5.5, 3.4)
    reference = audit.estimates["differences"].mean
    scale = np.where(reference != 0, np.abs(reference), 1.0)
    places = np.arange(len(audit.names))
    for i, (name, estimate) in enumerate(audit.estimates.items()):
        shift = 0.12 * (i - 0.5 * (len(audit.estimates) - 1))
        axes.errorbar(
            places + shift, estimate.mean / scale, 2.0 * estimate.error / scale,
            fmt=_MARKS[i % len(_MARKS)], markersize=4, color=COLOURS[i % len(COLOURS)], label=name,
        )  # fmt: skip
    reach = [float(np.max((np.abs(e.mean) + 2.0 * e.error) / scale)) for e in audit.estimates.values()]
    if max(reach) > WIDE:
        axes.set_yscale("symlog", linthresh=_LINEAR)
    axes.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
    axes.set(xticks=places, xticklabels=[label(name) for name in audit.names])
    unscaled = ", itself where that is 0" if np.any(reference == 0) else ""
    axes.set(ylabel=f"derivative / |finite differences|{unscaled}")
    axes.legend(frameon=False, fontsize="small")
    return axes
