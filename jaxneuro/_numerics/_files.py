"""Files written whole or not at all."""

import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ._check import told


def as_path(name: str, value: object) -> Path:
    """`value` as a path. Raises `ValueError` where it is none."""
    if not isinstance(value, str | os.PathLike) or not str(value) or "\0" in str(value):
        raise ValueError(f"`{name}` has to be the path of a file, as text or of `pathlib`; got {told(value)}.")
    return Path(value)


def check_target(path: str | os.PathLike, name: str = "path") -> Path:
    """The file that a write to `path` would make or replace, a link followed; raises where that cannot be.

    Raises `FileNotFoundError` where its folder is missing, `PermissionError` where it is read-only and `ValueError`
    where it is no regular file.
    """
    path = as_path(name, path).resolve()  # through a link to what it points to
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist; make it first.")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no regular file and cannot be replaced: give the name of a file.")
    if path.exists() and not path.stat().st_mode & stat.S_IWUSR:
        raise PermissionError(f"{path} is read-only and is not replaced: make it writable, or give another name.")
    return path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`, and renames it to `path` once the block has ended well.

    Where the block raises or is interrupted, the temporary file is removed and an older file at `path` stays as it was;
    what a killed process left is removed by the next write. A file that is replaced hands on who may read and write it.
    The temporary name keeps the suffix, from which writers tell the format.
    """
    path = check_target(path)
    _remove_orphans(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{_prefix(path)}{os.getpid()}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(_mode(path))  # mkstemp makes files for the owner alone
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _mode(path: Path) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _prefix(path: Path) -> str:
    """How the names of temporary files for `path` made on this machine begin; the number of the process follows."""
    return f".{path.stem}.{socket.gethostname()}-"


def _remove_orphans(path: Path) -> None:
    """Removes temporary files for `path` whose process is no longer there."""
    prefix = _prefix(path)
    for left in path.parent.iterdir():
        number = left.name.removeprefix(prefix).split(".")[0]
        if left.name.startswith(prefix) and left.suffix == path.suffix and number.isdigit() and not _runs(int(number)):
            left.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes `text` to `path`, whole or not at all."""
    if not isinstance(text, str):
        raise ValueError(f"`text` has to be text; got {type(text).__name__}.")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
