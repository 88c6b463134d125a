"""What a recorder wants to see of the states of a run."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Shaped

from ..._numerics import Shown, read_indices, told
from ._layout import Layout


class Watch(Shown):
    """One variable of one population, of all its neurons (None) or of some: a slice, or indices."""

    population: str = eqx.field(static=True)
    variable: str = eqx.field(static=True)
    neurons: slice | tuple[int, ...] | None = eqx.field(static=True, default=None)

    def chosen(self, values: Shaped[Array, "n"]) -> Shaped[Array, "m"]:
        """The values of these neurons, of the values of all."""
        if self.neurons is None:
            return values
        return values[self.neurons if isinstance(self.neurons, slice) else np.asarray(self.neurons, dtype=int)]

    def _indices(self, n: int) -> np.ndarray:
        if self.neurons is None:
            return np.arange(n)
        return np.arange(n)[self.neurons] if isinstance(self.neurons, slice) else np.asarray(self.neurons, dtype=int)

    def count(self, n: int) -> int:
        """How many of `n` neurons these are."""
        return self._indices(n).size

    def check(self, what: str, layout: Layout, of: int | None = None) -> None:
        """Raises `ValueError` where there is no such population, variable or neuron; `what` is the recorder, `of` how
        many neurons a mask spoke of."""
        if self.population not in layout.sizes:
            first = next(iter(layout.sizes))
            raise ValueError(
                f"`{what}` has to name population and variable, such as {first!r} + '.v'; there are "
                f"{', '.join(layout.sizes)}."
            )
        if self.variable not in layout.fields[self.population]:
            known = ", ".join(layout.fields[self.population]) or "none"
            raise ValueError(f"`{what}`: the variables of {self.population!r} are {known}.")
        n = layout.sizes[self.population]
        own = self._indices(n)
        if own.size == 0 or own.min() < -n or own.max() >= n:
            raise ValueError(f"`neurons` of `{what}` has to lie within the {n} neurons.")
        if of not in (None, n):
            raise ValueError(f"`neurons` of `{what}` is a mask of {of} neurons; {self.population!r} has {n}.")


def chosen_neurons(neurons: Any) -> tuple[slice | tuple[int, ...], int | None]:
    """The argument `neurons` of a recorder, all by default, and of a mask its length."""
    if neurons is None:
        return slice(None), None
    if isinstance(neurons, slice):
        ends = (neurons.start, neurons.stop, neurons.step)
        if not all(end is None or isinstance(end, int | np.integer) for end in ends):
            raise ValueError(f"`neurons` has to be a slice of whole numbers; got {told(neurons)}.")
        return neurons, None
    indices, of = read_indices(neurons, "neurons")
    return tuple(indices.tolist()), of


def check_variable(name: str, variable: object) -> None:
    """Raises `ValueError` where `variable` is no name."""
    if not isinstance(variable, str) or not variable:
        raise ValueError(f"`{name}` has to be the name of a variable, such as 'E.v'; got {told(variable)}.")


def watched(variable: str, layout: Layout, neurons: slice | tuple[int, ...] | None = None) -> Watch:
    """The watch of "population.variable", or of the variable alone where there is one population."""
    population, _, name = variable.partition(".")
    if population not in layout.sizes and len(layout.sizes) == 1:
        population, name = next(iter(layout.sizes)), variable
    return Watch(population, name, neurons)


class Lookout(eqx.Module):
    """All that the recorders of a run watch, by their names."""

    watches: dict[str, tuple[Watch, ...]]

    def look(self, observe: Callable[[str], Mapping[str, Any]]) -> dict[str, tuple[Array, ...]]:
        """What is seen, where `observe` gives the variables of a population."""
        seen: dict[str, Mapping[str, Any]] = {}
        found = {}
        for label, own in self.watches.items():
            for population in [watch.population for watch in own]:
                if population not in seen:
                    seen[population] = observe(population)
            if own:
                found[label] = tuple([watch.chosen(seen[watch.population][watch.variable]) for watch in own])
        return found
