"""What the studies share: where data lie, and how files are written."""

import argparse
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jaxneuro import FitResult
from jaxneuro.io import replacing, write_fits

DATA = Path(__file__).resolve().parent / "data"


def fit_side_by_side(jobs: Mapping[str, Callable[[], FitResult]]) -> dict[str, FitResult]:
    """Runs fits of different models in two threads: most of their time is compilation, which is then shared.

    Warnings are left to the tables, which print them with each result.
    """
    with warnings.catch_warnings(), ThreadPoolExecutor(2) as pool:
        warnings.simplefilter("ignore", UserWarning)
        waiting = {name: pool.submit(job) for name, job in jobs.items()}
        return {name: future.result() for name, future in waiting.items()}


def read_folder(parser: argparse.ArgumentParser) -> Path:
    """Reads the arguments of a study that takes none but where to write."""
    add_folder(parser)
    return parser.parse_args().out


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Adds `--out`, the folder that a study writes its files into, each named by the study."""
    parser.add_argument(
        "--out", type=_folder, default=Path(), metavar="FOLDER", help="write here (default: this folder)"
    )


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"the folder {text} does not exist; make it first.")
    return Path(text)


def save_figure(figure: Any, path: Path) -> None:
    """Writes the figure whole or not at all, and says where."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=200)
    print(f"figure: {path.resolve()}")


def save_fits(results: Mapping[str, FitResult], path: Path) -> None:
    """Writes the fits as JSON and says where."""
    write_fits(path, results)
    print(f"fits:   {path.resolve()}")
