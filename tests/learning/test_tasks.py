"""Made tasks: what tells the classes apart, and what must not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

learning, KEY = jn.learning, jax.random.key(3)


def test_randman_has_one_spike_a_neuron_and_its_classes_are_curves():
    trials = learning.randman(400, n_classes=4, n=12, n_steps=50, key=KEY)
    spikes, labels = np.asarray(trials.spikes), np.asarray(trials.labels)
    np.testing.assert_array_equal(spikes.sum(axis=1), 1)
    assert set(labels) == {0, 1, 2, 3}
    times = spikes.argmax(axis=1)
    # On a curve the nearest other trial of the same class is far closer than that of another class.
    distance = np.abs(times[:, None] - times[None]).mean(axis=2) + np.where(np.eye(400), 1e9, 0.0)
    nearest = labels[distance.argmin(axis=1)]
    assert np.mean(nearest == labels) > 0.95
    again = learning.randman(400, n_classes=4, n=12, n_steps=50, key=KEY)
    np.testing.assert_array_equal(again.spikes, spikes)


def test_labels_follow_from_the_cues():
    xor = learning.delayed_xor(200, n=30, key=KEY)
    counts = np.asarray(xor.spikes).reshape(200, 2, 60, 2, 30).sum(axis=(2, 4))  # cue, group
    first, second = counts.argmax(axis=2).T
    np.testing.assert_array_equal(xor.labels, first != second)
    assert 0.3 < np.mean(np.asarray(xor.labels)) < 0.7
    cues = learning.cue_accumulation(200, n_cues=5, n=30, key=KEY)
    shown = np.asarray(cues.spikes)[:, : 5 * 15].reshape(200, 5, 15, 2, 30).sum(axis=(2, 4)).argmax(axis=2)
    np.testing.assert_array_equal(cues.labels, shown.sum(axis=1) > 2)
    target = np.asarray(learning.pattern(500, dt=2.0, n_out=2, key=KEY))
    np.testing.assert_allclose(np.abs(target).max(axis=0), 1.0, rtol=1e-6)
    power = np.abs(np.fft.rfft(target[:, 0]))
    assert set(np.flatnonzero(power > 1e-6 * power.max())) == {1, 2, 3, 5}


def test_wrong_numbers(as_users_run):
    with pytest.raises(ValueError, match="`n_cues` has to be odd"):
        learning.cue_accumulation(3, n_cues=4, key=KEY)
    with pytest.raises(ValueError, match="`n_steps` has to be a positive"):
        learning.randman(3, n_steps=0, key=KEY)
    with pytest.raises(ValueError, match="`delay` has to be a positive"):
        learning.delayed_xor(3, delay=0, key=KEY)
    for task in (learning.delayed_xor, learning.cue_accumulation):
        for wrong in (dict(p=1.5), dict(background=-0.1), dict(p=np.nan)):
            with pytest.raises(ValueError, match=r"`(p|background)`"):
                task(3, key=KEY, **wrong)
        with pytest.raises(ValueError, match="`n` has to be a positive whole number"):
            task(3, n=2.5, key=KEY)
        with pytest.raises(ValueError, match="`key` has to be"):
            task(3, key=0)


@pytest.mark.parametrize(
    ("sizes", "steps", "right"),
    [
        # Of 100 new trials a guess is right in 0.5 +- 0.05.
        ({"n_classes": 2, "n": 10, "n_steps": 25}, 30, 0.75),
        pytest.param({"n_classes": 3, "n": 15, "n_steps": 40}, 150, 0.85, marks=pytest.mark.proof),
    ],
    ids=["two classes", "three classes"],
)
def test_a_network_learns_randman(sizes, steps, right):
    import optax

    trials = learning.randman(600, **sizes, key=KEY)
    spikes, labels, hidden = trials.spikes, trials.labels, 2 * sizes["n"]
    n_out, n_in, end = sizes.values()
    keys = jax.random.split(KEY, 3)
    p = {
        "w_in": 0.6 * jax.random.normal(keys[0], (hidden, n_in)),
        "w_rec": 0.1 * jax.random.normal(keys[1], (hidden, hidden)),
        "w_out": 0.2 * jax.random.normal(keys[2], (n_out, hidden)),
    }

    def logits(p, spikes):
        delta = jn.DeltaCurrent()
        net = jn.Network(
            {
                "in": jn.Population(jn.SpikeSource(), n_in),
                "hidden": jn.Population(jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0), hidden),
                "out": jn.Population(jn.LeakyIntegrator(tau_m=20.0), n_out),
            },
            [
                jn.Projection("in", "hidden", delta, connectivity=jn.Weights(p["w_in"]), delay=1.0),
                jn.Projection("hidden", "hidden", delta, connectivity=jn.Weights(p["w_rec"]), delay=1.0),
                jn.Projection("hidden", "out", delta, connectivity=jn.Weights(p["w_out"]), delay=1.0),
            ],
        )

        def one(spikes):
            sol = jn.simulate(
                net, 0.0, float(end), dt=1.0, key=KEY, stimulus={"in": spikes},
                surrogate=jn.surrogate.SuperSpike(0.1), record={"v": jn.record.Trace("out.v")}, throw=False,
            )  # fmt: skip
            return sol["v"]

        return learning.max_potential(jax.vmap(one)(spikes))

    def loss(p, batch, key):
        return learning.cross_entropy(logits(p, batch[0]), batch[1])

    def batches(step):
        chosen = np.random.default_rng(step).integers(0, 500, 50)
        return spikes[chosen], labels[chosen]

    with jax.numpy_dtype_promotion("standard"):
        trained = jn.train(p, loss, batches, steps=steps, optimiser=optax.adam(1.5 / steps), key=KEY)
    assert float(learning.accuracy(logits(trained.params, spikes[500:]), labels[500:])) > right
    assert jnp.all(jnp.isfinite(trained.loss))
