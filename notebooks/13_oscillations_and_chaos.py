# %% [markdown]
# # Rhythm, noise or chaos: what does a balanced network choose?
#
# The same neurons fire as clocks, in a fast rhythm in which hardly any of them takes part in each cycle, or without
# any rhythm, depending on inhibition g and on the input from outside (Brunel 2000). **Does theory, which knows no
# single spike, say which, and how fast the rhythm is? And is firing without a rhythm noise from outside, or made by
# the network itself?** The answers are asserted at the end. `JAXNEURO_NOTEBOOK_SIZE=full` takes a finer diagram and
# longer runs. The Hopf bifurcation of a pair of rates is in notebook 02.

# %%
import os
from importlib import import_module, util

import jax
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
KEY = jax.random.key(0)
plt.rcParams.update(jn.plot.style())

# %% [markdown]
# ## Brunel's diagram, by theory
#
# At every point all states of the mean field and their leading modes; lines are where a mode starts to grow, with its
# frequency. The grid is coarse here.

# %%
over = {
    "g": np.linspace(3.0, 8.0, 21) if FULL else np.linspace(3.0, 6.0, 4),
    "nu_ext_over_nu_thr": np.linspace(1.0, 4.0, 13 if FULL else 4),
}
found = jn.theory.phase_boundaries(jn.networks.brunel, over=over, refine=3 if FULL else 0, progress=False)
points = {"regular": (3.0, 2.0), "no rhythm": (5.0, 2.0), "fast rhythm": (6.0, 4.0)}
ax = jn.plot.phase_diagram(found)
for name, at in points.items():
    ax.plot(*at, "k*", ms=9, clip_on=False)
    ax.annotate(name, at, xytext=(6, -12), textcoords="offset points", fontsize="small", annotation_clip=False)
at = tuple(np.argmin(np.abs(axis - value)) for axis, value in zip(over.values(), points["fast rhythm"], strict=True))
frequency, growth = (float(found.highest(values)[at]) for values in (found.frequency, found.growth))
print(f"fast rhythm by theory: {frequency:.0f} Hz, growth {growth:.0f} /s")

# %% [markdown]
# ## Three runs
#
# One wiring serves them all, and the second and third run compile nothing. Their states are named from rates, CVs and
# the spectrum of the population rate.

# %%
DURATION, N_E = (2_000.0, 10_000) if FULL else (350.0, 4_000)


