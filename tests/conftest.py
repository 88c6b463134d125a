"""Every test runs with shape checks and strict promotion, in float64 unless JAXNEURO_TEST_X64=0."""

import gc
import os
import sys
from collections import Counter
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")

from importlib.metadata import version

# How much work the compiler spares, by JAXNEURO_TEST_QUICK_COMPILE. 1: the older emitters of loops. 2: nor any
# optimisation: the programs of most tests take longer to compile than to run. What compares bits is also run in full.
QUICK = {"1": "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"}
QUICK["2"] = f"{QUICK['1']} --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
quick = os.environ.get("JAXNEURO_TEST_QUICK_COMPILE", "0")
if quick in QUICK and version("jaxlib").startswith("0.10."):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {QUICK[quick]}"

import shape_checks

shape_checks.install()

import jax

jax.config.update("jax_enable_x64", os.environ.get("JAXNEURO_TEST_X64", "1") == "1")
jax.config.update("jax_numpy_dtype_promotion", "strict")
# The compiler carries the lines of code of every operation along, for a tenth of its time. No test reads them.
jax.config.update("jax_traceback_in_locations_limit", 0)

import jaxtyping
import pytest

# That folder is run by itself, on other versions: `make compat`.
collect_ignore = ["compat"]


@pytest.fixture
def as_users_run():
    """Switches the shape checks off, so that a wrong type meets the library's own sentence."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def pytest_collection_finish() -> None:
    gc.set_threshold(20_000, 20, 10)
    gc.freeze()
    _clock[0] = spent()


# Every compiled program maps memory, and a process may have 65,530 maps on Linux: beyond, the compiler crashes.
_MAPS = Path("/proc/self/maps")
_MOST_MAPS = 30_000


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Figures are closed; between two files what was compiled is forgotten where it has become very much."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:  # nor is it where a test says that there is none
        pyplot.close("all")
    if nextitem is not None and nextitem.path == item.path:
        return
    if _MAPS.exists() and _MAPS.read_bytes().count(b"\n") > _MOST_MAPS:
        jax.clear_caches()
        gc.unfreeze()
        gc.collect()
    # What was traced stays. To search millions of objects for cycles again and again takes longer than many tests.
    gc.freeze()


def spent() -> float:
    """CPU seconds of this process and of those that it started: unlike the wall's, whoever else runs."""
    return sum(os.times()[:4])


_clock, _cost = [spent()], Counter[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cpu", type=int, default=0, metavar="N", help="print the N files and tests of most CPU seconds")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    report = yield
    before, _clock[0] = _clock[0], spent()
    report.user_properties.append(("cpu", _clock[0] - before))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _cost[report.nodeid] += dict(report.user_properties).get("cpu", 0.0)


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    passed = terminalreporter.stats.get("passed", [])
    counted = [text for report in passed for key, text in report.user_properties if key == "counted"]
    if counted:
        terminalreporter.section("what tests of all public calls counted")
        terminalreporter.write("\n".join(counted) + "\n")
    files = Counter[str]()
    for name, seconds in _cost.items():
        files[name.split("::")[0]] += seconds
    for table in (files, _cost) if config.getoption("--cpu") else ():
        terminalreporter.section(f"CPU seconds, {table.total():.0f} together")
        for name, seconds in table.most_common(config.getoption("--cpu")):
            terminalreporter.line(f"{seconds:8.1f}  {name}")
