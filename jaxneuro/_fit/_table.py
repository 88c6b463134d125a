"""Results as plain text tables."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._numerics import Result, html_table, units_of

if TYPE_CHECKING:
    from ._result import FitResult


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest entry, the first left-aligned, the others right-aligned."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * w for w in widths), *map(line, rows)])


def number(value: float) -> str:
    """Four significant digits."""
    return f"{value:.4g}"


def fit_table(result: "FitResult") -> str:
    """One row a parameter, then the quality of the fit and what there is to worry about."""
    header, rows = _parameters(result)
    return "\n".join([_title(result), text_table(header, rows), *_notes(result)])


def fit_html(result: "FitResult") -> str:
    """The same for a notebook."""
    return html_table(_title(result), *_parameters(result), _notes(result))


def _title(result: "FitResult") -> str:
    return f"{type(result.model).__name__}, n = {result.n_observations}"


def _parameters(result: "FitResult") -> tuple[list[str], list[list[str]]]:
    header = ["parameter", "value", "stderr", "95% low", "95% high"]
    units = units_of(type(result.model))
    rows = []
    for name, value in result.params.items():
        named = f"{name} [{units[name]}]" if name in units else name
        rows.append([named, number(value), number(result.stderr[name]), *map(number, result.ci95[name])])
    if result.bootstrap is not None:
        header += ["boot low", "boot high"]
        for name, row in zip(result.params, rows, strict=True):
            row += map(number, result.bootstrap.ci95[name])
    return header, rows


def _notes(result: "FitResult") -> list[str]:
    rms = "" if math.isnan(result.rms) else f"rms {number(result.rms)}   "
    quality = f"{rms}log L {result.log_likelihood:.2f}   AICc {result.aicc:.2f}"
    notes = [] if result.converged else [Result[result.result]]
    return [quality, *notes, *[f"Warning: {sentence}" for sentence in result.concerns]]
