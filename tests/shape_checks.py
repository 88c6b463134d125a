"""The shape checks of the tests: jaxtyping's and beartype's, each made once, when its function is first called.

As it stands, jaxtyping makes the check of a function where the function is defined, in a millisecond or two. On import
that is seconds for functions that no test of a file calls; and a function inside another is defined again at each call
of the outer one. What is checked stays the same, the functions inside others included.
"""

import dataclasses
import functools
import inspect
import threading
import types
from collections.abc import Callable

import jaxtyping

_jaxtyped = jaxtyping.jaxtyped
# A check is that of a place in the code: by its code object, which is kept beside it, so that no other gets its id.
_made: dict[int, tuple[object, Callable]] = {}
_here = threading.local()


def _check_of(fn: Callable, typechecker: Callable) -> Callable:
    """Checks arguments and result, and calls between them whatever function waits last in `_here.waiting`."""

    here = _here

    def through(*args, **kwargs):
        return here.waiting.pop()(*args, **kwargs)

    # With the globals of the function, in which annotations that are strings are looked up.
    through = types.FunctionType(through.__code__, fn.__globals__, fn.__name__, None, through.__closure__)
    through.__qualname__, through.__module__, through.__signature__ = (
        fn.__qualname__,
        fn.__module__,
        inspect.signature(fn),
    )
    return _jaxtyped(through, typechecker=typechecker)


def _called(check: Callable, fn: Callable, args: tuple, kwargs: dict) -> object:
    waiting = _here.__dict__.setdefault("waiting", [])
    depth = len(waiting)
    waiting.append(fn)
    try:
        return check(*args, **kwargs)
    finally:
        del waiting[depth:]  # it still waits where the arguments failed the check


def _checked(fn: Callable, typechecker: Callable) -> Callable:
    @functools.wraps(fn)
    def call(*args, **kwargs):
        if jaxtyping.config.jaxtyping_disable:
            return fn(*args, **kwargs)
        code = fn.__code__
        known = _made.get(id(code))
        if known is None:
            known = _made[id(code)] = (code, _check_of(fn, typechecker))
        return _called(known[1], fn, args, kwargs)

    call.is_checked = True
    return call


def _initialised(cls: type, typechecker: Callable) -> type:
    """The class itself, whose `__init__` of the fields is checked; one written out or inherited is so already."""
    init = cls.__init__
    if not dataclasses.is_dataclass(cls) or getattr(init, "is_checked", False):
        return cls
    check: list[Callable] = []

    @functools.wraps(init)
    def call(*args, **kwargs):
        if jaxtyping.config.jaxtyping_disable:
            return init(*args, **kwargs)
        if not check:
            check.append(_jaxtyped(init, typechecker=typechecker))
        return check[0](*args, **kwargs)

    call.is_checked = True
    cls.__init__ = call
    return cls


def jaxtyped(fn=None, *, typechecker):
    if fn is None:
        return functools.partial(jaxtyped, typechecker=typechecker)
    return (_initialised if inspect.isclass(fn) else _checked)(fn, typechecker)


def install() -> None:
    """To be called before the first import of the package."""
    jaxtyping.jaxtyped = jaxtyped  # this is the name that the decorators written by the hook look up
    jaxtyping.install_import_hook("jaxneuro", "beartype.beartype")
