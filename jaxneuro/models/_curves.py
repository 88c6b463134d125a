"""The drive of a membrane by itself, as a function of its potential: leak, spike onset, voltage-dependent currents."""

import abc
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import Shown, as_leaf, check_finite, check_nonnegative, check_positive, told


class AbstractCurve(Shown):
    """The drive F(V) [mV] of a membrane by itself: tau_m dV/dt = F(V) + I."""

    @abc.abstractmethod
    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """F at the potential `v` [mV]."""

    @abc.abstractmethod
    def lowest(self) -> Float[Array, "*n"]:
        """The potential [mV] at which F is least; -F there is the rheobase."""

    def leak_potential(self) -> Float[Array, "*n"] | None:
        """v_rest where F is the leak -(V - v_rest) alone; None of any other curve."""
        return None

    def __add__(self, other: "AbstractCurve") -> "CurveSum":
        """The curve of both."""
        if not isinstance(other, AbstractCurve):
            raise ValueError(f"A curve has to be added to a curve such as `InwardRectifierCurve`; got {told(other)}.")
        return CurveSum((self, other))


class ExponentialCurve(AbstractCurve):
    """F(V) = -(V - v_rest) + delta_t exp((V - v_t)/delta_t): leak, and a spike that starts at `v_t`.

    **Arguments:** `v_rest`, `v_t` [mV] and the sharpness `delta_t` [mV], each a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> curve = jn.ExponentialCurve(v_rest=-65.0, v_t=-50.0, delta_t=2.0)

    ```

    Source: Fourcaud-Trocme et al. (2003), doi:10.1523/JNEUROSCI.23-37-11628.2003.
    """

    v_rest: Float[Array, "*n"]
    v_t: Float[Array, "*n"]
    delta_t: Float[Array, "*n"]

    def __init__(self, *, v_rest: ArrayLike = -65.0, v_t: ArrayLike = -50.0, delta_t: ArrayLike = 2.0):
        self.v_rest, self.v_t, self.delta_t = (
            as_leaf(v_rest, "v_rest"),
            as_leaf(v_t, "v_t"),
            as_leaf(delta_t, "delta_t"),
        )
        check_finite("v_rest", self.v_rest)
        check_finite("v_t", self.v_t)
        check_positive("delta_t", self.delta_t)

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.v_rest - v + self.delta_t * jnp.exp(jnp.minimum((v - self.v_t) / self.delta_t, 60.0))

    def lowest(self) -> Float[Array, "*n"]:
        return self.v_t


class QuadraticCurve(AbstractCurve):
    """F(V) = k (V - v_rest) (V - v_c): rest at `v_rest`, and a spike from `v_c` on.

    **Arguments:** `v_rest`, `v_c` [mV] and `k` [1/mV], each a number or (n,).

    ```python
    >>> import jaxneuro as jn
    >>> curve = jn.QuadraticCurve(v_rest=-65.0, v_c=-50.0, k=0.05)

    ```

    Source: Ermentrout and Kopell (1986), doi:10.1137/0146017; Izhikevich (2007), Dynamical Systems in Neuroscience.
    """

    v_rest: Float[Array, "*n"]
    v_c: Float[Array, "*n"]
    k: Float[Array, "*n"]

    def __init__(self, *, v_rest: ArrayLike = -65.0, v_c: ArrayLike = -50.0, k: ArrayLike = 0.05):
        self.v_rest, self.v_c, self.k = as_leaf(v_rest, "v_rest"), as_leaf(v_c, "v_c"), as_leaf(k, "k")
        check_finite("v_rest", self.v_rest)
        check_finite("v_c", self.v_c)
        check_positive("k", self.k)

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.k * (v - self.v_rest) * (v - self.v_c)

    def lowest(self) -> Float[Array, "*n"]:
        return 0.5 * (self.v_rest + self.v_c)


