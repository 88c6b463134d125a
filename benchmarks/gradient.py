"""Derivative of the rate of Brunel's network through its spikes: cost in forward passes, memory, and what it is worth.

The loss is the mean rate of E over a run from scattered potentials; the parameter is g, or four parameters in forward
mode. The floor is what no arrangement saves: the run itself, its recomputation, and the transposed products of the
sources near threshold, timed alone.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

from ._report import Row, compared

DURATION = 100.0
ROUNDS = 5
WIDTH = 1.0
SURROGATE = jn.surrogate.Triangular(WIDTH)
SETTLED = 100.0
SEEDS = 32
HORIZONS = (0.1, 0.5, 2.0, 5.0)
STEPS = {"g": 0.2, "nu_ext / nu_thr": 0.1}
SHARE_NEAR_THRESHOLD = "share of neurons and steps with a surrogate derivative"


def network(g: jax.Array, ratio: jax.Array, j: jax.Array, tau_m: jax.Array) -> jn.Network:
    start = jn.initial.UniformPotential(0.0, 20.0)
    return jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio, j=j, tau_m=tau_m, initial=start)


def rate(parameters: jax.Array, wiring: jn.Wiring, duration: float, **keywords) -> jax.Array:
    """Mean rate of E [Hz] at (g, ratio, J, tau_m)."""
    sol = jn.simulate(
        network(*parameters), 0.0, duration, dt=0.1, key=jax.random.key(1), wiring=wiring, throw=False, **keywords
    )
    return jnp.mean(sol["rate"]["E"])


def settled_rate(
    parameters: jax.Array, state: Any, key: jax.Array, wiring: jn.Wiring, duration: float, **keywords
) -> jax.Array:
    """Mean rate of E [Hz] over `duration` [ms] from a state after the transient."""
    net, end = network(*parameters), SETTLED + duration
    sol = jn.simulate(net, SETTLED, end, dt=0.1, key=key, wiring=wiring, state=state, throw=False, **keywords)
    return jnp.mean(sol["rate"]["E"])


def timed(functions: dict[str, Callable], *arguments: Any) -> dict[str, list[float]]:
    """Seconds of each function, in turns; compiled before."""
    for function in functions.values():
        jax.block_until_ready(function(*arguments))
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            start = time.perf_counter()
            jax.block_until_ready(function(*arguments))
            seconds[name].append(time.perf_counter() - start)
    return seconds


def near_threshold(wiring: jn.Wiring, at: jax.Array) -> float:
    """The share of neurons and steps whose potential lies within the surrogate's width of the threshold."""
    record = {"v": jn.record.Trace("E.v", neurons=slice(0, 1_000))}
    sol = jn.simulate(network(*at), 0.0, DURATION, dt=0.1, key=jax.random.key(1), wiring=wiring, record=record)
    return float(np.mean(np.abs(np.asarray(sol["v"]) - 20.0) < WIDTH))


def transposed_products(wiring: jn.Wiring, share: float) -> Callable:
    """The products that a backward pass needs, for every block of the run, and nothing else."""
    rng, n_steps = np.random.default_rng(0), 10
    operators = [operator for operator in wiring.operators if operator is not None]
    blocks = round(DURATION / 0.1) // n_steps
    # A neuron stays near threshold for several steps: it is the sources of a block that count.
    masks = [np.repeat(rng.random((1, operator.n_pre)) < min(1.0, 3.0 * share), n_steps, 0) for operator in operators]

    def run(values: jax.Array) -> jax.Array:
        def block(total: jax.Array, _: None) -> tuple[jax.Array, None]:
            for operator, mask in zip(operators, masks, strict=True):
                back = operator.pull_back(total + jnp.ones((n_steps, operator.n_post)), jnp.asarray(mask))
                total = total + 1e-6 * jnp.mean(back)
            return total, None

        return jax.lax.scan(block, values, length=blocks)[0]

    return jax.jit(lambda: run(jnp.zeros(())))


def temporary_bytes(wiring: jn.Wiring, at: jax.Array, duration: float) -> float:
    """What the compiled gradient holds beside arguments and results."""
    gradient = jax.jit(jax.grad(lambda p, w: rate(p, w, duration, surrogate=SURROGATE)))
    analysis: Any = gradient.lower(at, wiring).compile().memory_analysis()
    return float(analysis.temp_size_in_bytes)


