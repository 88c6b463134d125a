"""Training on delayed XOR, cue accumulation and pattern generation over seeds, beside untrained networks and chance.

A recurrent hidden layer of LIF neurons whose time constants go from 20 to 200 ms, leaky read-outs, Adam. Trials of a
batch are new at every step and those of the test are none of them. The surrogate is dampened and recurrent weights
are small: with a narrow surrogate of unit area and weights twice as large gradients explode and nothing is learned.
"""

import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxneuro as jn

from ._report import Row, compared

HIDDEN, BATCH, TEST, SEEDS = 100, 64, 512, 3
WIDTH = 1.0
Params = dict[str, jax.Array]


def network(p: Params) -> jn.Network:
    """Sources, a recurrent layer, read-outs with a constant of their own."""
    n, n_in = p["w_in"].shape
    delta, tau = jn.DeltaCurrent(), 20.0 * 10.0 ** jnp.linspace(0.0, 1.0, n)
    return jn.Network(
        {
            "in": jn.Population(jn.SpikeSource(), n_in),
            "hidden": jn.Population(jn.LIF(tau_m=tau, v_th=1.0, v_reset=0.0, t_ref=0.0), n),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=20.0), p["w_out"].shape[0]),
        },
        [
            jn.Projection("in", "hidden", delta, connectivity=jn.Weights(p["w_in"]), delay=1.0),
            jn.Projection("hidden", "hidden", delta, connectivity=jn.Weights(p["w_rec"]), delay=1.0),
            jn.Projection("hidden", "out", delta, connectivity=jn.Weights(p["w_out"]), delay=1.0),
        ],
    )


def start(n_in: int, n_out: int, key: jax.Array, *, hidden: int = HIDDEN) -> Params:
    """Random weights, with which the hidden layer fires at some ten Hz."""
    keys = jax.random.split(key, 3)
    shapes = {
        "w_in": ((hidden, n_in), 0.5),
        "w_rec": ((hidden, hidden), 0.5 / hidden**0.5),
        "w_out": ((n_out, hidden), 0.1),
    }
    p = {name: sd * jax.random.normal(k, shape) for k, (name, (shape, sd)) in zip(keys, shapes.items(), strict=True)}
    return p | {"offset": jnp.zeros(n_out)}


