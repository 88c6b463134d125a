"""Tables in, results out: reading with one clear sentence for each fault, writing whole or not at all."""

import csv
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._exchange import read_neo as read_neo, read_nwb as read_nwb
from ._fit import FitResult
from ._numerics import as_path as _as_path, replacing as replacing, write_text as write_text
from .laws import IS_INHIBITORY, PSPTable

# Where columns are not separated by commas, a point may stand between thousands.
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")


@dataclass(frozen=True)
class _Columns:
    """Where each column stands in a row, and what it is called."""

    n_connections: str
    psp: str
    synapse: str
    index: dict[str, int]
    width: int


def read_psp_csv(
    path: str | os.PathLike, *, n_connections: str = "n_connections", psp: str = "psp_mv", synapse: str = "synapse"
) -> PSPTable:
    """Reads a table of postsynaptic potentials: one row a potential, the first line naming the columns.

    **Arguments:** `path` of a text file whose columns are separated by commas, semicolons or tabs. The names of
    its columns: `n_connections`, the number of connections; `psp`, the amplitude [mV], positive for both
    kinds; `synapse`, E or I. Other columns and empty lines are passed over.

    **Returns:** a `laws.PSPTable`.

    Raises `ValueError`, one sentence with the file and the line: no text, no rows, a missing column, a row of
    another width, an unknown label, a number that is none, or not finite, or not positive, all numbers of
    connections equal; `OSError` where the file cannot be opened.

    ```python
    >>> import pathlib, tempfile, jaxneuro as jn
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "psp.csv"
    >>> _ = path.write_text("n_connections,psp_mv,synapse\\n50,2.9,E\\n400,1.1,I\\n")
    >>> len(jn.io.read_psp_csv(path))
    2

    ```
    """
    path = _as_path("path", path)
    if len({n_connections, psp, synapse}) < 3:
        raise ValueError(
            f"`n_connections`, `psp` and `synapse` have to name three columns; got {[n_connections, psp, synapse]}."
        )
    lines = _lines(path)
    filled = [number for number, line in enumerate(lines, start=1) if line.strip()]
    if not filled:
        raise ValueError(f"{path}, line 1: the file is empty; the first line has to name the columns.")
    delimiter = max(",;\t", key=lines[filled[0] - 1].count)
    rows = _rows(path, lines, delimiter)
    first, header = rows[0]
    columns = _find_columns(path, first, header, n_connections, psp, synapse)
    if len(rows) == 1:
        raise ValueError(f"{path}, line {first}: the table has column names and no rows.")
    k, amplitude, mask = [], [], []
    for number, row in rows[1:]:
        if len(row) != columns.width:
            raise ValueError(f"{path}, line {number}: {len(row)} fields where line {first} names {columns.width}.")
        degree = row[columns.index[n_connections]]
        if delimiter != "," and _THOUSANDS.fullmatch(degree):
            raise ValueError(
                f"{path}, line {number}: `{n_connections}` is {degree}, which may be {degree.split('.')[0]} or "
                f"{degree.replace('.', '')}: write it without a point."
            )
        k.append(_positive(path, number, n_connections, degree))
        amplitude.append(_positive(path, number, psp, row[columns.index[psp]]))
        mask.append(_is_inhibitory(path, number, synapse, row[columns.index[synapse]]))
    if len(k) > 1 and len(set(k)) == 1:
        raise ValueError(
            f"{path}, lines {rows[1][0]} to {rows[-1][0]}: every `{n_connections}` is {k[0]:g}; "
            "a scaling law needs at least two different numbers of connections."
        )
    return PSPTable(np.asarray(k), np.asarray(amplitude), np.asarray(mask))


def _lines(path: Path) -> list[str]:
    """The lines of a text file; raises a sentence for what is none."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the path of a CSV file.")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: this is no text in UTF-8, so no CSV file.") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"{path}, line {line}: a binary file is no CSV file.")
    return text.removesuffix("\n").split("\n")  # a separator of Unicode or a vertical tab ends no line of a table


def _rows(path: Path, lines: list[str], delimiter: str) -> list[tuple[int, list[str]]]:
    """Each row that is not empty, with the line it ends on."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: this is no CSV ({error}).") from None
    return rows


def _find_columns(path: Path, line: int, header: list[str], n_connections: str, psp: str, synapse: str) -> _Columns:
    for name in (n_connections, psp, synapse):
        if header.count(name) != 1:
            fault = f"no column `{name}`" if name not in header else f"more than one column `{name}`"
            listed = ", ".join(header)[:200]
            raise ValueError(f"{path}, line {line}: there is {fault}; the columns are: {listed}.")
    return _Columns(n_connections, psp, synapse, {name: i for i, name in enumerate(header)}, len(header))


def _positive(path: Path, line: int, column: str, text: str) -> float:
    """A finite number above 0."""
    if not text:
        raise ValueError(f"{path}, line {line}: `{column}` is empty.")
    try:
        value = float("x" if "_" in text else text)  # Python reads 1_0 as 10; a table never means that
    except ValueError:
        raise ValueError(f"{path}, line {line}: `{column}` is {text!r}, which is no number.") from None
    if not np.isfinite(value) or value <= 0.0:
        raise ValueError(f"{path}, line {line}: `{column}` is {text}; it has to be finite and above 0.")
    return value


def _is_inhibitory(path: Path, line: int, column: str, text: str) -> bool:
    if text.lower() not in IS_INHIBITORY:
        shown = repr(text) if text else "empty"
        raise ValueError(f"{path}, line {line}: `{column}` is {shown}; it has to be E or I.")
    return IS_INHIBITORY[text.lower()]


def write_fits(path: str | os.PathLike, results: Mapping[str, FitResult]) -> None:
    """Writes fits as JSON, one object each under its name, whole or not at all.

    **Arguments:** `path`; `results` by name. Each object holds what `FitResult.to_dict` returns.

    Raises `ValueError` where `results` is no dict of fits.

    ```python
    >>> import pathlib, tempfile, numpy as np, jaxneuro as jn
    >>> k = np.array([50.0, 100.0, 200.0, 400.0, 800.0])
    >>> table = jn.laws.PSPTable(k, np.array([2.6, 2.2, 1.3, 1.1, 0.7]), np.array([False, True, False, True, False]))
    >>> fits = {"current": jn.fit(jn.laws.CurrentScaling(), table)}
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fits.json"
    >>> jn.io.write_fits(path, fits)
    >>> path.read_text() == jn.io.fits_as_json(fits)
    True

    ```
    """
    write_text(path, fits_as_json(results))


def fits_as_json(results: Mapping[str, FitResult]) -> str:
    """The text that `write_fits` writes."""
    if not isinstance(results, Mapping) or not all(isinstance(value, FitResult) for value in results.values()):
        raise ValueError(f"`results` has to be a dict of {{name: FitResult}}; got {type(results).__name__}.")
    return json.dumps({name: result.to_dict() for name, result in results.items()}, indent=2, allow_nan=False) + "\n"
