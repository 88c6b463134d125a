"""What the theories of the noise tend to where the threshold is many noise widths away, or far exceeded."""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._formulas import QuadraticDiffusion
from ..models import LeakyMembrane
from ._noise import EffectiveInput


class Asymptotics(eqx.Module):
    """The escape from below threshold, and the drift through it from above, [ms].

    - `log_time`: log of the mean passage time, inf where no noise lifts the potential to the threshold;
      `subthreshold`: which of the two forms it is; `distance`: of the mean from threshold in units of the noise there.
    - `spread`: variance of the passage time above threshold [ms^2].
    - `drift`: mean drift (mean - V)/tau; `log_share`: log of the density over the rate, as a function of V.
    """

    log_time: Float[Array, ""]
    subthreshold: Bool[Array, ""]
    distance: Float[Array, ""]
    spread: Float[Array, ""]
    form: "AdditiveForm | MultiplicativeForm"

    def share(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """The density over the rate [ms/mV], below threshold."""
        form = self.form
        inside = (v > form.v_reset) & (v < form.v_th)
        through = form.tau / jnp.where(inside & ~self.subthreshold, form.mu - v, 1.0)
        return jnp.where(self.subthreshold, jnp.exp(form.log_share(v)), jnp.where(inside, through, 0.0))


class AdditiveForm(eqx.Module):
    """Of noise that is the same everywhere."""

    mu: Float[Array, ""]
    sigma: Float[Array, ""]
    tau: Float[Array, ""]
    v_th: Float[Array, ""]
    v_reset: Float[Array, ""]

    def log_share(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """Equation (18) times the passage time of (12)."""
        b, y = (self.v_th - self.mu) / self.sigma, (v - self.mu) / self.sigma
        below = b > 0.0
        log = jnp.log(self.tau / (self.sigma * jnp.where(below, b, 1.0))) + jnp.square(b) - jnp.square(y)
        return jnp.where(below, log, 0.0)


class MultiplicativeForm(eqx.Module):
    """Of noise that depends on the potential."""

    diffusion: QuadraticDiffusion
    mu: Float[Array, ""]
    tau: Float[Array, ""]
    v_th: Float[Array, ""]
    v_reset: Float[Array, ""]

    def log_share(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """Equation (D13), corrected."""
        d = self.diffusion
        below = self.v_th > d.mu
        ratio = d.tau / jnp.where(below, self.v_th - d.mu, 1.0) * d.variance(self.v_th) / d.variance(v)
        return jnp.where(below, jnp.log(ratio) + d.climb(self.v_th, self.v_th - v), 0.0)


def additive_asymptotics(at: EffectiveInput, membrane: LeakyMembrane) -> Asymptotics:
    """Equations (12) below threshold and (B4) above."""
    below = at.mu < membrane.v_th
    b = jnp.where(below, membrane.v_th - at.mu, 1.0) / jnp.where(at.sigma > 0.0, at.sigma, 1.0)
    escape = jnp.log(at.tau * math.sqrt(math.pi) / b) + jnp.square(b)
    escape = jnp.where(at.sigma > 0.0, escape, jnp.inf)
    through, near, far = _through(at.mu, at.tau, membrane)
    spread = 0.5 * jnp.square(at.sigma * at.tau) * (1.0 / jnp.square(near) - 1.0 / jnp.square(far))
    form = AdditiveForm(at.mu, at.sigma, at.tau, membrane.v_th, membrane.v_reset)
    return Asymptotics(jnp.where(below, escape, through), below, b, spread, form)


def multiplicative_asymptotics(
    plain: QuadraticDiffusion, in_itos_sense: QuadraticDiffusion, membrane: LeakyMembrane
) -> Asymptotics:
    """Equations (B6), with (A15)'s term in Stratonovich's sense, and (B4).

    `plain` is the diffusion as the convention reads it. The term that its reading adds changes (B6) by the factor
    sqrt(q(mu)/q(th)), and nothing else to leading order.
    """
    below = plain.mu < membrane.v_th
    gap = jnp.where(below, membrane.v_th - plain.mu, 1.0)
    at_top, at_mean = plain.variance(membrane.v_th), plain.variance(plain.mu)
    front = plain.tau * jnp.sqrt(2.0 * math.pi / plain.strength()) * at_top / (jnp.sqrt(at_mean) * gap)
    # In Ito's form the strength differs by 0 or 1: (q(mu)/q(th))^(1/2).
    kept = in_itos_sense.strength() - plain.strength()
    escape = jnp.log(front) + plain.climb(membrane.v_th, gap) + 0.5 * kept * jnp.log(at_top / at_mean)
    through, near, far = _through(plain.mu, plain.tau, membrane)
    m = plain.mu - plain.centre
    spread = (
        plain.s2
        * plain.tau**3
        * (
            0.5 * at_mean * (1.0 / jnp.square(near) - 1.0 / jnp.square(far))
            - 2.0 * m * (1.0 / near - 1.0 / far)
            + jnp.log(far / near)
        )
    )
    distance = gap / jnp.sqrt(plain.s2 * plain.tau * at_mean)
    form = MultiplicativeForm(in_itos_sense, plain.mu, plain.tau, membrane.v_th, membrane.v_reset)
    return Asymptotics(jnp.where(below, escape, through), below, distance, spread, form)


def _through(
    mu: Float[Array, ""], tau: Float[Array, ""], membrane: LeakyMembrane
) -> tuple[Float[Array, ""], Float[Array, ""], Float[Array, ""]]:
    """log of the time without noise from reset to threshold, and the distances of mu from both."""
    above = mu > membrane.v_th
    near = jnp.where(above, mu - membrane.v_th, 1.0)
    far = jnp.where(above, mu - membrane.v_reset, 2.0)
    return jnp.log(tau * jnp.log(far / near)), near, far
