"""Engine and theory ask what a thing can do, not which type it is; what would ask in disguise is seen too."""

import ast
import builtins
import importlib
import re
from pathlib import Path

import pytest

import jaxneuro

PACKAGE = Path(jaxneuro.__file__).parent

# Descriptions that are run and solved, whatever is in them, and what a part of one's own hands over.
DESCRIPTIONS = {"Network", "BinaryNetwork", "Population", "Wiring", "Received", "Firing", "Watch"}
# What the entry check of a call about one model may ask for.
ABOUT_ONE_MODEL = {
    "theory/_energy.py": {"RateNetwork"},
    "theory/_linear_network.py": {"Linear", "RateNetwork"},
    "theory/_ring_motion.py": {"Ring"},
}
# What a file may make and hand on, but not ask for: a default, or the neuron and the calculus that the file is about.
MADE = {
    "_simulate/_explain.py": {"Triangular"},
    "_simulate/record/_spectrum.py": {"Hann"},
    "theory/_conductance_neuron.py": {"ConstantWeight", "DeltaConductance", "LIF"},
    "theory/_ito_noise.py": {"Ito"},
    "theory/_stratonovich_noise.py": {"Stratonovich"},
}
FOREIGN = {"Mapping", "Iterable", "Callable", "Sequence", "Tracer"}
# Asks in disguise.
FORBIDDEN = {
    "hasattr",
    "issubclass",
    "singledispatch",
    "singledispatchmethod",
    "__mro__",
    "__bases__",
    "__subclasses__",
}
FILES = sorted(path for folder in ("_simulate", "theory") for path in (PACKAGE / folder).rglob("*.py"))
# What hands a solution to other libraries asks what the records are; it is no part of the engine.
FILES = [path for path in FILES if path.parent.name != "_exchange"]


def single_types(types: ast.expr) -> list[ast.expr]:
    """The single types of the second argument of `isinstance`."""
    if isinstance(types, ast.BinOp):
        return single_types(types.left) + single_types(types.right)
    return [x for one in types.elts for x in single_types(one)] if isinstance(types, ast.Tuple) else [types]


def is_no_kind(one: ast.expr) -> bool:
    """Whether a type is abstract, of Python or of another package, and not one kind of model among others."""
    if isinstance(one, ast.Name):
        return one.id.startswith("Abstract") or hasattr(builtins, one.id) or one.id in FOREIGN | DESCRIPTIONS
    if isinstance(one, ast.Attribute):
        return ast.unparse(one).split(".")[0] in {"np", "jax", "numbers", "functools"}
    return isinstance(one, ast.Constant) and one.value is None


def entry_checks(tree: ast.AST) -> set[ast.AST]:
    """The questions `not isinstance(...)` that are answered by an error at once."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
            for inner in ast.walk(node.test):
                if isinstance(inner, ast.UnaryOp) and isinstance(inner.op, ast.Not):
                    found.add(inner.operand)
    return found


def is_concrete_kind(kind: object) -> bool:
    """Whether something is a class of the house that is one kind of an abstract class."""
    bases = kind.__mro__[1:] if isinstance(kind, type) else ()
    own = getattr(kind, "__name__", "")
    return not own.startswith("Abstract") and any(base.__name__.startswith("Abstract") for base in bases)


def kinds_imported(tree: ast.AST, place: tuple[str, ...]) -> list[str]:
    """Concrete classes of other packages of the house that a file at `place` imports, by their name there."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "jaxneuro"]
        if not isinstance(node, ast.ImportFrom) or not (node.level or (node.module or "").startswith("jaxneuro")):
            continue
        parents = ("jaxneuro", *place[:-1])[: len(place) - node.level + 1] if node.level else ()
        home = ".".join((*parents, *filter(None, [node.module])))
        for alias in node.names:
            thing = getattr(importlib.import_module(home), alias.name, None)
            if thing is None or isinstance(thing, type(ast)):  # a whole module, in which every class stands
                found += [alias.name] if home == "jaxneuro" else []
            elif is_concrete_kind(thing) and alias.name not in DESCRIPTIONS and home.split(".")[1] != place[0]:
                found.append(alias.asname or alias.name)
    return found


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


# A question that bears the name of a class, `model.is_lif()`; whether something is linear is no class.
FLAGS = {
    f"{verb}_{snake(name)}"
    for home in ("models", "synapses", "connectivity")
    for name, thing in vars(importlib.import_module(f"jaxneuro.{home}")).items()
    if is_concrete_kind(thing)
    for verb in ("is", "as")
} - {"is_linear"}


