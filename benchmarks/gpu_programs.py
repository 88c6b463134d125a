"""Programs compiled for an H100 and an H200 without one: launches, loops that wait for the host, memory, an estimate.

XLA compiles for a card that it is only told of, in an environment of its own: `make gpu-compiler` makes it (5.5 GB). Of
each program the launches of one turn of its main loop (of a network: one block of steps) are counted, how many of them
XLA's rule puts into command buffers, and how often the host has to wait for a condition. The estimate adds up, launch
by launch, the longest of what it takes to launch, to move its bytes and to compute; a loop of unknown length counts as
one turn. Nothing here has run on a GPU.
"""

import os
import sys
from typing import Any

from ._gpu_cases import CASES
from ._report import Row, not_measured
from ._worker import worker_or_none

CARDS = ("h200", "h100")


def _row(name: str, card: str, found: dict[str, Any]) -> Row:
    note = f"compiled for an {card.upper()}, not run; " + "; ".join(
        [
            f"{found['captured']} of them captured, {found['waits']} waits for the host a turn",
            f"loops {found['loops'] or 'none'}",
            f"{found['temporaries'] / 1e6:,.1f} MB of temporaries, {found['arguments'] / 1e6:,.1f} MB of arguments",
            f"estimate {found['turn'] * 1e6:,.0f} us a turn, {found['seconds']:.3g} s for {found['what']}",
        ]
    )
    note += f"; {found['collectives']} collectives" if found["devices"] > 1 else ""
    return Row(what=name, ours=float(found["kernels"]), peer=None, ratio=None, unit="launches a turn", note=note)


def run(names: tuple[str, ...] = (), cards: tuple[str, ...] = CARDS, small: bool = False) -> list[Row]:
    """`names` of cases, all by default, or those of the variable JAXNEURO_GPU_PROGRAMS, divided by semicolons.

    `small` takes small networks, whose programs have the same launches and compile sooner. Raises `ValueError` where a
    case or a card is not known.
    """
    asked = os.environ.get("JAXNEURO_GPU_PROGRAMS", "")
    names = names or tuple(name.strip() for name in asked.split(";") if name.strip()) or tuple(CASES)
    for name in names:
        if name not in CASES:
            raise ValueError(f"`names` has to hold programs of {', '.join(CASES)}; got {name!r}.")
    for card in cards:
        if card not in CARDS:
            raise ValueError(f"`cards` has to hold cards of {', '.join(CARDS)}; got {card!r}.")
    worker = worker_or_none("gpu_programs", "gpu")
    if worker is None:
        return [not_measured(name, "launches a turn", "no compiler; `make gpu-compiler` makes it") for name in names]
    rows = []
    for name in names:
        for card in cards:
            rows.append(_row(name, card, worker.ask(name=name, card=card, small=small)))
            print(rows[-1]["what"], rows[-1]["note"], file=sys.stderr)
    worker.close()
    return rows
