"""What XLA says of a program that it has compiled for a GPU: launches, loops, captured runs, bytes and operations.

Two texts are read: the sequence of what the host will launch, loop by loop (`thunk_sequence.txt` of an XLA dump, whose
`thunk_metadata.txt` has the names), and the program itself, for the sizes of what each kernel reads and writes.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# XLA puts runs of at least so many launches into one command buffer, and no loop (`xla_gpu_graph_min_graph_size`).
LEAST_CAPTURED = 5
_BYTES = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s64": 8, "u64": 8, "f64": 8}
_SHAPE = re.compile(r"\b([a-z]+\d*)\[([\d,]*)\]")
_INSTRUCTION = re.compile(r"\s*(?:ROOT )?%([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*?)\)(.*)")
_QUIET = {"parameter", "get-tuple-element", "tuple", "constant", "bitcast", "broadcast", "iota", "reshape", "transpose"}
_PARTS = {"dynamic-slice", "slice", "gather"}
_MANY_TO_ONE = {"reduce", "reduce-window", "dot", "sort", "scatter", "convolution"}
_COLLECTIVE = re.compile(r"\b(all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter)(?:-start)?\(")


@dataclass
class Launch:
    """Something that the host launches: a kernel, a copy, or a loop with what is in it."""

    name: str
    loop: bool
    turns: int | None = None
    """Of a loop; None where only the run tells, and the host has to read the condition in every turn."""
    condition: list["Launch"] = field(default_factory=list)
    body: list["Launch"] = field(default_factory=list)


def kernels(launches: list[Launch]) -> int:
    """Launches of one pass, a loop of known length counted turn by turn, another as one turn."""
    total = 0
    for one in launches:
        if not one.loop:
            total += 1
        elif one.turns is None:
            total += kernels(one.body) + 2 * kernels(one.condition)
        else:
            total += one.turns * kernels(one.body)
    return total


def captured(launches: list[Launch]) -> int:
    """Of these launches those in runs that are long enough for a command buffer, inner loops included."""
    total, run = 0, 0
    for one in [*launches, Launch("", True)]:
        if not one.loop:
            run += 1
            continue
        total += run if run >= LEAST_CAPTURED else 0
        total += (one.turns or 1) * captured(one.body) if one.name else 0
        run = 0
    return total


def waits(launches: list[Launch]) -> int:
    """Times that the host reads a condition in one pass, where loops of unknown length turn once."""
    total = 0
    for one in launches:
        if one.loop:
            total += (one.turns or 1) * waits(one.body) + (2 if one.turns is None else 0)
    return total


def loops(launches: list[Launch]) -> Iterator[Launch]:
    """All loops, an outer one before those inside."""
    for one in launches:
        if one.loop:
            yield one
            yield from loops(one.body)


def main_loop(launches: list[Launch]) -> Launch | None:
    """The outer loop in which most is launched, as far as it is known; a loop of unknown length counts as one turn."""
    outer = [one for one in launches if one.loop]
    return max(outer, key=lambda one: (one.turns or 1) * kernels(one.body), default=None)


def read_launches(sequence: str, metadata: str, program: str) -> list[Launch]:
    """The launches of a program in their order."""
    names = dict(re.findall(r'profile_annotation: "([^"]+)"\s+thunk_id: (\d+)', metadata))
    by_id = {int(number): name for name, number in names.items()}
    found = re.findall(r'%(while[\w.\-]*) = .*?known_trip_count":\{"n":"(\d+)"\}', program)
    turns = {name: int(n) for name, n in found}
    top: list[Launch] = []
    # The open loops: how far each is indented, and the list that is being filled.
    open_loops: list[tuple[int, Launch]] = []
    into = {-1: top}
    for line in sequence.splitlines():
        if line.strip() == "condition:":
            into[open_loops[-1][0]] = open_loops[-1][1].condition
            continue
        if line.strip() == "body:":
            at = len(line) - len(line.lstrip()) - 2
            open_loops = [one for one in open_loops if one[0] <= at]
            into[at] = open_loops[-1][1].body
            continue
        item = re.match(r"(\s*)(\d+): (k\w+)", line)
        if item is None:
            continue
        indent, loop = len(item.group(1)), item.group(3) == "kWhile"
        open_loops = [one for one in open_loops if one[0] < indent]
        name = by_id.get(int(item.group(2)), item.group(2))
        launch = Launch(name, loop, turns.get(name) if loop else None)
        into[open_loops[-1][0] if open_loops else -1].append(launch)
        if loop:
            open_loops.append((indent, launch))
    return top


@dataclass(frozen=True)
class Instruction:
    """A line of the program."""

    shape: str
    kind: str
    operands: tuple[str, ...]
    rest: str


@dataclass(frozen=True)
class Work:
    """What one launch moves and computes."""

    bytes: float = 0.0
    products: float = 0.0
    """Multiplications and additions of matrix products."""
    operations: float = 0.0
    """Elements of everything else."""


class Program:
    """The text of a compiled program, for the work of its launches."""

    def __init__(self, text: str):
        self._parts: dict[str, dict[str, Instruction]] = {}
        self._roots: dict[str, str] = {}
        self._where: dict[str, str] = {}
        for part in text.split("\n}\n"):
            head = re.search(r"^(?:ENTRY )?%([\w.\-]+) \(.*\{$", part, re.MULTILINE)
            if head is not None:
                self._read(head.group(1), part[head.end() :])
        self.collectives = len(_COLLECTIVE.findall(text))

    def _read(self, name: str, lines: str) -> None:
        own = self._parts[name] = {}
        for line in lines.splitlines():
            found = _INSTRUCTION.match(line)
            if found is None:
                continue
            label, shape, kind, operands, rest = found.groups()
            own[label] = Instruction(shape, kind, tuple(re.findall(r"%([\w.\-]+)", operands)), rest)
            self._where[label] = name
            if line.lstrip().startswith("ROOT"):
                self._roots[name] = label

    def work(self, name: str) -> Work:
        """What the instruction of this name moves and computes; nothing where it is not found."""
        part = self._parts.get(self._where.get(name, ""), {})
        one = part.get(name)
        if one is None:
            return Work()
        called = re.search(r"calls=%([\w.\-]+)", one.rest)
        if called is None or called.group(1) not in self._parts:
            moved = size(one.shape) + sum(size(part[x].shape) for x in one.operands if x in part)
            return Work(moved, _product(one, part))
        inner = self._parts[called.group(1)]
        written = self._written(called.group(1))
        # Element by element no more is computed, or read of an argument, than is written.
        whole = any(x.kind in _MANY_TO_ONE for x in inner.values())
        most = math.inf if whole else max(map(elements, written))
        products = sum(_product(x, inner) for x in inner.values())
        operations = sum(min(elements(x.shape), most) for x in inner.values() if x.kind not in _QUIET)
        return Work(sum(map(size, written)) + self._read_by(inner, most), products, operations)

    def _read_by(self, inner: dict[str, Instruction], most: float) -> float:
        """Bytes read: of an argument of which only parts are used, those, and of none more than `most` elements."""
        total = 0.0
        for name, one in inner.items():
            if one.kind != "parameter":
                continue
            users = [x for x in inner.values() if name in x.operands]
            if users and all(x.kind in _PARTS for x in users):
                total += sum(size(x.shape) for x in users)
            elif not all(x.kind == "dynamic-update-slice" and x.operands[0] == name for x in users):
                total += size(one.shape) * min(1.0, most / max(1.0, elements(one.shape)))
        return total

    def _written(self, part: str) -> list[str]:
        """The shapes that are written: where a part of an array is replaced, that part."""
        inner, root = self._parts[part], self._roots[part]
        labels = inner[root].operands if inner[root].kind == "tuple" else (root,)
        shapes = []
        for label in labels:
            one = inner[label]
            replaced = one.kind == "dynamic-update-slice" and one.operands[1] in inner
            shapes.append(inner[one.operands[1]].shape if replaced else one.shape)
        return shapes


def size(shape: str) -> float:
    """Bytes of an array, or of all arrays of a tuple."""
    return float(sum(_BYTES.get(kind, 4) * _count(dims) for kind, dims in _SHAPE.findall(shape)))


def elements(shape: str) -> float:
    """Numbers in an array, or in all arrays of a tuple."""
    return float(sum(_count(dims) for _, dims in _SHAPE.findall(shape)))


def _count(dims: str) -> int:
    return math.prod(int(n) for n in dims.split(",") if n)


def _product(one: Instruction, part: dict[str, Instruction]) -> float:
    """Twice the multiplications of a matrix product."""
    if one.kind not in ("dot", "custom-call") or not one.operands or one.operands[0] not in part:
        return 0.0
    if one.kind == "custom-call" and "gemm" not in one.rest and "cublas" not in one.rest:
        return 0.0
    summed = re.search(r'lhs_contracting_dim(?:s=\{|ensions":\[)"?([\d,]+)', one.rest)
    shape = _SHAPE.search(part[one.operands[0]].shape)
    if summed is None or shape is None:
        return 0.0
    dims = [int(n) for n in shape.group(2).split(",") if n]
    return 2.0 * elements(one.shape) * math.prod(dims[int(i)] for i in summed.group(1).split(",") if i)
