"""Populations, and where their potentials start."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from .._numerics import Shown, as_leaf, check_finite, told, violates
from ..connectivity import AbstractPositions, Points
from ..models import AbstractNeuron, AbstractRunnable, AbstractRunner, AbstractSource, Binary


class AbstractInitial(Shown):
    """Where the membrane potentials of a population start."""

    @abc.abstractmethod
    def draw(self, rest: Float[Array, "*n"], n: int, key: PRNGKeyArray) -> Float[Array, "n"]:
        """Potentials [mV] of `n` neurons with resting potential `rest` [mV]."""

    def fixed(self, rest: Float[Array, "*n"]) -> Float[Array, "*n"] | None:
        """The potential of every neuron where none is drawn; None where they are."""
        return None


class AtRest(AbstractInitial):
    """Every neuron starts at its resting potential; where that is unstable or not there, where its model says.

    Of neurons with channels that is the rest without bias, of integrate-and-fire neurons the reset potential.

    ```python
    >>> import jaxneuro as jn
    >>> population = jn.Population(jn.LIF(v_rest=-65.0, v_th=-50.0, v_reset=-60.0), 100, initial=jn.initial.AtRest())

    ```
    """

    def draw(self, rest: Float[Array, "*n"], n: int, key: PRNGKeyArray) -> Float[Array, "n"]:
        return jnp.broadcast_to(rest, (n,))

    def fixed(self, rest: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return rest


class UniformPotential(AbstractInitial):
    """Potentials drawn uniformly from [low, high] mV, so that the neurons do not start in step."""

    low: Float[Array, ""]
    high: Float[Array, ""]

    def __init__(self, low: ArrayLike, high: ArrayLike):
        self.low, self.high = as_leaf(low, "low"), as_leaf(high, "high")
        check_finite("low", self.low)
        check_finite("high", self.high)
        if violates(lambda low, high: low <= high, self.low, self.high):
            raise ValueError(f"`low` has to be at most `high`; got {self.low} and {self.high} mV.")

    def draw(self, rest: Float[Array, "*n"], n: int, key: PRNGKeyArray) -> Float[Array, "n"]:
        return self.low + (self.high - self.low) * jax.random.uniform(key, (n,), rest.dtype)


class Population(AbstractRunnable):
    """Neurons of one model.

    **Arguments:**

    - `model`: a neuron model such as `LIF(...)` or `HodgkinHuxley(...)`, `Poisson(rate)` or `SpikeSource()`
      for external sources, or `Binary(...)` for the units of a `BinaryNetwork`; each of its parameters is one number or
      one number a neuron, (n,).
    - `n`: number of neurons; None leaves it open, which theory allows and a run does not. It follows from `positions`.
    - `positions`: where the neurons are, for rules that depend on distance: an array (n, d), or an object with `n` and
      `distances` such as `Points(array)`.
    - `initial`: where the potentials start, `AtRest()` by default, or `UniformPotential(low, high)`.

    Raises `ValueError` where `n` is no positive integer or not the number of `positions`, or a parameter has another
    shape.

    ```python
    >>> import jaxneuro as jn
    >>> population = jn.Population(jn.LIF(), 1_000, initial=jn.initial.UniformPotential(0.0, 20.0))
    >>> population.n
    1000

    ```
    """

    model: Any
    n: int | None = eqx.field(static=True)
    initial: AbstractInitial
    positions: AbstractPositions | None

    def __init__(
        self,
        model: Any,
        n: int | None = None,
        *,
        positions: Any = None,
        initial: AbstractInitial | None = None,
    ):
        if not isinstance(model, AbstractNeuron | AbstractSource | Binary):
            raise ValueError(
                f"`model` has to be a neuron model, such as `LIF`, `HodgkinHuxley`, `Poisson` or `Binary`; "
                f"got {told(model)}."
            )
        places = positions if positions is None or isinstance(positions, AbstractPositions) else Points(positions)
        if places is not None:
            if n is not None and n != places.n:
                raise ValueError(f"`n` is {n!r}, and `positions` are of {places.n} neurons: leave `n` out.")
            n = places.n
        if n is not None:
            if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
                raise ValueError(f"`n` has to be a positive integer, the number of neurons; got {told(n)}.")
            n = int(n)
            for path, leaf in jax.tree_util.tree_leaves_with_path(model):
                if not (eqx.is_array(leaf) or isinstance(leaf, np.ndarray | np.generic)):
                    raise ValueError(
                        f"A field of `model`, {type(model).__name__}, holds {leaf!r}, which is no array: make a number "
                        "one by `as_leaf`, and mark what is part of the program with `eqx.field(static=True)`."
                    )
                if leaf.shape not in ((), (n,)):
                    raise ValueError(
                        f"`model{jax.tree_util.keystr(path)}` has shape {leaf.shape}; it has to be () or ({n},), "
                        "one a neuron."
                    )
        if initial is not None and not isinstance(initial, AbstractInitial):
            raise ValueError(f"`initial` has to be `AtRest()` or `UniformPotential(low, high)`; got {told(initial)}.")
        self.model = model
        self.n = n
        self.positions = places
        self.initial = AtRest() if initial is None else initial

    def run_by(self, runner: AbstractRunner) -> Any:
        """As a population alone."""
        return runner.population(self)
