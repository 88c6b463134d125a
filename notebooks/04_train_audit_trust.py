# %% [markdown]
# # Train, audit, and when to trust which gradient
#
# A spike is a step of the potential, and a step has no useful derivative. Training takes a surrogate in its place.
# Is what comes out a gradient? `jn.audit_gradient` and a few lines show when it is, when it is only a direction, and
# when it is neither; `JAXNEURO_NOTEBOOK_SIZE=full` takes larger networks, more trials and longer runs.

# %%
import os

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
KEY = jax.random.key(0)
plt.rcParams.update(jn.plot.style())

# %% [markdown]
# ## Train
#
# Classes that differ in nothing but the times of spikes (Randman), a recurrent layer of leaky neurons, read-outs whose
# highest potential says the class.

# %%
HIDDEN, N_IN, N_CLASSES, T = (64, 20, 5, 50) if FULL else (30, 15, 3, 40)
trials = jn.learning.randman(1_500 if FULL else 600, n_classes=N_CLASSES, n=N_IN, n_steps=T, key=jax.random.key(3))
n_train = int(0.8 * len(trials.labels))
surrogate = jn.surrogate.SuperSpike(0.1)


def network(w, noise=0.0):
    neurons, delta = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0), jn.DeltaCurrent()
    return jn.Network(
        {
            "in": jn.Population(jn.SpikeSource(), N_IN),
            "hidden": jn.Population(neurons, HIDDEN),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=20.0), N_CLASSES),
        },
        [
            jn.Projection("in", "hidden", delta, connectivity=jn.Weights(w["in"]), delay=1.0),
            jn.Projection("hidden", "hidden", delta, connectivity=jn.Weights(w["rec"]), delay=1.0),
            jn.Projection("hidden", "out", delta, connectivity=jn.Weights(w["out"]), delay=1.0),
        ],
        [jn.WhiteNoiseDrive("hidden", mu=0.0, sigma=noise)] if noise else [],
    )


def logits(w, spikes):
    def one(trial):
        return jn.simulate(
            network(w), 0.0, float(T), dt=1.0, key=KEY, stimulus={"in": trial}, throw=False, surrogate=surrogate,
            record={"v": jn.record.Trace("out.v")},
        )["v"]  # fmt: skip

    return jn.learning.max_potential(jax.vmap(one)(spikes))


def loss(w, chosen, key):
    return jn.learning.cross_entropy(logits(w, trials.spikes[chosen]), trials.labels[chosen])


shapes = {"in": (0.6, (HIDDEN, N_IN)), "rec": (0.1, (HIDDEN, HIDDEN)), "out": (0.2, (N_CLASSES, HIDDEN))}
start = {n: sd * jax.random.normal(jax.random.key(i), s) for i, (n, (sd, s)) in enumerate(shapes.items())}
trained = jn.train(
    start, loss, lambda step: np.random.default_rng(step).integers(0, n_train, 50), steps=300 if FULL else 120,
    optimiser=optax.adam(1e-2), key=KEY, progress=False,
)  # fmt: skip
print(trained)
w = trained.params
held_out = trials.spikes[n_train:], trials.labels[n_train:]
before, after = (float(jn.learning.accuracy(logits(p, held_out[0]), held_out[1])) for p in (start, w))
print(f"right on new trials: {100 * before:.0f}% before, {100 * after:.0f}% after training")
assert after > 0.85

ax = jn.plot.training(trained, unit="nat")
ax.axhline(np.log(N_CLASSES), color="0.6", ls="--", label="chance")
_ = ax.legend()

# %% [markdown]
# ## Audit what was followed
#
# The derivative of one trial's loss by a factor on the read-out weights and by one on the input weights, in the trained
# network with noise on its hidden neurons. No spike lies between the read-out weights and the loss: there the surrogate
# is not used and the gradient is exact. Between the input weights and the loss lie spikes, and there not even the sign
# needs to be right: that training works is shown by the accuracy on new trials, not by its gradient.

# %%
trial, label = held_out[0][0], held_out[1][0]


def scaled(p):
    return network(w | {"out": p[0] * w["out"], "in": p[1] * w["in"]}, noise=0.3)


def trial_loss(sol):
    return jn.learning.cross_entropy(jn.learning.mean_potential(sol["v"])[None], label[None])


audit = jn.audit_gradient(
    scaled, trial_loss, [1.0, 1.0], t1=float(T), dt=1.0, key=KEY, surrogate=surrogate, step=0.1,
    stimulus={"in": trial}, record={"v": jn.record.Trace("out.v")}, seeds=4_000 if FULL else 400,
    names=("read-out", "input"),
)  # fmt: skip
print(audit)
# The same runs stand behind both, so that they agree far within the error of either.
assert abs(audit.bias("surrogate")[0]) < 0.2 * audit.estimates["surrogate"].error[0]
ax = jn.plot.gradient_audit(audit)

