"""Rows of a report, and what they were measured on."""

import platform
from importlib import metadata
from pathlib import Path
from typing import NotRequired, TypedDict


class Row(TypedDict):
    """One comparison: `ratio` is peer / ours (above 1: ours is faster or smaller), None beside an absent peer.

    `ours` is None where the machine cannot measure it; then a note says why. `at` is where a figure draws the row.
    """

    what: str
    ours: float | None
    peer: float | None
    ratio: float | None
    unit: str
    ours_minimum: NotRequired[float]
    peer_minimum: NotRequired[float]
    note: NotRequired[str]
    at: NotRequired[dict[str, str | float]]


def compared(what: str, unit: str, ours: list[float], peer: list[float] | None, note: str = "") -> Row:
    """A row of medians and minima from interleaved rounds."""
    middle = median(ours)
    row = Row(what=what, ours=middle, peer=None, ratio=None, unit=unit, ours_minimum=min(ours))
    if peer:
        row["peer"], row["peer_minimum"] = median(peer), min(peer)
        row["ratio"] = row["peer"] / middle
    if note:
        row["note"] = note
    return row


def not_measured(what: str, unit: str, reason: str) -> Row:
    """A row whose measurement needs what this machine lacks."""
    return Row(what=what, ours=None, peer=None, ratio=None, unit=unit, note=f"not measured: {reason}")


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])


def versions() -> dict[str, str]:
    """Versions of what is imported on our side."""
    names = ("jaxneuro", "jax", "jaxlib", "equinox", "numpy")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def device() -> dict[str, str | int]:
    """The processor or accelerator, by name."""
    import os

    import jax

    first = jax.devices()[0]
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "platform": first.platform,
        "kind": first.device_kind,
        "processor": names[0] if names else platform.processor() or "unknown",
        "cores": os.cpu_count() or 0,
    }


def table(rows: list[Row]) -> str:
    """The rows as text."""

    def number(value: float | None, missing: str) -> str:
        return missing if value is None else f"{value:.4g}"

    lines = [f"{'what':58s} {'ours':>12s} {'peer':>12s} {'ratio':>8s}  unit"]
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.3g}"
        ours = number(row["ours"], "not measured")
        peer = number(row["peer"], "" if row["ours"] is None else "absent")
        lines.append(f"{row['what']:58s} {ours:>12s} {peer:>12s} {ratio:>8s}  {row['unit']}")
        if "note" in row:
            lines.append(f"    {row['note']}")
    return "\n".join(lines)
