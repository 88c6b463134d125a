"""Figures of the ring: the bump in time, tuning curves, the (J_0, J_1) diagram."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import ArrayLike

from .._numerics import check_count, read_numbers, told
from .._simulate import Solution
from ..models import angles
from ..theory import RingRegime, ring_bump, ring_regime
from ._common import COLOURS, LINES, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = ([-math.pi, 0.0, math.pi], [r"$-\pi$", "0", r"$\pi$"])
# Of images, whose units lie from -pi to just below pi: a tick beyond them would leave a white strip.
_INSIDE = ([-math.pi, -0.5 * math.pi, 0.0, 0.5 * math.pi], [r"$-\pi$", r"$-\pi/2$", "0", r"$\pi/2$"])
_REGIMES = {RingRegime.homogeneous: "#e8eef4", RingRegime.bump: "#9cc3e0", RingRegime.divergent: "#f0d9d0"}
_ANGLE = r"preferred angle $\theta$ (rad)"


def bump(sol: Solution, *, record: str = "rate", ax: "Axes | None" = None) -> "Axes":
    """Draws the rates of a ring over time, as an image.

    **Arguments:** `sol`, a run of a `Ring` of one angle (`plot.sheet` is for two); `record`, the name of a `Trace` of
    all its units, at two times or more; `ax`, where to draw.

    **Returns:** the axes.

    Raises `ValueError` for a record that is no such trace, `ImportError` without matplotlib.

    ```python
    >>> import jaxneuro as jn
    >>> ax = jn.plot.bump(jn.simulate(jn.networks.ring(n=64), 0.0, 200.0, dt=1.0))

    ```
    """
    if not isinstance(sol, Solution):
        raise ValueError(f"`sol` has to be what `jn.simulate` returns; got {type(sol).__name__}.")
    if record not in sol.times:
        raise ValueError(
            f"`record` has to name a trace over time; got {told(record)}, there are {', '.join(sol.times)}."
        )
    rates, times = np.asarray(sol[record]), np.asarray(sol.times[record])
    if rates.ndim != 2 or times.size < 2:
        raise ValueError(f"`record` has to be a trace at two times or more; {record!r} has shape {rates.shape}.")
    axes = axes_or_new(ax, 6.0, 3.2)
    half = math.pi / rates.shape[1]
    theta = angles(rates.shape[1])
    extent = (times[0], times[-1], theta[0] - half, theta[-1] + half)
    image = axes.imshow(
        rates.T, origin="lower", aspect="auto", extent=extent, cmap="viridis", interpolation="nearest",
        vmin=min(0.0, float(rates.min())),
    )  # fmt: skip
    axes.set(xlabel="time (ms)", ylabel=_ANGLE)
    axes.set_yticks(*_INSIDE)
    axes.figure.colorbar(image, ax=axes, label="rate (units of the input)")
    return axes


def sheet(rates: ArrayLike, *, ax: "Axes | None" = None) -> "Axes":
    """Draws the rates of a sheet, a `Ring` of two angles, as an image.

    **Arguments:** `rates`, (n * n,), in the order of its units, such as the end of a run; `ax`, where to draw.

    **Returns:** the axes.

    Raises `ValueError` where the number of rates is no square, `ImportError` without matplotlib.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> theta = jn.Ring(24, j=[[0.0]]).angles()
    >>> ax = jn.plot.sheet(jnp.exp(jnp.cos(theta).sum(axis=-1)).ravel())

    ```
    """
    known = np.asarray(read_numbers(rates, "rates"))
    n = math.isqrt(known.size)
    if known.ndim != 1 or known.size == 0 or n * n != known.size:
        raise ValueError(f"`rates` has to be (n * n,), of a sheet; got shape {known.shape}.")
    axes = axes_or_new(ax, 4.2, 3.4)
    first, last = angles(n)[0] - math.pi / n, angles(n)[-1] + math.pi / n
    image = axes.imshow(
        known.reshape(n, n).T, origin="lower", extent=(first, last, first, last), cmap="viridis",
        interpolation="nearest", vmin=min(0.0, float(known.min())),
    )  # fmt: skip
    axes.set(xlabel=r"first angle $\theta$ (rad)", ylabel=r"second angle $\phi$ (rad)")
    axes.set_xticks(*_INSIDE)
    axes.set_yticks(*_INSIDE)
    axes.figure.colorbar(image, ax=axes, label="rate (units of the input)")
    return axes


def tuning(theta: ArrayLike, curves: dict[str, Any], *, ax: "Axes | None" = None) -> "Axes":
    """Draws rates over the angle, one curve each.

    **Arguments:** `theta` [rad], (n,), such as `ring.angles()`; `curves`, {label: rates (n,)}; `ax`, where to draw.

    **Returns:** the axes.

    Raises `ValueError` where there is no curve or one has another length, `ImportError` without matplotlib.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> theta = jnp.linspace(-3.14, 3.14, 100)
    >>> seen = {f"contrast {c:g}": jn.theory.ring_tuning(j0=-5.0, j1=1.5, i0=c, i1=c).rate(theta) for c in (1.0, 2.0)}
    >>> ax = jn.plot.tuning(theta, seen)

    ```
    """
    if not isinstance(curves, dict) or not curves:
        raise ValueError(f"`curves` has to be {{label: rates}}, one curve or more; got {told(curves)}.")
    x = np.asarray(read_numbers(theta, "theta"))
    axes = axes_or_new(ax, 4.6, 3.4)
    for index, (name, rates) in enumerate(curves.items()):
        y = np.asarray(read_numbers(rates, f"curves[{name!r}]"))
        if y.shape != x.shape:
            raise ValueError(f"`curves[{name!r}]` has shape {y.shape}; `theta` has {x.shape}.")
        look = {"color": COLOURS[index % len(COLOURS)], "linestyle": LINES[index % len(LINES)]}
        axes.plot(x, y, **look, label=name)
    axes.set(
        xlabel=r"angle from the stimulus, $\theta - \theta_0$ (rad)", ylabel="rate (units of the input)", ylim=(0, None)
    )
    axes.set_xticks(*_TICKS)
    axes.legend(frameon=False)
    return axes


def ring_diagram(
    *,
    j0: tuple[float, float] = (-10.0, 2.0),
    j1: tuple[float, float] = (0.0, 10.0),
    n: int = 200,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draws what a ring of threshold-linear units does over (J_0, J_1), by theory.

    **Arguments:** `j0`, `j1`: (low, high), without unit; `n`, points along each; `ax`, where to draw.

    **Returns:** the axes.

    Raises `ValueError` where an argument does not fit, `ImportError` without matplotlib.

    ```python
    >>> import jaxneuro as jn
    >>> ax = jn.plot.ring_diagram(n=50)

    ```
    """
    for name, ends in (("j0", j0), ("j1", j1)):
        if np.shape(ends) != (2,) or not ends[0] < ends[1]:
            raise ValueError(f"`{name}` has to be (low, high) with low below high; got {told(ends)}.")
    check_count("n", n, "a number of points of at least 2", least=2)
    axes = axes_or_new(ax, 4.8, 3.6)
    x, y = np.linspace(j0[0], j0[1], n), np.linspace(j1[0], j1[1], n)
    codes = np.asarray(ring_regime(j0=x[:, None], j1=y[None]))
    # The lines are known: J_1 = 2, J_0 = 1 below it, and the largest J_0 of a bump above it.
    above = np.linspace(max(2.0, j1[0]), max(2.0, j1[1]), n)
    edge = np.asarray(ring_bump(j0=0.0, j1=np.maximum(above, 2.0 + 1e-3), throw=False).most_j0)
    axes.set(facecolor=_REGIMES[RingRegime.divergent], xlim=j0, ylim=j1)
    axes.fill_between([min(j0[0], 1.0), 1.0], j1[0], 2.0, color=_REGIMES[RingRegime.homogeneous], linewidth=0)
    axes.fill_betweenx(above, j0[0], edge, where=edge > j0[0], color=_REGIMES[RingRegime.bump], linewidth=0)
    axes.plot([1.0, 1.0, min(j0[0], 1.0)], [min(j1[0], 2.0), 2.0, 2.0], "k", linewidth=1.0)
    axes.plot(edge, above, "k", linewidth=1.0)
    for regime in RingRegime:
        at = np.argwhere(codes == regime)
        if at.size:
            centre = at[np.argmin(np.sum((at - at.mean(axis=0)) ** 2, axis=1))]
            axes.text(x[centre[0]], y[centre[1]], regime.name, ha="center", va="center")
    axes.set(xlabel=r"mean of the kernel, $J_0$", ylabel=r"its modulation, $J_1$")
    return axes
