"""The neuron with conductances at strong coupling."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_finite, check_yes_or_no, where_defined
from ._asymptotics import Asymptotics
from ._conductance_neuron import DrivenNeuron, check_conductance, one_driven_neuron
from ._effective_input import checked_noise
from ._free_rates import NO_LEAK, TINY
from ._noise import AbstractNoise


class StronglyCoupled(Shown):
    """What strong coupling says of one neuron; `.rate`, `.cv`, `.density(v)` and `.omega` by (12), (B6), (B4), (B9)."""

    exponent: Float[Array, ""]
    noise: AbstractNoise
    neuron: DrivenNeuron
    shown: DrivenNeuron

    @property
    def asymptotics(self) -> Asymptotics:
        """Passage time and density, or a refusal where the theory has none."""
        return self.noise.asymptotics(self.shown.afferents())

    @property
    def rate(self) -> Float[Array, ""]:
        """1/nu = t_ref + T [Hz]: 0 without input."""
        per_ms = jnp.exp(-self.asymptotics.log_time)
        return 1000.0 * per_ms / (1.0 + self.shown.t_ref * per_ms)

    @property
    def omega(self) -> Float[Array, ""]:
        """nu = 1/(t_ref + omega/nu_X), dimensionless: inf without input."""
        log_time = self.asymptotics.log_time
        silent = jnp.isposinf(log_time)
        return jnp.where(silent, jnp.inf, self.shown.nu_x * jnp.exp(jnp.where(silent, 0.0, log_time)) / 1000.0)

    @property
    def cv(self) -> Float[Array, ""]:
        """1 - nu t_ref below threshold; above, (B9) with the full theory's rate."""
        found = self.asymptotics
        full = jnp.exp(self.noise.log_rate(self.neuron.afferents())) / 1000.0
        below = 1.0 - self.rate * self.shown.t_ref / 1000.0
        spread = jnp.where(found.subthreshold, 1.0, found.spread)
        return jnp.where(found.subthreshold, below, full * jnp.sqrt(spread))

    def density(self, v: ArrayLike) -> Float[Array, "..."]:
        """The density of the potential [1/mV]: (18), (D13), or rate over drift above threshold; NaN without input."""
        potential = as_leaf(v, "v")
        check_finite("v", potential)
        found = self.asymptotics
        return where_defined(~jnp.isposinf(found.log_time), self.rate / 1000.0 * found.share(potential))


def strong_coupling(
    nu_x: ArrayLike,
    *,
    a: ArrayLike,
    k: ArrayLike,
    g: ArrayLike,
    eta: ArrayLike,
    gamma: ArrayLike,
    noise: AbstractNoise | None = None,
    limit: bool = False,
    tau_m: ArrayLike = 20.0,
    v_rest: ArrayLike = -80.0,
    v_th: ArrayLike = -55.0,
    v_reset: ArrayLike = -65.0,
    t_ref: ArrayLike = 2.0,
    e_e: ArrayLike = 0.0,
    e_i: ArrayLike = -75.0,
) -> StronglyCoupled:
    """Returns what a theory of the noise tends to at strong coupling, where the threshold is many noise widths away.

        1/nu = t_ref + tau sqrt(pi) exp(b^2)/b,    b = (v_th - mu)/sigma                              (Effective)
        1/nu = t_ref + tau sqrt(2 pi/c) q(th)/(sqrt(q(mu)) (v_th - mu)) exp(H(th) - H(mu))            (Ito)

    with c = 2 chi/(a^2 K tau) and q(V) = (V - E_S)^2 + E_D^2, divided by sqrt(q(th)/q(mu)) in Stratonovich's sense;
    above threshold 1/nu = t_ref + tau log((mu - v_reset)/(mu - v_th)).

    **Arguments:** one number each, as of `conductance_rate`; `limit`: whether the leak is gone, as at K to infinity.

    At nu_X = 0 nothing moves the potential from rest: the rate is 0, the CV 1, omega infinite, and there is no density.

    **Returns:** a `StronglyCoupled` with `.rate` [Hz], `.omega` (nu = 1/(t_ref + omega/nu_X)), `.cv`, `.density(v)`,
    and `.exponent`, the limit of a log(sqrt(a) K nu_X T) as a falls: v_bar^2, F(v_max) - F(alpha), or with spikes of
    fixed efficacy the integral over V from mu to threshold of p > 0,
    exp(p (E_E - V)) - 1 + gamma eta [exp(p g (E_I - V)) - 1] = 0.

    Raises `ValueError` as `conductance_rate`; of `ShotNoise`, which has the exponent alone, for the others.

    Derivatives: forward and reverse mode.

    ```python
    >>> from jaxneuro.theory import strong_coupling
    >>> seen = strong_coupling(20.0, a=0.001, k=1e5, g=12.0, eta=1.8, gamma=0.25, limit=True)
    >>> f"{seen.exponent:.6f}"
    '0.034015'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (12), (13), (16), (18), (B4),
    (B6), (B9, with the rate of the full theory), (B17), (D13, corrected).
    """
    limit = check_yes_or_no("limit", limit)
    theory = checked_noise(noise)
    neuron = one_driven_neuron(
        "strong_coupling", nu_x=nu_x, a=a, k=k, g=g, eta=eta, gamma=gamma, tau_m=tau_m, v_rest=v_rest,
        v_th=v_th, v_reset=v_reset, t_ref=t_ref, e_e=e_e, e_i=e_i,
    )  # fmt: skip
    check_conductance(theory, neuron)
    neuron = jax.tree.map(lambda leaf: where_defined(neuron.valid(), leaf), neuron)
    gone = jnp.full_like(jax.lax.stop_gradient(neuron.tau_m), NO_LEAK)
    bare = eqx.tree_at(lambda n: n.tau_m, neuron, gone)
    # The exponent times a does not depend on a where a is small, and there neither on the jump.
    small = eqx.tree_at(lambda n: n.a, bare, TINY * jnp.ones_like(neuron.a))
    exponent = TINY * theory.exponent(small.afferents()) + 0.0 * neuron.a
    return StronglyCoupled(exponent, theory, neuron, bare if limit else neuron)
