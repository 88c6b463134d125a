"""What a GPU has to do as a CPU does: draws, counts, runs, derivatives. A check raises where it does not.

They need neither pytest nor anything else beside the package. `tests/gpu` runs them too, each as a test.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

SIZES = {"n_e": 800, "n_i": 200, "c_e": 80, "c_i": 20}
DELIVERIES = {
    "Rows": jn.delivery.Rows(),
    "Product": jn.delivery.Product(),
    "Product int8": jn.delivery.Product(jnp.int8),
    "Sparse": jn.delivery.Sparse(window=64),
    "Procedural": jn.delivery.Procedural(window=64),
}
# Between two platforms the last bit of a potential differs, and then now and then a spike is one step later.
SHARE_OF_SPIKES = 0.02


def on(device: Any, function: Callable[[], Any]) -> Any:
    """What a function gives on a device, as arrays of NumPy."""
    with jax.default_device(device):
        return jax.tree.map(np.asarray, jax.block_until_ready(function()))


def both(device: Any, function: Callable[[], Any]) -> tuple[Any, Any]:
    """On the device, and on the CPU."""
    return on(device, function), on(jax.devices("cpu")[0], function)


def network() -> jn.Network:
    return jn.networks.brunel(g=5.0, initial=jn.initial.UniformPotential(0.0, 20.0), **SIZES)


def draws_are_equal(device: Any) -> None:
    """Counts of external spikes, of few and of many, and of means of their own, are equal to the bit."""

    def drawn() -> list[Any]:
        key, found = jax.random.key(7), []
        steps = jnp.arange(40, dtype=jnp.int32)
        for rate in (20.0, 40_000.0, np.linspace(1.0, 90.0, 1_000)):
            drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=rate).in_steps(0.1)
            found.append(jax.jit(lambda d: d.draw(key, steps, 0.1, 1_000, d.table(0.1)))(drive))
        return found

    for ours, theirs in zip(*both(device, drawn), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def deliveries_are_equal(device: Any) -> None:
    """Every delivery gives the counts of the matrix, alone and in a batch, for few spikes and for many."""
    rng = np.random.default_rng(1)
    for name, delivery in DELIVERIES.items():
        for share in (0.0, 0.01, 0.4):
            spikes = rng.random((3, 7, SIZES["n_e"])) < share

            def counted(delivery: Any = delivery, spikes: Any = spikes) -> Any:
                operator = jn.wire(network(), key=jax.random.key(0), delivery=delivery).operators[0]
                assert operator is not None
                return jax.vmap(operator.deliver)(jnp.asarray(spikes)), operator.as_matrix()

            counts, matrix = on(device, counted)
            np.testing.assert_array_equal(counts, spikes.astype(int) @ matrix.T.astype(int), err_msg=name)


def drawn_delays_and_weights_are_delivered(device: Any) -> None:
    """Synapses with delays and weights of their own."""
    synapse, rule = jn.DeltaCurrent(), jn.FixedInDegree(30)
    projection = jn.Projection(
        "E", "E", synapse, weight=jn.LogNormalWeight(0.2, 0.1), connectivity=rule, delay=jn.UniformDelay(0.5, 2.0)
    )
    drive = jn.PoissonDrive("E", synapse, weight=0.5, n_sources=100, rate=60.0)
    net = jn.Network({"E": jn.Population(jn.LIF(), 500)}, [projection], [drive])
    record = {"spikes": jn.record.Raster("E")}

    def spikes() -> Any:
        return jn.simulate(net, 0.0, 20.0, dt=0.1, key=jax.random.key(2), record=record)["spikes"]

    nearly_equal(*both(device, spikes))


def nearly_equal(ours: Any, theirs: Any) -> None:
    """Rasters that differ in a few spikes at most, and in no draw: then all would."""
    spikes = [np.asarray(x).reshape(-1) for x in (ours, theirs)]
    apart, n = int(np.sum(spikes[0] != spikes[1])), int(np.sum(np.asarray(spikes[1], bool)))
    assert n > 100, f"only {n} spikes"
    assert apart <= 2 * SHARE_OF_SPIKES * n, f"{apart} places of {n} spikes differ"


def runs_are_those_of_the_cpu(device: Any) -> None:
    """Spikes of Brunel's network step by step, as long as no difference can have grown; later its rates and CVs."""
    early = {"spikes": jn.record.Raster("E")}
    late = {"rate": jn.record.Rate(start=50.0), "cv": jn.record.CV(start=50.0)}

    def run(t1: float, record: Any) -> Any:
        return jn.simulate(network(), 0.0, t1, dt=0.1, key=jax.random.key(3), record=record).records

    nearly_equal(*(found["spikes"] for found in both(device, lambda: run(12.0, early))))
    ours, theirs = both(device, lambda: run(550.0, late))
    for name in late:
        mean, other = np.nanmean(ours[name]["E"]), np.nanmean(theirs[name]["E"])
        assert abs(mean - other) < 0.05 * abs(other), f"{name}: {mean:.4g}, and {other:.4g} on the CPU"


