"""The neuron with instantaneous conductances: rate, variability and density, by any theory of the noise."""

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from .._numerics import as_leaf, check_finite, is_concrete, where_defined
from ..laws import OutsideTheoryWarning
from ._afferents import Afferents
from ._conductance_neuron import (
    DrivenNeuron,
    check_conductance,
    check_numbers,
    joined,
    one_driven_neuron,
    read_neuron,
    split,
)
from ._effective_input import checked_noise
from ._noise import AbstractNoise


def conductance_rate(
    nu_x: ArrayLike,
    *,
    a: ArrayLike,
    k: ArrayLike,
    g: ArrayLike,
    eta: ArrayLike,
    gamma: ArrayLike,
    noise: AbstractNoise | None = None,
    tau_m: ArrayLike = 20.0,
    v_rest: ArrayLike = -80.0,
    v_th: ArrayLike = -55.0,
    v_reset: ArrayLike = -65.0,
    t_ref: ArrayLike = 2.0,
    e_e: ArrayLike = 0.0,
    e_i: ArrayLike = -75.0,
) -> Float[Array, "..."]:
    """Returns the rate of a neuron with instantaneous conductances under Poisson input.

        tau_m dV/dt = -(V - v_rest) - tau_m sum over spikes of a (V - E) delta(t - t_spike),

    with `k` excitatory inputs of efficacy a at nu_X and `gamma k` inhibitory ones of efficacy g a at eta nu_X.

    **Arguments:** numbers or arrays that broadcast together.

    - `nu_x`: nu_X [Hz]; `a`: efficacy; `k`: in-degree; `g`, `eta`, `gamma`: ratios, dimensionless.
    - `noise`: the theory: `EffectiveNoise()`, `ItoNoise()`, `StratonovichNoise()`, `ShotNoise()` or one of your own.
    - `tau_m`, `t_ref` [ms], `v_rest`, `v_th`, `v_reset`, `e_e`, `e_i` [mV]: of the neuron and of its synapses.

    **Returns:** the rate [Hz], in the broadcast shape.

    Raises `ValueError` where a number is negative, not finite or out of order, or the theory does not cover the
    neuron; NaN under jit.

    Derivatives: forward and reverse mode.

    ```python
    >>> from jaxneuro.theory import ItoNoise, conductance_rate
    >>> neuron = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
    >>> f"{conductance_rate(20.0, **neuron):.4f}, {conductance_rate(20.0, **neuron, noise=ItoNoise()):.4f} Hz"
    '16.3400, 49.4071 Hz'

    ```

    Source: Sanzeni, Histed, Brunel (2022), Phys Rev X 12, 011044, doi:10.1103/PhysRevX.12.011044, equations (10),
    (A13).
    """
    theory = checked_noise(noise)
    neuron = read_neuron(
        nu_x=nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, tau_m=tau_m, v_rest=v_rest, v_th=v_th, v_reset=v_reset,
        t_ref=t_ref, e_e=e_e, e_i=e_i,
    )  # fmt: skip
    rates, continued = _answer(theory, neuron, _rate)
    if continued is not None and is_concrete(continued) and int(continued):
        warnings.warn(
            f"{int(continued)} of {rates.size} rates are too low for the linear solve of "
            f"`{type(theory).__name__}` in {rates.dtype} and are continued by the exponent of the passage time.",
            OutsideTheoryWarning,
            stacklevel=2,
        )
    return rates


def conductance_cv(
    nu_x: ArrayLike,
    *,
    a: ArrayLike,
    k: ArrayLike,
    g: ArrayLike,
    eta: ArrayLike,
    gamma: ArrayLike,
    noise: AbstractNoise | None = None,
    tau_m: ArrayLike = 20.0,
    v_rest: ArrayLike = -80.0,
    v_th: ArrayLike = -55.0,
    v_reset: ArrayLike = -65.0,
    t_ref: ArrayLike = 2.0,
    e_e: ArrayLike = 0.0,
    e_i: ArrayLike = -75.0,
) -> Float[Array, "..."]:
    """Returns the coefficient of variation of the inter-spike intervals of such a neuron.

    **Arguments:** (raises and derivatives too) as `conductance_rate`. **Returns:** the CV [1], in the broadcast shape.

    ```python
    >>> from jaxneuro.theory import ItoNoise, conductance_cv
    >>> neuron = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
    >>> f"{conductance_cv(20.0, **neuron, noise=ItoNoise()):.5f}"
    '0.87265'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (15), (A14).
    """
    theory = checked_noise(noise)
    neuron = read_neuron(
        nu_x=nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, tau_m=tau_m, v_rest=v_rest, v_th=v_th, v_reset=v_reset,
        t_ref=t_ref, e_e=e_e, e_i=e_i,
    )  # fmt: skip
    return _answer(theory, neuron, _cv)[0]


