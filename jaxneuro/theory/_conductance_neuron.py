"""The numbers of a neuron with instantaneous conductances: read, checked, and as theory sees them."""

import math
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Bool, Float

from .._network import SpikeStream
from .._numerics import (
    Moments,
    as_known,
    check_broadcast,
    check_finite,
    check_nonnegative,
    check_positive,
    is_concrete,
    violates,
)
from ..connectivity import ConstantWeight
from ..models import LIF
from ..synapses import DeltaConductance
from ._afferents import Afferents, Origin
from ._noise import AbstractNoise

_NOT_NEGATIVE = ("nu_x", "a", "k", "g", "eta", "gamma", "t_ref")
_POTENTIALS = ("v_rest", "v_th", "v_reset", "e_e", "e_i")
_ORDER = (("v_reset", "v_th"), ("e_i", "e_e"))


class DrivenNeuron(eqx.Module):
    """A neuron with K excitatory inputs of efficacy a at nu_X and gamma K inhibitory ones of g a at eta nu_X."""

    nu_x: Float[Array, "..."]
    a: Float[Array, "..."]
    k: Float[Array, "..."]
    g: Float[Array, "..."]
    eta: Float[Array, "..."]
    gamma: Float[Array, "..."]
    tau_m: Float[Array, "..."]
    v_rest: Float[Array, "..."]
    v_th: Float[Array, "..."]
    v_reset: Float[Array, "..."]
    t_ref: Float[Array, "..."]
    e_e: Float[Array, "..."]
    e_i: Float[Array, "..."]

    def afferents(self) -> Afferents:
        """What it receives, as theory reads it."""
        nothing = jnp.zeros_like(self.k)
        excitatory = SpikeStream(
            self.nu_x, Moments(self.k, nothing), ConstantWeight(self.a), DeltaConductance(reversal=self.e_e)
        )
        inhibitory = SpikeStream(
            self.eta * self.nu_x,
            Moments(self.gamma * self.k, nothing),
            ConstantWeight(self.g * self.a),
            DeltaConductance(reversal=self.e_i),
        )
        neuron = LIF(tau_m=self.tau_m, v_rest=self.v_rest, v_th=self.v_th, v_reset=self.v_reset, t_ref=self.t_ref)
        return Afferents(neuron, (excitatory, inhibitory))

    def valid(self) -> Bool[Array, "..."]:
        """Where the numbers are what the checks ask for, also under a transformation."""
        good = (self.v_reset < self.v_th) & (self.e_i < self.e_e)
        for name, value in vars(self).items():
            good = good & _allowed(name, value)
        return good

    def safe(self) -> "DrivenNeuron":
        """The same with numbers that are none made harmless, so that only their own place is NaN."""
        numbers = {name: jnp.where(_allowed(name, value), value, 1.0) for name, value in vars(self).items()}
        for low, high in _ORDER:
            below = numbers[low] < numbers[high]
            numbers[low] = jnp.where(below, numbers[low], numbers[high] - 1.0)
        return DrivenNeuron(**numbers)

    def broadcast(self) -> "DrivenNeuron":
        """The same with every number in the common shape."""
        shape = np.broadcast_shapes(*(leaf.shape for leaf in jax.tree.leaves(self)))
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, shape), self)


def _allowed(name: str, value: Float[Array, "..."]) -> Bool[Array, "..."]:
    """What the checks ask of one number."""
    if name in _POTENTIALS:
        return jnp.isfinite(value)
    least = value > 0.0 if name == "tau_m" else value >= 0.0
    return least & (value < jnp.inf)


def read_neuron(**values: ArrayLike) -> dict[str, np.ndarray | Array]:
    """The numbers as they were given, read and checked, by name: what is known stays with NumPy, which is quick."""
    dtype = jnp.result_type(float)
    read = {
        name: _read_float(value, name, dtype) if isinstance(value, float) else _read(value, name, dtype)
        for name, value in values.items()
    }
    leaves = {name: leaf for name, (leaf, _) in read.items()}
    ends = {name: both for name, (_, both) in read.items()}
    for name in _NOT_NEGATIVE:
        low, high = ends[name]
        if not (low >= 0.0 and high < math.inf):
            check_nonnegative(name, leaves[name])
    for name in _POTENTIALS:
        low, high = ends[name]
        if not (low > -math.inf and high < math.inf):
            check_finite(name, leaves[name])
    if not (ends["tau_m"][0] > 0.0 and ends["tau_m"][1] < math.inf):
        check_positive("tau_m", leaves["tau_m"])
    for low, high in _ORDER:
        if not ends[low][1] < ends[high][0] and violates(lambda x, y: x < y, leaves[low], leaves[high]):
            raise ValueError(f"`{low}` has to lie below `{high}`; got {values[low]} and {values[high]}.")
    if len({leaf.shape for leaf in leaves.values()} - {()}) > 1:
        check_broadcast(leaves)
    return leaves


