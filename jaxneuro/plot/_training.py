"""The history of a training."""

from typing import TYPE_CHECKING

import numpy as np

from .._train import Trained
from ._common import COLOURS, WIDE, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Steps over which the thick line is a median: a fiftieth of the training, at least five.
_PART = 50


def training(trained: Trained, *, unit: str = "", ax: "Axes | None" = None) -> "Axes":
    """Draws the loss of every step of a training, its running median, and the validation losses.

    The axis is logarithmic where a positive loss falls by more than a factor of 30.

    **Arguments:** `trained`, of `jn.train`; `unit` of the loss, such as "nat"; `ax`, where to draw, by default a new
    figure.

    **Returns:** the axes.

    Raises `ValueError` for what is no training, `ImportError` without matplotlib.

    ```python
    >>> import jax, jax.numpy as jnp, optax, jaxneuro as jn
    >>> trained = jn.train(jnp.ones(2), lambda w, batch, key: jnp.sum(w**2), lambda step: 0.0, steps=20,
    ...                    optimiser=optax.sgd(0.1), key=jax.random.key(0))
    >>> jn.plot.training(trained).get_yscale()
    'log'

    ```
    """
    if not isinstance(trained, Trained):
        raise ValueError(f"`trained` has to be what `jn.train` returns; got {type(trained).__name__}.")
    loss = np.asarray(trained.loss)
    axes = axes_or_new(ax)
    steps = np.arange(1, loss.size + 1)
    axes.plot(steps, loss, color=COLOURS[0], lw=0.6, alpha=0.5, label="each step")
    half = max(2, loss.size // (2 * _PART))
    if loss.size > 2 * half:
        window = np.lib.stride_tricks.sliding_window_view(loss, 2 * half + 1)
        axes.plot(steps[half:-half], np.median(window, axis=1), color=COLOURS[0], lw=1.8, label="running median")
    if trained.validation:
        at = np.array(list(trained.validation))
        axes.plot(at, list(trained.validation.values()), "s--", ms=4, color=COLOURS[1], label="validation")
    positive = loss.size > 0 and bool(np.all(loss > 0))
    if positive and loss.max() > WIDE * loss.min():
        axes.set_yscale("log")
    elif positive:
        axes.set_ylim(0, None)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="step", ylabel=f"loss ({unit})" if unit else "loss")
    axes.legend(frameon=False, fontsize="small")
    return axes