# %% [markdown]
# ## From one step to a horizon
#
# How the rate over the first t ms depends on the input, for every t at once: by the surrogate in forward mode, and by
# differences of runs with the same random numbers. First neurons that do not hear each other, from their stationary
# state. Over a single step the surrogate is right. Then a neuron that lingers at threshold is counted once a step while
# it spikes once, and the two part. The mean field says where the differences have to end.

# %%


def slopes(model, at, h, *, dt, surrogate, n_runs, wiring=None):
    """Derivatives of the rate over the first t [Hz per unit], by surrogate and by differences: (time, 2)."""
    wiring = jn.wire(model(at), key=KEY) if wiring is None else wiring
    settled = jn.simulate(model(at), 0.0, 100.0, dt=dt, key=KEY, wiring=wiring).state

    def rate(p, key, soft):
        sol = jn.simulate(
            model(p), 100.0, 150.0, dt=dt, key=key, wiring=wiring, state=settled, throw=False,
            record={"spikes": jn.record.Raster("E")}, surrogate=soft, adjoint=jn.adjoint.Forward(),
        )  # fmt: skip
        steps = jnp.arange(1, sol["spikes"].shape[0] + 1)
        return 1_000.0 * jnp.cumsum(jnp.mean(sol["spikes"], axis=1)) / (steps * dt)

    @jax.jit
    def both(keys):
        def one(key):
            _, by_surrogate = jax.jvp(lambda p: rate(p, key, surrogate), (at,), (jnp.ones_like(at),))
            return jnp.stack([by_surrogate, (rate(at + h, key, None) - rate(at - h, key, None)) / (2 * h)], axis=1)

        return jnp.mean(jax.lax.map(one, keys), axis=0)

    return both(jax.random.split(jax.random.key(1), n_runs))


def uncoupled(mu):
    return jn.Network(
        {"E": jn.Population(jn.LIF(v_reset=10.0), 4_000)}, drives=[jn.WhiteNoiseDrive("E", mu=mu, sigma=4.0)]
    )


soft = jn.surrogate.Triangular(0.3)
alone = slopes(uncoupled, jnp.asarray(22.0), 1.0, dt=0.5, surrogate=soft, n_runs=400 if FULL else 40)
expected = float(jax.grad(lambda mu: jn.theory.lif_rate(mu, 4.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0))(22.0))
one_step, long = alone[0], alone[-1]
print(f"one step of 0.5 ms: surrogate {one_step[0]:.3f}, differences {one_step[1]:.3f} Hz/mV")
print(f"50 ms: surrogate {long[0]:.1f}, differences {long[1]:.2f}, mean field {expected:.2f} Hz/mV")

# %% [markdown]
# ## A balanced network: the derivative grows, and so does its error
#
# In a recurrent network the surrogate derivative of one spike is carried by the next. The audit measures the rate of
# that growth, the largest Lyapunov exponent of the differentiated run, and its inverse: the horizon. Beyond some of
# them the number is noise of any size. Differences over a finite step stay where theory puts them.

# %%
N_E, C_E = (1_000, 100) if FULL else (200, 40)