def is_told(node: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
    """Whether the name of a type goes into a sentence, and nothing is decided by it."""
    name = above[node]
    seen, up = [], above.get(name)
    while up is not None and not isinstance(up, ast.stmt):
        seen.append(up)
        up = above.get(up)
    decides = any(isinstance(x, ast.Compare | ast.Subscript | ast.Dict | ast.IfExp) for x in seen)
    return isinstance(name, ast.Attribute) and name.attr == "__name__" and (not decides) and in_sentence(seen)


def in_sentence(above: list[ast.AST]) -> bool:
    return any(isinstance(x, ast.JoinedStr) for x in above)


def asks(source: str, place: tuple[str, ...], about: frozenset = frozenset(), made: frozenset = frozenset()) -> list:
    """What in a file asks which type a thing is, with the line."""
    tree, found = ast.parse(source), []
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    checks = entry_checks(tree)

    def fault(node: ast.AST, what: str) -> None:
        found.append(f"{'/'.join(place)}:{getattr(node, 'lineno', 0)} {what}: ask what it can do")

    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        if isinstance(node, ast.alias):
            name = node.name
        if name in FORBIDDEN or isinstance(node, ast.Match):
            fault(node, f"{name or 'match'}")
        if isinstance(node, ast.Attribute) and node.attr in FLAGS:
            fault(node, f"`{node.attr}` stands for a class")
        if isinstance(node, ast.ExceptHandler) and (
            node.type is None
            or {"AttributeError", "TypeError", "Exception"} & set(re.findall(r"\w+", ast.unparse(node.type)))
        ):
            fault(node, "an exception in place of a question")
        if isinstance(node, ast.Attribute) and node.attr == "__class__" and not is_told(node, above):
            fault(node, "`__class__`")
        if isinstance(node, ast.Name) and node.id in {"isinstance", "type", "getattr"}:
            call = above[node]
            if not isinstance(call, ast.Call) or call.func is not node:
                fault(node, f"`{node.id}` by another name")
            elif node.id == "type" and not is_told(call, above):
                fault(node, "`type`")
            elif node.id == "getattr" and (len(call.args) > 2 or isinstance(call.args[1], ast.Constant)):
                fault(node, "`getattr` of what may not be there")
            elif node.id == "isinstance":
                kinds = {ast.unparse(one) for one in single_types(call.args[1]) if not is_no_kind(one)}
                if not kinds <= (about if call in checks else frozenset()):
                    fault(node, f"isinstance of {sorted(kinds)}")
    for kind in kinds_imported(tree, place):
        if kind not in about | made:
            fault(tree, f"imports {kind}")
        for node in ast.walk(tree):
            if kind in made and isinstance(node, ast.Name) and node.id == kind:
                call = above[node]
                makes = isinstance(call, ast.Call) and call.func is node
                if not makes and not (isinstance(call, ast.FunctionDef) and call.returns is node):
                    fault(node, f"{kind} is named, not made")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_engine_and_theory_ask_what_a_thing_can_do(path):
    """Not which type it is: no concrete class is asked for or imported, but in an entry check."""
    if path.name == "__init__.py":  # hands names on
        return
    name = str(path.relative_to(PACKAGE))
    about, made = frozenset(ABOUT_ONE_MODEL.get(name, ())), frozenset(MADE.get(name, ()))
    found = asks(path.read_text(), path.relative_to(PACKAGE).parts, about, made)
    assert not found, "\n".join(found)


CHEATS = {
    "isinstance": "def f(model):\n    return 1 if isinstance(model, LIF) else 2",
    "isinstance of several": "def f(model):\n    return isinstance(model, Mapping | LIF)",
    "isinstance of a list of kinds": "KINDS = (LIF, EIF)\ndef f(model):\n    return isinstance(model, KINDS)",
    "isinstance through a module": "def f(model):\n    return isinstance(model, models.LIF)",
    "isinstance by another name": "ask = isinstance",
    "an entry check of a kind": "def f(model):\n    if not isinstance(model, LIF):\n        raise ValueError",
    "type": "def f(model):\n    return type(model) is LIF",
    "the name of a type": "def f(model):\n    return type(model).__name__ == 'LIF'",
    "the name of a type in a sentence": "def f(model):\n    return f'{type(model).__name__}' == 'LIF'",
    "a table by type": "def f(model):\n    return TABLE[type(model)](model)",
    "__class__": "def f(model):\n    return model.__class__ == LIF",
    "match": "def f(model):\n    match model:\n        case LIF():\n            return 1",
    "singledispatch": "from functools import singledispatch",
    "singledispatch of a module": "import functools\n@functools.singledispatch\ndef f(model): ...",
    "hasattr": "def f(model):\n    return hasattr(model, 'tau_m')",
    "getattr with a default": "def f(model):\n    return getattr(model, 'tau_m', None)",
    "a try": "def f(model):\n    try:\n        return model.tau_m\n    except AttributeError: ...",
    "issubclass": "def f(kind):\n    return issubclass(kind, LIF)",
    "__mro__": "def f(kind):\n    return kind.__mro__",
    "a flag": "def f(model):\n    return model.is_poisson()",
    "an import": "from ..models import LIF",
    "an import by an abstract name": "from ..models import LIF as AbstractLIF",
    "an import of the package": "from .. import models",
    "an absolute import": "from jaxneuro.models import LIF",
    "the package": "import jaxneuro.models",
}


@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS)
def test_what_asks_in_disguise_is_seen(source):
    assert asks(source, ("theory", "_example.py"))


def test_what_a_file_makes_it_may_not_ask_for():
    place, made = ("theory", "_example.py"), frozenset({"LIF"})
    source = "from ..models import LIF\ndef f(m) -> LIF:\n    return LIF()"
    assert not asks(source, place, made=made)
    assert asks(source + "\ndef g(m):\n    return m in (LIF,)", place, made=made)
    assert asks(source + "\ndef g(m):\n    if not isinstance(m, LIF):\n        raise ValueError", place, made=made)


def test_an_entry_check_answers_by_an_error():
    place, about = ("theory", "_example.py"), frozenset({"Ring"})
    source = "from ..models import Ring\ndef f(ring):\n    if not isinstance(ring, Ring):\n        "
    assert not asks(source + "raise ValueError(f'got {type(ring).__name__}')", place, about=about)
    assert asks(source + "return 0.0", place, about=about)