def runs_may_be_cut(device: Any) -> None:
    """A run in two parts, at a step inside a block, and one in a batch are the run, to the bit."""

    def run(t0: float, t1: float, key: Any, state: Any = None) -> Any:
        return jn.simulate(network(), t0, t1, dt=0.1, key=key, state=state, wiring=wiring, throw=False).state

    with jax.default_device(device):
        wiring, keys = jn.wire(network(), key=jax.random.key(0)), jax.random.split(jax.random.key(4), 3)
        whole = run(0.0, 30.0, keys[1])
        parts = run(9.7, 30.0, keys[1], run(0.0, 9.7, keys[1]))
        batch = jax.tree.map(lambda x: x[1], jax.jit(jax.vmap(lambda key: run(0.0, 30.0, key)))(keys))
        for what, other in (("in parts", parts), ("in a batch", batch)):
            for a, b in zip(*map(jax.tree.leaves, (whole.neurons, other.neurons)), strict=True):
                np.testing.assert_array_equal(a, b, err_msg=what)


def gradients_are_those_of_the_cpu(device: Any) -> None:
    """Of a loss through surrogates, by given weights; and of a rate through a drawn wiring."""
    rng, n = np.random.default_rng(5), 140
    given = [rng.normal(0.0, 0.3, (n, 60)), rng.normal(0.0, 0.1, (n, n)), rng.normal(0.0, 0.3, (4, n))]
    trains, surrogate = rng.random((6, 40, 60)) < 0.05, jn.surrogate.SuperSpike(0.1)

    def loss(weights: Any) -> Any:
        neurons, delta = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0), jn.DeltaCurrent()
        populations = {
            "in": jn.Population(jn.SpikeSource(), 60),
            "hidden": jn.Population(neurons, n),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=20.0), 4),
        }
        pairs = (("in", "hidden"), ("hidden", "hidden"), ("hidden", "out"))
        projections = [
            jn.Projection(pre, post, delta, connectivity=jn.Weights(w), delay=1.0)
            for (pre, post), w in zip(pairs, weights, strict=True)
        ]
        net, record = jn.Network(populations, projections), {"v": jn.record.Trace("out.v")}

        def one(train: Any) -> Any:
            return jn.simulate(
                net, 0.0, 40.0, dt=1.0, key=jax.random.key(0), stimulus={"in": train}, record=record,
                surrogate=surrogate, throw=False,
            )["v"]  # fmt: skip

        return jnp.sum(jax.vmap(one)(jnp.asarray(trains)) ** 2)

    def gradient() -> Any:
        # Products of floats are rounded to ten bits on a GPU unless asked for more.
        with jax.default_matmul_precision("highest"):
            return jax.jit(jax.grad(loss))([jnp.asarray(w, jnp.float32) for w in given])

    for ours, theirs in zip(*both(device, gradient), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-2, atol=2e-3 * np.abs(theirs).max())

    def of_rate() -> Any:
        wiring = jn.wire(network(), key=jax.random.key(0))

        def rate(g: Any) -> Any:
            net = jn.networks.brunel(g=g, initial=jn.initial.UniformPotential(0.0, 20.0), **SIZES)
            sol = jn.simulate(
                net, 0.0, 6.0, dt=0.1, key=jax.random.key(1), wiring=wiring, throw=False,
                surrogate=jn.surrogate.Triangular(1.0),
            )  # fmt: skip
            return jnp.mean(sol["rate"]["E"])

        return jax.jit(jax.grad(rate))(jnp.asarray(5.0))

    ours, theirs = both(device, of_rate)
    np.testing.assert_allclose(ours, theirs, rtol=0.1)


def neurons_with_channels_are_those_of_the_cpu(device: Any) -> None:
    """The potentials of Hodgkin and Huxley's axon through its first spike."""

    def trace() -> Any:
        cells = jn.Population(jn.HodgkinHuxley(), 8)
        record = {"v": jn.record.Trace("v")}
        current = jnp.linspace(8.0, 20.0, 8)
        return jn.simulate(
            cells, 0.0, 5.0, dt=0.025, key=jax.random.key(0), stimulus=current, record=record
        )["v"]  # fmt: skip

    ours, theirs = both(device, trace)
    np.testing.assert_allclose(ours, theirs, atol=0.5)


def theory_is_that_of_the_cpu(device: Any) -> None:
    """Rates and mean fields."""

    def rates() -> Any:
        mean = jax.vmap(lambda g: jn.theory.mean_field(jn.networks.brunel(g=g)).rate["E"])
        return mean(jnp.asarray([4.5, 5.0, 6.0]))

    ours, theirs = both(device, rates)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


CHECKS = (
    draws_are_equal,
    deliveries_are_equal,
    drawn_delays_and_weights_are_delivered,
    runs_are_those_of_the_cpu,
    runs_may_be_cut,
    gradients_are_those_of_the_cpu,
    neurons_with_channels_are_those_of_the_cpu,
    theory_is_that_of_the_cpu,
)
