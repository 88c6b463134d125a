"""`python3 -m benchmarks.gpu_check`: what a GPU has to show, in at most 8 minutes, with what this Python has.

First every check of `_gpu_checks` against the CPU, then the benchmarks that are for a GPU, each as long as its share of
the time allows; their rows go to a folder, with the name of the device. It installs nothing and asks nothing of a
network. Where there is no GPU it says so.
"""

import argparse
import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("jax", "equinox", "optax", "optimistix", "lineax", "jaxtyping", "wadler_lindig", "numpy")
# Seconds in all, and of the checks.
LIMIT, OF_CHECKS = 470.0, 150.0
BENCHMARKS = ("brunel_batch", "surrogate", "hodgkin_huxley", "rates", "growth")


def missing() -> str | None:
    """The sentence of what is not there; None where all is."""
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        return f"No check ran: {sys.executable} has no {', '.join(absent)}, which jaxneuro needs."
    import jax

    try:
        jax.devices("gpu")
    except RuntimeError:
        return "No check ran: JAX sees no GPU on this machine."
    return None


def check(until: float) -> int:
    """Runs the checks one after another, and returns how many failed or had no time."""
    import jax

    from ._gpu_checks import CHECKS

    failed, device = 0, jax.devices("gpu")[0]
    for one in CHECKS:
        begin = time.perf_counter()
        if begin > until:
            print(f"no time  {one.__name__}")
            failed += 1
            continue
        try:
            one(device)
            said = "equal"
        except Exception as error:  # the others are to run
            said = f"FAILED  {type(error).__name__}: {' '.join(str(error).split())[:500]}"
            failed += 1
        print(f"{time.perf_counter() - begin:6.1f} s  {one.__name__}: {said}", flush=True)
    return failed


def measure(folder: Path, end: float) -> int:
    """Runs the benchmarks, each in a process of its own, and returns how many did not end."""
    failed = 0
    for left, name in zip(range(len(BENCHMARKS), 0, -1), BENCHMARKS, strict=True):
        share, begin = (end - time.perf_counter()) / left, time.perf_counter()
        command = [sys.executable, "-m", "benchmarks", name, "--json", str(folder / f"{name}.json")]
        try:
            ended = subprocess.run(command, cwd=ROOT, timeout=max(share, 1.0)).returncode
            said = "done" if ended == 0 else f"FAILED with exit code {ended}"
        except subprocess.TimeoutExpired:
            ended, said = 1, f"stopped after its share, {share:.0f} s"
        failed += ended != 0
        print(f"{time.perf_counter() - begin:6.1f} s  {name}: {said}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m benchmarks.gpu_check", description="Checks and times a GPU.")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="of the results; benchmarks/results by default")
    given = parser.parse_args()
    sentence = missing()
    if sentence is not None:
        print(sentence)
        return 0
    import jax

    begin, kind = time.perf_counter(), jax.devices("gpu")[0].device_kind
    folder = given.into or ROOT / "benchmarks" / "results" / re.sub(r"\W+", "-", kind).strip("-").lower()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"On {kind}, jax {jax.__version__}, Python {sys.version.split()[0]}; results in {folder}.", flush=True)
    failed = check(begin + OF_CHECKS)
    failed += measure(folder, begin + LIMIT)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
