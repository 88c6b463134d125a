"""Rall's solutions for the passive cable."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_broadcast, check_nonnegative, check_positive, violates, where_defined


class PassiveCable(Shown):
    """A passive cylinder with sealed ends, in closed form.

        lambda = sqrt(d r_m/(4 r_a)),   tau_m = r_m c_m,   R_inf = (2/pi) sqrt(r_m r_a) d^(-3/2).

    **Arguments**, numbers: `length` and `diameter` [um], `g_l` = 1/r_m [mS/cm2], `r_a` [ohm cm], `c_m` [uF/cm2].

    Raises `ValueError` where one is not positive, or a place does not lie on the cable.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> cable = jn.theory.PassiveCable(length=1_000.0, diameter=2.0, g_l=0.1, r_a=100.0)
    >>> f"{float(cable.length_constant):.1f} um, {float(cable.input_resistance):.1f} MOhm"
    '707.1 um, 253.4 MOhm'
    >>> f"{float(cable.attenuation(1_000.0)):.4f}"
    '0.4591'

    ```

    Source: Rall (1977), Handbook of Physiology, doi:10.1002/cphy.cp010103; Dayan and Abbott (2001), section 6.3.
    """

    length: Float[Array, ""]
    diameter: Float[Array, ""]
    g_l: Float[Array, ""]
    r_a: Float[Array, ""]
    c_m: Float[Array, ""]

    def __init__(self, *, length: ArrayLike, diameter: ArrayLike, g_l: ArrayLike, r_a: ArrayLike, c_m: ArrayLike = 1.0):
        self.length, self.diameter = as_leaf(length, "length"), as_leaf(diameter, "diameter")
        self.g_l, self.r_a, self.c_m = as_leaf(g_l, "g_l"), as_leaf(r_a, "r_a"), as_leaf(c_m, "c_m")
        for name in ("length", "diameter", "g_l", "r_a", "c_m"):
            check_positive(name, getattr(self, name))

    @property
    def length_constant(self) -> Float[Array, ""]:
        """lambda [um]."""
        return 1e4 * jnp.sqrt(self.diameter * 1e-4 * 1e3 / self.g_l / (4.0 * self.r_a))

    @property
    def tau_m(self) -> Float[Array, ""]:
        """tau_m [ms]."""
        return self.c_m / self.g_l

    @property
    def input_resistance(self) -> Float[Array, ""]:
        """V/I at one end under a steady current there [MOhm]: R_inf coth(l/lambda)."""
        return self._infinite() / jnp.tanh(self.length / self.length_constant)

    def _infinite(self) -> Float[Array, ""]:
        """R_inf [MOhm]."""
        return 1e-6 * (2.0 / jnp.pi) * jnp.sqrt(1e3 / self.g_l * self.r_a) * (self.diameter * 1e-4) ** -1.5

    def _place(self, x: ArrayLike) -> Float[Array, "..."]:
        at = as_leaf(x, "x")
        check_nonnegative("x", at)
        if violates(lambda x, length: x <= length, at, self.length):
            raise ValueError(f"`x` has to lie on the cable, which is {self.length} um long; got {at} um.")
        return at

    def attenuation(self, x: ArrayLike) -> Float[Array, "..."]:
        """V(x)/V(0) under a steady current at x = 0, for `x` [um] up to the sealed end."""
        at = self._place(x)
        return jnp.cosh((self.length - at) / self.length_constant) / jnp.cosh(self.length / self.length_constant)

    def step_response(self, x: ArrayLike, t: ArrayLike, *, current: ArrayLike, n_terms: int = 4_000):
        """V - V_rest [mV] at `x` [um], `t` [ms] after a current [nA] into x = 0 was switched on; `x`, `t` broadcast.

            V = (R_inf I/L) sum over k of (2 - delta_k0) cos(k pi X/L) (1 - exp(-(1 + (k pi/L)^2) T))/(1 + (k pi/L)^2),

        with X = x/lambda, L = length/lambda, T = t/tau_m; the steady part is summed in closed form.
        """
        place, moment, step = self._place(x), as_leaf(t, "t"), as_leaf(current, "current")
        check_broadcast({"x": place, "t": moment, "current": step})
        at, time = jnp.broadcast_arrays(place, moment)
        check_nonnegative("t", time)
        time = where_defined(time >= 0.0, time)
        long = self.length / self.length_constant
        k = jnp.arange(n_terms, dtype=at.dtype)
        mode = k * jnp.pi / long
        decay = jnp.exp(-(1.0 + mode**2) * time[..., None] / self.tau_m) / (1.0 + mode**2)
        shape = jnp.cos(mode * at[..., None] / self.length_constant) * jnp.where(k == 0, 1.0, 2.0)
        moving = jnp.sum(shape * decay, axis=-1) / long
        steady = jnp.cosh(long - at / self.length_constant) / jnp.sinh(long)
        return self._infinite() * step * (steady - moving)
