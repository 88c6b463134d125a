"""How a run is differentiated: what is kept on the way and what is computed again."""

import abc
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Int

from .._numerics import Shown, to_milliseconds, told

Body = Callable[[Any, Array], Any]


class AbstractAdjoint(Shown):
    """A way to run a loop whose derivatives may be asked for."""

    @abc.abstractmethod
    def loop(self, body: Body, carry: Any, indices: Array, kept: int = 1) -> Any:
        """`carry = body(carry, i)` for each of `indices`, in turn.

        `kept` says how much memory the derivative of one call of `body` needs, as a multiple of the carry.
        """

    def cut(self, state: Any, step: Int[Array, ""], n_steps: int, dt: float) -> Any:
        """The state at the start of a block; without derivative, where derivatives are to go no further back."""
        return state


class Direct(AbstractAdjoint):
    """Keeps what every step needs: memory O(T). Forward and reverse mode; the choice without a surrogate.

    ```python
    >>> import jaxneuro as jn
    >>> adjoint = jn.adjoint.Direct()

    ```
    """

    def loop(self, body: Body, carry: Any, indices: Array, kept: int = 1) -> Any:
        return _scan(body, carry, indices)


class Checkpoint(AbstractAdjoint):
    """Keeps the state at the ends of segments and computes each again on the way back: memory O(sqrt(T)).

    **Arguments:** `segments`, their number; by default about the square root of the number of blocks (of neurons with
    channels of 4 times the number of steps, each of which keeps about 4 times its state). Forward and reverse mode; the
    choice with a surrogate.

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
            raise ValueError(f"`segments` has to be a positive number of segments; got {told(segments)}.")
        self.segments = segments

    def segment_length(self, n: int, kept: int) -> int:
        """How many of `n` calls of the body make a segment; `kept` as in `loop`."""
        # The length is rounded up, so that there are never more segments than were asked for; the last may be shorter.
        return -(-n // self.segments) if self.segments else max(1, round(n / math.sqrt(n * kept)))

    def loop(self, body: Body, carry: Any, indices: Array, kept: int = 1) -> Any:
        n = indices.shape[0]
        if n == 0:
            return carry
        length = self.segment_length(n, kept)
        segments = n // length
        whole = indices[: segments * length].reshape(segments, length)

        @jax.checkpoint
        def segment(state: Any, own: Array) -> Any:
            # A segment of one call is not put into a loop, which would copy what its derivative needs for nothing.
            return body(state, own[0]) if own.shape[0] == 1 else _scan(body, state, own)

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

    def loop(self, body: Body, carry: Any, indices: Array, kept: int = 1) -> Any:
        message = (
            "`adjoint=jn.adjoint.Forward()` has no reverse mode: take `jax.jvp` or `jax.jacfwd`, "
            "or `adjoint=jn.adjoint.Checkpoint()`."
        )
        return eqxi.nondifferentiable_backward(_scan(body, carry, indices), msg=message)


class Truncated(AbstractAdjoint):
    """Derivatives go no further back than the last multiple of a horizon: truncated backpropagation through time.

    The state at every multiple of `horizon` counts as a number. What a loss hears of a step reaches back between 0 and
    `horizon`; arrivals of given spikes are no state and keep their derivative. In a chaotic network a short horizon is
    biased and a long one noise: `jn.audit_gradient` measures both.

    **Arguments:** `horizon` [ms], rounded to whole steps; the cut is at the start of the block that a multiple lies in.
    Forward and reverse mode; memory as of `Checkpoint()`.

    Raises `ValueError` where `horizon` is not positive; at the run where it is shorter than a step.

    ```python
    >>> import jaxneuro as jn
    >>> adjoint = jn.adjoint.Truncated(horizon=50.0)

    ```

    Source: Williams and Peng (1990), doi:10.1162/neco.1990.2.4.490.
    """

    horizon: float = eqx.field(static=True)

    def __init__(self, horizon: float):
        self.horizon = to_milliseconds("horizon", horizon)
        if not self.horizon > 0:
            raise ValueError(f"`horizon` has to be positive; got {horizon} ms.")

    def loop(self, body: Body, carry: Any, indices: Array, kept: int = 1) -> Any:
        return Checkpoint().loop(body, carry, indices, kept)

    def cut(self, state: Any, step: Int[Array, ""], n_steps: int, dt: float) -> Any:
        every = round(self.horizon / dt)
        if every < 1:
            raise ValueError(f"`horizon` of {self.horizon:g} ms is shorter than a step of {dt:g} ms.")
        here = (-step) % every < n_steps
        return jax.tree_util.tree_map(
            lambda x: jnp.where(here, lax.stop_gradient(x), x) if jnp.issubdtype(x.dtype, jnp.inexact) else x, state
        )


def checked_adjoint(adjoint: Any, default: AbstractAdjoint) -> AbstractAdjoint:
    """`adjoint`, `default` where None, or `ValueError`.

    ```python
    >>> import jaxneuro as jn
    >>> jn.adjoint.checked_adjoint(None, jn.adjoint.Direct())
    Direct()

    ```
    """
    if not isinstance(adjoint, AbstractAdjoint | None):
        raise ValueError(f"`adjoint` has to be of `jn.adjoint`, such as `Checkpoint()`; got {told(adjoint)}.")
    return default if adjoint is None else adjoint


def _scan(body: Body, carry: Any, indices: Array) -> Any:
    if indices.shape[0] == 0:
        return carry
    return lax.scan(lambda state, index: (body(state, index), None), carry, indices)[0]
