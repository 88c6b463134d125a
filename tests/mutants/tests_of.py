"""Which tests are to see a change in a module: those that speak of it, and those of its topic."""

import ast
import re
from pathlib import Path

# Folders of tests by package, the nearest first; a module's own file of tests comes before all.
TOPICS = {
    "_simulate": ("simulate", "learning", "doors"),
    "connectivity": ("connectivity", "simulate", "network"),
    "synapses": ("synapses", "simulate"),
    "models": ("models", "biophysics", "rates", "simulate"),
    "theory": ("theory", "rates", "formulas"),
    "_formulas": ("formulas", "theory"),
    "_fit": ("fit",),
}
PACKAGES = tuple(TOPICS)
# Files of tests that are run for a mutant, at the most.
MOST = 5


def names_of(source: str) -> list[str]:
    """What a module defines that a test may name."""
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return [n.name for n in nodes if not n.name.startswith("_")]


def tests_of(path: Path, root: Path) -> list[str]:
    """Files of tests for the module `path`, those that name most of what it defines first."""
    package = path.relative_to(root / "jaxneuro").parts[0]
    names = [re.compile(rf"\b{name}\b") for name in names_of(path.read_text())]
    stem = path.stem.strip("_")
    scored = []
    for rank, folder in enumerate(TOPICS[package]):
        for test in sorted((root / "tests" / folder).glob("test_*.py")):
            text = test.read_text()
            seen = sum(min(5, len(name.findall(text))) for name in names)
            own = 10 * (stem in test.stem or test.stem.removeprefix("test_") in stem)
            scored.append((-(seen + own), rank, str(test.relative_to(root))))
    scored.sort()
    named = [test for score, _, test in scored if score < 0][:MOST]
    return named or [test for _, _, test in scored[:MOST]]
