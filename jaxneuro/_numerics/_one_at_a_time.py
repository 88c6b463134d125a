"""A lock for programs that would wait for each other for ever in XLA's pool of threads on a CPU."""

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import jax

P = ParamSpec("P")
T = TypeVar("T")

_LOCK = threading.RLock()


def one_at_a_time(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, which returns when its arrays are there, and which two threads cannot be in at once.

    With jaxlib 0.10 on a CPU a factorisation of a batch of matrices (LU, QR, eigenvalues) hands parts of the batch to
    the pool in which it may run itself. Where every thread of the pool runs one, all wait for a free thread for ever.
    """

    @functools.wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        with _LOCK:
            return jax.block_until_ready(function(*args, **kwargs))

    return alone
