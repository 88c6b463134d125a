"""Every notebook fits the package as it is; with `make notebooks` each runs from start to end in its small size."""

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted((ROOT / "notebooks").glob("*.py"))
STRAY = {"set", "legend", "plot", "semilogy", "loglog", "axhline", "axvline", "bar", "hist", "set_title", "annotate"}
# The first, and the end of the fourth, repeat what other tests run; the column compiles for longer than all others.
NOTEBOOKS = [
    pytest.param(path, id=path.stem, marks=pytest.mark.proof if path.stem[:2] in ("01", "04", "08") else ())
    for path in PATHS
]  # fmt: skip


class Names(ast.NodeVisitor):
    """Looks every chain of names that begins at an import up, and asks each call whether it takes its arguments."""

    def __init__(self) -> None:
        self.known: dict[str, object] = {}
        self.calls = 0

    def value(self, node: ast.AST) -> object:
        """What a chain of names stands for; None where it does not begin at an import. A name that is gone raises."""
        if isinstance(node, ast.Name):
            return self.known.get(node.id)
        owner = self.value(node.value) if isinstance(node, ast.Attribute) else None
        return None if owner is None else getattr(owner, node.attr)

    def visit_Import(self, node: ast.Import) -> None:
        imported: dict[str, object] = {}
        exec(compile(ast.Module([node], []), "imports", "exec"), imported)
        self.known |= imported

    visit_ImportFrom = visit_Import

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        if isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Attribute):
            self.known[node.targets[0].id] = self.value(node.value)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self.value(node) is None:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        called = self.value(node.func)
        if not getattr(called, "__module__", "").startswith("jaxneuro"):
            return
        self.calls += 1
        given = [a for a in node.args if not isinstance(a, ast.Starred)]
        names = {k.arg: None for k in node.keywords if k.arg}
        whole = len(given) == len(node.args) and len(names) == len(node.keywords)
        # Arguments handed on with stars are known only in a run.
        signature = inspect.signature(called)
        (signature.bind if whole else signature.bind_partial)(*([None] * len(given)), **names)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_asks_for_what_there_is(path):
    names = Names()
    names.visit(ast.parse(path.read_text()))
    assert names.known["jn"].__name__ == "jaxneuro"
    assert names.calls > 5


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_cell_ends_with_what_prints_parts_of_a_figure(path):
    """What a method of axes returns, such as a legend, would be printed under the figure."""
    for cell in re.split(r"^# %%.*$", path.read_text(), flags=re.MULTILINE):
        body = ast.parse(cell).body
        last = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
        if isinstance(last, ast.Call) and isinstance(last.func, ast.Attribute):
            assert last.func.attr not in STRAY, f"write `_ = {ast.unparse(last)}`"


def test_what_is_gone_is_seen():
    for text, kind in (("jn.no_such_name(1)", AttributeError), ("jn.fit(no_such=1)", TypeError),
                       ("T = jn.theory\nT.no_such", AttributeError)):  # fmt: skip
        with pytest.raises(kind, match=r"no_such|missing"):
            Names().visit(ast.parse(f"import jaxneuro as jn\n{text}"))


@pytest.mark.slow
@pytest.mark.notebook
def test_the_first_half_of_the_last_notebook_runs(tmp_path):
    text = (ROOT / "notebooks" / "04_train_audit_trust.py").read_text()
    half, rest = text.split("# ## From one step to a horizon")
    assert "jn.audit_gradient(" in half
    assert "jn.train(" in half
    assert rest
    (tmp_path / "half.py").write_text(half)
    test_notebook_runs(tmp_path / "half.py")


@pytest.mark.slow
@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS)
def test_notebook_runs(path):
    environment = os.environ | {"MPLBACKEND": "Agg", "JAXNEURO_NOTEBOOK_SIZE": "small"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-W", "error::UserWarning:jaxneuro", path], env=environment, cwd=ROOT,
                          capture_output=True, text=True, timeout=900)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
