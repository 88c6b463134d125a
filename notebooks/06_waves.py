# %% [markdown]
# # When does a sheet of neurons make waves?
#
# Excitation reaches a few sites, inhibition further, and there is no noise (Keane and Gong 2015). With half of the
# inhibition all neurons fire as one; with all of it spikes travel as waves, potentials of near neurons go together and
# those of far ones do not, though each neuron fires as irregularly as noise would make it. What of this does theory
# know? `JAXNEURO_NOTEBOOK_SIZE=full` takes the published size.

# %%
import os

import jax
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
plt.rcParams.update(jn.plot.style())
SIDE, UNTIL = (150, 2_000.0) if FULL else (100, 900.0)
START, KEY = 400.0, jax.random.key(0)

# %% [markdown]
# ## Two strengths of inhibition
#
# The network is one call. What is asked of a run are recorders: rates, CVs, the correlation of potentials at two
# distances, and the speed at which spikes spread.


# %%
def run(inhibition):
    net = jn.networks.keane_gong(side=SIDE, inhibition=inhibition)
    record = {
        "rate": jn.record.Rate(start=START),
        "cv": jn.record.CV(start=START),
        "skewness": jn.record.VoltageSkewness("E", start=START),
        "v": jn.record.PairCorrelation("E.v", width=1.0, distances=[4.0, SIDE / 2], start=START),
        "speed": jn.record.WaveSpeed("E", start=START),
    }
    sol = jn.simulate(net, 0.0, UNTIL, dt=0.05, key=KEY, record=record)
    more = {"spikes": jn.record.Raster("E")}
    after = jn.simulate(net, UNTIL, UNTIL + 120.0, dt=0.05, key=KEY, state=sol.state, record=more)
    return sol, np.asarray(after["spikes"], float).reshape(-1, SIDE, SIDE)


found = {inhibition: run(inhibition) for inhibition in (0.5, 1.0)}
for inhibition, (sol, _) in found.items():
    near, far = (float(x) for x in sol["v"]["E.v"])
    print(
        f"inhibition {inhibition:g}: {float(np.mean(sol['rate']['E'])):.1f} Hz, CV {np.nanmean(sol['cv']['E']):.3f}, "
        f"correlation of V {near:.2f} at 4 sites and {far:.2f} at half the side"
    )

# %% [markdown]
# ## What it looks like
#
# Spikes of the last 3 ms, six moments of either run around the one at which most neurons fire.

# %%
fig, axes = plt.subplots(2, 6, figsize=(9, 3.4), layout="constrained")
for row, (inhibition, (_, spikes)) in zip(axes, found.items(), strict=True):
    busiest = np.clip(int(spikes.sum(axis=(1, 2)).argmax()), 300, len(spikes) - 300)
    for i, ax in enumerate(row):
        end = busiest + 80 * (i - 2)
        recent = spikes[end - 60 : end] * np.exp((np.arange(60) - 60.0) / 20.0)[:, None, None]
        ax.imshow(recent.sum(axis=0), cmap="inferno", vmin=0.0, vmax=1.0)
        ax.set(xticks=[], yticks=[], title=f"{0.05 * (end - busiest):+g} ms")
    row[0].set_ylabel(f"inhibition {inhibition:g}")

rhythm, waves = found[0.5][0], found[1.0][0]
assert np.nanmean(rhythm["cv"]["E"]) < 0.01
assert float(rhythm["v"]["E.v"][1]) > 0.9
assert np.nanmean(waves["cv"]["E"]) > 0.5
assert float(waves["v"]["E.v"][0]) > 0.35 > abs(float(waves["v"]["E.v"][1])) + 0.2
assert 1.6 < float(waves["speed"]) < 2.3
assert float(waves["skewness"]["E"]) > 1.0

# %% [markdown]
# ## How fast, and how that is known
#
# Counts in bins of 0.5 ms correlate most at a lag that grows with the distance; the speed is one over its slope.

# %%
c, lags = np.asarray(waves.counts["speed"]), np.asarray(waves.lags["speed"])
fig, ax = plt.subplots(figsize=(5, 3), layout="constrained")
for i in range(0, len(c), 2):
    ax.plot(lags, c[i] / c[i].max(), color=plt.cm.viridis(i / len(c)), label=f"{i + 2} sites")
ax.set(
    xlabel="lag (ms)", ylabel="correlation of counts (of its largest)", title=f"{float(waves['speed']):.2f} sites/ms"
)
_ = ax.legend()

# %% [markdown]
# ## What theory knows
#
# In a field of rates (Huang et al. 2019) the state without structure turns unstable where inhibition is slow, all
# of the sheet at once, or where it reaches far, in a mode with structure. `field_instability` finds both points.

# %%
field = dict(j=[[80.0, -160.0], [120.0, -200.0]], widths=(0.1, 0.1), tau=(5.0, 5.0), input=(0.48, 0.32))
growth = jn.theory.field_growth(**field)
fig, ax = plt.subplots(figsize=(4, 3), layout="constrained")
for width in (0.1, 0.135790, 0.15):
    grown = jn.theory.field_growth(**{**field, "widths": (0.1, width)}).growth
    modes = [(n, m) for n in range(5) for m in range(n + 1)]
    modes.sort(key=lambda mode: np.hypot(*mode))
    ax.plot(
        [np.hypot(*mode) for mode in modes], [float(grown[mode]) for mode in modes], "o-", label=f"width of I {width:g}"
    )
ax.axhline(0.0, color="0.6", lw=0.8)
ax.set(xlabel="spatial frequency (cycles a side)", ylabel="growth (1/ms)")
ax.legend()
turning = jn.theory.field_growth(**{**field, "widths": (0.1, 0.135790)}).growth
assert np.unravel_index(int(np.argmax(turning)), turning.shape) in ((3, 1), (1, 3))
assert abs(float(turning.max())) < 1e-4

# %% [markdown]
# **The answer.** Inhibition that is wide and strong enough: with half of it the sheet is one clock, with all of it
# spikes travel at about two sites a millisecond, and each neuron is as irregular as a Poisson process though nothing in
# the network is random. Theory of rates names the ways in which the even state is lost.
