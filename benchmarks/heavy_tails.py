"""Heavy tails: rates in stable noise, Pareto weights, matching and memory, and runs beside theory.

The NumPy loop solves the same equation on the same grid, one neuron after another. Neurons are redrawn whole, up to
3,000 times, in a sample whose time is scaled to all; how many that leaves out is told.
"""

import time
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.laws import OutsideTheoryWarning

from ._report import Row, compared

NEURON = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}
BATCH, ROUNDS = 120, 3


def _log_gamma(z: Any) -> Any:
    from scipy.special import loggamma

    return loggamma(z)


def plain_rate(mu: float, sigma: float, alpha: float, beta: float) -> float:
    """The rate by the convolution on a logarithmic grid, in NumPy, as one would write it for one neuron."""
    step, gamma, u = 0.3, -0.3, 0.3 * np.arange(-108, 68)
    s = sigma / 2.0 ** (1.0 / alpha)
    b, at = (NEURON["v_th"] - mu) / s, np.log((NEURON["v_th"] - NEURON["v_reset"]) / s)
    a = 0.5 * alpha + np.arctan(beta * np.tan(0.5 * np.pi * alpha)) / np.pi
    front = -0.5 / np.cos(0.5 * np.pi * alpha)

    def kappa(p):
        away = np.exp(_log_gamma(alpha - p) - _log_gamma(2.0 - p)) * -p * (1.0 - p)
        over = np.exp(_log_gamma(1.0 + p) - _log_gamma(3.0 + p - alpha)) * (1.0 + p - alpha) * (2.0 + p - alpha)
        return front * ((1.0 - beta) * away + (1.0 + beta) * over)

    killed = front * (1.0 + beta) * (1.0 - alpha) * (2.0 - alpha) / np.exp(_log_gamma(3.0 - alpha))
    nodes, weights = np.polynomial.legendre.leggauss(211)
    omega, weights = 0.5 * np.pi / step * (nodes + 1.0), 0.5 * np.pi / step * weights
    p, n = gamma + 1j * omega, u.size
    lag = step * np.arange(1 - n, n)
    waves = np.exp(1j * np.outer(lag, omega))
    table = step / np.pi * np.real(waves @ (weights * (kappa(p) - killed) / p))
    table += killed * (step / np.pi * np.real(waves @ (weights / p)) + step * np.exp(-gamma * lag))
    drift = b * np.exp((alpha - 1.0) * u) - np.exp(alpha * u)
    matrix = table[np.arange(n)[:, None] - np.arange(n)[None, :] + n - 1] + np.diag(drift)
    far, line = 0.5 + 0.1j * np.arange(121), np.full(121, 0.1 / np.pi)
    line[0] *= 0.5
    zeta, eta = 0.5 * np.log1p(b * b), -0.5 * np.log1p(max(b, 0.0) ** 2) / (alpha - 1.0)
    mellin = kappa(far) * np.pi / (far * np.sin(np.pi * far)) * line
    right = -np.exp(alpha * u) - np.real(np.exp(np.outer(u - zeta, far)) @ mellin) - drift / (1.0 + np.exp(zeta - u))
    near = far - 1.0
    rise = kappa(near) * np.exp(_log_gamma(a - near) + _log_gamma(near + 1.0) - _log_gamma(a)) / near * line
    shape = a * np.exp(a * (u - eta) - (a + 1.0) * np.logaddexp(0.0, u - eta))
    matrix *= np.exp(gamma * u)[:, None]
    matrix[:, 0] = killed + np.real(np.exp(np.outer(u - eta, near)) @ rise) + drift * shape
    scale = np.exp(-gamma * u) / (1.0 + np.abs(drift))
    found = np.linalg.solve(matrix * scale[:, None], right * scale)
    read = step * np.exp(gamma * u) + step / np.pi * np.real(
        np.exp(-1j * np.outer(u, omega)) @ (weights / p * np.exp(p * at))
    )
    read[0] = np.exp(-a * np.logaddexp(0.0, eta - at))
    passage = np.logaddexp(0.0, at - zeta) + read @ found
    return 1000.0 / (NEURON["t_ref"] + NEURON["tau"] * passage)


def _seconds(function) -> float:
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start