def network(at):
    return jn.networks.brunel(*at, n_e=N_E, n_i=N_E // 4)


wiring = jn.wire(network(points["regular"]), key=KEY)
record = jn.analysis.state_recorders(start=100.0) | {
    "spikes": jn.record.Spikes("E", start=DURATION - 60.0),
    "population_rate": jn.record.PopulationRate("E", width=0.5),
}
runs = {
    name: jn.simulate(network(at), 0.0, DURATION, dt=0.1, key=KEY, wiring=wiring, record=record)
    for name, at in points.items()
}
states = {name: jn.analysis.classify_state(run) for name, run in runs.items()}
figure, axes = plt.subplots(2, 3, figsize=(11.0, 5.4), layout="constrained", height_ratios=[3, 2])
for (name, run), above, below in zip(runs.items(), *axes, strict=True):
    jn.plot.raster(run["spikes"], ax=above, most=50, colour=jn.plot.KIND_COLOURS["E"])
    above.set_title(f"{name}: {states[name].state['E']}")
    jn.plot.spectrum(run, ax=below)
print({name: str(state.state["E"]) for name, state in states.items()})
peak = float(states["fast rhythm"].frequency["E"])
mean = float(np.mean(runs["fast rhythm"]["rate"]["E"]))
print(f"fast rhythm: {peak:.0f} Hz, while a neuron fires at {mean:.0f} Hz")

# %% [markdown]
# ## Is it chaos?
#
# With neurons that only add and saturate it is known when a network makes its own noise: random weights of SD
# g/sqrt(N) are chaotic for g > 1 (Sompolinsky, Crisanti and Sommers 1988). The largest Lyapunov exponent tells: how
# fast two runs part that were almost the same. All strengths and wirings are one compiled program.

# %%
N = 400 if FULL else 100
strengths = np.array([0.6, 0.9, 1.2, 1.5, 2.0, 2.5])
exponents = np.zeros((8 if FULL else 3, strengths.size))
for seed in range(len(exponents)):
    weights = np.random.default_rng(seed).normal(size=(N, N)) / np.sqrt(N)
    start = np.random.default_rng(seed + 100).normal(size=N)
    for k, strength in enumerate(strengths):
        net = jn.RateNetwork(strength * weights, tau=10.0, transfer=jn.transfer.Tanh(), start=start)
        spectrum = jn.analysis.lyapunov(net, 2_000.0, dt=1.0, n_exponents=1, transient=500.0)
        exponents[seed, k] = spectrum.exponents[0]
figure, ax = plt.subplots(figsize=(5.0, 3.0), layout="constrained")
ax.plot(strengths, exponents.T, "o", color=jn.plot.COLOURS[2], ms=3, alpha=0.6)
ax.plot(strengths, exponents.mean(axis=0), color=jn.plot.COLOURS[2], label=f"{N} units")
ax.axhline(0.0, color="0.6", lw=0.8)
ax.axvline(1.0, color="0.6", ls=":", label="chaos beyond, for many units")
ax.set(xlabel="strength of the weights g", ylabel="largest Lyapunov exponent (1/s)")
_ = ax.legend()

# %% [markdown]
# The spiking network does the same with a single spike more. Two runs of the network without a rhythm, with the same
# noise from outside; in one of them one neuron starts 10 mV higher. A slider over g, in a running notebook with
# `ipywidgets`, shows rates that part and rates that do not.


# %%
class OneHigher(jn.extend.AbstractInitial):
    """All potentials at 5 mV, and that of the first neuron `by` higher."""

    by: jax.Array

    def draw(self, model, n, key):
        return jax.numpy.full(n, 5.0).at[0].add(self.by)


def raster(by):
    initial = OneHigher(jax.numpy.asarray(by))
    sizes = dict(n_e=800, n_i=200, c_e=80, c_i=20, j=0.3)
    net = jn.networks.brunel(5.0, 2.0, **sizes, initial=initial)
    spikes = jn.simulate(net, 0.0, 100.0, dt=0.1, key=KEY, record={"spikes": jn.record.Raster("E")})["spikes"]
    return np.asarray(spikes).reshape(100, 10, -1).sum(axis=1)


different = np.mean(raster(0.0) != raster(10.0), axis=1)
figure, ax = plt.subplots(figsize=(5.0, 3.0), layout="constrained")
ax.semilogy(np.arange(100.0), np.maximum(different, 1e-4), color=jn.plot.KIND_COLOURS["E"])
ax.set(xlabel="time (ms)", ylabel="share of neurons that differ in a ms")


def rates(strength=1.5):
    paths = []
    for nudge in (0.0, 1e-3):
        net = jn.RateNetwork(strength * weights, tau=10.0, transfer=jn.transfer.Tanh(), start=start + nudge)
        paths.append(np.asarray(jn.simulate(net, 0.0, 600.0, dt=1.0)["rate"])[:, :3])
    return paths


def show(strength=1.5):
    plt.figure(figsize=(6.0, 2.5), layout="constrained")
    for path, style in zip(rates(strength), ("-", "--"), strict=True):
        plt.gca().set_prop_cycle(color=jn.plot.COLOURS)
        plt.plot(path, style)
    plt.gca().set(xlabel="time (ms)", ylabel="rates of three units")


show(2.0)
if util.find_spec("ipywidgets"):
    import_module("ipywidgets").interact(show, strength=(0.5, 2.5, 0.25))

# %% [markdown]
# **The answer.** Theory names the three, and the frequency of the fast rhythm within a tenth, three times that at
# which a neuron fires. And firing without a rhythm needs no noise of its own: a difference in one neuron is soon one
# in many, as it is in networks of rates beyond the strength at which the zero state is lost.

# %%
assert [str(states[name].state["E"]) for name in points] == ["SR", "AI", "fast SI"]
assert abs(peak / frequency - 1.0) < 0.1
assert peak > 2.0 * mean
assert np.all(exponents[:, 0] < 0.0)
assert np.all(exponents[:, -1] > 0.0)
assert different[:3].max() < 0.01 < 0.05 < different[50:].mean()

# %%
plt.close("all")
