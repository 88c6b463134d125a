"""Losses, small and pure: of one trial or of a batch, whose mean they are."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Float, Shaped

from .._numerics import as_leaf, check_positive, read_array, violates
from ._arrays import as_floats, check_labels, check_target


def cross_entropy(logits: Shaped[Array, "*batch n"], labels: Shaped[Array, "..."]) -> Float[Array, ""]:
    """The mean of -log softmax(logits)[label].

    **Arguments:** `logits`, such as `max_potential(sol["v"])`; `labels`, the true classes, 0 to n - 1.

    Raises `ValueError` where `labels` are not one such class a trial.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> f"{jn.learning.cross_entropy(jnp.asarray([[0.0, 0.0]]), jnp.asarray([1])):.4f}"
    '0.6931'

    ```
    """
    logits, labels = as_floats(logits), jnp.asarray(read_array(labels, "labels"))
    check_labels(logits, labels)
    log_p = jax.nn.log_softmax(logits, axis=-1)
    return -jnp.mean(jnp.take_along_axis(log_p, labels[..., None], axis=-1))


def accuracy(logits: Shaped[Array, "*batch n"], labels: Shaped[Array, "..."]) -> Float[Array, ""]:
    """The share of trials whose largest logit is the true class.

    Raises `ValueError` where `labels` are not one class a trial, 0 to n - 1.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> float(jn.learning.accuracy(jnp.asarray([[0.0, 1.0], [2.0, 1.0]]), jnp.asarray([1, 1])))
    0.5

    ```
    """
    logits, labels = as_floats(logits), jnp.asarray(read_array(labels, "labels"))
    check_labels(logits, labels)
    return jnp.mean((jnp.argmax(logits, axis=-1) == labels).astype(logits.dtype))


def squared_error(values: Shaped[Array, "*shape"], target: ArrayLike) -> Float[Array, ""]:
    """The mean squared difference, as of spike counts, rates [Hz] or CVs and what they should be.

    Raises `ValueError` where `target` is neither a number nor of the shape of `values`, or of their last axes.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> float(jn.learning.squared_error(jnp.asarray([1.0, 3.0]), 2.0))
    1.0

    ```
    """
    values, target = as_floats(values), as_leaf(target, "target")
    check_target("values", values, target, 0)
    return jnp.mean((values - target) ** 2)


def rate_bounds(rates: Float[Array, "*batch n"], *, low: ArrayLike = 0.0, high: ArrayLike) -> Float[Array, ""]:
    """A regulariser: the mean squared rate [Hz] outside [low, high], which wakes silent neurons and calms others.

    Raises `ValueError` where a known `low` lies above `high`.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> float(jn.learning.rate_bounds(jnp.asarray([0.0, 5.0, 30.0]), low=3.0, high=24.0))
    15.0

    ```

    Source: Zenke and Vogels (2021), doi:10.1162/neco_a_01367, methods.
    """
    low, high = as_leaf(low, "low"), as_leaf(high, "high")
    if violates(lambda low, high: low <= high, low, high):
        raise ValueError(f"`low` has to be at most `high`; got {low} and {high} Hz.")
    below, above = jnp.maximum(low - rates, 0.0), jnp.maximum(rates - high, 0.0)
    return jnp.mean(below**2 + above**2)


def van_rossum(
    spikes: Shaped[Array, "*batch time n"], target: Shaped[Array, "..."], *, dt: float, tau: float
) -> Float[Array, ""]:
    """The van Rossum distance of spike trains, squared: mean over neurons of (1/tau) times the integral of (f - g)^2.

    f and g are the trains filtered with exp(-t/tau); the integral goes to the end of the run. A train of one spike more
    is at 1/2 from one without.

    **Arguments:** `spikes`, from `jn.record.Raster`; `target`, as many steps and neurons; `dt`, `tau` [ms].

    Raises `ValueError` where `dt` or `tau` is not positive, or `target` is of another shape.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> one = jnp.zeros((2_000, 1)).at[0].set(1.0)
    >>> f"{jn.learning.van_rossum(one, jnp.zeros_like(one), dt=0.1, tau=10.0):.4f}"
    '0.5000'

    ```

    Source: van Rossum (2001), doi:10.1162/089976601300014321, equation (2).
    """
    check_positive("dt", dt)
    check_positive("tau", tau)
    spikes, target = as_floats(spikes), as_floats(target)
    check_target("spikes", spikes, target, 2)
    decay = jnp.exp(jnp.asarray(-dt / tau, spikes.dtype))
    # The integral of a decaying exponential over a step, beside its value at the start.
    share = 0.5 * (1.0 - decay**2)

    def step(trace: Any, row: Any) -> tuple[Any, Any]:
        trace = trace + row
        return trace * decay, share * trace**2

    rows = jnp.moveaxis(spikes - target, -2, 0)
    return jnp.mean(jnp.sum(lax.scan(step, jnp.zeros_like(rows[0]), rows)[1], axis=0))


def interval_cv(spikes: Shaped[Array, "time n"], *, dt: float) -> Float[Array, "n"]:
    """The coefficient of variation of each neuron's intervals; NaN with fewer than three.

    Unlike `jn.record.CV` it has a derivative: an interval is the time since the last spike, which the surrogate
    derivative of a spike resets.

    **Arguments:** `spikes`, from `jn.record.Raster`; `dt` [ms].

    Derivatives: forward and reverse mode, through `spikes`; 0 where the result is NaN.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> train = jnp.zeros((40, 1)).at[jnp.asarray([3, 5, 9, 11, 15])].set(1.0)
    >>> f"{float(jn.learning.interval_cv(train, dt=1.0)[0]):.4f}"
    '0.3333'

    ```
    """
    check_positive("dt", dt)
    spikes = as_floats(spikes)

    def step(carry: Any, row: Any) -> tuple[Any, None]:
        since, started, moments = carry
        since = since + dt
        whole = row * started
        moments = moments + jnp.stack([whole, whole * since, whole * since**2])
        return (since * (1.0 - row), jnp.maximum(started, lax.stop_gradient(row)), moments), None

    nothing = jnp.zeros_like(spikes[0])
    n, first, second = lax.scan(step, (nothing, nothing, jnp.zeros((3, *nothing.shape), spikes.dtype)), spikes)[0][2]
    enough = n > 2.5
    count = jnp.where(enough, n, 1.0)
    mean = jnp.where(enough, first / count, 1.0)
    variance = jnp.where(enough, second / count - mean**2, 1.0)
    # A regular train has variance 0, where a square root has no derivative.
    regular = variance <= 1e-12 * mean**2
    cv = jnp.where(regular, 0.0, jnp.sqrt(jnp.where(regular, 1.0, variance)) / mean)
    return jnp.where(enough, cv, jnp.nan)