def rates() -> Row:
    mu = jnp.linspace(5.0, 25.0, BATCH)
    ours = jax.jit(lambda m: jn.theory.stable_lif_rate(m, 5.0, alpha=1.5, beta=0.2, **NEURON))
    found = np.asarray(ours(mu))
    times: tuple[list[float], list[float]] = ([], [])
    plain = np.zeros(BATCH)
    for _ in range(ROUNDS):
        times[0].append(_seconds(lambda: ours(mu)))
        start = time.perf_counter()
        plain = np.array([plain_rate(float(m), 5.0, 1.5, 0.2) for m in mu])
        times[1].append(time.perf_counter() - start)
    note = f"largest relative difference {np.max(np.abs(found / plain - 1.0)):.1e}"
    return compared(f"{BATCH} rates in stable noise, a NumPy loop", "s", *times, note=note)


def pareto_weights(n: int = 4_000, k: int = 400) -> Row:
    """A run with a Pareto weight a synapse, beside one of equal weights."""

    def run(weight):
        both = ("E", "I")
        make = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0, j=0.2, n_e=4 * n // 5, n_i=n // 5, c_e=k, c_i=k // 4)
        own = [
            jn.Projection(
                p.pre, both, p.synapse, weight=weight(float(p.law.scale)), connectivity=p.connectivity, delay=1.5
            )
            for p in make.projections
        ]
        net = jn.Network(make.populations, own, make.drives)
        wiring = jn.wire(net, key=jax.random.key(0))
        return lambda: jn.simulate(net, 0.0, 200.0, dt=0.1, key=jax.random.key(1), wiring=wiring)["rate"]

    ours, peer = run(lambda w: jn.ParetoWeight(w, 1.5)), run(lambda w: w)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(1 + ROUNDS):
        times[0].append(_seconds(ours))
        times[1].append(_seconds(peer))
    note = "ours: a Pareto weight a synapse; peer: equal weights"
    return compared(f"200 ms of {n:,} neurons of {k} synapses", "s", times[0][1:], times[1][1:], note=note)


def matching(n: int = 10_000, c_e: int = 4_000, c_i: int = 1_000, tol: float = 1e-3, sample: int = 20) -> Row:
    """Wiring's own step, for n neurons, beside redrawing whole neurons."""
    from jaxneuro.connectivity import SummedWeights

    law, rng = jn.ParetoWeight(1.0, 1.2), np.random.default_rng(0)
    weights = law.draw(rng, (n * c_i,)).astype(np.float32)
    targets = np.repeat(np.arange(n), c_i)
    sums = np.array([law.draw(rng, (c_e,)).sum() for _ in range(n)])
    wanted = SummedWeights(sums, np.full(n, c_e))
    matched = jn.MatchedWeight(law, to="E", tol=tol)
    start = time.perf_counter()
    found = matched.matched(rng, weights, targets, wanted)
    ours = time.perf_counter() - start
    left = np.abs(np.bincount(targets, weights=found, minlength=n) / c_i - sums / c_e)
    start, missed = time.perf_counter(), 0
    for total in sums[:sample]:
        for _ in range(3_000):
            if abs(law.draw(rng, (c_i,)).sum() / c_i - total / c_e) <= tol:
                break
        else:
            missed += 1
    peer = (time.perf_counter() - start) * n / sample
    note = f"all within {left.max():.1e} of tol {tol:g}; redrawing leaves out {missed} of {sample} neurons"
    return compared(f"matching {n:,} neurons of {c_i:,} weights", "s", [ours], [peer], note=note)


def memory() -> Row:
    net = jn.networks.wardak_gong(alpha=1.2, n_e=4_000, n_i=1_000, c_e=400, c_i=100)
    wiring = jn.wire(net, key=jax.random.key(0), delivery=jn.delivery.Sparse())
    held = sum(leaf.nbytes for leaf in jax.tree.leaves(wiring.operators))
    return Row(what="bytes a synapse of a Pareto weight", ours=held / wiring.nnz, peer=10.0, ratio=None, unit="bytes")


def run() -> list[Row]:
    """Ratios of one run; the peer of memory is what may be taken."""
    jax.config.update("jax_enable_x64", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTheoryWarning)
        return [rates(), pareto_weights(), matching(), memory()]
