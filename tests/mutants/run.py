"""Mutation tests: `python tests/mutants/run.py` (`make mutants`), explained in docs/mutants.md.

A sample of small changes, of fixed seed, is judged by the fast tests that speak of what is changed, one at a time.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from judge import Judge, Limits
from source import Mutant, mutants_of
from tests_of import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261128


def sample(count: int) -> list[Mutant]:
    """The mutants of the sample: of each package a share of the size of its code."""
    every = []
    for package in PACKAGES:
        for path in sorted((ROOT / "jaxneuro" / package).rglob("*.py")):
            every += mutants_of(str(path.relative_to(ROOT)), path.read_text())
    return random.Random(SEED).sample(every, min(count, len(every)))


def label(mutant: Mutant) -> str:
    """A name that stays while the line does."""
    return f"{mutant.path}:{mutant.line}:{mutant.begin} {mutant.old!r} -> {mutant.new!r}"


def judged(mutants: list[Mutant], done: dict[str, dict], write: Path, limits: Limits) -> None:
    """Runs tests on each of the mutants, and writes a line for each."""
    costs = {test: cpu for row in done.values() for test, cpu in row["costs"].items()}
    os.chdir(ROOT)
    judge = Judge(ROOT, costs, limits)
    with tempfile.TemporaryDirectory() as folder:
        for index, mutant in enumerate(mutants, start=1):
            begin, source = time.monotonic(), (ROOT / mutant.path).read_text()
            row = {"mutant": label(mutant), "diff": mutant.diff(source)} | judge.outcome(mutant, Path(folder))
            row["seconds"] = round(time.monotonic() - begin, 1)
            done[row["mutant"]] = row
            with write.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            told = f"{row['outcome']:8s} {row['cpu']:6.1f} s  {row['mutant']}  {row['by'] or ''}"
            print(f"{index}/{len(mutants)} {told}", flush=True)


def report(mutants: list[Mutant], done: dict[str, dict]) -> str:
    """Counts, and every mutant that was not killed."""
    seen = [done[label(m)] for m in mutants if label(m) in done]
    counts = Counter(row["outcome"] for row in seen)
    told = counts["killed"] + counts["survived"]
    share = f"{counts['killed'] / told:.1%} of those that ended" if told else "none ended"
    lines = [f"{len(seen)} of {len(mutants)} mutants: {dict(counts)}, killed {share}."]
    for row in seen:
        if row["outcome"] != "killed":
            reached = f"{row['reached']} tests came there, {row['cpu']:.0f} s"
            lines.append(f"\n{row['outcome']}: {row['mutant']}, {reached}\n{row['diff']}")
    return "\n".join(lines)


def main() -> None:
    """Reads the options, runs what is left of the sample, prints the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=220, help="mutants in the sample, default 220")
    parser.add_argument("--most", type=int, help="judge at most so many now")
    parser.add_argument("--seconds", type=float, default=15.0, help="CPU seconds of tests that come to a change")
    parser.add_argument("--again", action="store_true", help="judge once more those that were not killed")
    parser.add_argument("--out", type=Path, default=ROOT / ".mutants.jsonl", help="results; a run goes on where it was")
    parser.add_argument("--list", action="store_true", help="print the sample and run nothing")
    parser.add_argument("--report", action="store_true", help="print the results and run nothing")
    options = parser.parse_args()
    mutants = sample(options.count)
    if options.list:
        print("\n".join(label(m) for m in mutants))
        return
    done = {}
    if options.out.exists():
        rows = [json.loads(line) for line in options.out.read_text().splitlines()]
        done = {row["mutant"]: row for row in rows}
    ended = [name for name, row in done.items() if not options.again or row["by"]]
    left = [m for m in mutants if label(m) not in ended][: options.most]
    if left and not options.report:
        os.environ.setdefault("JAXNEURO_TEST_QUICK_COMPILE", "2")
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        judged(left, done, options.out.absolute(), Limits(options.seconds, 2.0 * options.seconds))
    print(report(mutants, done))


if __name__ == "__main__":
    main()
