"""Judges mutants: a process that has imported the package forks for each, and its tests run until one fails."""

import importlib
import json
import os
import pkgutil
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from source import Mutant
from swap import Live
from tests_of import Callers, Tests, definitions_at

# CPU seconds of a test that has not been run yet, and how many of them weigh as much as one step further away.
UNKNOWN, STEP = 2.0, 3.0
# Files of tests that are read for a mutant; the second many where no test of the first came to the change.
FILES = (4, 8)
COPIED = ("jaxneuro", "tests", "docs", "fitting", "benchmarks")
# jaxtyping is a plugin of pytest, and imported before: that it cannot be rewritten is no fault.
QUIET = ["-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning", "-x", "-q"]
FAST = ["-m", "not slow and not proof and not gpu"]
# By the status of a process; below 0 is a signal: a mutant that crashes Python is seen by any test that runs it.
OUTCOMES = {0: "survived", 1: "killed", 2: "killed", 5: "no tests", 6: "not live"}
OUTCOMES |= {-signal.SIGSEGV: "killed", -signal.SIGABRT: "killed", -signal.SIGBUS: "killed", -signal.SIGFPE: "killed"}
OUTCOMES |= {-signal.SIGXCPU: "timeout", -signal.SIGKILL: "timeout"}


def spent() -> float:
    """CPU seconds of this process and of those that it started."""
    return sum(os.times()[:4])


@dataclass
class Limits:
    """CPU seconds: of tests that reach the change, of all tests, and of a process that does not end."""

    reached: float
    all: float

    @property
    def process(self) -> int:
        """Beyond it one test does not end."""
        return int(3.0 * self.all + 60.0)


class Child:
    """A plugin of pytest: the near and cheap tests first, until the time is up; a line for each to the parent."""

    def __init__(
        self, ranks: dict[str, float], costs: dict[str, float], limits: Limits, told: Path, reached: list[int]
    ):
        self.ranks, self.costs, self.limits, self.told, self.reached = ranks, costs, limits, told, reached
        self.begin, self.total, self.useful = 0.0, 0.0, 0.0

    def _key(self, item: pytest.Item) -> float:
        return self.ranks[item.nodeid.split("[")[0]] + self.costs.get(item.nodeid, UNKNOWN) / STEP

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid.split("[")[0] in self.ranks), key=self._key)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        begin, self.reached[0] = spent(), 0
        done = yield
        cpu, came = round(spent() - begin, 2), bool(self.reached[0])
        with self.told.open("a") as lines:
            lines.write(json.dumps({"test": item.nodeid, "cpu": cpu, "reached": came}) + "\n")
        self.total, self.useful = self.total + cpu, self.useful + cpu * came
        if self.total > self.limits.all or self.useful > self.limits.reached:
            item.session.shouldstop = "the time is up"
        return done


