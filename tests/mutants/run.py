"""Mutation tests: `python tests/mutants/run.py` (`make mutants`), explained in docs/testing.md.

A sample of small changes, of fixed seed, is made in a copy of the package, one at a time, and fast tests that speak of
the changed module are run until one fails. A process that has imported jax, and nothing of the package, forks for each.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from source import Mutant, mutants_of
from tests_of import PACKAGES, tests_of

ROOT = Path(__file__).resolve().parents[2]
SEED, LIMIT = 20261128, 180
# By the exit code of pytest: a failed test, or a module that cannot be imported any more; a broken run tells nothing.
OUTCOMES = {0: "survived", 1: "killed", 2: "killed"}
# jaxtyping is a plugin of pytest, and imported before: that it cannot be rewritten is no fault.
QUIET = ["-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
FAST = "not slow and not proof and not gpu"
WARM = "numpy scipy.special jax jax.numpy equinox optimistix lineax optax beartype jaxtyping pytest matplotlib.pyplot"


def sample(count: int) -> list[Mutant]:
    """The mutants of the sample: of each package a share of the size of its code."""
    every = []
    for package in PACKAGES:
        for path in sorted((ROOT / "jaxneuro" / package).rglob("*.py")):
            every += mutants_of(str(path.relative_to(ROOT)), path.read_text())
    return random.Random(SEED).sample(every, min(count, len(every)))


def copied(folder: Path) -> None:
    """What tests need of the repository."""
    ignored = shutil.ignore_patterns("__pycache__", "mutants")
    for name in ("jaxneuro", "tests", "docs", "fitting", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile"):
        shutil.copy(ROOT / name, folder)


def outcome(folder: Path, tests: list[str], limit: float) -> str:
    """ "killed", "survived" or "timeout": what the tests say of the package as it stands in `folder`."""
    child = os.fork()
    if child == 0:
        try:
            _test(folder, tests)
        finally:  # whatever happens, the child goes no further
            os._exit(3)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return OUTCOMES.get(os.waitstatus_to_exitcode(status), "broken")
        time.sleep(0.2)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def _test(folder: Path, tests: list[str]) -> None:
    os.setpgid(0, 0)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    os.chdir(folder)
    sys.path[:0] = [str(folder)]
    import pytest

    code = pytest.main(["-x", "-q", "-m", FAST, *QUIET, *tests])
    os._exit(int(code))


def judged(mutants: list[Mutant], done: dict[str, dict], write: Path, limit: float) -> None:
    """Runs the tests on each mutant that is not among those `done`, and writes a line for each."""
    for module in WARM.split():
        __import__(module)
    with tempfile.TemporaryDirectory() as name, write.open("a") as lines:
        folder = Path(name)
        copied(folder)
        for index, mutant in enumerate(mutants):
            if label(mutant) in done:
                continue
            target = folder / mutant.path
            source, begin = target.read_text(), time.monotonic()
            tests = tests_of(ROOT / mutant.path, ROOT)
            target.write_text(mutant.applied(source))
            try:
                found = outcome(folder, tests, limit)
            finally:
                target.write_text(source)
            row = {"mutant": label(mutant), "outcome": found, "seconds": round(time.monotonic() - begin, 1)}
            row |= {"diff": mutant.diff(source), "tests": tests}
            done[row["mutant"]] = row
            lines.write(json.dumps(row) + "\n")
            lines.flush()
            print(f"{index + 1}/{len(mutants)} {found:8s} {row['seconds']:6.1f} s  {row['mutant']}", flush=True)


def label(mutant: Mutant) -> str:
    """A name that stays while the line does."""
    return f"{mutant.path}:{mutant.line}:{mutant.begin} {mutant.old!r} -> {mutant.new!r}"


def report(mutants: list[Mutant], done: dict[str, dict]) -> str:
    """Counts, and every mutant that was not killed."""
    seen = [done[label(m)] for m in mutants if label(m) in done]
    counts = Counter(row["outcome"] for row in seen)
    told = counts["killed"] + counts["survived"]
    share = f"{counts['killed'] / told:.1%} of those that ended" if told else "none ended"
    lines = [f"{len(seen)} of {len(mutants)} mutants: {dict(counts)}, killed {share}."]
    for row in seen:
        if row["outcome"] != "killed":
            lines.append(f"\n{row['outcome']}: {row['mutant']}\n{row['diff']}")
    return "\n".join(lines)


def main() -> None:
    """Reads the options, runs what is left of the sample, prints the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=220, help="mutants in the sample, default 220")
    parser.add_argument("--most", type=int, help="judge at most so many now")
    parser.add_argument("--limit", type=float, default=LIMIT, help=f"seconds for one mutant, default {LIMIT}")
    parser.add_argument("--out", type=Path, default=ROOT / ".mutants.jsonl", help="results; a run goes on where it was")
    parser.add_argument("--list", action="store_true", help="print the sample and run nothing")
    options = parser.parse_args()
    mutants = sample(options.count)
    if options.list:
        print("\n".join(label(m) for m in mutants))
        return
    done = {}
    if options.out.exists():
        rows = [json.loads(line) for line in options.out.read_text().splitlines()]
        done = {row["mutant"]: row for row in rows}
    os.environ.setdefault("JAXNEURO_TEST_QUICK_COMPILE", "2")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    left = [m for m in mutants if label(m) not in done]
    judged(left[: options.most], done, options.out, options.limit)
    print(report(mutants, done))


if __name__ == "__main__":
    main()
