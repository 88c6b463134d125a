"""Runs that are too short to mean anything: seconds given for milliseconds, as a rule."""

import inspect
import warnings
from operator import attrgetter
from typing import Any

import numpy as np
from jax import tree_util

from .._network import Network
from .._numerics import is_concrete
from ..connectivity import StepRange
from ..models import AbstractODE

# Modules between a call of the package and the line that it is on: equinox wraps methods.
_OF_OURS = ("jaxneuro.", "equinox.", "jaxtyping.")
_IN_MS = "`t0`, `t1` and {} are in ms, not in seconds."


class ShortRunWarning(UserWarning):
    """A run in which no spike can arrive, or nothing can settle: seconds given for milliseconds, as a rule.

    ```python
    >>> import warnings, jaxneuro as jn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", jn.results.ShortRunWarning)
    ...     pass                                                              # a call that is known to warn of it

    ```
    """


def warn_of_short_run(net: Network, delays: tuple[StepRange, ...], n_steps: int, dt: float) -> None:
    """Warns where the run ends before a spike of its first step could arrive anywhere, or a membrane could settle."""
    shortest = min(delays, key=attrgetter("least"), default=None)
    if shortest is not None and n_steps < shortest.least:
        _warn(
            f"The run of {n_steps * dt:g} ms is shorter than the shortest delay, {shortest.least * dt:g} ms of "
            f"`projections[{delays.index(shortest)}]`: no spike arrives in it. {_IN_MS.format('delays')}"
        )
    else:
        times = {name: net.populations[name].model.settling_time() for name in net.neuron_names}
        _warn_of_slow(_known(times, "of `populations{}`"), n_steps, dt)


def warn_of_short_ode(model: AbstractODE, n_steps: int, dt: float) -> None:
    """Warns where the run of a differential equation ends before any of its variables could settle."""
    _warn_of_slow(_known({"": model.time_constants()}, "of `model`"), n_steps, dt)


def _known(times: dict[str, Any], whose: str) -> list[tuple[float, str]]:
    """The shortest of each array that no transformation hides, by whose it is; `whose` says where a name goes."""
    found = []
    for name, values in times.items():
        for value in tree_util.tree_leaves(values):
            if is_concrete(value):
                found.append((float(np.min(np.asarray(value))), whose.format([name])))
    return found


def _warn_of_slow(taus: list[tuple[float, str]], n_steps: int, dt: float) -> None:
    """A single step is a common run, and is left."""
    if taus and n_steps > 1 and n_steps * dt < 0.25 * min(taus)[0]:
        tau, whose = min(taus)
        _warn(
            f"The run of {n_steps * dt:g} ms is shorter than a quarter of the shortest time constant, {tau:g} ms "
            f"{whose}: nothing settles in it. {_IN_MS.format('time constants')}"
        )


def _warn(message: str) -> None:
    """Warns of the line that called the package."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_OF_OURS):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, ShortRunWarning, stacklevel=level)