def cost(wiring: jn.Wiring, at: jax.Array) -> list[Row]:
    forward = jn.adjoint.Forward()
    functions = {
        "forward": jax.jit(lambda p, w: rate(p, w, DURATION)),
        "gradient": jax.jit(jax.grad(lambda p, w: rate(p, w, DURATION, surrogate=SURROGATE))),
        "jvp": jax.jit(
            lambda p, w: jax.jvp(
                lambda q: rate(q, w, DURATION, surrogate=SURROGATE, adjoint=forward), (p,), (jnp.eye(4)[0],)
            )[1]
        ),
        "jacobian": jax.jit(jax.jacfwd(lambda p, w: rate(p, w, DURATION, surrogate=SURROGATE, adjoint=forward))),
    }
    seconds = timed(functions, at, wiring)
    share = near_threshold(wiring, at)
    products = timed({"products": transposed_products(wiring, share)})["products"]
    run = seconds["forward"]
    rows = [
        compared("forward pass of 100 ms", "s", run, None),
        compared(SHARE_NEAR_THRESHOLD, "1", [share], None),
        compared("floor of a gradient: two passes and the products", "s", [2 * np.median(run) + min(products)], None),
    ]
    for name, what in (
        ("gradient", "gradient of 4 parameters, reverse mode"),
        ("jvp", "derivative of 1, forward mode"),
        ("jacobian", "derivatives of 4, forward mode"),
    ):
        passes = [s / f for s, f in zip(seconds[name], run, strict=True)]
        rows.append(compared(f"{what}", "forward passes", passes, None, "ratios of interleaved rounds"))
    return rows


def memory(wiring: jn.Wiring, at: jax.Array) -> list[Row]:
    found = {duration: temporary_bytes(wiring, at, duration) for duration in (25.0, 100.0, 400.0)}
    rows = [
        compared(f"memory of a gradient through {d:g} ms", "MB", [size / 1e6], None, "temporaries of the program")
        for d, size in found.items()
    ]
    exponent = float(np.log(found[400.0] / found[25.0]) / np.log(16.0))
    return [*rows, compared("growth of that memory: exponent of T", "1", [exponent], None, "0.5 is sqrt(T)")]


def worth(wiring: jn.Wiring, at: jax.Array) -> list[Row]:
    """Derivatives beside differences with common random numbers, from the stationary state, over horizons."""
    before = jax.jit(lambda k, w: jn.simulate(network(*at), 0.0, SETTLED, dt=0.1, key=k, wiring=w, throw=False).state)
    keys = jax.random.split(jax.random.key(2), SEEDS)
    states = [before(k, wiring) for k in keys]
    rows = []
    for horizon in HORIZONS:
        value = jax.jit(lambda p, s, k, w, t=horizon: settled_rate(p, s, k, w, t))
        gradient = jax.jit(jax.grad(lambda p, s, k, w, t=horizon: settled_rate(p, s, k, w, t, surrogate=SURROGATE)))
        found = np.array([gradient(at, s, k, wiring) for s, k in zip(states, keys, strict=True)])
        for i, (name, step) in enumerate(STEPS.items()):
            sides = [
                [float(value(at.at[i].add(sign * step), s, k, wiring)) for s, k in zip(states, keys, strict=True)]
                for sign in (1.0, -1.0)
            ]
            differences = (np.array(sides[0]) - np.array(sides[1])) / (2.0 * step)
            error, peer_error = (np.std(x) / np.sqrt(SEEDS) for x in (found[:, i], differences))
            note = (
                f"standard errors {error:.2g} and {peer_error:.2g} of {SEEDS} seeds; peer: differences of +-{step:g} "
                "with common random numbers"
            )
            mean, peer = [float(np.mean(found[:, i]))], [float(np.mean(differences))]
            rows.append(compared(f"d rate / d {name} over {horizon:g} ms", "Hz", mean, peer, note))
    return rows


def run() -> list[Row]:
    at = jnp.asarray([5.0, 2.0, 0.1, 20.0])
    wiring = jn.wire(jn.networks.brunel(), key=jax.random.key(0))
    return cost(wiring, at) + memory(wiring, at) + worth(wiring, at)
