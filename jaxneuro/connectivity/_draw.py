"""Drawing a wiring from a rule, on the host and independent of the device."""

import jax.numpy as jnp
import numpy as np

from ._operators import AllToAllOperator, DelayedOperator, DenseOperator
from ._rules import AbstractConnectivity, AllToAll

# Targets drawn at once: a bitmap of this many rows and 10,000 sources stays in a core's cache.
_CHUNK = 256


def draw_operator(
    rule: AbstractConnectivity,
    rng: np.random.Generator,
    n_pre: int,
    n_posts: tuple[int, ...],
    recurrent: tuple[bool, ...],
) -> DenseOperator | AllToAllOperator:
    """One operator onto the targets of all of `n_posts`, side by side; `recurrent` says which are the source itself."""
    if isinstance(rule, AllToAll):
        own = [
            np.arange(n) if r and not rule.autapses else np.full(n, -1) for n, r in zip(n_posts, recurrent, strict=True)
        ]
        left_out = np.concatenate(own).astype(np.int32)
        return AllToAllOperator(jnp.asarray(left_out), n_pre, int(left_out.size * n_pre - (left_out >= 0).sum()))
    parts = [_draw_matrix(rule, rng, n_pre, n, r) for n, r in zip(n_posts, recurrent, strict=True)]
    matrix = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    in_degrees = matrix.sum(axis=0, dtype=np.int64)
    return DenseOperator(jnp.asarray(matrix), int(in_degrees.max(initial=0)), int(in_degrees.sum()))


def _draw_matrix(
    rule: AbstractConnectivity, rng: np.random.Generator, n_pre: int, n_post: int, recurrent: bool
) -> np.ndarray:
    """Multiplicities (n_pre, n_post), int8, or int16 where a multapse count needs it."""
    leave_out_self = recurrent and not rule.autapses
    available = n_pre - 1 if leave_out_self else n_pre
    in_degrees = rule.draw_in_degrees(rng, n_pre, n_post, available)
    if not rule.multapses and in_degrees.max(initial=0) > available:
        raise ValueError(f"An in-degree of {in_degrees.max()} exceeds the {available} sources to choose from.")
    matrix = np.zeros((n_pre, n_post), np.int8)
    for start in range(0, n_post, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, n_post))
        draw = _draw_multiset if rule.multapses else _draw_subset
        counts = draw(rng, in_degrees[rows], available)
        if counts.max(initial=0) > np.iinfo(matrix.dtype).max:
            matrix = matrix.astype(np.int16)
        if leave_out_self:  # source indices skip the target itself
            counts = _insert_self(counts, rows)
        matrix[:, rows[0] : rows[-1] + 1] = counts.T
    return matrix


def _draw_subset(rng: np.random.Generator, in_degrees: np.ndarray, available: int) -> np.ndarray:
    """Uniform subsets without repetition as 0/1 rows: repeated draws fall together and are drawn again."""
    # More than half is drawn as what is left out, so that repetitions stay rare.
    complement = in_degrees > available // 2
    wanted = np.where(complement, available - in_degrees, in_degrees)
    chosen = np.zeros((len(in_degrees), available), np.int8)
    missing = wanted.copy()
    while missing.any():
        owner = np.repeat(np.arange(len(in_degrees)), missing)
        chosen[owner, rng.integers(0, available, owner.size, dtype=np.int32)] = 1
        missing = wanted - chosen.sum(axis=1, dtype=np.int64)
    return np.where(complement[:, None], 1 - chosen, chosen).astype(np.int8) if complement.any() else chosen


def _draw_multiset(rng: np.random.Generator, in_degrees: np.ndarray, available: int) -> np.ndarray:
    """Sources drawn independently, as counts."""
    owner = np.repeat(np.arange(len(in_degrees)), in_degrees)
    flat = owner * available + rng.integers(0, available, owner.size, dtype=np.int32)
    return np.bincount(flat, minlength=len(in_degrees) * available).reshape(len(in_degrees), available)


def _insert_self(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    full = np.zeros((counts.shape[0], counts.shape[1] + 1), counts.dtype)
    for i, own in enumerate(rows):
        full[i, :own] = counts[i, :own]
        full[i, own + 1 :] = counts[i, own:]
    return full


def with_delays(
    operator: DenseOperator | AllToAllOperator, rng: np.random.Generator, low: float, high: float
) -> DelayedOperator:
    """The same synapses, each with a delay drawn uniformly from [low, high] ms."""
    matrix = np.asarray(operator.as_matrix()).T
    source, target = np.nonzero(matrix)
    repeats = matrix[source, target]
    source, target = np.repeat(source, repeats), np.repeat(target, repeats)
    out_degrees = np.bincount(source, minlength=operator.n_pre)
    width = max(1, int(out_degrees.max(initial=0)))
    column = np.arange(source.size) - np.repeat(np.cumsum(out_degrees) - out_degrees, out_degrees)
    targets = np.full((operator.n_pre, width), operator.n_post, np.int32)
    targets[source, column] = target
    delays = np.zeros((operator.n_pre, width), np.float32)
    delays[source, column] = rng.uniform(low, high, source.size)
    return DelayedOperator(jnp.asarray(targets), jnp.asarray(delays), operator.n_post, source.size)
