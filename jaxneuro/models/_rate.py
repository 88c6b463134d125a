"""Rate models: networks of units with one or two time constants."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._numerics import as_leaf, check_finite, check_nonnegative, check_positive, in_a_line
from ..transfer import AbstractTransfer, ThresholdLinear
from ._ode import AbstractRelaxation


class RateNetwork(AbstractRelaxation):
    """A recurrent network of rate units.

        tau dv/dt = -v + F(W u + h + M v) + sigma sqrt(tau) xi.

    **Arguments:**

    - `m`: recurrent weights M, (n, n), rows postsynaptic; None for a feedforward network.
    - `w`, `u`: weights W of the inputs, (n, n_input), and the inputs' rates; both or neither.
    - `h`: input, a number or (n,).
    - `tau`: time constant [ms], a number or (n,).
    - `transfer`: F, of `jn.transfer`; threshold-linear by default.
    - `noise`: sigma, in the units of the rates; None for none.
    - `start`: the rates that a run starts from, a number or (n,).

    Raises `ValueError` where a shape does not fit, a value is not finite or `tau` is not positive.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.RateNetwork([[0.0, 0.5], [0.5, 0.0]], h=1.0, tau=10.0)
    >>> sol = jn.simulate(net, 0.0, 200.0, dt=0.1)
    >>> [round(float(v), 3) for v in sol["rate"][-1]]
    [2.0, 2.0]

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, section 7.2; source text 001, equations (10), (12)-(14).
    """

    m: Float[Array, "n n"] | None
    w: Float[Array, "n inputs"] | None
    u: Float[Array, "inputs"] | None
    h: Float[Array, "*n"]
    tau: Float[Array, "*n"]
    noise: Float[Array, "*n"] | None
    start: Float[Array, "n"]
    transfer: AbstractTransfer

    def __init__(
        self,
        m: Any = None,
        *,
        w: Any = None,
        u: Any = None,
        h: Any = 0.0,
        tau: Any = 10.0,
        transfer: AbstractTransfer | None = None,
        noise: Any = None,
        start: Any = 0.0,
    ):
        self.m, self.w, self.u, self.h, self.noise, self.start = _checked(m, w, u, h, noise, start)
        self.transfer = checked_transfer(transfer, self.size())
        self.tau = _time_constant("tau", tau, self.size())

    def size(self) -> int:
        """How many units there are."""
        return self.start.shape[-1]

    def initial(self) -> Float[Array, "n"]:
        """The rates that a run starts from."""
        return self.start

    def time_constants(self) -> Float[Array, "*n"]:
        """tau [ms]."""
        return self.tau

    def drive(self, v: Float[Array, "... n"], args: Any = None) -> Float[Array, "... n"]:
        """The argument of F at the rates `v`."""
        return recurrent_input(self, v, args)

    def target(self, t: Any, y: Float[Array, "n"], args: Any = None) -> Float[Array, "n"]:
        """F(W u + h + M v)."""
        return self.transfer(self.drive(y, args))

    def prepared(self) -> "RateNetwork":
        """With W u taken into h."""
        return _with_input(self)

    def noise_amplitudes(self) -> Any:
        """sigma."""
        return self.noise

    def observe(self, y: Float[Array, "n"]) -> dict[str, Float[Array, "n"]]:
        """`rate`."""
        return {"rate": y}


class Currents(eqx.Module):
    """Synaptic currents and rates, or something of each."""

    current: Any
    rate: Any


class SynapticRateNetwork(AbstractRelaxation):
    """A recurrent network with a synaptic time constant and one of the rates.

        tau_s dI/dt = -I + W u + h + M r + sigma sqrt(tau_s) xi,      tau_r dr/dt = -r + F(I).

    tau_s to 0 gives `RateNetwork`. With `tau_r=None` the rates follow at once, r = F(I), the other limit.

    **Arguments:** `m`, `w`, `u`, `h`, `transfer`, `noise` as of `RateNetwork`; `tau_s`, `tau_r` [ms]; `start`, the
    currents that a run starts from, with rates of F(start).

    Raises `ValueError` as `RateNetwork`.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.SynapticRateNetwork([[0.5]], h=1.0, tau_s=5.0, tau_r=10.0)
    >>> sol = jn.simulate(net, 0.0, 300.0, dt=0.1)
    >>> round(float(sol["rate"][-1, 0]), 3)
    2.0

    ```

    Source: source text 001, equations (8), (9) and (11), with tau_s taken into the weights as after (10).
    """

    m: Float[Array, "n n"] | None
    w: Float[Array, "n inputs"] | None
    u: Float[Array, "inputs"] | None
    h: Float[Array, "*n"]
    tau_s: Float[Array, "*n"]
    tau_r: Float[Array, "*n"] | None
    noise: Float[Array, "*n"] | None
    start: Float[Array, "n"]
    transfer: AbstractTransfer

    def __init__(
        self,
        m: Any = None,
        *,
        w: Any = None,
        u: Any = None,
        h: Any = 0.0,
        tau_s: Any = 5.0,
        tau_r: Any = 10.0,
        transfer: AbstractTransfer | None = None,
        noise: Any = None,
        start: Any = 0.0,
    ):
        self.m, self.w, self.u, self.h, self.noise, self.start = _checked(m, w, u, h, noise, start)
        self.transfer = checked_transfer(transfer, self.size())
        self.tau_s = _time_constant("tau_s", tau_s, self.size())
        self.tau_r = None if tau_r is None else _time_constant("tau_r", tau_r, self.size())

    def size(self) -> int:
        """How many units there are."""
        return self.start.shape[-1]

    def initial(self) -> Any:
        """The currents that a run starts from and, where they have a time constant, the rates."""
        return self.start if self.tau_r is None else Currents(self.start, self.transfer(self.start))

    def time_constants(self) -> Any:
        """tau_s and tau_r [ms]."""
        return self.tau_s if self.tau_r is None else Currents(self.tau_s, self.tau_r)

    def target(self, t: Any, y: Any, args: Any = None) -> Any:
        """W u + h + M r, and F(I)."""
        if self.tau_r is None:
            return recurrent_input(self, self.transfer(y), args)
        return Currents(recurrent_input(self, y.rate, args), self.transfer(y.current))

    def prepared(self) -> "SynapticRateNetwork":
        """With W u taken into h."""
        return _with_input(self)

    def noise_amplitudes(self) -> Any:
        """sigma of the currents; the rates have none of their own."""
        if self.tau_r is None or self.noise is None:
            return self.noise
        return Currents(self.noise, None)

    def observe(self, y: Any) -> dict[str, Float[Array, "n"]]:
        """`rate` and `current`."""
        if self.tau_r is None:
            return {"rate": self.transfer(y), "current": y}
        return {"rate": y.rate, "current": y.current}


def recurrent_input(
    net: RateNetwork | SynapticRateNetwork, rate: Float[Array, "... n"], args: Any
) -> Float[Array, "... n"]:
    """W u + h + M r and what is injected."""
    total = jnp.broadcast_to(net.h, rate.shape)
    if net.w is not None and net.u is not None:
        total = total + net.w @ net.u
    if net.m is not None:
        # A row times a matrix: under vmap over rates one product of matrices, without a transpose of the batch.
        total = total + rate @ net.m.T
    return total if args is None else total + args


def _checked(m: Any, w: Any, u: Any, h: Any, noise: Any, start: Any) -> tuple[Any, Any, Any, Array, Any, Array]:
    """What both kinds of networks have, checked: weights, input weights and rates, input, noise, start."""
    matrix = None if m is None else square_matrix("m", m)
    weights, rates = _feedforward(w, u)
    leaf, sigma = as_leaf(h, "h"), checked_noise(noise)
    check_finite("h", leaf)
    n = unit_count(matrix, weights, leaf)
    if n == 0:
        raise ValueError("`h` has to hold the input of one unit or more; got none.")
    check_per_unit("h", leaf, n)
    check_per_unit("noise", sigma, n)
    return matrix, weights, rates, leaf, sigma, spread_over("start", start, n)


def _time_constant(name: str, tau: Any, n: int) -> Float[Array, "*n"]:
    leaf = as_leaf(tau, name)
    check_positive(name, leaf)
    check_per_unit(name, leaf, n)
    return leaf


def _with_input(net: Any) -> Any:
    if net.w is None:
        return net
    whole = eqx.tree_at(lambda m: m.h, net, net.h + net.w @ net.u)
    return eqx.tree_at(lambda m: (m.w, m.u), whole, (None, None))


def square_matrix(name: str, value: Any) -> Float[Array, "n n"]:
    """A square matrix of finite numbers, or `ValueError`."""
    matrix = as_leaf(value, name)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"`{name}` has to be a square matrix; got shape {matrix.shape}.")
    check_finite(name, matrix)
    return matrix


def checked_transfer(transfer: Any, n: int) -> AbstractTransfer:
    """`transfer`, threshold-linear where None."""
    if not isinstance(transfer, AbstractTransfer | None):
        raise ValueError(f"`transfer` has to be of `jn.transfer`, such as `Sigmoid()`; got {in_a_line(transfer)}.")
    for leaf in jax.tree.leaves(transfer):
        if eqx.is_array(leaf) and leaf.shape not in ((), (n,)):
            raise ValueError(f"`transfer` has to hold numbers or ({n},), one a unit; one has shape {leaf.shape}.")
    return ThresholdLinear() if transfer is None else transfer


def checked_noise(noise: Any) -> Float[Array, "*n"] | None:
    """`noise` as a leaf that is not negative, or None."""
    if noise is None:
        return None
    leaf = as_leaf(noise, "noise")
    check_nonnegative("noise", leaf)
    return leaf


def check_per_unit(name: str, leaf: Array | None, n: int) -> None:
    """Raises `ValueError` where `leaf` is neither a number nor one number a unit."""
    if leaf is not None and leaf.shape not in ((), (n,)):
        raise ValueError(f"`{name}` has to be a number or ({n},), one a unit; got shape {leaf.shape}.")


def spread_over(name: str, value: Any, n: int) -> Float[Array, "n"]:
    """A number for all of `n` units, or one each."""
    leaf = as_leaf(value, name)
    check_per_unit(name, leaf, n)
    check_finite(name, leaf)
    return jnp.broadcast_to(leaf, (n,))


def unit_count(m: Array | None, w: Array | None, h: Array) -> int:
    """How many units the weights, or else the input, speak of."""
    sizes = {x.shape[0] for x in (m, w) if x is not None}
    if len(sizes) > 1:
        raise ValueError(f"`m` and `w` have to have as many rows as there are units; got {sorted(sizes)}.")
    return sizes.pop() if sizes else (h.shape[0] if h.ndim else 1)


def _feedforward(w: Any, u: Any) -> tuple[Array | None, Array | None]:
    if (w is None) != (u is None):
        raise ValueError("`w` and `u` belong together: the weights of the inputs and their rates.")
    if w is None:
        return None, None
    weights, rates = as_leaf(w, "w"), as_leaf(u, "u")
    if weights.ndim != 2 or rates.shape != weights.shape[1:]:
        raise ValueError(f"`w` has to be (n, n_input) and `u` (n_input,); got {weights.shape} and {np.shape(rates)}.")
    check_finite("w", weights)
    check_finite("u", rates)
    return weights, rates
