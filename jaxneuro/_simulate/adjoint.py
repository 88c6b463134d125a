"""How a run is differentiated: what is kept on the way and what is computed again."""

import abc
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import equinox.internal as eqxi
import jax
from jax import lax
from jaxtyping import Array

Body = Callable[[Any, Array], Any]


class AbstractAdjoint(eqx.Module):
    """A way to run a loop whose derivatives may be asked for."""

    @abc.abstractmethod
    def loop(self, body: Body, carry: Any, indices: Array, inner: int = 1) -> Any:
        """`carry = body(carry, i)` for each of `indices`; on the way back a body keeps the states of `inner` steps."""


class Direct(AbstractAdjoint):
    """Keeps what every step needs: memory O(T). Forward and reverse mode; the choice without a surrogate.

    ```python
    >>> import jaxneuro as jn
    >>> adjoint = jn.adjoint.Direct()

    ```
    """

    def loop(self, body: Body, carry: Any, indices: Array, inner: int = 1) -> Any:
        return _scan(body, carry, indices)


class Checkpoint(AbstractAdjoint):
    """Keeps the state at the ends of segments and computes each again on the way back: memory O(sqrt(T)).

    **Arguments:** `segments`, their number; by default about the square root of the number of blocks (of steps,
    where the states of every step are kept). Forward and reverse mode; the choice with a surrogate.

    Raises `ValueError` where `segments` is no positive integer.

    ```python
    >>> import jaxneuro as jn
    >>> adjoint = jn.adjoint.Checkpoint(segments=10)

    ```

    Source: Griewank (1992), doi:10.1080/10556789208805505, with one level of checkpoints.
    """

    segments: int | None = eqx.field(static=True)

    def __init__(self, segments: int | None = None):
        if segments is not None and (isinstance(segments, bool) or not isinstance(segments, int) or segments < 1):
            raise ValueError(f"`segments` has to be a positive number of segments; got {segments!r}.")
        self.segments = segments

    def loop(self, body: Body, carry: Any, indices: Array, inner: int = 1) -> Any:
        n = indices.shape[0]
        if n == 0:
            return carry
        segments = min(n, self.segments or max(1, math.isqrt(n * inner)))
        length = -(-n // segments)  # rounded up, so that what is left over is shorter than a segment
        segments = n // length
        whole = indices[: segments * length].reshape(segments, length)

        @jax.checkpoint
        def segment(state: Any, own: Array) -> Any:
            return _scan(body, state, own)

        carry = _scan(segment, carry, whole)
        rest = indices[segments * length :]
        return segment(carry, rest) if rest.shape[0] else carry


class Forward(AbstractAdjoint):
    """Keeps nothing: memory O(1), forward mode only (`jax.jvp`, `jax.jacfwd`); for a handful of parameters.

    Reverse mode raises an error that names `Checkpoint()`.

    ```python
    >>> import jaxneuro as jn
    >>> adjoint = jn.adjoint.Forward()

    ```
    """

    def loop(self, body: Body, carry: Any, indices: Array, inner: int = 1) -> Any:
        message = (
            "`adjoint=jn.adjoint.Forward()` has no reverse mode: take `jax.jvp` or `jax.jacfwd`, "
            "or `adjoint=jn.adjoint.Checkpoint()`."
        )
        return eqxi.nondifferentiable_backward(_scan(body, carry, indices), msg=message)


def checked_adjoint(adjoint: Any, default: AbstractAdjoint) -> AbstractAdjoint:
    """`adjoint`, `default` where None, or `ValueError`."""
    if not isinstance(adjoint, AbstractAdjoint | None):
        raise ValueError(f"`adjoint` has to be of `jn.adjoint`, such as `Checkpoint()`; got {adjoint!r}.")
    return default if adjoint is None else adjoint


def _scan(body: Body, carry: Any, indices: Array) -> Any:
    if indices.shape[0] == 0:
        return carry
    return lax.scan(lambda state, index: (body(state, index), None), carry, indices)[0]
