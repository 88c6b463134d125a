# %% [markdown]
# # From Hodgkin-Huxley to the leaky integrate-and-fire neuron
#
# The squid axon spikes because of its channels; far from threshold they are closed, and what is left is a leaky
# membrane. Every step from one to the other is a model of `jaxneuro`, run by the same call.
# `JAXNEURO_NOTEBOOK_SIZE=full` takes more neurons and finer steps.

# %%
import os

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
KEY = jax.random.key(0)
DT = 0.01 if FULL else 0.025
plt.rcParams.update(jn.plot.style())

# %% [markdown]
# ## A spike, and the currents that make it
#
# A current of 10 uA/cm2 from rest makes the squid axon fire about 68 times a second.

# %%
squid = jn.HodgkinHuxley()
record = {"spikes": jn.record.Spikes(), **{name: jn.record.Trace(name) for name in ("v", "m_na", "h_na", "n_k")}}
sol = jn.simulate(jn.Population(squid, 1), 0.0, 60.0, dt=DT, key=KEY, stimulus=10.0, record=record)
times = sol["spikes"].times[0]
print("spikes at", ", ".join(f"{t:.2f}" for t in times), "ms")
np.testing.assert_allclose(times, [1.843, 16.751, 31.401, 46.040], atol=0.06)

t, v = sol.times["v"], sol["v"][:, 0]
gates = {name: sol[name][:, 0] for name in ("m_na", "h_na", "n_k")}
figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.2), layout="constrained")
axes[0].plot(t, v, color="k")
axes[0].set(xlabel="time (ms)", ylabel="membrane potential (mV)")
near = slice(int(14 / DT), int(22 / DT))
for x, label in zip(gates.values(), ("m", "h", "n"), strict=True):
    axes[1].plot(t[near], x[near], label=label)
axes[1].set(xlabel="time (ms)", ylabel="gate", title="Gates around a spike")
axes[1].legend()
for name, current in squid.currents(v, gates).items():
    axes[2].plot(t[near], current[near], label={"na": "sodium", "k": "potassium", "l": "leak"}[name])
axes[2].set(xlabel="time (ms)", ylabel="current out of the cell (uA/cm$^2$)", title="Currents by channel")
_ = axes[2].legend()

# %% [markdown]
# ## When it fires
#
# One spike takes 2.24, firing without end 6.26 uA/cm2; rest itself loses its stability only at 9.78: between, the axon
# is bistable. Its f-I curve starts above 50 Hz.

# %%
threshold = jn.analysis.rheobase(squid)
print(threshold)
assert abs(float(threshold.one_spike) - 2.241) < 2e-3
assert abs(float(threshold.repetitive) - 6.264) < 2e-3

currents = np.linspace(0.0, 40.0, 81 if FULL else 41)
rates = jn.analysis.fi_curve(squid, currents, duration=500.0, dt=0.05)
interneuron = jn.neurons.wang_buzsaki()
slow = np.linspace(0.0, 4.0, currents.size)
interneuron_rates = jn.analysis.fi_curve(interneuron, slow, duration=1_000.0, dt=0.05)

# %% [markdown]
# ## Simpler: the onset of a spike, then a bare threshold
#
# The exponential neuron keeps how a spike starts, the leaky one only that it does. Both have their f-I curve in closed
# form or by one integral; the dashed lines are theory, the circles simulated.

# %%
eif = jn.neurons.eif(t_ref=2.0)
lif = jn.LIF(tau_m=20.0, v_rest=-65.0, v_th=-50.0, v_reset=-60.0, t_ref=2.0)
drive = np.linspace(0.0, 40.0, 21)
figure, axes = plt.subplots(1, 3, figsize=(11.0, 3.2), layout="constrained")
axes[0].plot(currents, rates, "o", ms=3, color="k")
axes[0].set(xlabel="current (uA/cm$^2$)", ylabel="firing rate (Hz)", title="Squid axon: type II")
axes[1].plot(slow, interneuron_rates, "o", ms=3, color="k")
axes[1].set(xlabel="current (uA/cm$^2$)", ylabel="firing rate (Hz)", title="Wang-Buzsaki interneuron: type I")
for model, name, colour in ((eif, "EIF", jn.plot.COLOURS[2]), (lif, "LIF", jn.plot.COLOURS[3])):
    found = jn.analysis.fi_curve(model, drive, duration=1_000.0, dt=0.05)
    wanted = jn.theory.fi_curve(model, drive)
    axes[2].plot(drive, found, "o", ms=3, color=colour, label=f"{name}, simulated")
    axes[2].plot(drive, wanted, "--", color=colour, label=f"{name}, theory")
    np.testing.assert_allclose(found, wanted, rtol=0.01, atol=0.2)
axes[2].set(xlabel="current (mV)", ylabel="firing rate (Hz)", title="Integrate and fire")
_ = axes[2].legend()

# %% [markdown]
# ## Below threshold they are one
#
# A small current moves the squid axon as it moves a leaky membrane, but for the slow potassium channels, which make
# it overshoot. With its gates frozen at rest nothing but a leak is left.

# %%
rest = squid.resting_potential()
frozen = squid.conductances(rest, squid.steady_gates(rest))
total = float(sum(frozen.values()))
small = 0.5
run = jn.simulate(
    jn.Population(squid, 1), 0.0, 30.0, dt=DT, key=KEY, stimulus=small, record={"v": jn.record.Trace("v")}
)
t = run.times["v"]
leaky = float(rest) + small / total * (1.0 - jnp.exp(-t * total))
early = np.asarray(t) < 0.5
assert np.max(np.abs(np.asarray(run["v"][:, 0] - leaky)[early])) < 0.02

figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.2), layout="constrained")
axes[0].plot(t, run["v"][:, 0], label="squid axon")
axes[0].plot(t, leaky, "k--", label=f"leaky membrane, tau = {1 / total:.2f} ms")
axes[0].set(xlabel="time (ms)", ylabel="membrane potential (mV)", title=f"A step of {small:g} uA/cm$^2$")
axes[0].legend()

response = jn.analysis.phase_response(squid, 10.0, n_phases=24, dt=0.05)
axes[1].axhline(0.0, color="0.8", lw=0.8)
axes[1].plot(response.phase, 100.0 * response.advance, "o-", ms=3)
_ = axes[1].set(
    xlabel="phase of the kick (periods)", ylabel="advance (% of a period)", title="Phase response to 0.5 mV"
)

# %% [markdown]
# ## Derivatives run through spikes
#
# How the first millisecond of the upstroke depends on each conductance, from one forward-mode pass.


# %%
def upstroke(g):
    cell = jn.HodgkinHuxley(g_na=g[0], g_k=g[1], g_l=g[2])
    trace = {"v": jn.record.Trace("v")}
    return jn.simulate(jn.Population(cell, 1), 0.0, 1.6, dt=DT, key=KEY, stimulus=10.0, record=trace, throw=False)["v"][
        -1, 0
    ]


g = jnp.asarray([120.0, 36.0, 0.3])
slope = jax.jit(jax.jacfwd(upstroke))(g)
run_up = jax.jit(upstroke)
steps = jnp.asarray([0.5, 0.2, 0.005])
differences = jnp.stack([(run_up(g.at[k].add(h)) - run_up(g.at[k].add(-h))) / (2 * h) for k, h in enumerate(steps)])
print("dV/dg:", ", ".join(f"{float(x):.3f}" for x in slope), "mV cm2/mS")
np.testing.assert_allclose(slope, differences, rtol=5e-2)

# %%
plt.close("all")