def conductance_density(
    v: ArrayLike,
    nu_x: ArrayLike,
    *,
    a: ArrayLike,
    k: ArrayLike,
    g: ArrayLike,
    eta: ArrayLike,
    gamma: ArrayLike,
    noise: AbstractNoise | None = None,
    tau_m: ArrayLike = 20.0,
    v_rest: ArrayLike = -80.0,
    v_th: ArrayLike = -55.0,
    v_reset: ArrayLike = -65.0,
    t_ref: ArrayLike = 2.0,
    e_e: ArrayLike = 0.0,
    e_i: ArrayLike = -75.0,
) -> Float[Array, "..."]:
    """Returns the stationary density of the potential of such a neuron, at potentials `v` [mV] of any shape.

    It integrates to 1 - nu t_ref and is 0 from the threshold on. Under `ShotNoise()` it has an edge at the reset
    potential, of nu tau_m/(v_reset - v_rest), of which equal jumps make a comb above. It is right to 1e-3 of itself, by
    the forward equation on 20,000 points; teeth of a comb of jumps as small as 0.1 mV are right to 1e-2.

    **Arguments:** `v` [mV]; the others as `conductance_rate`, here one number each.

    **Returns:** the density [1/mV], of the shape of `v`.

    Raises, derivatives: as `conductance_rate`.

    ```python
    >>> from jaxneuro.theory import ItoNoise, conductance_density
    >>> neuron = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
    >>> f"{conductance_density(-60.0, 20.0, **neuron, noise=ItoNoise()):.5f} per mV"
    '0.03660 per mV'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (17), (A12).
    """
    theory, potential = checked_noise(noise), as_leaf(v, "v")
    check_finite("v", potential)
    neuron = one_driven_neuron(
        "conductance_density", nu_x=nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, tau_m=tau_m, v_rest=v_rest,
        v_th=v_th, v_reset=v_reset, t_ref=t_ref, e_e=e_e, e_i=e_i,
    )  # fmt: skip
    check_conductance(theory, neuron)
    return _density(potential, theory, neuron)


Numbers = dict[str, Array]


def _answer(theory: AbstractNoise, neuron: Mapping[str, Any], program: Any) -> tuple[Array, Array | None]:
    check_numbers(theory, neuron)
    numbers, rest, structure = split(theory)
    # Every argument of a program costs a microsecond or two: known numbers that all neurons share are one of them.
    shared = tuple(name for name, leaf in neuron.items() if isinstance(leaf, np.ndarray) and leaf.ndim == 0)
    values = np.array([neuron[name].item() for name in shared], jnp.result_type(float))
    own = {name: leaf for name, leaf in neuron.items() if name not in shared}
    return program(rest, structure, shared, numbers, values, own)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _rate(
    rest: tuple[Any, ...],
    structure: Any,
    shared: tuple[str, ...],
    numbers: list[Any],
    values: Float[Array, "shared"],
    own: Numbers,
) -> tuple[Float[Array, "..."], Int[Array, ""] | None]:
    """The rates, and how many of them are continued: None of a theory that continues none."""
    theory, neuron = joined(numbers, rest, structure), dict(zip(shared, values, strict=True)) | own

    def answer(seen: Afferents) -> tuple[Float[Array, ""], Bool[Array, ""] | None]:
        continued = theory.continued(seen)
        return theory.rate(seen), None if isinstance(continued, bool) else continued

    (rates, continued), valid = _mapped(theory, neuron, answer)
    count = None if continued is None else jnp.sum(continued & valid)
    return where_defined(valid, rates, *jax.tree.leaves(neuron)), count


@partial(jax.jit, static_argnums=(0, 1, 2))
def _cv(
    rest: tuple[Any, ...],
    structure: Any,
    shared: tuple[str, ...],
    numbers: list[Any],
    values: Float[Array, "shared"],
    own: Numbers,
) -> tuple[Float[Array, "..."], Bool[Array, "..."]]:
    theory, neuron = joined(numbers, rest, structure), dict(zip(shared, values, strict=True)) | own
    found, valid = _mapped(theory, neuron, theory.cv)
    return where_defined(valid, found, *jax.tree.leaves(neuron)), valid


def _mapped(theory: AbstractNoise, numbers: Numbers, function: Any) -> tuple[Any, Bool[Array, "..."]]:
    """`function` of what every neuron sees, and where that means something."""
    neuron = DrivenNeuron(**numbers)
    # Numbers that all neurons share stay single: what is made of them alone is made once.
    leaves = vars(neuron.safe())
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves.values()))
    axes = {name: 0 if leaf.ndim else None for name, leaf in leaves.items()}
    flat = {n: jnp.broadcast_to(leaf, shape).reshape(-1) if leaf.ndim else leaf for n, leaf in leaves.items()}

    def one(leaves: Numbers) -> tuple[Any, Bool[Array, ""] | bool]:
        seen = DrivenNeuron(**leaves).afferents()
        return function(seen), theory.covers(seen)

    if not shape:
        found, covered = one(flat)
    else:
        each = jax.vmap(one, (axes,))(flat)
        found, covered = jax.tree.map(lambda leaf: leaf.reshape(shape), each)
    return found, neuron.valid() & covered


@eqx.filter_jit
def _density(v: Float[Array, "..."], theory: AbstractNoise, neuron: DrivenNeuron) -> Float[Array, "..."]:
    seen = neuron.safe().afferents()
    return jnp.where(neuron.valid() & theory.covers(seen), theory.density(v, seen), jnp.nan)
