"""A Poincare section: where a trajectory crosses a surface."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import ArrayLike, Float

from .._numerics import Shown, told
from .._simulate import record, simulate
from ..models import AbstractODE, RungeKutta4
from ._vector import check_model


class PoincareSection(Shown):
    """Crossings of a surface: `times` [ms], and the variables there, {name: (crossings, n)}."""

    times: Float[np.ndarray, "crossings"]
    values: dict[str, Float[np.ndarray, "crossings n"]]

    def __len__(self) -> int:
        return self.times.size

    def __str__(self) -> str:
        if len(self) < 2:
            return f"{len(self)} crossing{'' if len(self) == 1 else 's'}"
        gaps = np.diff(self.times)
        return f"{len(self)} crossings, {np.mean(gaps):.6g} +- {np.std(gaps):.2g} ms apart"


def poincare_section(
    model: AbstractODE,
    t0: float,
    t1: float,
    *,
    dt: float,
    surface: Callable[[dict[str, Any]], Any],
    stimulus: ArrayLike | None = None,
) -> PoincareSection:
    """Where a run crosses the surface s = 0 upwards.

    The run is by Runge-Kutta steps; between two of them the crossing is where a straight line between the values of s
    is 0, and the variables are on the straight line between theirs: second order in `dt`.

    **Arguments:**

    - `model`: a rate model without noise, started as `simulate` does; `t0`, `t1`, `dt` [ms] as of `simulate`.
    - `surface`: s, a function of {variable: (n,)} at one time, such as `lambda y: y["rate"][0] - 20.0`.
    - `stimulus`: a number or (n,).

    **Returns:** a `PoincareSection`, in numpy.

    Raises `ValueError` where an argument does not fit. Derivatives: none.

    ```python
    >>> import jaxneuro as jn
    >>> pair = jn.networks.ei_rate(tau_i=40.0, start=(27.0, 16.7))
    >>> surface = lambda y: y["rate"][0] - 80 / 3
    >>> crossings = jn.analysis.poincare_section(pair, 0.0, 1_000.0, dt=0.5, surface=surface)
    >>> len(crossings), round(float(crossings.times[1] - crossings.times[0]), 2)
    (7, 145.1)

    ```

    Source: Strogatz (2015), Nonlinear Dynamics and Chaos, section 8.7.
    """
    check_model(model, stimulus)
    if not callable(surface):
        raise ValueError(f"`surface` has to be a function of the variables; got {told(surface)}.")
    names = tuple(eqx.filter_eval_shape(lambda: model.observe(model.initial())))
    traces = {name: record.Trace(name) for name in names}
    sol = simulate(model, t0, t1, dt=dt, record=traces, stimulus=stimulus, solver=RungeKutta4())
    height = np.asarray(jax.vmap(surface)(sol.records))
    if height.ndim != 1:
        raise ValueError(f"`surface` has to return one number; it returns shape {height.shape[1:]}.")
    (before,) = np.nonzero((height[:-1] < 0) & (height[1:] >= 0))
    share = -height[before] / (height[before + 1] - height[before])

    def between(values: Any) -> np.ndarray:
        known = np.asarray(values)
        weight = share.reshape(-1, *[1] * (known.ndim - 1))
        return known[before] + weight * (known[before + 1] - known[before])

    return PoincareSection(between(sol.times[names[0]]), {name: between(sol[name]) for name in names})
