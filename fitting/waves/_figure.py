"""Waves as images and as an animation, and what the sheets measure."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

import jaxneuro as jn

from ._balance import Balance
from ._waves import ASKED, Waves

STILLS = 6
Frames = Float[np.ndarray, "frames side side"]


def draw(found: Waves, balanced: Balance | None = None) -> Any:
    """Six moments of the sheet, measures beside those asked for, and the correlations of the balanced sheet."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(10, 6.4), layout="constrained")
    axes = figure.subplot_mosaic([list("abcdef"), list("mmmccc".replace("c", "g"))], height_ratios=(1.0, 1.3))
    step = max(len(found.frames) // (2 * STILLS), 1)
    smooth = _over_time(found.frames)
    for i, name in enumerate("abcdef"):
        axes[name].imshow(smooth[i * step], cmap="inferno", vmin=0.0, vmax=max(float(smooth.max()), 1e-9) * 0.7)
        axes[name].set(xticks=[], yticks=[], title=f"{0.5 * i * step:g} ms")
    axes["a"].set_ylabel(f"{found.side} x {found.side} sites")
    _measures(axes["m"], found)
    if balanced is None:
        axes["g"].set_axis_off()
    else:
        _limits(axes["g"], balanced)
    return figure


def _over_time(frames: Frames) -> Frames:
    """Spikes of the last 3 ms, the latest brightest."""
    shares = np.exp(-np.arange(6) / 2.0)
    return np.sum([share * np.roll(frames, k, axis=0) for k, share in enumerate(shares)], axis=0)[6:]


def _measures(ax: Any, found: Waves) -> None:
    colour, names = jn.plot.KIND_COLOURS["E"], list(ASKED)
    for i, name in enumerate(names):
        asked, margin, unit = ASKED[name]
        scale = asked or 1.0
        ax.barh(i, 2.0 * margin / scale, left=(asked - margin) / scale, height=0.7, color="0.85")
        ax.plot(found.measures[name] / scale, np.full(len(found.measures[name]), i), "o", ms=4, color=colour)
        ax.text(1.9, i, f"{found.measures[name].mean():.3g} {unit}", va="center", fontsize="small")
    ax.set(
        yticks=range(len(names)), yticklabels=names, xlim=(-0.2, 2.6), xlabel="measured over asked (the band is asked)"
    )
    ax.invert_yaxis()


def _limits(ax: Any, balanced: Balance) -> None:
    at = np.arange(2)
    for shift, rates, alpha, label in (
        (-0.2, balanced.limit, 0.45, "limit of many neurons"),
        (0.2, balanced.rate, 1.0, "run"),
    ):
        heights = [rates[name] for name in ("E", "I")]
        ax.bar(at + shift, heights, 0.4, color=[jn.plot.KIND_COLOURS[k] for k in "EI"], alpha=alpha, label=label)
    ax.set(
        xticks=at,
        xticklabels=["E", "I"],
        ylabel="rate (Hz)",
        title=f"balanced sheet, {balanced.side} x {balanced.side}",
    )
    ax.legend(frameon=False, fontsize="small")


def animate(found: Waves, path: Path) -> None:
    """Writes the frames as a GIF, twenty a second: a second of it is 10 ms of the sheet."""
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation, PillowWriter

    smooth = _over_time(found.frames)
    figure, ax = plt.subplots(figsize=(3.2, 3.4), layout="constrained")
    image = ax.imshow(smooth[0], cmap="inferno", vmin=0.0, vmax=max(float(smooth.max()), 1e-9) * 0.7)
    ax.set(xticks=[], yticks=[])

    def show(i: int) -> tuple[Any, ...]:
        image.set_data(smooth[i])
        ax.set_title(f"{0.5 * i:.1f} ms")
        return (image,)

    FuncAnimation(figure, show, frames=len(smooth)).save(path, writer=PillowWriter(fps=20), dpi=72)
    plt.close(figure)


def to_json(found: Waves | None, balanced: Balance | None = None) -> dict[str, Any]:
    """The measures as numbers, one a seed, those of near neurons, and those of the balanced sheet."""
    table: dict[str, Any] = {"balance": None if balanced is None else asdict(balanced)}
    if found is None:
        return table
    near = {"V": found.near.of_v, "counts": found.near.of_counts, "fano": found.near.fano}
    measures = {name: values.tolist() for name, values in found.measures.items()}
    return {"side": found.side, "measures": measures, "near": near} | table
