"""The six numbers of a LIF neuron in white noise: converted, checked, and marked where invalid under jit."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from .._numerics import as_leaf, check_broadcast, check_finite, check_nonnegative, check_positive, violates


class LifArguments(eqx.Module):
    """Strongly typed arguments. Known values are checked here; traced ones are seen by `valid`."""

    mu: Float[Array, "..."]
    sigma: Float[Array, "..."]
    tau: Float[Array, "..."]
    v_th: Float[Array, "..."]
    v_reset: Float[Array, "..."]
    t_ref: Float[Array, "..."]

    def __init__(
        self, mu: ArrayLike, sigma: ArrayLike, tau: ArrayLike, v_th: ArrayLike, v_reset: ArrayLike, t_ref: ArrayLike
    ):
        self.mu, self.sigma, self.tau = as_leaf(mu, "mu"), as_leaf(sigma, "sigma"), as_leaf(tau, "tau")
        self.v_th, self.v_reset, self.t_ref = (
            as_leaf(v_th, "v_th"),
            as_leaf(v_reset, "v_reset"),
            as_leaf(t_ref, "t_ref"),
        )
        check_broadcast({name: getattr(self, name) for name in ("mu", "sigma", "tau", "v_th", "v_reset", "t_ref")})
        check_finite("mu", self.mu)
        check_nonnegative("sigma", self.sigma)
        check_positive("tau", self.tau)
        check_finite("v_th", self.v_th)
        check_finite("v_reset", self.v_reset)
        check_nonnegative("t_ref", self.t_ref)
        if violates(lambda below, above: below < above, self.v_reset, self.v_th):
            raise ValueError(f"`v_reset` has to lie below `v_th`; got {self.v_reset} and {self.v_th}.")

    def values(self) -> tuple[Float[Array, "..."], ...]:
        """The arguments in the order of the kernels."""
        return self.mu, self.sigma, self.tau, self.v_th, self.v_reset, self.t_ref

    def valid(self) -> Bool[Array, "..."]:
        """Where the arguments are what the checks above ask for, also under a transformation."""
        finite = jnp.isfinite(self.mu) & jnp.isfinite(self.sigma) & jnp.isfinite(self.tau) & jnp.isfinite(self.t_ref)
        ordered = jnp.isfinite(self.v_th) & jnp.isfinite(self.v_reset) & (self.v_reset < self.v_th)
        return finite & ordered & (self.sigma >= 0.0) & (self.tau > 0.0) & (self.t_ref >= 0.0)
