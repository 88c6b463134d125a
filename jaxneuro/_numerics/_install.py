"""How what is missing is installed."""

from pathlib import Path


def install(extra: str) -> str:
    """The command that installs an extra: into a clone the clone itself, and else from one."""
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file():
        return f"pip install -e '{root}[{extra}]'"
    return f"pip install '.[{extra}]' in the folder of a clone of jaxneuro"
