"""Accuracy on Randman and latency-coded digits after equal training, beside snnTorch and Spyx, over seeds.

A recurrent hidden layer, cross-entropy of the highest potential, Adam, equal sizes, data, batches and steps. Beside
each peer ours has the peer's reset: hard and detached beside snnTorch; beside Spyx by subtraction and attached, with
time constants trained too. Digits are those of scikit-learn (`python -m benchmarks.peers digits`).
"""

import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxneuro as jn

from ._report import Row, compared, not_measured
from ._worker import worker_or_none

HIDDEN, BATCH, STEPS, RATE, SEEDS = 64, 64, 150, 5e-3, 3
DECAY, WIDTH = 0.95, 0.1


def randman_data() -> dict[str, np.ndarray]:
    trials = jn.learning.randman(1_500, n_classes=10, n=20, n_steps=50, key=jax.random.key(0))
    return split(np.asarray(trials.spikes), np.asarray(trials.labels))


def digits_data() -> dict[str, np.ndarray] | None:
    worker = worker_or_none("learning", "digits")
    if worker is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        worker.ask(file=str(Path(folder) / "digits.npz"))
        worker.close()
        with np.load(Path(folder) / "digits.npz") as file:
            images, labels = file["images"], file["labels"]
    spikes = jn.learning.latency_spikes(images / 16.0, n_steps=50, dt=1.0, tau=20.0, threshold=0.2)
    chosen = np.random.default_rng(0).permutation(len(labels))
    return split(np.asarray(spikes)[chosen], labels[chosen])


def split(spikes: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    n = int(0.8 * len(labels))
    given = {"spikes": spikes[:n], "labels": labels[:n], "test_spikes": spikes[n:], "test_labels": labels[n:]}
    return {name: v.astype(np.int32) if "labels" in name else v for name, v in given.items()}


def logits(p: dict[str, jax.Array], spikes: jax.Array) -> jax.Array:
    delta, tau = jn.DeltaCurrent(), -1.0 / np.log(DECAY)
    reset = jn.reset.Soft(detached=False) if "log_tau" in p else jn.reset.Hard()
    taus = jnp.exp(p["log_tau"]) if "log_tau" in p else jnp.full(2, tau)
    n, n_in = p["w_in"].shape
    net = jn.Network(
        {
            "in": jn.Population(jn.SpikeSource(), n_in),
            "hidden": jn.Population(jn.LIF(tau_m=taus[0], v_th=1.0, v_reset=0.0, t_ref=0.0, reset=reset), n),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=taus[1]), p["w_out"].shape[0]),
        },
        [
            jn.Projection("in", "hidden", delta, connectivity=jn.Weights(p["w_in"]), delay=1.0),
            jn.Projection("hidden", "hidden", delta, connectivity=jn.Weights(p["w_rec"]), delay=1.0),
            jn.Projection("hidden", "out", delta, connectivity=jn.Weights(p["w_out"]), delay=1.0),
        ],
    )

    def one(trial: jax.Array) -> jax.Array:
        sol = jn.simulate(
            net, 0.0, float(spikes.shape[1]), dt=1.0, key=jax.random.key(0), stimulus={"in": trial}, throw=False,
            record={"v": jn.record.Trace("out.v")}, surrogate=jn.surrogate.SuperSpike(WIDTH),
            adjoint=jn.adjoint.Direct(),
        )  # fmt: skip
        return sol["v"]

    return jn.learning.max_potential(jax.vmap(one)(spikes))


def ours(data: dict[str, np.ndarray], seed: int, beside: str) -> dict[str, float]:
    n_in, n_out = data["spikes"].shape[2], int(data["labels"].max()) + 1
    keys = jax.random.split(jax.random.key(seed), 3)
    shapes = {"w_in": ((HIDDEN, n_in), 0.6), "w_rec": ((HIDDEN, HIDDEN), 0.05), "w_out": ((n_out, HIDDEN), 0.2)}
    p = {name: sd * jax.random.normal(k, shape) for k, (name, (shape, sd)) in zip(keys, shapes.items(), strict=True)}
    if beside == "spyx":
        p["log_tau"] = jnp.full(2, np.log(-1.0 / np.log(DECAY)))

    def batches(step: int) -> tuple[jax.Array, jax.Array]:
        chosen = np.random.default_rng([seed, step]).integers(0, len(data["labels"]), BATCH)
        return jnp.asarray(data["spikes"][chosen]), jnp.asarray(data["labels"][chosen])

    def loss(p: dict[str, jax.Array], batch: tuple[jax.Array, jax.Array], key: jax.Array) -> jax.Array:
        return jn.learning.cross_entropy(logits(p, batch[0]), batch[1])

    start = time.perf_counter()
    trained = jn.train(
        p, loss, batches, steps=STEPS, optimiser=optax.adam(RATE), key=jax.random.key(seed), progress=False
    )
    seconds = time.perf_counter() - start
    found = jax.jit(logits)(trained.params, jnp.asarray(data["test_spikes"]))
    accuracy = float(jn.learning.accuracy(found, jnp.asarray(data["test_labels"])))
    return {"accuracy": accuracy, "seconds": seconds}


def rows(task: str, data: dict[str, np.ndarray]) -> list[Row]:
    out = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.npz"
        np.savez(file, **data)  # type: ignore[arg-type]
        sizes = dict(file=str(file), hidden=HIDDEN, batch=BATCH, steps=STEPS, rate=RATE, decay=DECAY, slope=1 / WIDTH)
        for peer in ("snntorch", "spyx"):
            mine, theirs, worker = [], [], worker_or_none("learning", peer)
            for seed in range(SEEDS):
                mine.append(ours(data, seed, peer))
                if worker is not None:
                    theirs.append(worker.ask(seed=seed, **sizes))
            if worker is not None:
                worker.close()
            by_seed = [[round(100 * r["accuracy"], 1) for r in results] for results in (mine, theirs)]
            note = f"by seed (%): ours {by_seed[0]}, {peer} {by_seed[1] or 'absent'}"
            for what, unit, text in (("accuracy", "1", note), ("seconds", "s", f"{STEPS} steps, with compilation")):
                values = [[r[what] for r in results] for results in (mine, theirs)]
                out.append(compared(f"{task}: {what}, beside {peer}", unit, values[0], values[1], text))
    return out


def run() -> list[Row]:
    digits = digits_data()
    missing = not_measured("digits: accuracy", "1", "needs scikit-learn (`python -m benchmarks.peers digits`)")
    return [*rows("Randman", randman_data()), *([missing] if digits is None else rows("digits", digits))]
