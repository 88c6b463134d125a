"""Names of a package that are imported when they are first asked for: a session loads what it uses, and no more."""

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


def late(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package whose imports stand below its `if TYPE_CHECKING:`.

    A type checker reads these imports, and so does this function: each name has one home in the code.
    """
    module = sys.modules[package]
    homes = _homes(module)

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home, attribute = homes[name]
        found = import_module(home, package)
        if attribute:
            found = getattr(found, attribute)
        setattr(module, name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(module), *homes})

    return get, names


def load_all(package: str) -> None:
    """Imports every name of a package, and of the packages below it that are late too."""
    module = import_module(package)
    for name in dir(module):
        thing = getattr(module, name)
        if isinstance(thing, ModuleType) and thing.__name__.startswith(f"{package}."):
            load_all(thing.__name__)


def _homes(module: ModuleType) -> dict[str, tuple[str, str]]:
    """{name: (module, attribute)}, no attribute where the name is a module of the package itself."""
    spec = module.__spec__
    source = getattr(spec and spec.loader, "get_source", lambda name: None)(module.__name__)
    if source is None:
        raise ImportError(f"The source of {module.__name__} is not there, which says where its names are.")
    homes = {}
    for block in ast.parse(source).body:
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id.endswith("TYPE_CHECKING"):
            for line in block.body:
                if not isinstance(line, ast.ImportFrom):
                    continue
                dots = "." * line.level
                for alias in line.names:
                    home = (dots + line.module, alias.name) if line.module else (dots + alias.name, "")
                    homes[alias.asname or alias.name] = home
    return homes
