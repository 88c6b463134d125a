"""Drawn synapses: what a rule returns, what is checked of it, and sources that are chosen uniformly."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Integer

from ._positions import Neurons

# Targets drawn at once: a table of this many rows and 10,000 sources stays in a core's cache.
_CHUNK = 128


class Pairs(NamedTuple):
    """Drawn synapses: the target and the source of each; a pair named twice has two synapses."""

    target: Integer[np.ndarray, "nnz"]
    source: Integer[np.ndarray, "nnz"]


class Lists(NamedTuple):
    """Drawn synapses source by source: how many each source has, and the targets of all one after another."""

    out_degrees: Integer[np.ndarray, "n_pre"]
    targets: Integer[np.ndarray, "nnz"]


class Synapses(NamedTuple):
    """Synapses onto the `n` targets from `begin` on: target minus begin, and source."""

    begin: int
    n: int
    owner: np.ndarray
    source: np.ndarray


def draw_all(
    rule: Any,
    rng: np.random.Generator,
    pre: Neurons,
    posts: tuple[Neurons, ...],
    recurrent: tuple[bool, ...],
) -> Iterator[Synapses]:
    """The synapses onto all targets, some targets at a time and each target in one part.

    Raises `ValueError` where a rule draws outside its populations, or goes back to earlier targets.
    """
    first = 0
    for post, is_recurrent in zip(posts, recurrent, strict=True):
        n_pre, n_post = pre.n or 0, post.n or 0
        drawn = rule.draw(rng, pre, post, is_recurrent)
        begin = 0
        for pairs in drawn if isinstance(drawn, Iterable) and not isinstance(drawn, Pairs) else (drawn,):
            target, source = _checked(rule, pairs, n_pre, n_post)
            if not target.size:
                continue
            low, end = int(target.min()), int(target.max()) + 1
            if low < begin:
                raise ValueError(
                    f"`connectivity`: {_name(rule)}.draw gave synapses onto target {low} after a part up to target "
                    f"{begin - 1}; each target has to stand in one part, in rising order, or all in one `Pairs`."
                )
            for part in _parts(target, source, low, end):
                yield part._replace(begin=first + part.begin)
            begin = end
        first += n_post


def _name(rule: Any) -> str:
    return type(rule).__name__


def _checked(rule: Any, pairs: Any, n_pre: int, n_post: int) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(pairs, Pairs):
        raise ValueError(
            f"`connectivity`: {_name(rule)}.draw has to return `Pairs(target, source)` or to yield them; "
            f"got {type(pairs).__name__}."
        )
    target, source = np.asarray(pairs.target), np.asarray(pairs.source)
    for what, index, n in (("target", target, n_post), ("source", source, n_pre)):
        if index.dtype.kind not in "iu" or index.ndim != 1 or index.shape != target.shape:
            raise ValueError(
                f"`connectivity`: {_name(rule)}.draw has to give integer arrays `target` and `source` of one length; "
                f"got {target.dtype}{list(target.shape)} and {source.dtype}{list(source.shape)}."
            )
        if index.size and not 0 <= index.min() <= index.max() < n:
            outside = index[(index < 0) | (index >= n)][0]
            raise ValueError(
                f"`connectivity`: {_name(rule)}.draw gave the {what} {outside}, outside its population of {n:,} "
                f"neurons; indices run from 0 to {n - 1:,}."
            )
    return target, source


def _parts(target: np.ndarray, source: np.ndarray, low: int, end: int) -> Iterator[Synapses]:
    """Synapses onto the targets from `low` to `end`, a few targets at a time."""
    if end - low <= _CHUNK:
        yield Synapses(low, end - low, target - low, source)
        return
    order = np.argsort(target, kind="stable")
    target, source = target[order], source[order]
    starts = range(low, end, _CHUNK)
    cuts = np.searchsorted(target, [*starts, end])
    for begin, a, b in zip(starts, cuts[:-1], cuts[1:], strict=True):
        yield Synapses(begin, min(_CHUNK, end - begin), target[a:b] - begin, source[a:b])


def choose_sources(
    rng: np.random.Generator, in_degrees: np.ndarray, pre: Neurons, skip_self: bool, multapses: bool
) -> Iterator[Pairs]:
    """For each target so many sources as `in_degrees` says, chosen uniformly: all, or all but the target itself."""
    available = (pre.n or 0) - 1 if skip_self else (pre.n or 0)
    if not multapses and in_degrees.max(initial=0) > available:
        raise ValueError(f"An in-degree of {in_degrees.max()} exceeds the {available} sources to choose from.")
    draw = _draw_multiset if multapses else _draw_subset
    for begin in range(0, in_degrees.size, _CHUNK):
        owner, source = draw(rng, in_degrees[begin : begin + _CHUNK], available)
        target = owner + begin
        if skip_self:  # the sources are the others, numbered without the target itself
            source = source + (source >= target)
        yield Pairs(target, source)


def _draw_subset(rng: np.random.Generator, in_degrees: np.ndarray, available: int) -> tuple[np.ndarray, np.ndarray]:
    """Uniform subsets without repetition: repeated draws fall together and are drawn again."""
    # More than half is drawn as what is left out, so that repetitions stay rare.
    complement = in_degrees > available // 2
    wanted = np.where(complement, available - in_degrees, in_degrees)
    chosen = np.zeros((len(in_degrees), available), bool)
    missing = wanted.copy()
    while missing.any():
        owner = np.repeat(np.arange(len(in_degrees)), missing)
        chosen[owner, rng.integers(0, available, owner.size, dtype=np.int32)] = True
        missing = wanted - chosen.sum(axis=1, dtype=np.int64)
    chosen ^= complement[:, None]
    owner, source = np.nonzero(chosen)
    return owner, source


def _draw_multiset(rng: np.random.Generator, in_degrees: np.ndarray, available: int) -> tuple[np.ndarray, np.ndarray]:
    """Sources drawn independently."""
    owner = np.repeat(np.arange(len(in_degrees), dtype=np.int32), in_degrees)
    return owner, rng.integers(0, available, owner.size, dtype=np.int32)
