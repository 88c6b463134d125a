"""What `jn.explain` returns: a run as tables, before it is run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .._numerics import html_table


class PopulationPart(NamedTuple):
    """A population: the class of its model, and its parameters with their units."""

    name: str
    n: int
    model: str
    parameters: str


class ProjectionPart(NamedTuple):
    """A projection: `synapses` are expected, None of given weights; `nbytes` is what its wiring takes."""

    pre: str
    post: tuple[str, ...]
    synapse: str
    rule: str
    synapses: float | None
    weight: str
    delay: str
    delivery: str
    why: str
    nbytes: int


class DrivePart(NamedTuple):
    """A drive from outside."""

    targets: tuple[str, ...]
    drive: str


class Steps(NamedTuple):
    """The loop: `n` steps in `blocks` of `block` steps, and why these are as long; `turn` steps are done at once."""

    n: int
    block: int
    blocks: int
    turn: int
    why: str


class Memory(NamedTuple):
    """Memory [MB = 10^6 bytes] of a whole batch. There is one wiring, and one set of constants, for all of its runs.

    `gradient` is what the way back by `adjoint.Checkpoint()` keeps, None where there is no derivative.
    """

    wiring: float
    constants: float
    state: float
    records: float
    gradient: float | None


class Measured(NamedTuple):
    """What a brief run of `steps` steps took: seconds of `compiling`, and microseconds a step of a whole run and its
    parts, each by leaving it out after the ones before it: recorders, delivery, draws; `update` is what is left.

    Parts that a model does not have are None. A part that is shorter than the timing is uncertain may come out below 0.
    """

    steps: int
    compiling: float
    whole: float
    delivery: float | None
    draws: float | None
    update: float
    recorders: float


_MEMORY = {
    "wiring": "drawn or given once for the whole batch",
    "constants": "computed once before the loop",
    "state": "all that goes from step to step",
    "records": "of the default recorders",
    "gradient": "kept for the way back by `adjoint.Checkpoint()`",
}


@dataclass(frozen=True)
class Explanation:
    """A run before it is run: its parts, memory and loop, and how its spikes are delivered; printed as tables."""

    populations: tuple[PopulationPart, ...]
    projections: tuple[ProjectionPart, ...]
    drives: tuple[DrivePart, ...]
    memory: Memory
    steps: Steps
    t1: float
    dt: float
    batch: int
    platform: str
    precision: str
    measured: Measured | None = None

    def __str__(self) -> str:
        tables = [_text(title, header, rows) for title, header, rows in self._tables() if rows]
        return "\n\n".join(["\n".join(self._head()), *tables])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head, *notes = self._head()
        tables = [html_table(title, header, rows) for title, header, rows in self._tables() if rows]
        return "".join([html_table(head, (), (), notes), *tables])

    def _head(self) -> list[str]:
        runs = "One run" if self.batch == 1 else f"A batch of {self.batch:,} runs"
        own = self.steps
        head = [
            f"{runs} from 0 to {self.t1:g} ms in steps of {self.dt:g} ms, in {self.precision} on a {self.platform}.",
            f"{own.n:,} steps in {own.blocks:,} blocks of {own.block:,}: {own.why}.",
        ]
        if self.measured is not None:
            head.append(
                f"Compiling it took {self.measured.compiling:.2g} s; the times are of {self.measured.steps:,} steps."
            )
        return head

    def _tables(self) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
        """(title, header, rows) of each."""
        populations = [(p.name, f"{p.n:,}", p.model, p.parameters) for p in self.populations]
        projections, deliveries = [], []
        for p in self.projections:
            post, number = ", ".join(p.post), "given" if p.synapses is None else f"{p.synapses:,.0f}"
            projections.append((p.pre, post, p.synapse, p.rule, number, p.weight, p.delay))
            deliveries.append((p.pre, post, p.delivery, _megabytes(p.nbytes / 1e6), p.why))
        memory = []
        for name, value in self.memory._asdict().items():
            memory += [] if value is None else [(name, _megabytes(value), _MEMORY[name])]
        times = [] if self.measured is None else list(self.measured._asdict().items())[2:]
        return [
            ("Populations", ("name", "neurons", "model", "parameters"), populations),
            ("Projections", ("from", "onto", "synapse", "rule", "synapses", "weight", "delay"), projections),
            ("Drives", ("onto", "drive"), [(", ".join(d.targets), d.drive) for d in self.drives]),
            ("Delivery", ("from", "onto", "by", "MB", "because"), deliveries),
            ("Memory", ("of", "MB", "which is"), memory),
            ("Time", ("of", "us a step"), [(name, f"{value:.3g}") for name, value in times if value is not None]),
        ]


def _megabytes(value: float) -> str:
    return f"{value:,.1f}" if value >= 10.0 else f"{value:.3g}"


def _text(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of text, its columns as wide as what stands in them; the last is left as long as it is."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header) - 1)]
    padded = ["  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]]) for line in lines]
    return "\n".join([title, *(f"  {line}" for line in padded)])
