"""The command: reads what is asked for, refuses what cannot be, says what it will take, and writes a file whole."""

import argparse
import difflib
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from jaxneuro._numerics import free_memory

from . import NAMES, Cost, NotShown, load


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, 1 where a figure does not show its claim, 2 for bad input, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    if options.name is None:
        for name in NAMES:
            print(f"{name:12s} {load(name).shows}")
        return 0
    try:
        return _make_all(_asked(options.name, options.figure), options.paper)
    except KeyboardInterrupt:
        print("\nfigures: interrupted; what was written before stays as it was.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fitting.figures",
        description="Figures of Sanzeni, Histed and Brunel (2022) from computation; without a name they are listed.",
    )
    parser.add_argument("name", nargs="?", help="fig1, ..., fig15, table1, predictions, or all")
    parser.add_argument("--paper", action="store_true", help="at the size of the paper; what it takes is said first")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="where to write; of `all` a folder")
    return parser


def _asked(name: str, figure: Path | None) -> list[tuple[str, Path]]:
    """The figures and their files, or one sentence on what is wrong."""
    if name == "all":
        folder = Path() if figure is None else figure
        if not folder.is_dir():
            raise ValueError(f"`--figure` of `all` has to be a folder; {folder} is none: make it first.")
        found = [(each, folder / f"{each}.png") for each in NAMES]
    elif name in NAMES:
        found = [(name, Path(f"{name}.png") if figure is None else figure)]
    else:
        near = difflib.get_close_matches(name.lower(), (*NAMES, "all"), n=1, cutoff=0.5)
        meant = f"did you mean {near[0]}?" if near else "without a name the command lists them."
        raise ValueError(f"there is no figure {name!r}; {meant}")
    for _, path in found:
        _check_writable(path)
    return found


def _check_writable(path: Path) -> None:
    from jaxneuro._numerics import check_target

    target = check_target(path)
    try:
        with tempfile.TemporaryFile(dir=target.parent):  # what permissions say is not all
            pass
    except OSError as error:
        raise PermissionError(f"{target.parent} is not writable: give another file with `--figure`.") from error
    kinds = ("pdf", "png", "svg")
    if target.suffix[1:].lower() not in kinds:
        raise ValueError(f"`--figure` has to end in .png, .pdf or .svg; got {str(path)!r}.")


def _make_all(asked: list[tuple[str, Path]], paper: bool) -> int:
    """Makes every figure that was asked for, also after one that does not show its claim; 1 where there was one."""
    costs = {name: _affordable(name, paper) for name, _ in asked}
    if len(asked) > 1:
        most = max(cost.gigabytes for cost in costs.values())
        total = Cost(sum(cost.seconds for cost in costs.values()), most)
        print(f"{len(asked)} figures take {total} at most.\n", flush=True)
    missed = 0
    for name, path in asked:
        try:
            _make(name, path, paper)
        except NotShown as error:
            print(f"figures: {error}; no file was written.", file=sys.stderr, flush=True)
            missed += 1
    return 1 if missed else 0


def _affordable(name: str, paper: bool) -> Cost:
    """What a figure takes; raises where memory does not hold it."""
    figure = load(name)
    cost, free = figure.cost(figure.paper if paper else figure.small), free_memory() / 1e9
    if cost.gigabytes > free:
        less = "leave `--paper` out, or " if paper else ""
        raise ValueError(
            f"{name} needs about {cost.gigabytes:.1f} GB of memory and {free:.1f} GB are free: {less}run it where "
            "there is more."
        )
    return cost


def _make(name: str, path: Path, paper: bool) -> None:
    import jax

    from .._report import save_figure
    from ._style import style

    figure = load(name)
    jax.config.update("jax_enable_x64", figure.float64)
    size = figure.paper if paper else figure.small
    cost, free = _affordable(name, paper), free_memory() / 1e9
    which = "the paper's size" if paper and figure.paper != figure.small else "this size"
    print(f"{name}: {figure.shows}\nAt {which} it takes {cost}; {free:.1f} GB are free.", flush=True)
    if paper and figure.not_run:
        print(f"Not run at the paper's size so far: {figure.not_run}", flush=True)
    if jax.default_backend() != "cpu":
        print(f"It runs on {jax.devices()[0].device_kind}, which was not measured.", flush=True)
    begin, worked = time.perf_counter(), time.process_time()
    data = figure.compute(size)
    try:
        findings = figure.check(data)
    except NotShown as error:
        *before, missed = str(error).splitlines()
        print("\n".join(before))
        raise NotShown(f"{name} does not show what it claims: {missed}") from None
    print("\n".join(findings.lines))
    with style():
        save_figure(figure.draw(data), path)
    took = f"{time.perf_counter() - begin:.1f} s, {time.process_time() - worked:.1f} s of CPU"
    print(f"{name} took {took}.\n", flush=True)
