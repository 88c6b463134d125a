"""Mutants of a source file: one small change each, as a piece of text that is replaced."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

SWAPS = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*",
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.And: "or", ast.Or: "and", ast.BitAnd: "|", ast.BitOr: "&",
}  # fmt: skip
NAMES = {
    "minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min", "any": "all", "all": "any",
    "sin": "cos", "cos": "sin", "exp": "expm1", "expm1": "exp", "log": "log1p", "log1p": "log", "floor": "ceil",
    "ceil": "floor", "argmin": "argmax", "argmax": "argmin", "zeros": "ones", "ones": "zeros",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """The text from `begin` to `end` of a file replaced by `new`."""

    path: str
    line: int
    begin: int
    end: int
    old: str
    new: str

    def applied(self, source: str) -> str:
        """The source with the change."""
        return source[: self.begin] + self.new + source[self.end :]

    def diff(self, source: str) -> str:
        """The line before and after."""
        first, last = source.rfind("\n", 0, self.begin) + 1, source.find("\n", self.end)
        before = source[first : last if last >= 0 else None]
        after = before[: self.begin - first] + self.new + before[self.end - first :]
        return f"- {before.strip()}\n+ {after.strip()}"


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All mutants of a file, in the order of its text; messages, annotations and docstrings are left alone."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(line: int, column: int) -> int:
        text = source[starts[line - 1] : starts[line]]
        return starts[line - 1] + len(text.encode()[:column].decode())

    found = []
    for node in _code(ast.parse(source)):
        for begin, end, new in _changes(node, source, place):
            line = source.count("\n", 0, begin) + 1
            found.append(Mutant(path, line, begin, end, source[begin:end], new))
    return sorted(found, key=lambda m: (m.begin, m.new))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute: no raised message, annotation, docstring or import."""
    if isinstance(node, ast.Raise | ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_text(child):
                yield from _code(child)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST, source: str, place) -> Iterator[tuple[int, int, str]]:
    def span(of) -> tuple[int, int]:
        return place(of.lineno, of.col_offset), place(of.end_lineno, of.end_col_offset)

    def between(left, right, operator) -> Iterator[tuple[int, int, str]]:
        begin, end = span(left)[1], span(right)[0]
        old = source[begin:end]
        token = old.strip().strip("()").strip()
        new = SWAPS.get(type(operator))
        if new and token and "\n" not in token and "#" not in token and old.count(token) == 1:
            yield begin + old.index(token), begin + old.index(token) + len(token), new

    if isinstance(node, ast.BinOp):
        yield from between(node.left, node.right, node.op)
    elif isinstance(node, ast.BoolOp):
        yield from between(node.values[0], node.values[1], node.op)
    elif isinstance(node, ast.Compare):
        yield from between(node.left, node.comparators[0], node.ops[0])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        begin, _ = span(node)
        yield begin, begin + (4 if isinstance(node.op, ast.Not) else 1), ""  # a bracket may follow, which stays
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        begin, end = span(node)
        yield begin, end, _other(node.value)
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        _, end = span(node)
        yield end - len(node.attr), end, NAMES[node.attr]
    elif isinstance(node, ast.IfExp):
        begin, end = span(node.test)
        yield begin, end, f"not ({source[begin:end]})"


def _other(value: float | bool) -> str:
    if isinstance(value, bool):
        return str(not value)
    return repr(value + 1) if value in (0, 1) or isinstance(value, int) else repr(2.0 * value)
