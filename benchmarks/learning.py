"""Accuracy on Randman and latency-coded digits after equal training, beside snnTorch and Spyx, over seeds.

A recurrent hidden layer, cross-entropy of the highest potential, Adam, equal sizes, data, batches and steps. Digits are
those of scikit-learn where it is installed.
"""

import importlib.util
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

HIDDEN, BATCH, STEPS, RATE, SEEDS = 64, 64, 200, 5e-3, 3
DECAY, WIDTH = 0.95, 0.1


def randman_data() -> dict[str, np.ndarray]:
    trials = jn.learning.randman(1_500, n_classes=10, n=20, n_steps=50, key=jax.random.key(0))
    return split(np.asarray(trials.spikes), np.asarray(trials.labels))


def digits_data() -> dict[str, np.ndarray] | None:
    if importlib.util.find_spec("sklearn") is None:
        return None
    from sklearn.datasets import load_digits  # type: ignore[import-not-found]

    images, labels = load_digits(return_X_y=True)
    spikes = jn.learning.latency_spikes(images / 16.0, n_steps=50, dt=1.0, tau=20.0, threshold=0.2)
    chosen = np.random.default_rng(0).permutation(len(labels))
    return split(np.asarray(spikes)[chosen], labels[chosen])


def split(spikes: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    n = int(0.8 * len(labels))
    given = {"spikes": spikes[:n], "labels": labels[:n], "test_spikes": spikes[n:], "test_labels": labels[n:]}
    return {name: v.astype(np.int32) if "labels" in name else v for name, v in given.items()}


def logits(p: dict[str, jax.Array], spikes: jax.Array) -> jax.Array:
    delta, tau = jn.DeltaCurrent(), -1.0 / np.log(DECAY)
    n, n_in = p["w_in"].shape
    net = jn.Network(
        {
            "in": jn.Population(jn.SpikeSource(), n_in),
            "hidden": jn.Population(jn.LIF(tau_m=tau, v_th=1.0, v_reset=0.0, t_ref=0.0), n),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=tau), p["w_out"].shape[0]),
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


def ours(data: dict[str, np.ndarray], seed: int) -> dict[str, float]:
    n_in, n_out = data["spikes"].shape[2], int(data["labels"].max()) + 1
    keys = jax.random.split(jax.random.key(seed), 3)
    shapes = {"w_in": ((HIDDEN, n_in), 0.6), "w_rec": ((HIDDEN, HIDDEN), 0.05), "w_out": ((n_out, HIDDEN), 0.2)}
    p = {name: sd * jax.random.normal(k, shape) for k, (name, (shape, sd)) in zip(keys, shapes.items(), strict=True)}

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
    found: dict[str, list[dict[str, float]]] = {"ours": [ours(data, seed) for seed in range(SEEDS)]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.npz"
        np.savez(file, **data)  # type: ignore[arg-type]
        settings = dict(
            file=str(file), hidden=HIDDEN, batch=BATCH, steps=STEPS, rate=RATE, decay=DECAY, slope=1 / WIDTH
        )
        for name in ("snntorch", "spyx"):
            worker = worker_or_none("learning", name)
            if worker is not None:
                found[name] = [worker.ask(seed=seed, **settings) for seed in range(SEEDS)]
                worker.close()
    out = []
    for peer in ("snntorch", "spyx"):
        theirs = found.get(peer)
        spread = {name: [round(100 * r["accuracy"], 1) for r in results] for name, results in found.items()}
        note = f"by seed (%): ours {spread['ours']}, {peer} {spread.get(peer, 'absent')}"
        mine = [r["accuracy"] for r in found["ours"]]
        out.append(compared(f"{task}: accuracy, beside {peer}", "1", mine, [r["accuracy"] for r in theirs or []], note))
        took = [r["seconds"] for r in found["ours"]]
        out.append(compared(f"{task}: {STEPS} steps, beside {peer}", "s", took, [r["seconds"] for r in theirs or []]))
    return out


def run() -> list[Row]:
    digits = digits_data()
    missing = not_measured("digits: accuracy", "1", "scikit-learn is not installed")
    return [*rows("Randman", randman_data()), *([missing] if digits is None else rows("digits", digits))]
