"""How the numbers of single synapses are kept: whole multiples of a quantum, where 16 bits hold them."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped

from ._delay_laws import AbstractDelayLaw
from ._weight_laws import AbstractWeightLaw

# Numbers drawn at once: what is drawn in 64 bits stays small beside what is kept.
_AT_ONCE = 2**20


class Form(NamedTuple):
    """The type of numbers, and what they are multiples of; None where they are kept as they are."""

    dtype: np.dtype
    quantum: float | None


def delay_form(law: AbstractDelayLaw | None) -> Form | None:
    """Delays in multiples of the quantum of their law, in 8 bits where these reach to the longest; None for none."""
    if law is None:
        return None
    quantum = law.quantum()
    narrow = round(law.high / quantum) <= np.iinfo(np.uint8).max
    return Form(np.dtype(np.uint8 if narrow else np.uint16), quantum)


def weight_form(law: AbstractWeightLaw | None, in_degree: int) -> Form | None:
    """Weights in 16 bits where their law has a quantum, and all those onto a target may be summed in 32; else floats.

    Rounding is to the nearest: it moves a weight by half a quantum at most, up or down alike.
    """
    if law is None:
        return None
    quantum = law.quantum()
    if quantum is None or in_degree * np.iinfo(np.int16).max > np.iinfo(np.int32).max:
        return Form(np.dtype(np.float32), None)
    return Form(np.dtype(np.int16), quantum)


def draw_numbers(name: str, law: Any, form: Form, rng: np.random.Generator, n: int) -> Shaped[np.ndarray, "nnz"]:
    """`n` numbers of a law, as they are kept; `ValueError` where the law of one's own draws something else.

    Many are drawn in parts side by side, each part by a generator of its own: how many threads there are changes none.
    """
    kept = np.empty(n, form.dtype)

    def draw(own_rng: np.random.Generator, begin: int) -> None:
        own = kept[begin : begin + _AT_ONCE]
        values = _checked(name, law, law.draw(own_rng, own.shape), own.size)
        own[:] = values if form.quantum is None else _multiples(values, form)

    begins = range(0, n, _AT_ONCE)
    if len(begins) <= 1:
        draw(rng, 0)
        return kept
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(draw, rng.spawn(len(begins)), begins))
    return kept


def _multiples(values: Shaped[np.ndarray, "n"], form: Form) -> Shaped[np.ndarray, "n"]:
    limits = np.iinfo(form.dtype)
    # A delay of less than half a step is one step.
    least = 1 if form.dtype == np.uint8 else limits.min
    return np.clip(np.rint(values / form.quantum), least, limits.max)


def _checked(name: str, law: Any, drawn: Any, n: int) -> Shaped[np.ndarray, "n"]:
    values = np.asarray(drawn)
    numbers = values.dtype.kind in "fiu"
    if values.shape != (n,) or not numbers or not np.isfinite(values).all():
        infinite = " with some that are not finite" if numbers and not np.isfinite(values).all() else ""
        raise ValueError(
            f"`{name}`: {type(law).__name__}.draw has to give finite numbers of the shape asked for, ({n},); got "
            f"{values.dtype}{list(values.shape)}{infinite}."
        )
    return values