Read = tuple[np.ndarray | Array, tuple[float, float]]


def _read(value: Any, name: str, dtype: Any) -> Read:
    """A number and its ends."""
    leaf = as_known(value, name, dtype)
    return leaf, _ends(leaf)


@lru_cache(maxsize=256)
def _read_float(value: float, name: str, dtype: Any) -> Read:
    """The same of a number that is likely to come again, as the default values do."""
    leaf, ends = _read(value, name, dtype)
    cast(np.ndarray, leaf).flags.writeable = False
    return leaf, ends


def driven_neuron(**values: ArrayLike) -> DrivenNeuron:
    """The numbers as arrays of one shape, read and checked."""
    return _neuron(read_neuron(**values))


def one_driven_neuron(call: str, **values: ArrayLike) -> DrivenNeuron:
    """The same of one neuron alone; `call` is who asks."""
    leaves = read_neuron(**values)
    for name, leaf in leaves.items():
        if leaf.ndim:
            raise ValueError(
                f"`{name}` has to be one number, as `{call}` is of one neuron; got shape {leaf.shape}: use jax.vmap."
            )
    return _neuron(leaves)


def _neuron(leaves: Mapping[str, np.ndarray | Array]) -> DrivenNeuron:
    return DrivenNeuron(**{name: jnp.asarray(leaf) for name, leaf in leaves.items()}).broadcast()


def check_conductance(theory: AbstractNoise, neuron: DrivenNeuron) -> None:
    """Raises `ValueError` where the theory does not cover the neuron."""
    check_numbers(theory, vars(neuron))


def check_numbers(theory: AbstractNoise, leaves: Mapping[str, np.ndarray | Array]) -> None:
    """Raises `ValueError` where the theory does not cover the neuron: its kind, and its numbers where they matter."""
    numbers, rest, structure = split(theory)
    if numbers:
        theory.check(_seen_with_origins(_element(_neuron(leaves), 0)))
    elif not _numbers_matter(rest, structure):
        return
    if is_concrete(theory, leaves):
        neuron = _neuron(leaves)
        covered = np.asarray(_covered(theory, neuron)).reshape(-1)
        if not covered.all():
            theory.check(_seen_with_origins(_element(neuron, int(np.argmin(covered)))))


def split(theory: AbstractNoise) -> tuple[list[Any], tuple[Any, ...], Hashable]:
    """The numbers of a theory, and what else it is made of, which decides the program."""
    leaves, structure = jax.tree.flatten(theory)
    return [x for x in leaves if eqx.is_array(x)], tuple(None if eqx.is_array(x) else x for x in leaves), structure


def joined(numbers: list[Any], rest: tuple[Any, ...], structure: Any) -> AbstractNoise:
    """The theory that was split."""
    left = iter(numbers)
    return jax.tree.unflatten(structure, [next(left) if x is None else x for x in rest])


@lru_cache(maxsize=64)
def _numbers_matter(rest: tuple[Any, ...], structure: Hashable) -> bool:
    """Whether a theory without numbers of its own covers only some numbers of a neuron whose kind it covers."""
    theory = joined([], rest, structure)
    with jax.ensure_compile_time_eval():
        example = _example()
        theory.check(_seen_with_origins(example))
    covers = []
    jax.eval_shape(lambda neuron: covers.append(theory.covers(neuron.afferents())), example)
    return isinstance(covers[0], Tracer)


def _example() -> DrivenNeuron:
    """A neuron with the numbers of the source."""
    given = {"nu_x": 20.0, "a": 0.01, "k": 1e3, "g": 12.0, "eta": 1.8, "gamma": 0.25, "tau_m": 20.0, "t_ref": 2.0}
    potentials = {"v_rest": -80.0, "v_th": -55.0, "v_reset": -65.0, "e_e": 0.0, "e_i": -75.0}
    return driven_neuron(**given, **potentials)


def _element(neuron: DrivenNeuron, index: int) -> DrivenNeuron:
    return jax.tree.map(lambda leaf: leaf.reshape(-1)[index], neuron) if neuron.nu_x.size else neuron


def _seen_with_origins(neuron: DrivenNeuron) -> Afferents:
    seen = neuron.afferents()
    return Afferents(seen.neuron, seen.streams, (), (Origin("a", None, None), Origin("g a", None, None)))


@eqx.filter_jit
def _covered(theory: AbstractNoise, neuron: DrivenNeuron) -> Bool[Array, "..."]:
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1), neuron)
    return jax.vmap(lambda one: jnp.asarray(theory.covers(one.afferents())))(flat)


def _ends(leaf: np.ndarray | Array) -> tuple[float, float]:
    """The least and the largest value, NaN where one is; of what is not known, nothing that a check would refuse."""
    if isinstance(leaf, Tracer) or not leaf.size:
        return 1.0, 1.0
    known = np.asarray(leaf)
    if known.ndim == 0:
        value = known.item()
        return value, value
    return known.min().item(), known.max().item()