def balanced(drive):
    return jn.networks.brunel(5.0, drive, j=0.3, n_e=N_E, n_i=N_E // 4, c_e=C_E, c_i=C_E // 4)


wiring = jn.wire(balanced(1.5), key=KEY)
soft = jn.surrogate.Triangular(1.0)
together = slopes(balanced, jnp.asarray(1.5), 0.1, dt=0.1, surrogate=soft, n_runs=40 if FULL else 10, wiring=wiring)
by_theory = float(jax.jit(jax.grad(lambda drive: jn.theory.mean_field(balanced(drive)).rate["E"]))(1.5))
recurrent = jn.audit_gradient(
    lambda p: balanced(p[0]), lambda sol: jnp.mean(sol["rate"]["E"]), [1.5], t1=30.0, dt=0.1, key=KEY, surrogate=soft,
    step=0.1, wiring=wiring, seeds=4 if FULL else 2, names=("drive",),
)  # fmt: skip
print(recurrent)
print(f"50 ms: surrogate {together[-1, 0]:.2g}, differences {together[-1, 1]:.3g}, mean field {by_theory:.3g} Hz")

figure, axes = plt.subplots(1, 2, figsize=(10.0, 3.6), layout="constrained")
for ax, seen, theory, title, unit in (
    (axes[0], alone, expected, "Neurons that do not hear each other", "slope by the input (Hz/mV)"),
    (axes[1], together, by_theory, "Balanced network", "slope by the external rate (Hz)"),
):
    t = 50.0 / len(seen) * np.arange(1, len(seen) + 1)
    ax.plot(t, np.abs(seen[:, 0]), color=jn.plot.COLOURS[1], label="surrogate, |.|")
    ax.plot(t, np.abs(seen[:, 1]), color="k", label="differences of runs, |.|")
    ax.axhline(theory, color=jn.plot.COLOURS[0], ls="--", label="mean field, long runs")
    ax.set(xscale="log", xlabel="length of the run (ms)", ylabel=unit)
    ax.set_title(title)
axes[1].set_yscale("log")
growth = np.abs(together[-1, 0]) * np.exp(recurrent.growth * (t - t[-1]))
late = t > 10.0
axes[1].plot(t[late], growth[late], color="0.6", ls=":", label=f"growth of {recurrent.growth:.2g} /ms, by the audit")
for ax in axes:
    ax.legend(fontsize=7)

assert abs(one_step[0] / one_step[1] - 1.0) < 0.25
assert abs(long[1] / expected - 1.0) < 0.25
assert long[0] > 5.0 * long[1]
assert recurrent.horizon < 10.0
assert abs(together[-1, 0]) > 1e3 * abs(together[-1, 1])

# %% [markdown]
# ## Where spike times are the question: exact
#
# `jn.simulate_events` goes from spike to spike and differentiates each time by the implicit function theorem
# (EventProp). Against differences it is right to rounding, and it trains: three neurons learn to fire at given times.

# %%
jax.config.update("jax_enable_x64", True)  # differences over 1e-5 mV

sources = np.asarray([2.0, 5.0, 9.0, 13.0, 17.0, 22.0]), np.arange(6)
wanted = jnp.asarray([12.0, 15.0, 18.0])


def first_spikes(w):
    lif, synapse = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0), jn.ExponentialCurrent(5.0)
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), 6), "out": jn.Population(lif, 3)},
        [
            jn.Projection("in", "out", synapse, connectivity=jn.Weights(w["in"]), delay=1.0),
            jn.Projection("out", "out", synapse, connectivity=jn.Weights(w["rec"]), delay=1.0),
        ],
    )
    return jn.simulate_events(net, 60.0, spikes={"in": sources}, most=24).of("out")[:, 0]


def timing(w, batch, key):
    return jnp.mean((first_spikes(w) - wanted) ** 2)


rng = np.random.default_rng(1)
w_times = {"in": jnp.asarray(rng.uniform(1.5, 2.5, (3, 6))), "rec": jnp.asarray(rng.normal(0.0, 0.2, (3, 3)))}
both = jax.jit(jax.value_and_grad(lambda w: timing(w, None, None)))
exact = both(w_times)[1]["in"]
moved = np.zeros((3, 6))
for place in np.ndindex(3, 6):
    up, down = (both(w_times | {"in": w_times["in"].at[place].add(s * 1e-5)})[0] for s in (1, -1))
    moved[place] = (up - down) / 2e-5
event_error = float(np.max(np.abs(exact - moved)) / np.max(np.abs(moved)))
print(f"EventProp against differences of spike times: {event_error:.1e} of the largest derivative")
assert event_error < 1e-6

taught = jn.train(w_times, timing, lambda step: None, steps=150, optimiser=optax.adam(0.02), key=KEY, progress=False)
found = first_spikes(taught.params)
print("first spikes (ms):", ", ".join(f"{float(s):.2f}" for s in found), "wanted", wanted)
assert jnp.max(jnp.abs(found - wanted)) < 0.3

# %% [markdown]
# ## When to trust which gradient
#
# What this notebook measured: the surrogate derivative over that of differences, and what to take there.

# %%
readout, inputs = (audit.estimates["surrogate"].mean / audit.estimates["differences"].mean).tolist()
table = [
    ("no spike between parameter and loss", readout, "backpropagation: it is exact"),
    ("one step", float(one_step[0] / one_step[1]), "any narrow surrogate"),
    (f"trained network, {T} ms, input weights", inputs, "an audit; judge training by new trials"),
    ("uncoupled neurons, 50 ms", float(long[0] / long[1]), "theory or differences; sign right, length not"),
    ("balanced network, 50 ms", float(together[-1, 0] / together[-1, 1]), "theory, or a cut at some horizons"),
]
print(f"{'regime':40s} {'surrogate / true':>17s}  take")
for regime, ratio, advice in table:
    print(f"{regime:40s} {ratio:17.3g}  {advice}")
print(f"{'spike times, few neurons':40s} {'(none)':>17s}  EventProp: {event_error:.0e} from differences")

# %%
plt.close("all")
