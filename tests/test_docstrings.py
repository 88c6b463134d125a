"""Every example in a docstring, in the README or in `docs` runs and prints what it says."""

import ast
import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def examples() -> list:
    """Name and text of each; those of the scaling laws belong to `make test`, the others to `make examples`."""
    found = []
    for path in sorted((ROOT / "jaxneuro").rglob("*.py")):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if ">>>" in source else ():
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node)
                if text and ">>>" in text:
                    found.append((f"{path.relative_to(ROOT)}:{getattr(node, 'name', 'module')}", text))
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    texts = [(str(page.relative_to(ROOT)), page.read_text()) for page in pages]
    found += [(name, text) for name, text in texts if ">>>" in text]
    return [
        pytest.param(*e, id=e[0], marks=[] if e[0].startswith("jaxneuro/laws") else pytest.mark.example) for e in found
    ]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("name", "text"), examples())
def test_example(name, text, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT if name.endswith(".md") else tmp_path)
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    report: list[str] = []
    failed = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append).failed
    assert failed == 0, "".join(report)