def outputs(p: Params, spikes: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Potentials of the read-outs (trials, time, n_out) and the rates [Hz] of the hidden neurons (trials, n)."""
    net = network(p)

    def one(trial: jax.Array) -> tuple[jax.Array, jax.Array]:
        sol = jn.simulate(
            net, 0.0, float(trial.shape[0]), dt=1.0, key=jax.random.key(0), stimulus={"in": trial}, throw=False,
            record={"v": jn.record.Trace("out.v"), "rate": jn.record.Rate("hidden")},
            surrogate=jn.surrogate.Triangular(WIDTH, scale=0.3), adjoint=jn.adjoint.Direct(),
        )  # fmt: skip
        return sol["v"] + p["offset"], sol["rate"]["hidden"]

    return jax.vmap(one)(spikes)


def calm(rates: jax.Array) -> jax.Array:
    """Neurons faster than 100 Hz cost a little."""
    return 1e-5 * jn.learning.rate_bounds(rates, high=100.0)


class Decision(eqx.Module):
    """A task with two classes: the mean potential over the last steps says which."""

    make: Callable[..., jn.learning.Trials] = eqx.field(static=True)
    n_in: int = eqx.field(static=True)
    n_out: int = eqx.field(static=True, default=2)
    last: int = eqx.field(static=True, default=40)
    steps: int = eqx.field(static=True, default=200)
    rate: float = eqx.field(static=True, default=3e-3)

    def batch(self, n_trials: int, key: jax.Array) -> Any:
        return self.make(n_trials, key=key)

    def loss(self, p: Params, trials: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        v, rates = outputs(p, trials.spikes)
        lost = jn.learning.cross_entropy(self.logits(v), trials.labels)
        return lost + calm(rates), {"hidden": rates}

    def score(self, p: Params, trials: Any) -> jax.Array:
        """The share of right answers."""
        return jn.learning.accuracy(self.logits(outputs(p, trials.spikes)[0]), trials.labels)

    def logits(self, v: jax.Array) -> jax.Array:
        return jn.learning.mean_potential(v[:, -self.last :])


class Generation(eqx.Module):
    """A pattern that the read-outs follow while the sources tell nothing but the time, by a chain of noisy groups."""

    n_in: int = eqx.field(static=True, default=40)
    n_out: int = eqx.field(static=True, default=3)
    n_steps: int = eqx.field(static=True, default=500)
    groups: int = eqx.field(static=True, default=10)
    steps: int = eqx.field(static=True, default=400)
    rate: float = eqx.field(static=True, default=3e-3)

    def target(self) -> jax.Array:
        return jn.learning.pattern(self.n_steps, dt=2.0, n_out=self.n_out, key=jax.random.key(0))

    def batch(self, n_trials: int, key: jax.Array) -> jax.Array:
        now = jnp.arange(self.n_steps) * self.groups // self.n_steps
        mine = jnp.arange(self.n_in) * self.groups // self.n_in
        p = jnp.where(now[:, None] == mine, 0.2, 0.01)
        return jax.random.uniform(key, (n_trials, *p.shape)) < p

    def loss(self, p: Params, spikes: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        v, rates = outputs(p, spikes)
        return jn.learning.squared_error(v, self.target()) + calm(rates), {"hidden": rates}

    def score(self, p: Params, spikes: jax.Array) -> jax.Array:
        """The squared error over that of the best constants."""
        target = self.target()
        constant = jnp.mean((target - jnp.mean(target, axis=0)) ** 2)
        return jn.learning.squared_error(outputs(p, spikes)[0], target) / constant


class Outcome(eqx.Module):
    """Scores on the same new trials before and after training, and what it took."""

    before: float
    after: float
    first_loss: float
    last_loss: float
    seconds: float


TASKS: dict[str, Decision | Generation] = {
    "delayed XOR": Decision(jn.learning.delayed_xor, 40),
    "cue accumulation": Decision(jn.learning.cue_accumulation, 20),
    "pattern generation": Generation(),
}
CHANCE = {"delayed XOR": 0.5, "cue accumulation": 0.5, "pattern generation": 1.0}


def outcome(
    task: Decision | Generation, seed: int, *, batch: int = BATCH, hidden: int = HIDDEN, test: int = TEST
) -> Outcome:
    """Trains from a seed, which draws the weights and all trials."""
    begin, batches, noise, new = jax.random.split(jax.random.key(seed), 4)
    p = start(task.n_in, task.n_out, begin, hidden=hidden)
    draw = jax.jit(lambda step: task.batch(batch, jax.random.fold_in(batches, step)))
    adam = optax.adam(optax.cosine_decay_schedule(task.rate, task.steps))
    clock = time.perf_counter()
    trained = jn.train(
        p, lambda p, trials, key: task.loss(p, trials), draw, steps=task.steps, key=noise, progress=False,
        optimiser=optax.chain(optax.clip_by_global_norm(1.0), adam),
    )  # fmt: skip
    seconds = time.perf_counter() - clock
    trials, score = task.batch(test, new), jax.jit(task.score)
    before, after = (float(score(q, trials)) for q in (p, trained.params))
    return Outcome(before, after, float(trained.loss[0]), float(np.mean(trained.loss[-10:])), seconds)


def rows(name: str) -> list[Row]:
    task, found = TASKS[name], [outcome(TASKS[name], seed) for seed in range(SEEDS)]
    after, before = [o.after for o in found], [o.before for o in found]
    what = "accuracy" if isinstance(task, Decision) else "squared error over that of constants"
    least = f"{'chance' if isinstance(task, Decision) else 'the best constants'} {CHANCE[name]:g}"
    by_seed = f"by seed {[round(a, 3) for a in after]}, untrained {[round(b, 3) for b in before]}"
    note = f"peer: untrained; {least}; {by_seed}"
    losses = f"peer: first step; {task.steps} steps of {BATCH} trials"
    seconds = [o.seconds for o in found]
    return [
        compared(f"{name}: {what}", "1", after, before, note),
        compared(f"{name}: loss", "1", [o.last_loss for o in found], [o.first_loss for o in found], losses),
        compared(f"{name}: seconds", "s", seconds, None, "with compilation"),
    ]


def run() -> list[Row]:
    return [row for name in TASKS for row in rows(name)]
