"""The house rules: imports point one way, importing does nothing, files stay small."""

import ast
import dataclasses
import importlib
import os
import re
import subprocess
import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path

import equinox as eqx
import pytest

import jaxneuro

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "jaxneuro"

# A module may import from its own layer's package and from every layer above it in this list.
LAYERS = [
    {"_numerics", "_late"},
    {"_formulas"},
    {"statistics", "surrogate", "reset", "learning", "transfer", "channels"},
    {"models", "synapses", "connectivity", "laws", "quantal"},
    {"_network"},
    {"_simulate", "theory"},
    {"analysis", "_fit", "_sweep", "_train", "recordings"},
    {"_exchange"},
    {"networks", "neurons", "plot", "io", "delivery", "_save"},
    {"update", "counts", "initial", "product", "loss", "optimiser", "bounds", "results"},
    {"extend"},
    {"cli"},
]


def layer_of(name: str) -> int:
    for index, names in enumerate(LAYERS):
        if name in names:
            return index
    raise AssertionError(f"{name} stands in no layer: add it to LAYERS")


def first_party_imports(path: Path) -> set[str]:
    """Top names of the package that `path` imports, absolute or relative, anywhere in the file."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    parents = list(parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            if node.level == 0:
                if node.module and node.module.split(".")[0] == "jaxneuro":
                    rest = node.module.split(".")[1:]
                    found |= {rest[0]} if rest else {alias.name for alias in node.names}
                continue
            base = parents[: len(parents) - (node.level - 1)]
            target = base + (node.module.split(".") if node.module else [])
            found |= {target[0]} if target else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("jaxneuro."):
                    found.add(alias.name.split(".")[1])
    return found


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in first_party_imports(path):
        if name == own:
            continue
        assert layer_of(name) < layer_of(own), f"{path.name} ({own}) imports {name}, which stands beside or below it"


def test_import_makes_no_array_and_sets_nothing():
    code = (
        "import jax, equinox, lineax, optax, optimistix; before = dict(jax.config.values); import jaxneuro; "
        "[getattr(jaxneuro, name) for name in dir(jaxneuro)]; "
        "assert {k: jax.config.values[k] for k in before} == before, 'the configuration changed'"
    )
    # No array is made: on a platform that there is none of the first one raises.
    environment = os.environ | {"JAX_PLATFORMS": "none_such"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=environment)


def test_what_jax_does_not_promise_stands_in_one_file():
    found = {"jax.interpreters": [], "jax._src": []}
    for folder in ("jaxneuro", "fitting", "benchmarks", "tests", "notebooks"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [ast.unparse(node)] if isinstance(node, ast.Attribute) else []
                for name, files in found.items():
                    if any(n == name or n.startswith(name + ".") for n in names):
                        files.append(str(path.relative_to(ROOT)))
    assert set(found["jax.interpreters"]) == {"jaxneuro/_numerics/_primitive.py"}
    assert not found["jax._src"]


@pytest.mark.parametrize(("old", "new"), jaxneuro._MOVED.items())
def test_a_moved_name_says_where_it_is_now(old, new):
    home, name = new.split(".")
    with pytest.warns(DeprecationWarning, match=rf"`jaxneuro.{old}` is now `jaxneuro.{new}`"):
        found = getattr(jaxneuro, old)
    assert found is getattr(getattr(jaxneuro, home), name)
    assert old not in dir(jaxneuro)


def test_files_stay_small():
    for folder in ("jaxneuro", "fitting", "benchmarks", "tests", "notebooks"):
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 400, f"{path} is over 400 lines: split it"


def test_no_two_files_of_tests_have_one_name():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names)), "pytest imports test files by name alone"


def test_functions_stay_small():
    for path in (p for folder in ("jaxneuro", "fitting", "benchmarks") for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert lines <= 60, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


def documented() -> list:
    """Every class and function of the package that has a docstring, with its file."""
    found = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                found.append((f"{path.relative_to(PACKAGE)}: {node.name}", ast.get_docstring(node)))
    return found


def test_docstrings_speak_one_dialect():
    sections = ("**Arguments", "**Returns:**", "\nRaises ", "\nDerivatives:", "```python", "\nSource")
    others = "Args|Arguments|Parameters|Returns?|Derivative modes|Examples?|Notes?"
    for name, text in documented():
        foreign = re.findall(rf"^\s*(?:{others}):", text, re.M)
        assert not foreign, f"{name} has {foreign[0].strip()}; the house writes **Arguments:**, **Returns:**"
        bold = set(re.findall(r"\*\*([A-Z]\w+)", text)) - {"Arguments", "Returns", "Records"}
        assert not bold, f"{name} has the heading {bold}; Raises, Derivatives and Source are plain"
        assert not re.search(r"\bdoi:? 10\.|doi\.org", text), f"{name}: a source is written doi:10.xxxx"
        places = [place for place in (text.find(section) for section in sections) if place >= 0]
        assert places == sorted(places), f"{name}: arguments, returns, raises, derivatives, example, source"
        assert ">>>" not in text or "```python\n>>>" in text, f"{name}: an example stands between fences"


def test_no_private_name_crosses_files():
    for path in (p for folder in ("jaxneuro", "fitting") for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                private = [a.name for a in node.names if a.name.startswith("_") and not a.name.startswith("__")]
                assert not private, (
                    f"{path.relative_to(ROOT)} imports {private} from {node.module}: name it publicly there"
                )


def is_of_python(kind: object) -> bool:
    """Whether an annotation is of names, numbers, and truth values of Python alone."""
    if kind in (str, int, float, bool, types.NoneType, ...):
        return True
    holds = typing.get_origin(kind) in (tuple, dict, Mapping, typing.Union, types.UnionType)
    return holds and all(map(is_of_python, typing.get_args(kind)))


# What is handed out after a run or a search, and goes into no program.
HANDED_OUT = {"PopulationMean", "Boundary", "FieldInstability"}


def test_what_is_no_array_is_part_of_the_program():
    """Else it is a leaf, which a transformation takes from Python, and which `jax.jit` refuses where it is text."""
    described = {"_network", "_simulate", "channels", "connectivity", "models", "surrogate", "synapses", "theory"}
    for path in modules():
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] in described and parts[-1] != "__init__":
            importlib.import_module(".".join(("jaxneuro", *parts)))
    seen, left = 0, [eqx.Module]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.__module__.partition(".")[2].split(".")[0] in described:
            own = [field for field in dataclasses.fields(kind) if is_of_python(field.type)]
            seen += len(own)
            loose = [field.name for field in own if not field.metadata.get("static")]
            assert not loose or kind.__name__ in HANDED_OUT, f"{kind.__name__}: {loose} need eqx.field(static=True)"
    assert seen > 150
