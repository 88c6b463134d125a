"""The oscillation that a spectrum shows."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf

# The band of a peak, as a factor to both sides of its frequency.
_BAND = 1.5
# The mean of a segment is taken off, which a Hann taper spreads over the lowest two frequencies.
_LOWEST = 2


class Oscillation(Shown):
    """The highest peak of a population's spectrum, at 2 / segment or above.

    - `frequency`: of the peak [Hz].
    - `height`: S(peak) / (r/N), over the level of N independent Poisson neurons of the same rate.
    - `sharpness`: frequency over full width at half height.
    - `modulation`: amplitude of the oscillation over the mean rate.
    """

    frequency: Float[Array, "*batch"]
    height: Float[Array, "*batch"]
    sharpness: Float[Array, "*batch"]
    modulation: Float[Array, "*batch"]


def oscillation(
    frequencies: Float[Array, "frequencies"],
    density: Float[Array, "*batch frequencies"],
    rate: ArrayLike,
    *,
    n: int,
) -> Oscillation:
    """The oscillation of a population's rate, from its spectrum.

    With S the two-sided density, r the mean rate, and the sum over the positive frequencies within
    a factor of 1.5 of the peak,

        modulation = 2 sqrt(sum_f (S(f) - r/N) df) / r

    which is A where r(t) = r (1 + A cos(2 pi f t)), 2 where all fire at once and periodically, and of order 1/sqrt(N)
    where the population is asynchronous.

    **Arguments:**

    - `frequencies`: [Hz], from 0 in equal steps; `density`: [Hz], (..., frequencies), as `record.Spectrum` gives them.
    - `rate`: the mean rate of a neuron [Hz], (...); `n`: the number of neurons.

    **Returns:** an `Oscillation` of shape (...). NaN where the rate is 0. Works under jit and vmap.

    Raises `ValueError` where the shapes do not fit.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> f = jnp.arange(0.0, 505.0, 5.0)
    >>> peak = 0.01 + 0.8 * jnp.exp(-(((f - 180.0) / 20.0) ** 2))
    >>> found = jn.analysis.oscillation(f, peak, 50.0, n=5_000)
    >>> float(found.frequency), round(float(found.height)), round(float(found.modulation), 3)
    (180.0, 81, 0.213)

    ```

    Source: the power at the peak over that of independent neurons, Brunel and Hakim (1999),
    doi:10.1162/089976699300016179 (finite-size effects).
    """
    if frequencies.ndim != 1 or density.shape[-1:] != frequencies.shape or frequencies.shape[0] <= _LOWEST:
        raise ValueError(
            f"`frequencies` has to be one axis of three or more, the last of `density`; got {frequencies.shape} and "
            f"{density.shape}."
        )
    rate = as_leaf(rate, "rate")[..., None]
    index = jnp.arange(frequencies.shape[0])
    peak = jnp.argmax(jnp.where(index >= _LOWEST, density, -jnp.inf), axis=-1, keepdims=True)
    top = jnp.take_along_axis(density, peak, axis=-1)
    frequency, spacing = frequencies[peak], frequencies[1]
    fires = rate > 0
    safe = jnp.where(fires, rate, 1.0)
    low = density < 0.5 * top
    left = jnp.max(jnp.where(low & (index < peak), index, -1), axis=-1, keepdims=True)
    right = jnp.min(jnp.where(low & (index > peak), index, index.size), axis=-1, keepdims=True)
    band = (frequencies > frequency / _BAND) & (frequencies < frequency * _BAND) & (index >= _LOWEST)
    power = jnp.sum(jnp.where(band, density - rate / n, 0.0), axis=-1, keepdims=True) * spacing
    modulation = 2.0 * jnp.sqrt(jnp.maximum(power, 0.0)) / safe
    sharpness = frequency / ((right - left - 1).astype(density.dtype) * spacing)

    def known(value: Float[Array, "*batch one"]) -> Float[Array, "*batch"]:
        return jnp.where(fires, value, jnp.nan)[..., 0]

    return Oscillation(known(frequency), known(top * n / safe), known(sharpness), known(modulation))
