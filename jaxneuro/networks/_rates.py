"""Named networks of rate units."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from .._numerics import as_leaf, check_finite, check_positive, violates
from ..models import AbstractProduct, EIRate, RateNetwork, Ring
from ..transfer import AbstractTransfer, Linear, PowerLaw, Tanh


def ring(
    n: int = 512,
    *,
    j0: ArrayLike = -2.0,
    j1: ArrayLike = 3.0,
    i0: ArrayLike = 1.0,
    i1: ArrayLike = 0.0,
    theta0: ArrayLike = 0.0,
    tau: ArrayLike = 10.0,
    transfer: AbstractTransfer | None = None,
    velocity: Any = None,
    noise: ArrayLike | None = None,
    start: Any = None,
    product: AbstractProduct | None = None,
) -> Ring:
    """The ring of rate units with kernel J_0 + J_1 cos theta and input I_0 + I_1 cos(theta - theta_0).

    **Arguments:** `n`, units; `j0`, `j1`; `i0`, `i1`, in the units of the rates; `theta0` [rad]; `tau` [ms]; `start`,
    where a run starts, by default I_0 (1 + 0.1 cos(theta - theta_0)), so that a bump forms there; `transfer`,
    `velocity`, `noise`, `product` as of `jn.Ring`.

    **Returns:** a `Ring`, whose states `jn.theory.ring_bump` gives in closed form.

    Raises `ValueError` as `jn.Ring`.

    ```python
    >>> import jaxneuro as jn
    >>> sol = jn.simulate(jn.networks.ring(n=64, j1=4.0), 0.0, 500.0, dt=0.5)
    >>> bump = jn.theory.ring_bump(j0=-2.0, j1=4.0)
    >>> print(f"{float(sol['rate'][-1].max()):.3f}, {float(bump.peak):.3f}")
    1.572, 1.571

    ```

    Source: Ben-Yishai, Bar-Or and Sompolinsky (1995), doi:10.1073/pnas.92.9.3844; source text 001, equations (25)-(29).
    """
    given = {"j0": j0, "j1": j1, "i0": i0, "i1": i1, "theta0": theta0}
    leaves = {name: as_leaf(value, name) for name, value in given.items()}
    for name, leaf in leaves.items():
        check_finite(name, leaf)
        if leaf.ndim:
            raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}: map over it with jax.vmap.")
    coefficients = jnp.stack([leaves["j0"], leaves["j1"]])
    wave = jnp.cos(Ring(n, j=coefficients).angles() - leaves["theta0"])
    start = leaves["i0"] * (1.0 + 0.1 * wave) if start is None else start
    return Ring(
        n, j=coefficients, i=leaves["i0"] + leaves["i1"] * wave, tau=tau, transfer=transfer, velocity=velocity,
        noise=noise, start=start, product=product,
    )  # fmt: skip


def ei_rate(
    *,
    m_ee: ArrayLike = 1.25,
    m_ei: ArrayLike = -1.0,
    m_ie: ArrayLike = 1.0,
    m_ii: ArrayLike = 0.0,
    gamma_e: ArrayLike = -10.0,
    gamma_i: ArrayLike = 10.0,
    tau_e: ArrayLike = 10.0,
    tau_i: ArrayLike = 50.0,
    transfer: AbstractTransfer | None = None,
    noise: ArrayLike | None = None,
    start: Any = (20.0, 10.0),
) -> EIRate:
    """The pair of excitatory and inhibitory rates, which oscillates where inhibition is slow.

    The default has its fixed point at (26.67, 16.67) and a Hopf bifurcation at tau_I = 40 ms, with 6.89 Hz.

    **Arguments:** as of `jn.EIRate`.

    **Returns:** an `EIRate`.

    Raises `ValueError` as `jn.EIRate`.

    ```python
    >>> import jaxneuro as jn
    >>> pair = jn.networks.ei_rate(tau_i=30.0)
    >>> pair.vector_field(0.0, pair.start).tolist()
    [0.5, 0.0]

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, section 7.5; source text 002.
    """
    return EIRate(
        m_ee=m_ee, m_ei=m_ei, m_ie=m_ie, m_ii=m_ii, gamma_e=gamma_e, gamma_i=gamma_i, tau_e=tau_e, tau_i=tau_i,
        transfer=transfer, noise=noise, start=start,
    )  # fmt: skip


def memory(decoder: Any, *, null: Any = None, tau: ArrayLike = 10.0, start: Any = 0.0) -> RateNetwork:
    """A linear network that holds s = D r while its rates move: D = D M.

        M = P + (1 - P) R,   P = D^T (D D^T)^-1 D,

    where P projects on the rows of D, which have the eigenvalue 1, and R is any matrix: what it does stays in the null
    space of D.

    **Arguments:** `decoder`: D, (features, n), with independent rows; `null`: R, (n, n), whose part in the null space
    decides how fast rates settle there, 0 by default; `tau` [ms]; `start`, a number or (n,).

    **Returns:** a `RateNetwork`.

    Raises `ValueError` where `decoder` is no matrix of more columns than rows, or its rows depend on each other.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> decoder = jnp.asarray([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    >>> net = jn.networks.memory(decoder)
    >>> bool(jnp.allclose(decoder @ net.m, decoder))
    True

    ```

    Source: Druckmann and Chklovskii (2012), doi:10.1016/j.cub.2012.08.058; source text 001, equations (16)-(24).
    """
    d = as_leaf(decoder, "decoder")
    if d.ndim != 2 or not 0 < d.shape[0] <= d.shape[1]:
        raise ValueError(f"`decoder` has to be (features, n) with no more features than units; got shape {d.shape}.")
    check_finite("decoder", d)
    if violates(lambda rows: np.linalg.matrix_rank(rows) == rows.shape[0], d):
        raise ValueError("`decoder` has rows that depend on each other: its features cannot all be held.")
    projector = d.T @ jnp.linalg.solve(d @ d.T, d)
    n = d.shape[1]
    r = jnp.zeros((n, n), d.dtype) if null is None else as_leaf(null, "null")
    if r.shape != (n, n):
        raise ValueError(f"`null` has to be ({n}, {n}); got shape {r.shape}.")
    check_finite("null", r)
    return RateNetwork(projector + r - projector @ r, tau=tau, transfer=Linear(), start=start)


def hopfield(patterns: Any, *, gain: ArrayLike = 10.0, tau: ArrayLike = 10.0, start: Any = 0.0) -> RateNetwork:
    """Hopfield's associative memory with graded units: patterns are fixed points of low energy.

        M = (1/n) sum_mu xi^mu xi^mu^T without its diagonal,   F(x) = tanh(gain x).

    **Arguments:** `patterns`: xi, (patterns, n), of -1 and 1; `gain`; `tau` [ms]; `start`, a number or (n,).

    **Returns:** a `RateNetwork`.

    Raises `ValueError` where `patterns` is no table of -1 and 1, or `gain` is not positive.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> patterns = jax.random.rademacher(jax.random.key(0), (3, 200), float)
    >>> noisy = patterns[0] * jnp.where(jnp.arange(200) < 40, -1.0, 1.0)
    >>> sol = jn.simulate(jn.networks.hopfield(patterns, start=noisy), 0.0, 200.0, dt=1.0)
    >>> print(f"{float(sol['rate'][-1] @ patterns[0] / 200):.2f}")
    1.00

    ```

    Source: Hopfield (1984), doi:10.1073/pnas.81.10.3088; source text 001, equations (45)-(47).
    """
    xi = as_leaf(patterns, "patterns")
    if xi.ndim != 2 or 0 in xi.shape:
        raise ValueError(f"`patterns` has to be (patterns, n); got shape {xi.shape}.")
    if violates(lambda signs: abs(signs) == 1.0, xi):
        raise ValueError("`patterns` has to hold -1 and 1.")
    slope = as_leaf(gain, "gain")
    check_positive("gain", slope)
    n = xi.shape[1]
    overlaps = xi.T @ xi / n
    weights = overlaps - jnp.diag(jnp.diagonal(overlaps))
    return RateNetwork(weights, tau=tau, transfer=Tanh(width=1.0 / slope), start=start)


def supralinear(
    *, drive: ArrayLike = 10.0, gain: ArrayLike = 0.04, exponent: ArrayLike = 2.0, start: Any = (0.0, 0.0)
) -> EIRate:
    """The supralinear stabilised network: an E/I pair with F(x) = gain [x]_+^exponent.

    Weak input is summed supralinearly, strong input sublinearly, because inhibition comes to stabilise excitation:
    asserted are both, and that `analysis.inhibition_stabilisation` is false at weak and true at strong input.

        M = (1.25, -0.65; 1.2, -0.5),   tau_E = 20 ms,   tau_I = 10 ms.

    Weights, exponent and time constants are those of Hennequin et al. (2018), the gain is that of Rubin et al. (2015).
    For an exponent of 2 it sets the units alone: rates times gain depend on drive times gain.

    **Arguments:** `drive`, the input to both; `gain`, `exponent`; `start`, (2,).

    **Returns:** an `EIRate`.

    Raises `ValueError` as `jn.EIRate`.

    ```python
    >>> import jaxneuro as jn
    >>> sol = jn.simulate(jn.networks.supralinear(), 0.0, 1_000.0, dt=0.5)
    >>> bool((sol["rate"][-1] > 0).all())
    True

    ```

    Source: Rubin, Van Hooser and Miller (2015), doi:10.1016/j.neuron.2014.12.026; Hennequin, Ahmadian, Rubin, Lengyel
    and Miller (2018), doi:10.1016/j.neuron.2018.04.017.
    """
    threshold = -as_leaf(drive, "drive")
    check_finite("drive", threshold)
    return EIRate(
        m_ee=1.25, m_ei=-0.65, m_ie=1.2, m_ii=-0.5, gamma_e=threshold, gamma_i=threshold, tau_e=20.0, tau_i=10.0,
        transfer=PowerLaw(gain=gain, exponent=exponent), start=start,
    )  # fmt: skip
