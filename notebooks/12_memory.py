# %% [markdown]
# # How much can a network of rates remember, and in what?
#
# Rates decay within tens of milliseconds, memories last. Two ways out: let the weights make every memory a state to
# which rates fall (Hopfield 1982), or let rates move as they like, but keep what is read out of them (Druckmann and
# Chklovskii 2012). **How many patterns do the weights hold, and what stands still while rates do not?** The answers
# are asserted at the end. `JAXNEURO_NOTEBOOK_SIZE=full` takes larger networks. Rings, whose memory is a place, are in
# notebook 02.

# %%
import os
from importlib import import_module, util

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
N, SETS = (2_000, 10) if FULL else (500, 4)
plt.rcParams.update(jn.plot.style())

# %% [markdown]
# ## A pattern comes back from a fifth of its units wrong
#
# `hopfield` stores patterns of -1 and 1 in the weights of graded units. A network is a frozen object whose numbers are
# leaves: networks with more patterns have weights of the same shape, so that all the runs below are one program.

# %%
patterns = jax.random.rademacher(jax.random.key(0), (int(0.25 * N), N), float)
wrong = jnp.where(jnp.arange(N) < N // 5, -1.0, 1.0)


@jax.jit
def recalled(net):
    """Overlap with the first pattern over time: 1 where all units are right, about 0 where none is told."""
    return jn.simulate(net, 0.0, 300.0, dt=2.0, throw=False)["rate"] @ patterns[0] / N


def network(stored, start=wrong):
    return jn.networks.hopfield(stored, gain=100.0, start=stored[0] * start)


few, many = (recalled(network(patterns[:count])) for count in (int(0.05 * N), int(0.25 * N)))
figure, ax = plt.subplots(figsize=(5.0, 3.0), layout="constrained")
ax.plot(2.0 * np.arange(1, few.size + 1), few, color=jn.plot.COLOURS[0], label="0.05 patterns a unit")
ax.plot(2.0 * np.arange(1, few.size + 1), many, "--", color=jn.plot.COLOURS[1], label="0.25 patterns a unit")
ax.set(xlabel="time (ms)", ylabel="overlap with the pattern", ylim=(0, 1.05))
_ = ax.legend()

# %% [markdown]
# ## How many?
#
# Theory (Amit, Gutfreund and Sompolinsky 1985): above 0.138 patterns a unit there is no state near any of them. Each
# run begins at the pattern itself, so that it is lost only where it is no state.

# %%
loads = np.array([0.04, 0.08, 0.12, 0.16, 0.2, 0.24])
kept = np.zeros((SETS, loads.size))
for i in range(SETS):
    for k, load in enumerate(loads):
        others = jax.random.permutation(jax.random.key(i), patterns[1:])[: int(load * N) - 1]
        kept[i, k] = recalled(network(jnp.concatenate([patterns[:1], others]), start=1.0))[-1]
fine = np.linspace(0.01, 0.1375, 60)
theory = jn.theory.hopfield_recall(load=fine)
capacity = float(theory.capacity[0]) if np.ndim(theory.capacity) else float(theory.capacity)
figure, ax = plt.subplots(figsize=(5.0, 3.0), layout="constrained")
ax.plot(fine, theory.overlap, "k", label="theory, infinitely many units")
ax.axvline(capacity, color="0.6", ls=":")
ax.plot(loads, kept.T, "o", color=jn.plot.COLOURS[0], ms=3, alpha=0.6)
ax.plot(loads, kept.mean(axis=0), color=jn.plot.COLOURS[0], label=f"{N} units")
ax.set(xlabel="patterns a unit", ylabel="overlap that is kept", ylim=(0, 1.05))
_ = ax.legend()

# %% [markdown]
# In a running notebook with `ipywidgets` the slider moves the load; nothing is compiled again.

# %%
if util.find_spec("ipywidgets"):

    def show(load=0.1):
        overlap = recalled(network(patterns[: max(1, int(load * N))]))
        plt.figure(figsize=(5.0, 2.5), layout="constrained")
        plt.plot(2.0 * np.arange(1, overlap.size + 1), overlap)
        plt.gca().set(xlabel="time (ms)", ylabel="overlap", ylim=(0, 1.05))

    import_module("ipywidgets").interact(show, load=(0.02, 0.24, 0.02))

# %% [markdown]
# ## What stands still while rates move
#
# `memory(decoder)` makes weights with D M = D: what D reads out stays, and rates go wherever they like in all other
# directions, here along random weights that let them wander for a second.

# %%
units = 60
rng = np.random.default_rng(0)
decoder = rng.normal(size=(2, units)) / np.sqrt(units)
spin = rng.normal(size=(units, units))
spin = 0.95 * np.eye(units) + 0.3 * (spin - spin.T) / np.sqrt(2 * units)
start = rng.normal(size=units)
held = jn.simulate(jn.networks.memory(decoder, null=spin, tau=10.0, start=start), 0.0, 500.0, dt=0.5)
rates, read = np.asarray(held["rate"]), np.asarray(held["rate"]) @ decoder.T
time = np.asarray(held.times["rate"])
figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.0), layout="constrained")
axes[0].plot(time, rates[:, :6], lw=1.0)
axes[0].set(xlabel="time (ms)", ylabel="rate of six units")
axes[1].plot(time, read)
_ = axes[1].set(xlabel="time (ms)", ylabel="what is read out")

# %% [markdown]
# **The answer.** About 0.14 patterns a unit, as theory says for large networks; a network of some hundred holds some
# of them a little longer. And a memory needs no rate that stands still: the read-out keeps its values to rounding
# while every rate changes by as much as it is large.

# %%
assert few[-1] > 0.99
assert many[-1] < 0.9
held_below = kept[:, loads < 0.13].mean(axis=0)
np.testing.assert_allclose(held_below, jn.theory.hopfield_recall(load=loads[loads < 0.13]).overlap, atol=0.03)
assert kept[:, -1].mean() < 0.8
assert abs(capacity - 0.138) < 1e-3
start_read = decoder @ start
assert np.abs(read - start_read).max() < 1e-3 * np.abs(start_read).max()
assert np.abs(rates - start).max() > 0.5 * np.abs(start).max()

# %%
plt.close("all")
