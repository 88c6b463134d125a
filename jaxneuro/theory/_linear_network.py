"""Linear networks in closed form: modes, trajectories, integrators."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import expm
from jaxtyping import Array, Complex, Float

from .._numerics import Shown, as_leaf, check_finite, one_at_a_time, where_defined
from ..models import RateNetwork, spread_over
from ..transfer import Linear


class LinearModes(Shown):
    """Modes of tau dv/dt = -v + h + M v, by falling real part of the eigenvalue of M.

    - `eigenvalues` (lambda) of M; `vectors`, right eigenvectors in columns; `duals`, left eigenvectors in rows, with
      duals @ vectors = 1.
    - `growth` [1/s]: Re (lambda - 1)/tau; `frequency` [Hz]: Im lambda / (2 pi tau).
    - `time_constants` [ms]: tau / (1 - Re lambda), infinite for an integrator, negative for a growing mode.
    """

    eigenvalues: Complex[Array, "n"]
    vectors: Complex[Array, "n n"]
    duals: Complex[Array, "n n"]
    growth: Float[Array, "n"]
    frequency: Float[Array, "n"]
    time_constants: Float[Array, "n"]


def linear_modes(net: RateNetwork) -> LinearModes:
    """The eigenmodes of a linear rate network.

    Each mode c = dual . v goes on its own, tau dc/dt = -(1 - lambda) c + dual . h: an eigenvalue of 1 makes an
    integrator, one of 1 - epsilon a leak of time constant tau/epsilon. For symmetric M the modes are orthogonal.

    **Arguments:** `net`, a `RateNetwork` with weights `m`, transfer `Linear()` and one time constant.

    **Returns:** `LinearModes`.

    Raises `ValueError` for another network. Derivatives: of the eigenvalues, where they are distinct. On the CPU only.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.RateNetwork([[0.5, 0.5], [0.5, 0.5]], transfer=jn.transfer.Linear())
    >>> jn.theory.linear_modes(net).time_constants.round(6).tolist()
    [inf, 10.0]

    ```

    Source: source text 001, equations (15)-(16); Dayan and Abbott (2001), section 7.4.
    """
    m, _, tau = _parts(net)
    values, vectors = jnp.linalg.eig(m)
    order = jnp.argsort(-values.real)
    values, vectors = values[order], vectors[:, order]
    duals = jnp.linalg.inv(vectors)
    # An integrator is one within rounding.
    slack = 64 * float(jnp.finfo(m.dtype).eps)
    leak = jnp.where(jnp.abs(1.0 - values.real) < slack, 0.0, 1.0 - values.real)
    return LinearModes(
        values, vectors, duals, -1000.0 * leak / tau, 1000.0 * values.imag / (2.0 * np.pi * tau), tau / leak
    )


def linear_trajectory(net: RateNetwork, t: Any, *, start: Any = None) -> Float[Array, "*times n"]:
    """v(t) of a linear rate network, exactly, for any M, also one that cannot be diagonalised.

        v(t) = exp(A t) v(0) + int_0^t exp(A s) ds h / tau,   A = (M - 1)/tau.

    **Arguments:** `net`, as of `linear_modes`; `t` [ms], a number or (times,); `start`, v(0), by default the network's.

    **Returns:** the rates, (n,) or (times, n).

    Raises `ValueError` for another network, or where `t` or `start` does not fit. Derivatives: forward and reverse
    mode.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.RateNetwork([[1.0]], h=2.0, tau=10.0, transfer=jn.transfer.Linear())
    >>> jn.theory.linear_trajectory(net, [0.0, 50.0]).round(6).tolist()
    [[0.0], [10.0]]

    ```

    Source: source text 001, the solution after equation (15), in the form of the matrix exponential.
    """
    m, h, tau = _parts(net)
    n = m.shape[0]
    v = net.start if start is None else spread_over("start", start, n)
    # One exponential of [[A, h/tau], [0, 0]] holds both terms, whether or not A can be inverted.
    top = jnp.concatenate([(m - jnp.eye(n, dtype=m.dtype)) / tau, (h / tau)[:, None]], axis=1)
    whole = jnp.concatenate([top, jnp.zeros((1, n + 1), m.dtype)])
    times = as_leaf(t, "t")
    check_finite("t", times)
    moved = expm(times[..., None, None] * whole) @ jnp.concatenate([v, jnp.ones(1, v.dtype)])
    return moved[..., :n]


@one_at_a_time
def linear_steady_state(net: RateNetwork) -> Float[Array, "n"]:
    """(1 - M)^-1 h, the fixed point of a linear rate network; NaN for an integrator, which has none or infinitely many.

    **Arguments:** `net`, as of `linear_modes`. **Returns:** (n,). Derivatives: any.

    ```python
    >>> import jaxneuro as jn
    >>> jn.theory.linear_steady_state(jn.RateNetwork([[0.5]], h=2.0, transfer=jn.transfer.Linear())).tolist()
    [4.0]

    ```

    Source: source text 001, after equation (15).
    """
    m, h, _ = _parts(net)
    n = m.shape[0]
    matrix = jnp.eye(n, dtype=m.dtype) - m
    # An integrator has an eigenvalue of M that is 1 within rounding: no state, or infinitely many.
    sizes = jnp.linalg.svd(lax.stop_gradient(matrix), compute_uv=False)
    determined = sizes[-1] > 16 * n * float(jnp.finfo(m.dtype).eps) * sizes[0]
    steady = jnp.linalg.solve(jnp.where(determined, matrix, jnp.eye(n, dtype=m.dtype)), h)
    return where_defined(jnp.broadcast_to(determined, steady.shape), steady)


@one_at_a_time
def transient_amplification(net: RateNetwork, t: Any) -> Float[Array, "*times"]:
    """How far a linear network can lift a unit of activity by time `t`: the largest singular value of exp(A t).

    Above 1 in a stable network only where M is non-normal: excitation and inhibition that nearly cancel feed a sum mode
    from a difference mode before both decay (balanced amplification).

    **Arguments:** `net`, as of `linear_modes`; `t` [ms]. **Returns:** in the shape of `t`.

    Raises `ValueError` for another network. Derivatives: where the largest singular value is single.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.RateNetwork([[4.0, -4.5], [4.0, -4.5]], transfer=jn.transfer.Linear())
    >>> print(f"{float(jn.theory.transient_amplification(net, 10.0)):.2f}")
    2.50

    ```

    Source: Murphy and Miller (2009), doi:10.1016/j.neuron.2009.02.005.
    """
    m, _, tau = _parts(net)
    a, times = (m - jnp.eye(m.shape[0], dtype=m.dtype)) / tau, as_leaf(t, "t")
    check_finite("t", times)
    return jnp.linalg.norm(expm(times[..., None, None] * a), ord=2, axis=(-2, -1))


def _parts(net: RateNetwork) -> tuple[Float[Array, "n n"], Float[Array, "n"], Float[Array, ""]]:
    """M, h and tau with the gain and threshold of the units taken in."""
    if not isinstance(net, RateNetwork) or net.m is None or not isinstance(net.transfer, Linear):
        raise ValueError("`net` has to be a RateNetwork with weights `m` and the transfer function `Linear()`.")
    if net.tau.ndim:
        raise ValueError(f"`net` has to have one time constant; its `tau` has shape {net.tau.shape}.")
    n = net.m.shape[0]
    whole = net.prepared()
    gain = jnp.broadcast_to(net.transfer.gain, (n,))
    h = gain * (jnp.broadcast_to(whole.h, (n,)) - net.transfer.threshold)
    return gain[:, None] * net.m, h, net.tau
