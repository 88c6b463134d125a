"""Rings and sheets of rate units whose weights depend on the distance of their preferred angles alone."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_callable, as_leaf, check_count, check_finite, check_positive, told
from ..transfer import AbstractTransfer
from ._ode import AbstractRelaxation
from ._periodic import AbstractApplied, AbstractProduct, Dense, LowRank, angles
from ._rate import check_per_unit, checked_noise, checked_transfer, spread_over


class Ring(AbstractRelaxation):
    """A ring of rate units with a periodic kernel; with coefficients of two axes a sheet on a torus.

        tau du_i/dt = -u_i + F((1/N) sum_j J(theta_i - theta_j) u_j + I_i) + sigma sqrt(tau) xi,
        J(theta) = J_0 + J_1 cos theta + J_2 cos 2 theta + ...

    **Arguments:**

    - `n`: the number of units, on a sheet along each axis; theta_i = -pi + 2 pi i / n.
    - `j`: the coefficients (J_0, J_1, ...); a table J_kl of cos(k theta) cos(l phi) makes a sheet.
    - `i`: input I, a number or one each.
    - `tau`: time constant [ms].
    - `transfer`: F, of `jn.transfer`; threshold-linear by default.
    - `velocity`: [rad/ms], a number (of a sheet: one an axis) or a function of time [ms]. The kernel becomes
      J - tau velocity dJ/dtheta, under which a bump moves: with J_0 and J_1 alone exactly at that velocity. The numbers
      that a function holds are changed without compiling again where it is a pytree, as `jax.tree_util.Partial(f, v)`.
    - `noise`: sigma, in the units of u; None for none.
    - `start`: where a run starts, a number or one each.
    - `product`: `LowRank()` by default, `FFT()` or `Dense()`.

    Raises `ValueError` where a shape does not fit, a value is not finite, `tau` is not positive or there are not more
    than twice as many units as components.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> ring = jn.Ring(64, j=[-2.0, 3.0], i=1.0, start=1.0 + 0.1 * jnp.cos(jn.Ring(64, j=[0.0]).angles()))
    >>> sol = jn.simulate(ring, 0.0, 500.0, dt=0.5)
    >>> print(f"{float(sol['rate'][-1].max()):.2f}")
    1.06

    ```

    Source: Ben-Yishai, Bar-Or and Sompolinsky (1995), doi:10.1073/pnas.92.9.3844; source text 001, equations (25)-(29).
    Velocity: Zhang (1996), doi:10.1523/JNEUROSCI.16-06-02112.1996.
    """

    j: Float[Array, "..."]
    i: Float[Array, "*n"]
    tau: Float[Array, ""]
    noise: Float[Array, "*n"] | None
    start: Float[Array, "n"]
    velocity: Float[Array, "axes"] | None
    transfer: AbstractTransfer
    product: AbstractProduct
    applied: AbstractApplied | None
    moving: Callable[[Any], Any] | None
    n: int = eqx.field(static=True)

    def __init__(
        self,
        n: int,
        *,
        j: Any,
        i: Any = 0.0,
        tau: ArrayLike = 10.0,
        transfer: AbstractTransfer | None = None,
        velocity: Any = None,
        noise: Any = None,
        start: Any = 0.0,
        product: AbstractProduct | None = None,
    ):
        check_count("n", n, "a positive number of units")
        if not isinstance(product, AbstractProduct | None):
            raise ValueError(f"`product` has to be `LowRank()`, `FFT()` or `Dense()`; got {told(product)}.")
        self.n, self.j, self.i, self.tau = int(n), as_leaf(j, "j"), as_leaf(i, "i"), as_leaf(tau, "tau")
        if self.j.ndim not in (1, 2) or 0 in self.j.shape:
            raise ValueError(f"`j` has to hold the coefficients of a kernel of one or two angles; got {self.j.shape}.")
        check_count("n", self.n**self.j.ndim)
        if max(self.j.shape) > (self.n + 1) // 2:
            raise ValueError(f"`n` has to be more than twice the highest component, {max(self.j.shape) - 1}; got {n}.")
        self.transfer, self.noise = checked_transfer(transfer, self.size()), checked_noise(noise)
        self.product, self.applied = LowRank() if product is None else product, None
        self.start = spread_over("start", start, self.size())
        self.moving = as_callable(velocity, 0.0) if callable(velocity) else None
        if self.moving is not None:
            shape = jax.eval_shape(lambda t: as_leaf(velocity(t), "velocity"), as_leaf(0.0)).shape
            if shape not in ((), (self.j.ndim,)):
                raise ValueError(f"`velocity` has to return one number for each angle; it returns shape {shape}.")
        self.velocity = (
            None if velocity is None or callable(velocity) else jnp.atleast_1d(as_leaf(velocity, "velocity"))
        )
        check_finite("j", self.j)
        check_finite("i", self.i)
        check_positive("tau", self.tau)
        if self.tau.ndim:
            raise ValueError(f"`tau` has to be one number, so that all units are alike; got shape {self.tau.shape}.")
        for name, leaf in (("i", self.i), ("noise", self.noise)):
            check_per_unit(name, leaf, self.size())
        if self.velocity is not None:
            check_finite("velocity", self.velocity)
            if self.velocity.shape != (self.j.ndim,):
                raise ValueError(f"`velocity` has to be one number for each angle; got shape {self.velocity.shape}.")

    def size(self) -> int:
        """How many units there are."""
        return self.n**self.j.ndim

    def angles(self) -> Float[Array, "..."]:
        """theta_i [rad], (n,); of a sheet (n, n, 2) before it is flattened."""
        own = jnp.asarray(angles(self.n), self.j.dtype)
        return own if self.j.ndim == 1 else jnp.stack(jnp.meshgrid(own, own, indexing="ij"), axis=-1)

    def as_matrix(self) -> Float[Array, "n n"]:
        """The weights w_ij = J(theta_i - theta_j) / N, rows postsynaptic, without velocity."""
        applied = Dense().prepare(self.j, self._shape())
        return applied.straight  # type: ignore[attr-defined]

    def initial(self) -> Float[Array, "n"]:
        """Where a run starts."""
        return self.start

    def prepared(self) -> "Ring":
        """With the kernel ready to be applied."""
        return eqx.tree_at(lambda m: m.applied, self, self._apply(), is_leaf=lambda x: x is None)

    def time_constants(self) -> Float[Array, ""]:
        """tau [ms]."""
        return self.tau

    def drive(self, u: Float[Array, "n"], args: Any = None, t: Any = 0.0) -> Float[Array, "n"]:
        """The argument of F."""
        applied = self._apply() if self.applied is None else self.applied
        velocity = self.velocity
        if self.moving is not None:
            velocity = jnp.broadcast_to(as_leaf(self.moving(t), "velocity"), (self.j.ndim,))
        total = applied(u, None if velocity is None else self.tau * velocity) + self.i
        return total if args is None else total + args

    def target(self, t: Any, y: Float[Array, "n"], args: Any = None) -> Float[Array, "n"]:
        """F of the recurrent and the external input."""
        return self.transfer(self.drive(y, args, t))

    def observe(self, y: Float[Array, "n"]) -> dict[str, Float[Array, "n"]]:
        """`rate`."""
        return {"rate": y}

    def noise_amplitudes(self) -> Any:
        """sigma."""
        return self.noise

    def _shape(self) -> tuple[int, ...]:
        return (self.n,) * self.j.ndim

    def _apply(self) -> AbstractApplied:
        return self.product.prepare(self.j, self._shape())
