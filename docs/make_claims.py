"""The ledger of claims, which `make site` writes from the README and `docs`; `python docs/make_claims.py` prints it.

A claim is a sentence or a row of a table that states a number; its command is the one that it names, or the nearest of
its paragraph, or of a table that above the table. The ledger says on which page it stands, which command prints it, on
which device and when, and which tests import what it runs. Numbers of no command are listed too, so that none is left
out.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Pages that are about how the project works.
LEFT_OUT = {"testing.md", "mutants.md", "dependencies.md"}
COMMAND = re.compile(r"`(?:python -m )((?:benchmarks|fitting)[\w. ]*?)(?: --?[\w-]+.*?| FILE.*?)?`")
SHORT = re.compile(
    r"\b(not (?:been )?(?:measured|run|reached|public|compared)|falls? short|miss(?:es)?|is the aim|the aim is)\b",
    re.IGNORECASE,
)
NUMBER = re.compile(r"(?<![\w.`])\d[\d,]*(?:\.\d+)?")

HEAD = """# Ledger of claims

Written from the README and the other pages when the site is built, so that it is never behind them. Each row is a
sentence, or a row of a table, that states numbers, with the command that prints them. The date is that of the kept
report of the command, and where none is kept that of the last change of the line that names the command. Numbers
inside examples are not here: every example is executed and compared (`tests/test_docstrings.py`).
"""

REST = """
## Numbers that no command prints

Units and sizes of what is described, choices and defaults, what a paper or another package says: no results of ours.
"""


@dataclass(frozen=True)
class Claim:
    """One statement: the page, what it says, and the command that prints it, empty where none does."""

    page: str
    text: str
    command: str


def pages() -> list[Path]:
    return [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").glob("*.md")) if p.name not in LEFT_OUT)]


def claims() -> list[Claim]:
    """Every statement of the pages that holds a number, once for each of its commands."""
    found = []
    for page in pages():
        name = str(page.relative_to(ROOT))
        for text, commands in attributed(page.read_text()):
            if NUMBER.search(COMMAND.sub("", text)):
                found += [Claim(name, text, command) for command in commands or [""]]
    return found


def attributed(text: str) -> list[tuple[str, list[str]]]:
    """(statement, its commands): those that it names, else the next of its paragraph, else the last before it."""
    found: list[tuple[str, list[str]]] = []
    above: list[str] = []
    for block in _blocks(text):
        said = statements(block)
        own = [_commands(one) for one in said]
        is_table = block.startswith("|")
        for i, one in enumerate(said):
            near = [*own[i:], *own[:i][::-1]] if not is_table else [own[i], above]
            found.append((one, next(filter(None, near), [])))
        if not is_table:
            above = next(filter(None, own[::-1]), [])
    return found


def _commands(text: str) -> list[str]:
    return list(dict.fromkeys(match.group(1).strip() for match in COMMAND.finditer(text)))


def _blocks(text: str) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]


def statements(text: str) -> list[str]:
    """Rows of tables and sentences, code left out."""
    found = []
    for block in _blocks(text):
        lines = block.splitlines()
        if lines and all(line.startswith("|") for line in lines):
            found += [line.strip("| ") for line in lines[2:]]
        else:
            joined = " ".join(line.strip().removeprefix("- ") for line in lines if not line.startswith("#"))
            found += re.split(r"(?<=[.:;)])\s+(?=[A-Z*`])", joined)
    return [statement for statement in found if statement]


def device(claim: Claim) -> str:
    """Of the kept report of a benchmark: processor, cores and the version of JAX."""
    report = _report(claim.command)
    if report is None:
        return (
            "GPU, no report is kept"
            if re.search(r"\bon (?:an?|one) (?:GPU|H200)", claim.text)
            else "CPU, no report is kept"
        )
    kept = json.loads(report.read_text())
    where, jax = kept.get("device", {}), kept.get("versions", {}).get("jax", "?")
    return f"{where.get('processor', where.get('kind', '?'))}, {where.get('cores', '?')} cores, JAX {jax}"


def date(claim: Claim) -> str:
    """Of the kept report, else of the line of the page that names the command, as git tells; empty without git."""
    report = _report(claim.command)
    if report is not None:
        return _git("log", "-1", "--format=%as", "--", str(report))
    lines = _git("blame", "--date=short", "--", claim.page)
    name = claim.command.split(" --")[0]
    days = [
        found.group() for line in lines.splitlines() if name in line and (found := re.search(r"\d{4}-\d\d-\d\d", line))
    ]
    return max(days, default="")


@cache
def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _report(command: str) -> Path | None:
    report = ROOT / "benchmarks" / "results" / f"{command.replace('.', ' ').split()[-1]}.json" if command else ROOT
    return report if command.startswith("benchmarks") and report.exists() else None


def guards(command: str) -> str:
    """The tests that import what the command runs."""
    package, _, name = command.replace(" ", ".").partition(".")
    used = re.compile(rf"from {package} import [^\n]*\b{name}\b|{package}\.{name}\b|from {package}\.{name}\b")
    tests = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if name and used.search(path.read_text())]
    return ", ".join(f"`{path.relative_to(ROOT / 'tests')}`" for path in tests[:3]) or "none: the command alone"


def ledger() -> str:
    """The page."""
    rows = ["| page | claim | command; device; date; tests that import it |", "| --- | --- | --- |"]
    rest = ["| page | statement |", "| --- | --- |"]
    for claim in claims():
        if not claim.command:
            rest.append(f"| {_link(claim.page)} | {_plain(claim.text)} |")
            continue
        told = f"`python -m {claim.command}`; {device(claim)}; {date(claim)}; {guards(claim.command)}"
        rows.append(f"| {_link(claim.page)} | {_plain(claim.text)} | {told} |")
    short = [f"- {_link(page)}: {_plain(text)}" for page, text in shortfalls()]
    return "\n".join([HEAD, *rows, "", "## What is known to fall short", "", *short, REST, *rest, ""])


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
