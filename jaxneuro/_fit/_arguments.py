"""The arguments of a fit, checked before anything is computed."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._numerics import AbstractBijection, check_count, check_key, check_precision, in_a_line, is_concrete, told
from ..laws import AbstractLaw, PSPTable
from ._loss import AbstractLoss
from ._optimiser import AbstractOptimiser


def check_arguments(
    model: Any,
    data: Any,
    *,
    loss: Any,
    optimiser: Any,
    free: Any,
    bounds: Any,
    starts: Any,
    spread: Any,
    bootstrap: Any,
    key: Any,
) -> None:
    """Raises `ValueError` naming the first argument that is of the wrong kind."""
    if not is_concrete(model, data, jnp.zeros(())):
        raise ValueError(
            "A fit goes over known numbers and cannot be traced: call `jn.fit` outside of jax.jit, jax.vmap and "
            "jax.grad."
        )
    if isinstance(model, type):
        raise ValueError(f"`model` is the class {model.__name__}; it has to be an object such as {model.__name__}().")
    check_precision("model", model)
    check_precision("data", data)
    if isinstance(model, AbstractLaw) and loss is None and not isinstance(data, PSPTable):
        raise ValueError(
            f"`data` of a law has to be a `PSPTable`, from `jn.io.read_psp_csv` or made; got {type(data).__name__}."
        )
    if loss is not None and not isinstance(loss, AbstractLoss):
        raise ValueError(f"`loss` has to be a loss such as `jn.loss.LeastSquares()`; got {in_a_line(loss)}.")
    if optimiser is not None and not isinstance(optimiser, AbstractOptimiser):
        raise ValueError(
            "`optimiser` has to be an optimiser such as `jn.optimiser.LevenbergMarquardt()`; got "
            f"{in_a_line(optimiser)}."
        )
    if isinstance(free, str):
        raise ValueError(f"`free` has to be a list of names; got the string {free!r}: write [{free!r}].")
    if bounds is not None and not isinstance(bounds, Mapping):
        raise ValueError(f"`bounds` has to be a dict of {{name: bijection}}; got {told(bounds)}.")
    for name, bijection in (bounds or {}).items():
        if not isinstance(bijection, AbstractBijection):
            raise ValueError(
                f"`bounds[{name!r}]` has to be a bijection such as jn.bounds.Interval(0, 1); got {told(bijection)}."
            )
    for name, value, least in (("starts", starts, 1), ("bootstrap", bootstrap, 0)):
        check_count(name, value, f"a whole number of at least {least}", least=least)
    if bootstrap == 1:
        raise ValueError("`bootstrap` is 1; it has to be 0 or a number of refits of at least 2.")
    if not np.isscalar(spread) or not np.isfinite(spread) or spread < 0:  # type: ignore[operator]
        raise ValueError(f"`spread` has to be a finite number that is not negative; got {told(spread)}.")
    if key is not None:
        check_key(key)
