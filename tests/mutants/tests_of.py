"""Which tests are to see a change: those that name what is changed, or what calls it, the nearest first."""

import ast
from collections import defaultdict, deque
from pathlib import Path

# Folders of tests by package, the nearest first; all others come after them.
TOPICS = {
    "_simulate": ("simulate", "learning", "doors"),
    "connectivity": ("connectivity", "simulate", "network"),
    "synapses": ("synapses", "simulate"),
    "models": ("models", "biophysics", "rates", "simulate"),
    "theory": ("theory", "rates", "formulas"),
    "_formulas": ("formulas", "theory"),
    "_fit": ("fit", "doors"),
}
PACKAGES = tuple(TOPICS)
Defined = ast.FunctionDef | ast.ClassDef


def words(node: ast.AST, meant: set[str]) -> set[str]:
    """The names in a piece of code that are among those `meant`, and what stands behind them and dots.

    A local variable and an attribute of it may have any name: they say nothing.
    """
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & meant
    return found | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and _root(n) in meant}


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _imported(tree: ast.Module) -> set[str]:
    taken = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom | ast.Import)]
    return {(alias.asname or alias.name).split(".")[0] for node in taken for alias in node.names}


def named(node: ast.AST) -> set[str]:
    """The names that a top-level statement defines."""
    if isinstance(node, Defined):
        return {node.name}
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def definitions(tree: ast.Module) -> dict[str, set[str]]:
    """The top-level names of a module, and the words that each is made of."""
    found, meant = defaultdict(set), _imported(tree).union(*map(named, tree.body))
    for node in tree.body:
        for name in named(node):
            found[name] |= words(node, meant)
        if isinstance(node, Defined):  # a rule of derivatives is a part of what it belongs to
            for of in {_root(decorator) for decorator in node.decorator_list} & found.keys():
                found[str(of)].add(node.name)
    return found


class Callers:
    """Who names whom in the package."""

    def __init__(self, root: Path):
        self.named_by = defaultdict(set)  # a name, with its file where it is private: the definitions that name it
        for path in sorted((root / "jaxneuro").rglob("*.py")):
            file = str(path.relative_to(root))
            for name, used in definitions(ast.parse(path.read_text())).items():
                for word in used - {name}:
                    self.named_by[_place(file, word)].add((file, name))

    def distances(self, file: str, name: str) -> dict[str, int]:
        """Steps from the definition to each public name that is made of it, through who names it."""
        seen, queue = {(file, name): 0}, deque([(file, name)])
        while queue:
            here = queue.popleft()
            for caller in self.named_by[_place(*here)] - seen.keys():
                seen[caller] = seen[here] + 1
                queue.append(caller)
        found = {}
        for (_, caller), steps in seen.items():
            found[caller] = min(steps, found.get(caller, steps))
        return found


def _place(file: str, name: str) -> tuple[str, str]:
    return (file if name.startswith("_") else "", name)


class Tests:
    """What each test speaks of, by its place `tests/theory/test_x.py::test_y`."""

    def __init__(self, root: Path):
        self.words = {}
        for path in sorted((root / "tests").rglob("test_*.py")):
            if path.is_relative_to(root / "tests" / "compat"):
                continue  # runs by itself, and never with the fast tests
            tree, file = ast.parse(path.read_text()), str(path.relative_to(root))
            known = definitions(tree)
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    arguments = {a.arg for a in [*node.args.args, *node.args.kwonlyargs]}
                    self.words[f"{file}::{node.name}"] = _closed(known[node.name] | arguments, known)

    def ranks(self, distances: dict[str, int], package: str) -> dict[str, float]:
        """A rank of each test that speaks of what is changed, 0 the nearest; other folders are three steps further."""
        near = {}
        for test, used in self.words.items():
            steps = [distances[word] for word in used & distances.keys()]
            if steps:
                near[test] = min(steps)
        nearest = min(near.values(), default=0)
        return {test: 2.0 * (steps - nearest) + self._far(test, package) for test, steps in near.items()}

    def _far(self, test: str, package: str) -> float:
        folder = test.split("/")[1]
        topics = TOPICS[package]
        return 0.5 * topics.index(folder) if folder in topics else 3.0


def _closed(used: set[str], known: dict[str, set[str]]) -> set[str]:
    """The words with those of the helpers and fixtures of the file that they name."""
    closed, left = set(used), list(used)
    while left:
        more = known.get(left.pop(), set()) - closed
        closed |= more
        left.extend(more)
    return closed


def definitions_at(path: Path, line: int) -> list[str]:
    """The top-level names that a line of a module belongs to."""
    for node in ast.parse(path.read_text()).body:
        if node.lineno <= line <= (node.end_lineno or 0):
            return sorted(named(node))
    return []
