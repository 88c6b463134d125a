"""The ledger of claims, which `make site` writes from the README and `docs`; `python docs/make_claims.py` prints it.

A claim is a sentence or a row of a table that names a command of the package and a number. The ledger says on which
page it stands, which command prints it, on which device its kept report was made, and which tests import what it runs.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Pages that are about how the project works.
LEFT_OUT = {"testing.md", "mutants.md", "dependencies.md"}
COMMAND = re.compile(r"`(?:python -m )((?:benchmarks|fitting)[\w. ]*?)(?: --?[\w-]+.*?| FILE.*?)?`")
SHORT = re.compile(
    r"\b(not (?:been )?(?:measured|run|reached|public)|falls? short|is the aim|the aim is)\b", re.IGNORECASE
)
NUMBER = re.compile(r"(?<![\w.`])\d[\d,]*(?:\.\d+)?")

HEAD = """# Ledger of claims

Written from the README and the other pages when the site is built, so that it is never behind them. Each row is a
sentence, or a row of a table, that states numbers beside the command that prints them. Numbers inside examples are not
here: every example is executed and compared (`tests/test_docstrings.py`).
"""


@dataclass(frozen=True)
class Claim:
    """One statement: the page, what it says, and the command that prints it."""

    page: str
    text: str
    command: str


def pages() -> list[Path]:
    return [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").glob("*.md")) if p.name not in LEFT_OUT)]


def claims() -> list[Claim]:
    """Every statement of the pages that holds a number and a command."""
    found = []
    for page in pages():
        name = str(page.relative_to(ROOT))
        for text in statements(page.read_text()):
            numbers = NUMBER.search(COMMAND.sub("", text))
            commands = list(dict.fromkeys(match.group(1).strip() for match in COMMAND.finditer(text)))
            found += [Claim(name, text, command) for command in commands if numbers]
    return found


def statements(text: str) -> list[str]:
    """Rows of tables and sentences, code left out."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found = []
    for block in re.split(r"\n\s*\n", text):
        lines = block.strip().splitlines()
        if lines and all(line.startswith("|") for line in lines):
            found += [line.strip("| ") for line in lines[2:]]
        else:
            joined = " ".join(line.strip().removeprefix("- ") for line in lines if not line.startswith("#"))
            found += re.split(r"(?<=[.:;)])\s+(?=[A-Z*`])", joined)
    return [statement for statement in found if statement]


def device(command: str) -> str:
    """Of the kept report of a benchmark: processor, cores and the version of JAX."""
    report = ROOT / "benchmarks" / "results" / f"{command.replace('.', ' ').split()[-1]}.json"
    if not command.startswith("benchmarks") or not report.exists():
        return "no report is kept"
    kept = json.loads(report.read_text())
    where, jax = kept.get("device", {}), kept.get("versions", {}).get("jax", "?")
    return f"{where.get('processor', where.get('kind', '?'))}, {where.get('cores', '?')} cores, JAX {jax}"


def guards(command: str) -> str:
    """The tests that import what the command runs."""
    package, _, name = command.replace(" ", ".").partition(".")
    used = re.compile(rf"from {package} import [^\n]*\b{name}\b|{package}\.{name}\b|from {package}\.{name}\b")
    tests = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if name and used.search(path.read_text())]
    return ", ".join(f"`{path.relative_to(ROOT / 'tests')}`" for path in tests[:3]) or "none: the command alone"


def ledger() -> str:
    """The page."""
    rows = ["| page | claim | command | device of the report | tests |", "| --- | --- | --- | --- | --- |"]
    for claim in claims():
        command, where = f"`python -m {claim.command}`", device(claim.command)
        rows.append(f"| {_link(claim.page)} | {_plain(claim.text)} | {command} | {where} | {guards(claim.command)} |")
    short = [f"- {_link(page)}: {_plain(text)}" for page, text in shortfalls()]
    return "\n".join([HEAD, *rows, "", "## What is known to fall short", "", *short, ""])


def shortfalls() -> list[tuple[str, str]]:
    """(page, statement) of what the pages say is not measured, not run or not reached."""
    found = []
    for page in pages():
        name = str(page.relative_to(ROOT))
        found += [(name, text) for text in statements(page.read_text()) if SHORT.search(text)]
    return found


def _link(page: str) -> str:
    return f"[{Path(page).stem}]({'../' if page == 'README.md' else ''}{Path(page).name})"


def _plain(text: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("|", "/").replace("**", "")


if __name__ == "__main__":
    sys.stdout.write(ledger())
