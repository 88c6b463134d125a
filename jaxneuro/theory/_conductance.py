"""The neuron with instantaneous conductances: rate, variability and density, by any theory of the noise."""

import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from .._network import SpikeStream
from .._numerics import Moments, as_leaf, check_finite, check_nonnegative, check_positive, is_concrete, violates
from ..connectivity import ConstantWeight
from ..laws import OutsideTheoryWarning
from ..models import LIF
from ..synapses import DeltaConductance
from ._afferents import Afferents, Origin
from ._effective_input import checked_noise
from ._noise import AbstractNoise
from ._noise_rate import hertz


class ConductanceNeuron(eqx.Module):
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
        good = jnp.isfinite(self.v_rest) & (self.v_reset < self.v_th) & (self.e_i < self.e_e) & (self.tau_m > 0.0)
        for value in (self.nu_x, self.a, self.k, self.g, self.eta, self.gamma, self.t_ref):
            good = good & (value >= 0.0) & jnp.isfinite(value)
        return good & jnp.isfinite(self.v_th + self.v_reset + self.tau_m + self.e_e + self.e_i)


def conductance_neuron(**values: ArrayLike) -> ConductanceNeuron:
    """The numbers, converted, checked and broadcast together."""
    leaves = {name: as_leaf(value, name) for name, value in values.items()}
    for name in ("nu_x", "a", "k", "g", "eta", "gamma", "t_ref"):
        check_nonnegative(name, leaves[name])
    for name in ("v_rest", "v_th", "v_reset", "e_e", "e_i"):
        check_finite(name, leaves[name])
    check_positive("tau_m", leaves["tau_m"])
    for low, high in (("v_reset", "v_th"), ("e_i", "e_e")):
        if violates(lambda below, above: below < above, leaves[low], leaves[high]):
            raise ValueError(f"`{low}` has to lie below `{high}`; got {values[low]} and {values[high]}.")
    try:
        shape = jnp.broadcast_shapes(*(leaf.shape for leaf in leaves.values()))
    except ValueError:
        shapes = {name: leaf.shape for name, leaf in leaves.items() if leaf.ndim}
        raise ValueError(f"The arguments have to broadcast together; got the shapes {shapes}.") from None
    return ConductanceNeuron(**{name: jnp.broadcast_to(leaf, shape) for name, leaf in leaves.items()})


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
    neuron = conductance_neuron(
        nu_x=nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, tau_m=tau_m, v_rest=v_rest, v_th=v_th, v_reset=v_reset,
        t_ref=t_ref, e_e=e_e, e_i=e_i,
    )  # fmt: skip
    rates, continued = _each(theory, neuron, _rate)
    if is_concrete(continued) and bool(jnp.any(continued)):
        warnings.warn(
            f"{int(jnp.sum(continued))} of {continued.size} rates are too low for the linear solve of "
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
    neuron = conductance_neuron(
        nu_x=nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, tau_m=tau_m, v_rest=v_rest, v_th=v_th, v_reset=v_reset,
        t_ref=t_ref, e_e=e_e, e_i=e_i,
    )  # fmt: skip
    return _each(theory, neuron, _cv)[0]


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

    It integrates to 1 - nu t_ref and is 0 from the threshold on.

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
    neuron = conductance_neuron(
        nu_x=nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, tau_m=tau_m, v_rest=v_rest, v_th=v_th, v_reset=v_reset,
        t_ref=t_ref, e_e=e_e, e_i=e_i,
    )  # fmt: skip
    if neuron.nu_x.ndim:
        raise ValueError(f"`conductance_density` is of one neuron; got numbers of shape {neuron.nu_x.shape}.")
    check_conductance(theory, neuron)
    return _density(potential, theory, neuron)


def check_conductance(theory: AbstractNoise, neuron: ConductanceNeuron) -> None:
    """Whether the theory covers the neuron, by its first element."""
    first = jax.tree.map(lambda leaf: leaf.reshape(-1)[0], neuron) if neuron.nu_x.size else neuron
    seen = first.afferents()
    origins = (Origin("nu_x", None, None), Origin("nu_x", None, None))
    theory.check(Afferents(seen.neuron, seen.streams, (), origins))


def _each(theory: AbstractNoise, neuron: ConductanceNeuron, function: Any) -> tuple[Array, ...]:
    check_conductance(theory, neuron)
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1), neuron)
    return tuple(values.reshape(neuron.nu_x.shape) for values in function(theory, flat))


@eqx.filter_jit
def _rate(theory: AbstractNoise, neuron: ConductanceNeuron) -> tuple[Float[Array, "n"], Bool[Array, "n"]]:
    def answer(one: ConductanceNeuron) -> tuple[Float[Array, ""], Bool[Array, ""]]:
        seen = one.afferents()
        return hertz(theory.log_rate(seen)), theory.continued(seen)

    rates, continued = jax.vmap(answer)(_safe(neuron))
    return jnp.where(neuron.valid(), rates, jnp.nan), continued & neuron.valid()


@eqx.filter_jit
def _cv(theory: AbstractNoise, neuron: ConductanceNeuron) -> tuple[Float[Array, "n"]]:
    return (jnp.where(neuron.valid(), jax.vmap(lambda one: theory.cv(one.afferents()))(_safe(neuron)), jnp.nan),)


@eqx.filter_jit
def _density(v: Float[Array, "..."], theory: AbstractNoise, neuron: ConductanceNeuron) -> Float[Array, "..."]:
    return jnp.where(neuron.valid(), theory.density(v, _safe(neuron).afferents()), jnp.nan)


def _safe(neuron: ConductanceNeuron) -> ConductanceNeuron:
    """The same with numbers that are none made harmless, so that only their own place is NaN."""
    valid = neuron.valid()
    return jax.tree.map(lambda leaf: jnp.where(valid, leaf, 1.0), neuron)
