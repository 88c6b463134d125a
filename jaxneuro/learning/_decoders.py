"""From potentials and spikes over time to one number a neuron."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from .._numerics import check_positive
from ._arrays import as_floats


def max_potential(v: Float[Array, "*batch time n"]) -> Float[Array, "*batch n"]:
    """The highest potential of each read-out neuron [mV], as logits of a class each.

    Derivatives: forward and reverse mode, those of the highest step.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.learning.max_potential(jnp.asarray([[0.0, 2.0], [1.0, -1.0]])).tolist()
    [1.0, 2.0]

    ```

    Source: Cramer et al. (2022), doi:10.1109/TNNLS.2020.3044364, section III.
    """
    return jnp.max(v, axis=-2)


def mean_potential(v: Float[Array, "*batch time n"]) -> Float[Array, "*batch n"]:
    """The mean potential of each read-out neuron [mV].

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.learning.mean_potential(jnp.asarray([[0.0, 2.0], [1.0, -1.0]])).tolist()
    [0.5, 0.5]

    ```
    """
    return jnp.mean(v, axis=-2)


def spike_counts(spikes: Shaped[Array, "*batch time n"]) -> Shaped[Array, "*batch n"]:
    """The number of spikes of each neuron, from `jn.record.Raster`.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.learning.spike_counts(jnp.asarray([[0.0, 1.0], [1.0, 1.0]])).tolist()
    [1.0, 2.0]

    ```
    """
    return jnp.sum(spikes, axis=-2)


def first_spike_times(spikes: Shaped[Array, "*batch time n"], *, dt: float) -> Float[Array, "*batch n"]:
    """The time of the end of the step of each neuron's first spike [ms]; infinite where there is none.

    Raises `ValueError` where `dt` is not positive.

    Derivatives: none, a time on a grid is a step of everything.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.learning.first_spike_times(jnp.asarray([[0.0, 0.0], [0.0, 1.0]]), dt=0.5).tolist()
    [inf, 1.0]

    ```
    """
    check_positive("dt", dt)
    numbers = as_floats(spikes)  # true and false have no room for a number of steps
    fired = numbers > 0
    steps = (jnp.argmax(fired, axis=-2) + 1).astype(numbers.dtype)
    return jnp.where(jnp.any(fired, axis=-2), steps * dt, jnp.inf)
