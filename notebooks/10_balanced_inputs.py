# %% [markdown]
# # Why does a neuron with thousands of inputs fire irregularly?
#
# Within the 20 ms that a membrane remembers, a neuron of cortex hears hundreds of spikes. A sum of so many hardly
# varies, so the neuron should fire like a clock (Softky and Koch 1993). It fires about as irregularly as a Poisson
# process. **What in its input makes that: how random the spikes are, how many, or how they add up?** The answer is
# asserted at the end. `JAXNEURO_NOTEBOOK_SIZE=full` takes longer runs of more neurons.

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
NEURON = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)

# %% [markdown]
# ## Poisson spikes
#
# Intervals of a Poisson process have a CV of 1, counts a variance that is their mean (Fano factor 1), and many trains
# together are a Poisson process again: the irregularity of single inputs does not add up, it averages out.

# %%
trains = jn.statistics.poisson_trains(20.0, 0.0, 20_000.0, n=100, key=KEY)
together = np.sort(np.concatenate(trains))
cvs, fanos = jn.statistics.isi_cv(trains), jn.statistics.fano(trains, window=100.0, t0=0.0, t1=20_000.0)
counts = np.histogram(together, np.arange(0.0, 20_020.0, 20.0))[0]  # what a membrane of 20 ms hears
print(f"one train: CV {cvs.mean():.2f}, Fano factor {fanos.mean():.2f}")
print(f"a hundred together: CV {jn.statistics.isi_cv([together])[0]:.2f}; {counts.mean():.0f} spikes in 20 ms, "
      f"+- {100 * counts.std() / counts.mean():.0f}%")  # fmt: skip
assert abs(cvs.mean() - 1.0) < 0.03
assert abs(fanos.mean() - 1.0) < 0.05
assert abs(counts.var() / counts.mean() - 1.0) < 0.2

# %% [markdown]
# ## One neuron, the same rate, more and more inhibition
#
# 1,000 excitatory sources of 0.1 mV, and 250 inhibitory ones of -0.4 mV that cancel a share b of their mean. For each
# b theory says how fast the sources have to fire for the neuron to fire at 30 Hz: the more is cancelled, the faster.
# Every neuron of one population then gets its own b, so that one run holds them all.

# %%
J, N_E, N_I, G = 0.1, 1_000, 250, 4.0
shares = np.array([0.0, 0.3, 0.6, 0.8, 0.9, 0.95])
tried = np.geomspace(8.0, 400.0, 1_000)[:, None]  # Hz, of one excitatory source


def moments(rate, share):
    """Mean and noise of the potential [mV] in white noise: b is what inhibition cancels."""
    mu = J * N_E * rate * 0.02 * (1.0 - share)
    return mu, np.sqrt(J * J * N_E * rate * 0.02 * (1.0 + G * share))


found = np.asarray(jn.theory.lif_rate(*moments(tried, shares), **NEURON))
source = np.array([np.interp(30.0, column, tried[:, 0]) for column in found.T])
mu, sigma = moments(source, shares)
predicted = np.asarray(jn.theory.lif_cv(mu, sigma, **NEURON))

# %%
EACH, DURATION = (200, 20_000.0) if FULL else (40, 2_500.0)
delta = jn.DeltaCurrent()


def driven(excitation, inhibition, n):
    """Neurons whose sources fire at these rates [Hz], one a neuron; I fires at the rate that cancels its share."""
    return jn.Network(
        {"E": jn.Population(jn.LIF(), n)},
        drives=[
            jn.PoissonDrive("E", delta, weight=J, n_sources=N_E, rate=excitation),
            jn.PoissonDrive("E", delta, weight=-G * J, n_sources=N_I, rate=inhibition),
        ],
    )


excitation, inhibition = (np.repeat(rate, EACH) for rate in (source, source * shares * N_E / (G * N_I)))
record = {"rate": jn.record.Rate(start=200.0), "cv": jn.record.CV(start=200.0)}
sol = jn.simulate(driven(excitation, inhibition, EACH * shares.size), 0.0, DURATION, dt=0.1, key=KEY, record=record)
rate, cv = (np.nanmean(np.asarray(sol[name]["E"]).reshape(shares.size, EACH), axis=1) for name in ("rate", "cv"))

figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.2), layout="constrained")
axes[0].plot(shares, mu, color=jn.plot.COLOURS[2], label="mean input")
axes[0].fill_between(shares, mu - sigma, mu + sigma, color=jn.plot.COLOURS[2], alpha=0.2, lw=0, label="+- noise")
axes[0].axhline(20.0, color="0.5", ls=":", label="threshold")
axes[0].set(ylabel="potential without spikes (mV)")
axes[1].plot(shares, np.full(shares.size, 30.0), "k--", label="asked for")
axes[1].plot(shares, rate, "o", color=jn.plot.COLOURS[0], label="simulated")
axes[1].set(ylabel="firing rate (Hz)", ylim=(0, 40))
axes[2].plot(shares, predicted, "k--", label="theory")
axes[2].plot(shares, cv, "o", color=jn.plot.COLOURS[0], label="simulated")
axes[2].axhline(1.0, color="0.7", lw=0.8)
axes[2].set(ylabel="CV of intervals", ylim=(0, 1.1))
for ax in axes:
    ax.set(xlabel="share of excitation that is cancelled")
    ax.legend()

# %% [markdown]
# ## What the potential does
#
# Without inhibition it rises from reset to threshold, again and again. Balanced it lingers below threshold, and a
# chance excursion makes the spike. In a running notebook, with `pip install ipywidgets`, the slider moves b; the
# program is compiled once, for a changed number compiles nothing.

# %%
trace = {"v": jn.record.Trace("E.v"), "spikes": jn.record.Spikes("E")}


def potential(share=0.95, ax=None):
    rate = np.interp(share, shares, source)
    one = driven(np.full(1, rate), np.full(1, rate * share * N_E / (G * N_I)), 1)
    run = jn.simulate(one, 0.0, 400.0, dt=0.1, key=KEY, record=trace)
    ax = jn.plot.traces(run, spikes=run["spikes"], ax=ax)
    ax.axhline(20.0, color="0.5", ls=":")
    ax.set_title(f"{100 * share:.0f}% cancelled")


figure, axes = plt.subplots(1, 2, figsize=(10.0, 2.8), layout="constrained", sharey=True)
for ax, share in zip(axes, (0.0, 0.95), strict=True):
    potential(share, ax)
if util.find_spec("ipywidgets"):
    import_module("ipywidgets").interact(lambda share: potential(share), share=(0.0, 0.95, 0.05))

# %% [markdown]
# **The answer.** How they add up. The inputs are equally random throughout, and the more of them there are the more
# the sum is a constant. Where the mean is above threshold the neuron is a clock; where inhibition cancels so much of
# excitation that the mean stays below, only fluctuations reach threshold, and the neuron is about as irregular as its
# inputs. Networks come to that balance by themselves: notebooks 01 and 13.

# %%
np.testing.assert_allclose(rate, 30.0, rtol=0.1)
np.testing.assert_allclose(cv, predicted, atol=0.1)
assert cv[0] < 0.3 < 0.7 < cv[-1]
assert mu[0] > 20.0 > mu[-1]

# %%
plt.close("all")
