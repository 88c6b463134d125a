"""Changes functions that are already imported: a mutant needs no new import, and a fork of the process forgets it."""

import ast
import builtins
import gc
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType

from source import Mutant

# What a changed function does first: it tells that a test came there.
_TELL = "_jaxneuro_mutant_was_reached"


class Live:
    """The functions of the package in this process, by file, name and line of their code."""

    def __init__(self, root: Path):
        self.root, self.functions = root, defaultdict(list)
        for value in gc.get_objects():
            if isinstance(value, FunctionType) and value.__code__.co_filename.startswith(str(root / "jaxneuro")):
                self.functions[_name(value.__code__)].append(value)

    def swap(self, mutant: Mutant, reached: list[int]) -> bool:
        """Changes the function that holds the mutant, and counts its calls in `reached`; False: no function does."""
        path = self.root / mutant.path
        source = path.read_text()
        tree = ast.parse(mutant.applied(source))
        holder = _holder(tree, mutant.line)
        if holder is None:
            return False
        before = _codes(compile(ast.parse(source), str(path), "exec"))
        tell = ast.parse(f"__import__('builtins').{_TELL}()").body[0]
        for node in ast.walk(tell):
            ast.copy_location(node, holder.body[0])
        holder.body.insert(1 if ast.get_docstring(holder) is not None else 0, tell)
        after = _codes(compile(tree, str(path), "exec"))
        line = min([holder.lineno, *(d.lineno for d in holder.decorator_list)])
        names = [name for name in after if name[2] == line and name in before and name in self.functions]
        if not names:
            return False
        setattr(builtins, _TELL, lambda: reached.__setitem__(0, reached[0] + 1))
        for function in self.functions[names[0]]:
            function.__code__ = after[names[0]]
        return True


def _name(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> dict[tuple[str, str, int], CodeType]:
    found = {_name(code): code}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _codes(constant)
    return found


def _holder(tree: ast.Module, line: int) -> ast.FunctionDef | None:
    """The outermost function whose body holds the line: what is inside of it is made anew at each call."""
    nodes = list(tree.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.ClassDef):
            nodes += node.body
        elif isinstance(node, ast.FunctionDef) and node.body[0].lineno <= line <= (node.end_lineno or 0):
            return node
    return None
