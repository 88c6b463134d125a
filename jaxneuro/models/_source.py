"""A population whose spikes are given."""

from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from ._poisson import Poisson


class SpikeSource(eqx.Module):
    """Neurons whose spikes are given to the run: `stimulus={name: spikes}`, (time, n), bool or float.

    A bool is a spike. A float is a spike where it is not 0, and acts with that amplitude; it is differentiable.
    `jn.statistics.SpikeTrains`, as recorded, drawn or packed by `SpikeTrains.of(raster, dt=)`, take one bit a spike or
    none; their first step is that of the run.

    ```python
    >>> import jaxneuro as jn
    >>> sources = jn.Population(jn.SpikeSource(), 700)

    ```
    """

    def mean_rate(self) -> Float[Array, "*n"]:
        """Raises `ValueError`: the spikes are those of a run."""
        raise ValueError("a `SpikeSource` has the rate that a run gives it, which theory does not know: use `Poisson`.")


def is_source(model: Any) -> bool:
    """Whether a population takes no input: its spikes are drawn or given."""
    return isinstance(model, Poisson | SpikeSource)
