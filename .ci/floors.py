"""Prints the oldest allowed version of each dependency as a constraint for pip, read from pyproject.toml.

A dependency without a floor is an error: nobody could say which versions work.
"""

import re
import tomllib
from pathlib import Path

EXTRAS = ("plot", "native", "sweep", "test")
PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*])?(?P<versions>.*)")
_FLOOR = re.compile(r"(?:^|,)\s*>=\s*(?P<floor>[0-9][0-9a-z.]*)")


def floors(requirements: list[str]) -> dict[str, str]:
    """The version after >= of each requirement, by name."""
    found = {}
    for requirement in requirements:
        parts = _REQUIREMENT.fullmatch(requirement.replace(" ", ""))
        floor = parts and _FLOOR.search(parts["versions"])
        if floor is None:
            raise SystemExit(f"pyproject.toml states no oldest version for `{requirement}`: write name>=version.")
        found[parts["name"]] = floor["floor"]
    return found


def main() -> None:
    """Prints name==floor for the core and for the extras that tests use."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    own = project["name"] + "["  # an extra that names other extras
    named = [line for extra in EXTRAS for line in extras[extra] if not line.startswith(own)]
    for name, floor in floors(project["dependencies"] + named).items():
        print(f"{name}=={floor}")


if __name__ == "__main__":
    main()