class LinearCurve(AbstractCurve):
    """F(V) = -(V - v_rest), the leak alone: an integrate-and-fire neuron with it is leaky.

    **Arguments:** `v_rest` [mV].

    Raises `ValueError` where a value is not finite.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> float(jn.LinearCurve(v_rest=-65.0)(jnp.asarray(-60.0)))
    -5.0

    ```
    """

    v_rest: Float[Array, "*n"]

    def __init__(self, *, v_rest: ArrayLike = 0.0):
        self.v_rest = as_leaf(v_rest, "v_rest")
        check_finite("v_rest", self.v_rest)

    def __call__(self, v: Float[Array, "*n"]) -> Float[Array, "*n"]:
        return self.v_rest - v

    def lowest(self) -> Float[Array, "*n"]:
        return self.v_rest

    def leak_potential(self) -> Float[Array, "*n"]:
        return self.v_rest


class InwardRectifierCurve(AbstractCurve):
    """F(V) = -g (V - reversal)/(1 + exp((V - v_half)/slope)): potassium channels that open as the membrane falls.

    It has no leak: it is added to a curve that has, `ExponentialCurve(...) + InwardRectifierCurve(...)`.

    **Arguments:** `g`, relative to leak; `v_half` [mV], where half of the channels are open, `slope` [mV], positive,
    and `reversal` [mV]; each a number or (n,).

    Raises `ValueError` where a value is not finite, `g` is negative or `slope` is not positive.

    ```python
    >>> import jaxneuro as jn
    >>> curve = jn.ExponentialCurve() + jn.InwardRectifierCurve(g=1.0, v_half=-80.0, slope=10.0, reversal=-90.0)
    >>> f"{float(jn.IntegrateAndFire(curve).resting_potential()):.2f} mV"
    '-70.43 mV'

    ```

    Source: Hille (2001), Ion Channels of Excitable Membranes, chapter 5; as the currents of equation (C1) of Sanzeni,
    Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044.
    """

    g: Float[Array, "*n"]
    v_half: Float[Array, "*n"]
    slope: Float[Array, "*n"]
    reversal: Float[Array, "*n"]

    def __init__(self, g: ArrayLike, v_half: ArrayLike, slope: ArrayLike, reversal: ArrayLike):
        self.g, self.v_half = as_leaf(g, "g"), as_leaf(v_half, "v_half")
        self.slope, self.reversal = as_leaf(slope, "slope"), as_leaf(reversal, "reversal")
        check_nonnegative("g", self.g)
        check_finite("v_half", self.v_half)
        check_positive("slope", self.slope)
        check_finite("reversal", self.reversal)

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.g * (self.reversal - v) * jax.nn.sigmoid((self.v_half - v) / self.slope)

    def lowest(self) -> Float[Array, "*n"]:
        return _least(self, self.v_half)


class CurveSum(AbstractCurve):
    """The sum of two curves, made by `+`; the first is the one with the leak or the spike."""

    parts: tuple[AbstractCurve, AbstractCurve]

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        return self.parts[0](v) + self.parts[1](v)

    def lowest(self) -> Float[Array, "*n"]:
        return _least(self, self.parts[0].lowest())


# How far [mV] around a potential the least value of a curve is looked for, at how many points, and how often halved.
_AROUND, _POINTS, _HALVINGS = 60.0, 481, 40


def _least(curve: AbstractCurve, around: Float[Array, "*m"]) -> Float[Array, "*n"]:
    """Where the curve is least within 60 mV of a potential."""
    fixed, centre = jax.lax.stop_gradient((curve, around))
    shape = jnp.broadcast_shapes(*(leaf.shape for leaf in jax.tree.leaves(curve)), centre.shape)
    step = 2.0 * _AROUND / (_POINTS - 1)
    grid = jnp.linspace(-_AROUND, _AROUND, _POINTS, dtype=centre.dtype).reshape(-1, *([1] * len(shape)))
    first = centre + grid[jnp.argmin(fixed(jnp.broadcast_to(centre, shape) + grid), axis=0)].reshape(shape)

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        falls = jax.jvp(fixed, (middle,), (jnp.ones_like(middle),))[1] < 0.0
        return jnp.where(falls, middle, low), jnp.where(falls, high, middle)

    low, high = jax.lax.fori_loop(0, _HALVINGS, halve, (first - step, first + step))
    return 0.5 * (low + high)
