"""Tables in, results out: reading with one clear sentence for each fault, writing whole or not at all."""

import codecs
import csv
import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._exchange import read_neo as read_neo, read_nwb as read_nwb
from ._fit import FitResult
from ._numerics import as_path as _as_path, read_unit as _read_unit, replacing as replacing, write_text as write_text
from .laws import IS_INHIBITORY, PSPTable

# Where columns are not separated by commas, a point may stand between thousands.
_THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,]\d{3})+")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x80-\x9f]")  # of no text in Latin-1
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
# Beyond, amplitudes [mV] are most likely in another unit.
_LARGEST = 50.0


@dataclass(frozen=True)
class _Columns:
    """Where each column stands in a row, and what it is called."""

    n_connections: str
    psp: str
    synapse: str
    index: dict[str, int]
    width: int


def read_psp_csv(
    path: str | os.PathLike, *, n_connections: str = "n_connections", psp: str = "psp_mv", synapse: str = "synapse",
    unit: str | None = None,
) -> PSPTable:  # fmt: skip
    """Reads a table of postsynaptic potentials: one row a potential, the first line naming the columns.

    **Arguments:** `path` of a text file, in UTF-8, UTF-16 or Latin-1, whose columns are separated by commas, semicolons
    or tabs; beside the latter two a number may have a decimal comma. The names of its columns, in capitals or not:
    `n_connections`, the number of connections; `psp`, the amplitude, of which inhibitory ones may be negative, and have
    their size; `synapse`, E or I, exc or inh, EPSP or IPSP. `unit` of the amplitudes, such as "uV"; by default what a
    row of units below the names says, and else mV. Other columns and empty lines are passed over.

    **Returns:** a `laws.PSPTable`.

    Raises `ValueError`, one sentence with the file and the line: no text, no rows, a missing column, a row of
    another width, an unknown label or unit, a number that is none, or not finite, or not positive, all numbers of
    connections equal; `OSError` where the file cannot be opened. A median above 50 mV is warned of.

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
    found = _unit_row(rows[1][1], columns) if len(rows) > 1 else None
    if found is not None:
        del rows[1]
        if unit is not None and _read_unit(unit) != _read_unit(found):
            raise ValueError(f"{path}: `unit` is {unit!r}, and the row of units says {found}: leave `unit` out.")
    factor = _millivolts(unit or found or "mV")
    if len(rows) == 1:
        raise ValueError(f"{path}, line {first}: the table has column names and no rows.")
    k, amplitude, mask = [], [], []
    for number, row in rows[1:]:
        if len(row) != columns.width:
            raise ValueError(f"{path}, line {number}: {len(row)} fields where line {first} names {columns.width}.")
        degree = row[columns.index[n_connections]]
        if delimiter != "," and _THOUSANDS.fullmatch(degree):
            mark = "." if "." in degree else ","
            raise ValueError(
                f"{path}, line {number}: `{n_connections}` is {degree}, which may be {degree.split(mark)[0]} or "
                f"{degree.replace(mark, '')}: write it without a {'point' if mark == '.' else 'comma'}."
            )
        k.append(_positive(path, number, n_connections, _decimal(degree, delimiter)))
        mask.append(_is_inhibitory(path, number, synapse, row[columns.index[synapse]]))
        text = _decimal(row[columns.index[psp]], delimiter)
        amplitude.append(factor * _positive(path, number, psp, text.removeprefix("-") if mask[-1] else text))
    if len(k) > 1 and len(set(k)) == 1:
        raise ValueError(
            f"{path}, lines {rows[1][0]} to {rows[-1][0]}: every `{n_connections}` is {k[0]:g}; "
            "a scaling law needs at least two different numbers of connections."
        )
    if np.median(amplitude) > _LARGEST:
        warnings.warn(
            f"{path}: the median of `{psp}` is {np.median(amplitude):g} mV; if it is in another unit, give it, such as "
            "`unit='uV'`.",
            UserWarning,
            stacklevel=2,
        )
    return PSPTable(np.asarray(k), np.asarray(amplitude), np.asarray(mask))


def _unit_row(row: list[str], columns: _Columns) -> str | None:
    """The unit of the amplitudes, of a row of units below the names; None of any other row."""
    if len(row) != columns.width:
        return None
    text = row[columns.index[columns.psp]].strip("[]() ")
    known = _read_unit(text) if text and not text[0].isdigit() else None
    return text if known is not None and known[0] == "mV" else None


def _millivolts(unit: str) -> float:
    """The factor of a unit to mV."""
    known = _read_unit(unit) if isinstance(unit, str) else None
    if known is None or known[0] != "mV":
        raise ValueError(f"`unit` has to be one of a potential, such as 'mV' or 'uV'; got {unit!r}.")
    return known[1]


def _decimal(text: str, delimiter: str) -> str:
    """A number with a point, also where it has a decimal comma."""
    return text.replace(",", ".") if delimiter != "," and _DECIMAL_COMMA.fullmatch(text) else text


def _lines(path: Path) -> list[str]:
    """The lines of a text file; raises a sentence for what is none."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the path of a CSV file.")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist.")
    data = path.read_bytes()
    coding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        if coding == "utf-16" or _CONTROLS.search(data) is not None:
            raise ValueError(f"{path}, line {line}: this is no text in UTF-8, so no CSV file.") from None
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
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
    index = {}
    for name in (n_connections, psp, synapse):
        found = [i for i, own in enumerate(header) if own == name]
        found = found or [i for i, own in enumerate(header) if own.lower() == name.lower()]
        if len(found) != 1:
            fault = f"more than one column `{name}`" if found else f"no column `{name}`"
            listed = ", ".join(header)[:200]
            raise ValueError(f"{path}, line {line}: there is {fault}; the columns are: {listed}.")
        index[name] = found[0]
    return _Columns(n_connections, psp, synapse, index, len(header))


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
