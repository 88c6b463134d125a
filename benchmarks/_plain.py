"""Brunel's network as a loop that one writes by hand in JAX: no blocks, float32, spikes delivered in every step."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

import jaxneuro as jn

DELAY, REFRACTORY, DECAY = 15, 20, math.exp(-0.1 / 20.0)
# Spikes that the scatter can deliver in one step: more of them, as in the first transient, would be lost.
CAPACITY = 1_024


def weights(wiring: jn.Wiring) -> Float[np.ndarray, "n_pre n_post"]:
    """The weights [mV] of the whole network, by source."""
    names = ("E", "I")
    blocks = [
        [j * np.asarray(wiring.as_matrix(pre, post)).T for post in names]
        for pre, j in zip(names, (0.1, -0.5), strict=True)
    ]
    return np.block(blocks).astype(np.float32)


def dense(matrix: Float[np.ndarray, "n_pre n_post"]) -> tuple[Callable[..., Any], Any]:
    """Delivery as a vector times a float32 matrix."""

    def deliver(w: Float[Array, "n_pre n_post"], spikes: Bool[Array, "n_pre"]) -> Float[Array, "n_post"]:
        return spikes.astype(jnp.float32) @ w

    return deliver, jnp.asarray(matrix)


def scatter(matrix: Float[np.ndarray, "n_pre n_post"]) -> tuple[Callable[..., Any], Any]:
    """Delivery as a scatter-add over padded lists of targets, of at most `CAPACITY` spikes a step."""
    n_pre, n_post = matrix.shape
    pre, post = np.nonzero(matrix)
    numbers = np.bincount(pre, minlength=n_pre)
    place = np.arange(pre.size) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    # Padding goes to one more target, and a spike that is none to one more source.
    targets = np.full((n_pre + 1, numbers.max()), n_post, np.int32)
    values = np.zeros(targets.shape, np.float32)
    targets[pre, place], values[pre, place] = post, matrix[pre, post]

    def deliver(lists: tuple[Array, Array], spikes: Bool[Array, "n_pre"]) -> Float[Array, "n_post"]:
        sources = jnp.nonzero(spikes, size=CAPACITY, fill_value=n_pre)[0]
        total = jnp.zeros(n_post + 1, jnp.float32)
        return total.at[lists[0][sources]].add(lists[1][sources])[:-1]

    return deliver, (jnp.asarray(targets), jnp.asarray(values))


def simulator(deliver: Callable[..., Any], n: int) -> Callable[..., Int[Array, "n"]]:
    """A compiled `(stored, key, n_steps)` that returns each neuron's number of spikes.

    The drive is one uniform number and an inverse distribution function; `jax.random.poisson` is much slower.
    """
    cdf = np.cumsum([math.exp(-2.0) * 2.0**k / math.factorial(k) for k in range(16)]).astype(np.float32)

    def step(stored: Any, key: PRNGKeyArray, k: Int[Array, ""], carry: tuple[Array, ...]) -> tuple[Array, ...]:
        v, left, past, total = carry
        recurrent = deliver(stored, past[k % DELAY])
        u = jax.random.uniform(jax.random.fold_in(key, k), (n,), jnp.float32)
        drive = sum((u > c).astype(jnp.float32) for c in cdf)
        v = jnp.where(left > 0, jnp.float32(10.0), v * jnp.float32(DECAY) + recurrent + jnp.float32(0.1) * drive)
        spikes = v >= 20.0
        v = jnp.where(spikes, jnp.float32(10.0), v)
        left = jnp.where(spikes, REFRACTORY, jnp.maximum(left - 1, 0))
        return v, left, past.at[k % DELAY].set(spikes), total + spikes.astype(jnp.int32)

    @jax.jit
    def simulate(stored: Any, key: PRNGKeyArray, n_steps: int | Array) -> Int[Array, "n"]:
        start = (
            jnp.zeros(n, jnp.float32),
            jnp.zeros(n, jnp.int32),
            jnp.zeros((DELAY, n), bool),
            jnp.zeros(n, jnp.int32),
        )
        return lax.fori_loop(0, n_steps, lambda k, carry: step(stored, key, k, carry), start)[3]

    return simulate
