# %% [markdown]
# # How many quanta does a synapse release, and does the histogram tell?
#
# Boyd and Martin (1956) stimulated the nerve of a muscle fibre in magnesium 198 times. Eighteen times nothing came;
# the other responses scatter about multiples of 0.4 mV. del Castillo and Katz (1954) said why: transmitter comes in
# quanta, and their number is Poisson. **How many quanta came on average, and do three ways to count them agree?** The
# answer is asserted at the end. `JAXNEURO_NOTEBOOK_SIZE=full` takes more simulated experiments.

# %%
import csv
import os
from importlib import import_module, util
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
KEY = jax.random.key(0)
plt.rcParams.update(jn.plot.style())
HERE = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "fitting" / "data").is_dir())

# %% [markdown]
# ## Two counts without a fit
#
# If the number is Poisson with mean m, a share exp(-m) of the trials fails: m = ln(trials / failures). And m is the
# mean response over that of one quantum, which is seen alone as a miniature potential.

# %%
rows = {"end_plate": [], "miniature": []}
with (HERE / "fitting" / "data" / "boyd_martin_1956.csv").open(encoding="utf-8") as file:
    for row in csv.DictReader(file):
        rows[row["kind"]].append((float(row["amplitude_mv"]), float(row["count"])))
v, n = np.array(rows["end_plate"]).T
small, n_small = np.array(rows["miniature"]).T
failures, trials = n[v == 0.0].sum(), n.sum()
v, n = v[v > 0.0], n[v > 0.0]
by_failures = np.log(trials / failures)
by_means = (np.sum(v * n) / trials) / np.average(small, weights=n_small)
print(f"m by failures {by_failures:.2f}, by means {by_means:.2f}")

# %% [markdown]
# ## A third: the whole histogram
#
# `QuantalRelease` is the mixture over the number of quanta, and a fit moves m, the size u of one, and its scatter.
# Each bin is a probability, so that failures count as what they are.

# %%
data = jn.quantal.AmplitudeHistogram(v - 0.05, v + 0.05, n, n_failures=failures)
start = jn.quantal.QuantalRelease(m=float(by_means), u=0.4, sigma_1=0.1)
result = jn.fit(start, data, starts=1)
print(result)
m, u = result.params["m"], result.params["u"]

x = jnp.linspace(0.01, 3.3, 300)
drawn = result.predict(x, function=lambda model, v: model.density(v))
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
ax.bar(0.0, failures, 0.1, color="0.35", label="failures")
ax.bar(v, n, 0.1, color="0.8", edgecolor="white", lw=0.4, label="responses")
ax.plot(x, 0.1 * trials * drawn.value, color=jn.plot.COLOURS[1], label="fitted mixture, 95% band")
ax.fill_between(x, 0.1 * trials * drawn.low, 0.1 * trials * drawn.high, color=jn.plot.COLOURS[1], alpha=0.2, lw=0)
ax.plot(0.0, trials * np.exp(-m), "D", color=jn.plot.COLOURS[1], ms=5, label="failures expected")
ax.set(xlabel="end-plate potential (mV)", ylabel="trials", xlim=(-0.15, 3.3), ylim=(0, 30))
_ = ax.legend()

# %% [markdown]
# ## Does the error hold what it promises?
#
# The fitted neuron is simulated and fitted again, many times: the interval of 95% should hold its m about as often.
# All these fits are one program.

# %%
model = jn.quantal.QuantalRelease(m=m, u=u, sigma_1=result.params["sigma_1"])
edges = np.arange(0.05, 5.06, 0.1)
held = []
for k in range(200 if FULL else 10):
    seen = model.sample(int(trials), key=jax.random.key(k))
    amplitude, quanta = np.asarray(seen.amplitude), np.asarray(seen.quanta)
    counts = np.histogram(amplitude[quanta > 0], edges)[0]
    again = jn.fit(
        model, jn.quantal.AmplitudeHistogram(edges[:-1], edges[1:], counts, n_failures=float((quanta == 0).sum())),
        starts=1,
    )  # fmt: skip
    low, high = again.ci95["m"]
    held.append(low < m < high)
print(f"{100 * np.mean(held):.0f}% of {len(held)} intervals hold the m that was simulated")

# %% [markdown]
# ## The same synapse in a network
#
# A central synapse has few sites: `StochasticRelease` makes each release with probability p, so that quanta are
# binomial, n p in the mean with variance n p (1 - p). Five sites, one spike every 50 ms, and a slider over p in a
# running notebook (`pip install ipywidgets`): the number p is a leaf, so that one program serves them all.

# %%
SITES, QUANTUM, CELLS = 5, 0.2, 400
times = np.zeros((2_000, 1), bool)
times[50::500] = True  # every 50 ms in steps of 0.1


def responses(p):
    synapse = jn.StochasticRelease(jn.DeltaCurrent(), n_sites=SITES, p=p)
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(jn.LIF(), CELLS)},
        [jn.Projection("in", "out", synapse, weight=QUANTUM, connectivity=jn.AllToAll(), delay=1.0)],
    )
    record = {"v": jn.record.Trace("out.v", every=1)}
    run = jn.simulate(net, 0.0, 200.0, dt=0.1, key=KEY, stimulus={"in": times}, record=record)
    return np.asarray(run.times["v"]), np.asarray(run["v"])


def draw(p=0.3, ax=None):
    t, potential = responses(p)
    ax = plt.subplots(figsize=(5.0, 3.0), layout="constrained")[1] if ax is None else ax
    ax.plot(t, potential[:, :8], color=jn.plot.KIND_COLOURS["E"], lw=0.7, alpha=0.6)
    ax.plot(t, potential.mean(axis=1), "k", lw=1.4, label="mean of 400")
    ax.set(xlabel="time (ms)", ylabel="potential (mV)", title=f"p = {p:g}", ylim=(0, 1.3))
    ax.legend()
    return t, potential


figure, axes = plt.subplots(1, 2, figsize=(9.0, 2.8), layout="constrained", sharey=True)
for ax, p in zip(axes, (0.2, 0.8), strict=True):
    t, potential = draw(p, ax)
    step = int(np.argmax(np.diff(potential.mean(axis=1)) > 0.0)) + 1  # the first spike has arrived
    quanta = potential[step] / potential[step][potential[step] > 0].min()
    np.testing.assert_allclose(quanta, np.round(quanta), atol=1e-3)
    assert abs(quanta.mean() / (SITES * p) - 1.0) < 0.1
    assert abs(quanta.var() / (SITES * p * (1.0 - p)) - 1.0) < 0.25
if util.find_spec("ipywidgets"):
    import_module("ipywidgets").interact(lambda p: draw(p) and None, p=(0.1, 0.9, 0.1))

# %% [markdown]
# **The answer.** About two and a third, and all three agree within the error of the fit: release is Poisson in units
# of one miniature potential. Of the three the histogram tells most, for it also gives the size of a quantum, which
# here is that of the miniatures, 0.4 mV.

# %%
assert abs(m - 2.34) < 0.02
assert abs(u - np.average(small, weights=n_small)) < 0.02
low, high = result.ci95["m"]
assert low < by_failures < high
assert low < by_means < high
assert np.mean(held) >= 0.8

# %%
plt.close("all")
