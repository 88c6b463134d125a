"""The pages of `docs` and the README: links lead somewhere, parts of one's own are short and public."""

import ast
import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_every_page_is_linked_from_the_readme():
    linked = set(re.findall(r"\]\(docs/([^)#\s]+)", (ROOT / "README.md").read_text()))
    linked |= set(re.findall(r"\]\(docs/([^)#\s]+)", (ROOT / "CONTRIBUTING.md").read_text()))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= linked


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 135


def parts_of_ones_own() -> list[tuple[str, str]]:
    """The code of each section of `docs/extending.md`, by its heading."""
    sections = (ROOT / "docs" / "extending.md").read_text().split("\n## ")[1:]
    examples = [(text.splitlines()[0], doctest.DocTestParser().get_examples(text)) for text in sections]
    return [(heading, "".join(example.source for example in code)) for heading, code in examples]


@pytest.mark.parametrize(("heading", "code"), parts_of_ones_own(), ids=[heading for heading, _ in parts_of_ones_own()])
def test_a_part_of_ones_own_is_short_and_public(heading, code):
    tree = ast.parse(code)
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 25, f"{node.name} of {heading!r} is longer than 25 lines"
    for node in ast.walk(tree):
        names = [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        private = [name for name in names if name.startswith("_") and not name.startswith("__")]
        assert not private, f"{heading!r} uses {private}, which is not public"
