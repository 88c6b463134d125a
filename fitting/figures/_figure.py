"""What a figure is: what is computed, what is claimed of it, how it is drawn, and what it costs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class NotShown(AssertionError):
    """A claim that the computation does not bear out."""


@dataclass(frozen=True)
class Cost:
    """What a figure takes: seconds on two idle cores, compilation included, and memory."""

    seconds: float
    gigabytes: float

    def __str__(self) -> str:
        minutes = self.seconds / 60.0
        time = f"{minutes:.0f} min" if minutes < 120.0 else f"{minutes / 60.0:.0f} h"
        time = f"{self.seconds:.0f} s" if self.seconds < 100.0 else time
        return f"about {time} on two idle cores and {self.gigabytes:.1f} GB"


@dataclass
class Findings:
    """What was found, in sentences: claims that hold, and gaps that were measured."""

    lines: list[str] = field(default_factory=list)

    def claim(self, holds: Any, sentence: str) -> None:
        """Adds a claim; raises `NotShown` where it does not hold."""
        if not bool(holds):
            before = "".join(f"{line}\n" for line in self.lines)
            raise NotShown(f"{before}it is not so that {sentence}")
        self.lines.append(f"holds  {sentence}")

    def gap(self, sentence: str) -> None:
        """Adds a gap: how far theory, run and paper are apart."""
        self.lines.append(f"gap    {sentence}")

    def table(self, text: str) -> None:
        """Adds a table as it is."""
        self.lines.append(f"\n{text}\n")


@dataclass(frozen=True)
class Figure:
    """A figure: `draw(compute(size))` is a matplotlib figure, and `check` says what it shows.

    - `shows`: one line.
    - `small`, `paper`: the sizes of the default and of `--paper`; of theory they are one.
    - `cost(size)`: what it takes.
    - `not_run`: what of the paper's size was never run here; empty where all of it was.
    - `float64`: whether it needs float64; runs are in float32.
    """

    shows: str
    compute: Callable[[Any], Any]
    check: Callable[[Any], Findings]
    draw: Callable[[Any], Any]
    small: Any
    paper: Any
    cost: Callable[[Any], Cost]
    not_run: str = ""
    float64: bool = True
