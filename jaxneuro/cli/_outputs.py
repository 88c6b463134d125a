"""Files that a command is asked to write, checked before anything is computed."""

import argparse
import sys
import tempfile
from pathlib import Path

# A name of a file that means standard output, which then holds nothing else.
STANDARD_OUTPUT = Path("-")

FIGURE_FORMATS = (".png", ".pdf", ".svg", ".eps", ".jpg", ".jpeg", ".tif", ".tiff")


def check_outputs(*, json: Path | None, figure: Path | None, table: Path | None = None) -> None:
    """Raises `ValueError` where a path cannot be written, or would overwrite `table` or the other one."""
    json = None if json == STANDARD_OUTPUT else json
    given = [(flag, path) for flag, path in (("--json", json), ("--figure", figure)) if path]
    for flag, path in given:
        _check_path(flag, path)
        if table is not None and path.resolve() == table.resolve():
            raise ValueError(f"`{flag}` {path} would overwrite the table; give another name.")
    if len({path.resolve() for _, path in given}) < len(given):
        raise ValueError(f"`--json` and `--figure` are both {json}; give two names.")
    if figure:
        if figure.suffix.lower() not in FIGURE_FORMATS:
            raise ValueError(f"`--figure` {figure}: the name has to end in one of {', '.join(FIGURE_FORMATS)}.")
        try:
            import matplotlib as _  # noqa: F401
        except ImportError:
            from .._numerics import install

            raise ValueError(f"`--figure` needs matplotlib: {install('plot')}.") from None


def write_json(options: argparse.Namespace, text: str) -> None:
    """Writes what `--json` asks for: a file, whole or not at all, or what is alone on standard output."""
    from .._numerics import write_text

    if options.json == STANDARD_OUTPUT:
        print(text, file=options.stdout)
    elif options.json:
        write_text(options.json, text + "\n")
        print(f"wrote {options.json}", file=sys.stdout)


def _check_path(flag: str, path: Path) -> None:
    if path.is_dir():
        raise ValueError(f"`{flag}` {path} is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise ValueError(f"`{flag}` {path}: the folder {path.parent} does not exist.")
    if path.exists() and not path.is_file():
        raise ValueError(f"`{flag}` {path} is a device or a pipe; give the name of a file.")
    try:
        tempfile.TemporaryFile(dir=path.resolve().parent).close()
    except OSError as error:
        raise ValueError(f"`{flag}` {path}: nothing can be written there ({error.strerror}).") from None