class Judge:
    """What is the same for all mutants: the package, imported, who calls whom in it, and what tests speak of."""

    def __init__(self, root: Path, costs: dict[str, float], limits: Limits):
        sys.path.insert(0, str(root / "tests"))
        importlib.import_module("shape_checks").install()
        package = importlib.import_module("jaxneuro")
        for module in pkgutil.walk_packages(package.__path__, "jaxneuro."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        self.root, self.costs, self.limits = root, costs, limits
        self.live, self.callers, self.tests = Live(root), Callers(root), Tests(root)

    def outcome(self, mutant: Mutant, folder: Path) -> dict:
        """What the tests say of a mutant; `folder` is empty or as the last mutant left it."""
        ranks, row, first = self._ranks(mutant), {}, 0
        for count in FILES:
            near = {test: rank for test, (rank, place) in ranks.items() if first <= place < first + count}
            first += count
            if row and not near:
                break
            row = self._forked(mutant, near, folder / "told")
            if row["outcome"] == "not live":
                row = self._imported_anew(mutant, near, folder / "copy")
            self.costs.update(row["costs"])
            if row["reached"] or row["by"]:
                break
        return row

    def _ranks(self, mutant: Mutant) -> dict[str, tuple[float, int]]:
        """A rank of each test that speaks of what is changed, and the place of its file: 0 holds the nearest tests."""
        distances = {}
        for name in definitions_at(self.root / mutant.path, mutant.line):
            for caller, steps in self.callers.distances(mutant.path, name).items():
                distances[caller] = min(steps, distances.get(caller, steps))
        ranks = self.tests.ranks(distances, Path(mutant.path).parts[1])
        cheapest = {}
        for test, cpu in self.costs.items():
            name = test.split("[")[0]
            cheapest[name] = min(cpu, cheapest.get(name, cpu))
        files = {}
        for test, rank in ranks.items():
            file, key = test.split("::")[0], rank + cheapest.get(test, UNKNOWN) / STEP
            files[file] = min(key, files.get(file, key))
        places = {file: place for place, file in enumerate(sorted(files, key=files.__getitem__))}
        return {test: (rank, places[test.split("::")[0]]) for test, rank in ranks.items()}

    def _forked(self, mutant: Mutant, ranks: dict[str, float], told: Path) -> dict:
        told.write_text("")
        child = os.fork()
        if child == 0:
            code = 3
            try:
                code = self._child(mutant, ranks, told)
            finally:
                os._exit(code)
        code = _waited(child, 20.0 * self.limits.process)
        lines = [json.loads(line) for line in told.read_text().splitlines()]
        row = {
            "outcome": OUTCOMES.get(code, "error"),
            "by": lines[-1]["test"] if lines and code == 1 else told_by(code),
        }
        row["reached"], row["cpu"] = (
            sum(line["reached"] for line in lines),
            round(sum(line["cpu"] for line in lines), 1),
        )
        return row | {"costs": {line["test"]: line["cpu"] for line in lines}}

    def _child(self, mutant: Mutant, ranks: dict[str, float], told: Path) -> int:
        os.setpgid(0, 0)
        seconds = int(spent()) + self.limits.process
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        reached = [0]
        if not self.live.swap(mutant, reached):
            return 6
        files = sorted({test.split("::")[0] for test in ranks})
        plugin = Child(ranks, self.costs, self.limits, told, reached)
        code = int(pytest.main([*QUIET, *FAST, *files], plugins=[plugin]))
        return 0 if code == 2 and plugin.total > 0.0 else code  # stopped, as the time was up

    def _imported_anew(self, mutant: Mutant, ranks: dict[str, float], copy: Path) -> dict:
        """A change outside of functions: the tests run in a process of their own, on a copy of the package."""
        if not copy.exists():
            for name in COPIED:
                shutil.copytree(self.root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "mutants"))
            for path in [*self.root.glob("*.md"), self.root / "pyproject.toml", self.root / "Makefile"]:
                shutil.copy(path, copy)
        target, source = copy / mutant.path, (self.root / mutant.path).read_text()
        costs: dict[str, float] = {}
        for test, cpu in self.costs.items():
            name = test.split("[")[0]
            costs[name] = costs.get(name, 0.0) + cpu
        chosen, total = [], 0.0
        for test in sorted(ranks, key=lambda name: ranks[name] + costs.get(name, UNKNOWN) / STEP):
            total += costs.get(test, UNKNOWN)
            if chosen and total > self.limits.reached:
                break
            chosen.append(test)
        target.write_text(mutant.applied(source))
        try:
            return _subprocess(copy, chosen, self.limits)
        finally:
            target.write_text(source)


def told_by(code: int) -> str | None:
    """What killed a mutant where no test could say so."""
    if OUTCOMES.get(code) != "killed":
        return None
    return f"{signal.Signals(-code).name} of Python" if code < 0 else "the import of a file of tests"


def _subprocess(folder: Path, tests: list[str], limits: Limits) -> dict:
    begin, environment = spent(), os.environ | {"PYTHONPATH": str(folder)}
    command = ["prlimit", f"--cpu={limits.process}", sys.executable, "-m", "pytest", *QUIET, *FAST, *tests]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    outcome = OUTCOMES.get(ran.returncode, "error")
    by = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    name = by[1] if by else told_by(ran.returncode)
    return {"outcome": outcome, "by": name, "cpu": round(spent() - begin, 1), "reached": len(tests), "costs": {}}


def _waited(child: int, limit: float) -> int:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL
