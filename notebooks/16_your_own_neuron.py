# %% [markdown]
# # Does my own neuron resonate?
#
# A leaky membrane fires most easily for spikes that arrive together. Some neurons fire most easily for two spikes that
# are apart, by one period of a rhythm of their own. **Does a neuron that nobody put into the package show that, and
# can the package say why?** It is written here twice in 20 lines: as a spiking model with a reset, and as an ordinary
# differential equation. The answer is asserted at the end. `JAXNEURO_NOTEBOOK_SIZE=full` takes finer steps.

# %%
import os
from importlib import import_module, util

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn
from jaxneuro.extend import AbstractNeuron, AbstractODE, as_leaf, fire

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
DT = 0.05 if FULL else 0.1
plt.rcParams.update(jn.plot.style())

# %% [markdown]
# ## Spiking, with a reset: resonate and fire
#
# Izhikevich (2001): dz/dt = (b + i omega) z + input, a spike where Im z reaches 1, then z = i. The state is a pair of
# arrays, the step is exact between inputs, and `fire` makes spikes that a surrogate can differentiate. What it
# understands is said: a current, and kicks, which synapses without a time constant give.


# %%
class ResonateAndFire(AbstractNeuron):
    b: jnp.ndarray  # 1/ms, negative: how quickly it forgets
    frequency: jnp.ndarray  # Hz

    def __init__(self, b=-0.03, frequency=50.0):
        self.b, self.frequency = as_leaf(b), as_leaf(frequency)

    def init(self, v):
        return jnp.zeros_like(v), v

    def resting_potential(self):
        return as_leaf(0.0)

    def understands(self):
        return ("current", "kick")

    def step(self, constants, state, inputs):
        x, y = state
        x = x + (0.0 if inputs.kick is None else inputs.kick)
        x = x + (0.0 if inputs.current is None else constants.dt * inputs.current)
        turn, kept = 2e-3 * jnp.pi * self.frequency * constants.dt, jnp.exp(self.b * constants.dt)
        x, y = kept * (jnp.cos(turn) * x - jnp.sin(turn) * y), kept * (jnp.sin(turn) * x + jnp.cos(turn) * y)
        fired = fire(y - 1.0, jnp.full(y.shape, True), constants.surrogate)
        return (jnp.where(fired.spikes, 0.0, x), jnp.where(fired.spikes, 0.0, y)), fired

    def observe(self, state):
        return {"x": state[0], "v": state[1]}


# %% [markdown]
# It stands in every call as the package's own. Pairs of kicks at all distances at once, each to a neuron of its own;
# the leaky neuron beside it hears the same.

# %%
GAPS = np.arange(0.0, 42.0, 2.0)
n = GAPS.size
times = np.zeros((round(60.0 / DT), n), bool)
times[round(2.0 / DT)] = True
second = np.round((2.0 + GAPS) / DT).astype(int)
one = np.zeros_like(times)
one[second, np.arange(n)] = True


def pairs(model, weight):
    """The largest potential after two kicks of `weight` at every distance, and whether it fired."""
    same = dict(synapse=jn.DeltaCurrent(), connectivity=jn.Weights(weight * jnp.eye(n)), delay=1.0)
    net = jn.Network(
        {"first": jn.Population(jn.SpikeSource(), n), "second": jn.Population(jn.SpikeSource(), n),
         "cell": jn.Population(model, n)},
        [jn.Projection("first", "cell", **same), jn.Projection("second", "cell", **same)],
    )  # fmt: skip
    record = {"rate": jn.record.Rate(), "v": jn.record.Trace("cell.v")}
    stimulus = {"first": times, "second": one}
    run = jn.simulate(net, 0.0, 60.0, dt=DT, key=jax.random.key(0), stimulus=stimulus, record=record)
    return np.asarray(run["rate"]["cell"]) > 0.0, np.asarray(run["v"])


def ours(b=-0.03, frequency=50.0):
    return ResonateAndFire(b, frequency)


fired, v = pairs(ours(), 0.85)
leaky, _ = pairs(jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0), 0.6)
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.0), layout="constrained")
for gap, style in ((4.0, "--"), (10.0, ":"), (20.0, "-")):
    axes[0].plot(DT * np.arange(1, len(v) + 1), v[:, int(gap / 2)], style, label=f"{gap:g} ms apart")
axes[0].axhline(1.0, color="0.6", lw=0.8)
axes[0].set(xlabel="time (ms)", ylabel="Im z")
axes[0].legend()
axes[1].plot(GAPS, leaky - 0.03, "s", color=jn.plot.COLOURS[1], ms=4, label="leaky integrate and fire")
axes[1].plot(GAPS, fired + 0.03, "o", color=jn.plot.COLOURS[0], ms=4, label="resonate and fire")
axes[1].set(
    xlabel="distance of two input spikes (ms)", yticks=[0, 1], yticklabels=["silent", "fires"], ylim=(-0.5, 1.8)
)
_ = axes[1].legend()

# %% [markdown]
# ## The same idea as an ordinary differential equation
#
# The FitzHugh-Nagumo neuron has no threshold and no reset: its spike is a loop of two equations. A model is `size`,
# `initial`, `vector_field` and `observe`, and everything for equations works on it: phase plane, fixed points, the
# Hopf bifurcation at which it begins to fire, with its frequency.


# %%
class FitzHughNagumo(AbstractODE):
    current: jnp.ndarray
    tau: jnp.ndarray  # ms, of the recovery

    def __init__(self, current=0.0, tau=12.5):
        self.current, self.tau = as_leaf(current), as_leaf(tau)

    def size(self):
        return 2

    def initial(self):
        return jnp.asarray([-1.2, -0.625])

    def vector_field(self, t, y, args=None):
        v, w = y
        into = self.current if args is None else self.current + args[0]
        return jnp.stack([v - v**3 / 3.0 - w + into, (v + 0.7 - 0.8 * w) / self.tau])

    def prepared(self):
        return self

    def observe(self, y):
        return {"rate": y}


# %%
model = FitzHughNagumo()
hopf = jn.analysis.hopf(model, where=lambda m: m.current, bracket=(0.2, 0.5))
print(hopf)
below, above = (jn.simulate(FitzHughNagumo(current), 0.0, 200.0, dt=0.1) for current in (0.3, 0.5))
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.4), layout="constrained")
box = ((-2.2, -1.0), (2.2, 1.8))
jn.plot.phase_plane(
    FitzHughNagumo(0.5), box=box, runs=[above], fixed_points=jn.analysis.fixed_points(FitzHughNagumo(0.5), box=box),
    labels=("V", "w"), ax=axes[0],
)  # fmt: skip
axes[1].plot(0.1 * np.arange(1, 2_001), above["rate"][:, 0], label="I = 0.5")
axes[1].plot(0.1 * np.arange(1, 2_001), below["rate"][:, 0], "--", label="I = 0.3")
axes[1].set(xlabel="time (ms)", ylabel="V")
_ = axes[1].legend()

# %% [markdown]
# By hand: the fixed point loses its stability where 1 - V^2 = 0.8 / tau, so at V = -sqrt(1 - 0.8 / tau).

# %%
v_star = -np.sqrt(1.0 - 0.8 / 12.5)
w_star = (v_star + 0.7) / 0.8
exact = w_star - v_star + v_star**3 / 3.0
if util.find_spec("ipywidgets"):

    def show(current=0.4):
        run = jn.simulate(FitzHughNagumo(current), 0.0, 200.0, dt=0.1)
        plt.figure(figsize=(5.0, 2.5), layout="constrained")
        plt.plot(0.1 * np.arange(1, 2_001), run["rate"][:, 0])
        plt.gca().set(xlabel="time (ms)", ylabel="V", ylim=(-2.3, 2.3))

    import_module("ipywidgets").interact(show, current=(0.0, 1.0, 0.05))

# %% [markdown]
# **The answer.** Yes. The leaky neuron fires for every pair that comes close together; ours fires for spikes one
# period, 20 ms, apart and is silent at half of it, where the second kick cancels the first. The equation says why:
# near a Hopf bifurcation rest is a focus, about which every kick turns with the frequency that `jn.analysis.hopf`
# finds.

# %%
assert fired[GAPS == 20.0].all()
assert not fired[GAPS == 10.0].any()
assert leaky[GAPS <= 6.0].all()
assert not leaky[GAPS >= 20.0].any()
assert abs(float(hopf.value) - exact) < 1e-4
assert np.ptp(above["rate"][1_000:, 0]) > 3.0
assert np.ptp(below["rate"][1_000:, 0]) < 0.1

# %%
plt.close("all")
