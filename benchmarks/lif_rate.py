"""The LIF rate of a million neurons in float64: ours, nnmt 1.3, and a plain 64-node rule in JAX.

Rounds are interleaved: ours, the plain rule and the peer take turns, and each is compiled before the first.
"""

import math
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxneuro.theory import lif_rate

from ._report import Row, compared
from ._worker import worker_or_none

N = 1_000_000
ROUNDS = 7
MU, SIGMA = (0.0, 40.0), (2.0, 10.0)
NEURON = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}


def plain_rule(mu: Float[Array, " n"], sigma: Float[Array, " n"], nodes: int = 64) -> Float[Array, " n"]:
    """What one writes first: Gauss-Legendre from one limit to the other, scaled by the largest exponent."""
    at, weights = np.polynomial.legendre.leggauss(nodes)
    a, b = ((v - mu) / sigma for v in (NEURON["v_reset"], NEURON["v_th"]))
    largest = jnp.square(jnp.maximum(b, 0.0))
    x = 0.5 * ((b - a)[:, None] * at + (a + b)[:, None])
    integrand = jnp.exp(jnp.square(x) - largest[:, None]) * jax.scipy.special.erfc(-x)
    integral = 0.5 * (b - a) * jnp.sum(weights * integrand, axis=1) * math.sqrt(math.pi)
    scale = jnp.exp(-largest)
    return 1000.0 * scale / (NEURON["t_ref"] * scale + NEURON["tau"] * integral)


def seconds(function: Callable[..., Array], *arguments: Array) -> float:
    """One timed call, to the end of the computation."""
    start = time.perf_counter()
    jax.block_until_ready(function(*arguments))
    return time.perf_counter() - start


def largest_difference(first: np.ndarray, second: np.ndarray) -> str:
    return f"largest relative difference over {len(first)} points {np.max(np.abs(first / second - 1)):.1e}"


def run() -> list[Row]:
    """Times are microseconds a point."""
    jax.config.update("jax_enable_x64", True)
    generator = np.random.default_rng(0)
    mu, sigma = (jnp.asarray(generator.uniform(*bounds, N)) for bounds in (MU, SIGMA))
    ours = jax.jit(lambda m, s: lif_rate(m, s, **NEURON))
    slopes = jax.jit(jax.grad(lambda m, s: lif_rate(m, s, **NEURON).sum(), (0, 1)))
    plain = jax.jit(plain_rule)
    for function in (ours, slopes, plain):
        seconds(function, mu, sigma)
    worker = worker_or_none("lif_rate", "nnmt")
    # In the units of the peer, seconds; potentials are divided by potentials.
    request = {"n": N, "seed": 0, "mu": MU, "sigma": SIGMA, "v_th": 20.0, "v_reset": 10.0, "tau": 0.02, "t_ref": 0.002}
    times: dict[str, list[float]] = {"ours": [], "slopes": [], "plain": [], "nnmt": []}
    seen = None
    for _ in range(ROUNDS):
        for name, function in (("ours", ours), ("plain", plain), ("slopes", slopes)):
            times[name].append(seconds(function, mu, sigma) * 1e6 / N)
        if worker is not None:
            seen = worker.ask(**request)
            times["nnmt"].append(seen["seconds"] * 1e6 / N)
    rate = np.asarray(ours(mu, sigma))[:1000]
    note = "absent: `make peers`" if seen is None else largest_difference(np.asarray(seen["first"]), rate)
    if worker is not None:
        note += ", " + " ".join(f"{key} {value}" for key, value in worker.ready.items())
        worker.close()
    plain_note = largest_difference(np.asarray(plain(mu, sigma))[:1000], rate)
    return [
        compared("rate against nnmt 1.3", "us/point", times["ours"], times["nnmt"], note),
        compared("rate against a plain 64-node rule in JAX", "us/point", times["ours"], times["plain"], plain_note),
        compared("rate and both gradients, no peer", "us/point", times["slopes"], None),
    ]
