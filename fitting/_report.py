"""What the studies share: where data lie, and how files are written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxneuro import FitResult
from jaxneuro.io import replacing, write_fits

DATA = Path(__file__).resolve().parent / "data"


def save_figure(figure: Any, path: Path) -> None:
    """Writes the figure whole or not at all, and says where."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=200)
    print(f"figure: {path.resolve()}")


def save_fits(results: Mapping[str, FitResult], path: Path) -> None:
    """Writes the fits as JSON and says where."""
    write_fits(path, results)
    print(f"fits:   {path.resolve()}")
