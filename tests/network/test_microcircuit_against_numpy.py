"""A tenth of the microcircuit beside a loop in plain NumPy, which draws its own wiring and noise."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.networks._microcircuit import EXTERNAL, FULL_RATES, PROBABILITIES, SIZES

TAU_M, TAU_S, CAPACITANCE, DT = 10.0, 0.5, 250.0, 0.1


def drawn(rng, share):
    """Sizes, the wiring by source (first synapse of each, targets, pA, steps), and the constant currents [pA]."""
    in_degrees = np.round(np.log(1 - PROBABILITIES) / np.log(1 - 1 / np.outer(SIZES, SIZES))) / SIZES[:, None]
    sizes = np.round(share * SIZES).astype(int)
    first, weight = np.concatenate([[0], np.cumsum(sizes)]), 87.8 / np.sqrt(share)
    parts, constant = [], np.zeros(8)
    for i in range(8):
        mean = EXTERNAL[i] * 8.0
        for j in range(8):
            strength = -4.0 if j % 2 else 2.0 if (i, j) == (0, 2) else 1.0
            mean += in_degrees[i, j] * FULL_RATES[j] * strength
            n = round(share * in_degrees[i, j] * sizes[i])
            delay = (0.75 if j % 2 else 1.5) * (1 + 0.5 * rng.standard_normal(n))
            parts.append(
                np.stack(
                    [
                        rng.integers(0, sizes[j], n) + first[j],
                        rng.integers(0, sizes[i], n) + first[i],
                        strength * weight * (1 + 0.1 * rng.standard_normal(n)),
                        np.clip(np.rint(delay / DT), 1, 60),
                    ]
                )
            )
        constant[i] = (1 - np.sqrt(share)) * 87.8 * mean * 1e-3 * TAU_S
    source, target, current, steps = np.concatenate(parts, axis=1)[:, np.argsort(np.concatenate(parts, axis=1)[0])]
    begins = np.searchsorted(source, np.arange(first[-1] + 1))
    return sizes, (begins, target.astype(int), current, steps.astype(int)), constant


def loop(rng, share, n_steps, after):
    """Rates [Hz] by population of a loop over steps: exact integration, and a buffer of what is on its way."""
    sizes, (begins, target, current, steps), constant = drawn(rng, share)
    of = np.repeat(np.arange(8), sizes)
    keep_v, keep_i = np.exp(-DT / TAU_M), np.exp(-DT / TAU_S)
    by_i = TAU_S * TAU_M / (CAPACITANCE * (TAU_S - TAU_M)) * (keep_i - keep_v)
    lift = TAU_M / CAPACITANCE * (1 - keep_v) * constant[of]
    outside = np.round(share * np.array(EXTERNAL))[of] * 8e-3 * DT
    v, i, refractory = rng.uniform(-10.0, 15.0, of.size), np.zeros(of.size), np.zeros(of.size, int)
    buffer, counts = np.zeros((61, of.size)), np.zeros(8)
    for step in range(n_steps):
        awake = refractory == 0
        v = np.where(awake, v * keep_v + i * by_i + lift, v)
        i = i * keep_i + buffer[step % 61] + 87.8 / np.sqrt(share) * rng.poisson(outside)
        buffer[step % 61] = 0.0
        refractory = np.maximum(refractory - 1, 0)
        spikes = np.flatnonzero((v >= 15.0) & awake)
        v[spikes], refractory[spikes] = 0.0, 20
        counts += np.bincount(of[spikes], minlength=8) if step >= after else 0
        for source in spikes:
            own = slice(begins[source], begins[source + 1])
            np.add.at(buffer, ((step + steps[own]) % 61, target[own]), current[own])
    return counts / sizes / ((n_steps - after) * DT * 1e-3)


@pytest.mark.proof
def test_rates_of_a_tenth_of_the_network():
    share, n_steps, after = 0.1, 25_000, 5_000
    mine = []
    for seed in range(3):
        net, start = jn.networks.microcircuit(share, share), after * DT
        record = {"rate": jn.record.Rate(start=start)}
        sol = jn.simulate(net, 0.0, n_steps * DT, dt=DT, key=jax.random.key(seed), record=record)
        mine.append([mean.value for mean in sol.mean("rate").values()])
    other = [loop(np.random.default_rng(seed), share, n_steps, after) for seed in range(3)]
    mine, other = np.array(mine), np.array(other)
    error = np.sqrt((mine.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / 3) + 0.01 * other.mean(axis=0)
    z = (mine.mean(axis=0) - other.mean(axis=0)) / error
    assert np.all(np.abs(z) < 4), (mine.mean(axis=0), other.mean(axis=0), z)
