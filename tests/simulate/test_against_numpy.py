"""Whole networks against a plain loop over steps in numpy: the same spikes, to the step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

DT = 0.1
LIF = dict(tau_m=20.0, v_rest=0.0, v_th=20.0, v_reset=10.0, t_ref=2.0)


def plain_network(net, wiring, stimulus, n_steps, delays):
    """A hand-written loop: exact membrane steps, matrices (post, pre), a list of past spikes."""
    decay = np.exp(-DT / LIF["tau_m"])
    names = list(net.populations)
    v = {n: np.zeros(net.populations[n].n) for n in names}
    left = {n: np.zeros(net.populations[n].n, int) for n in names}
    spikes = {n: np.zeros((n_steps, net.populations[n].n), bool) for n in names}
    matrices = [np.asarray(operator.as_matrix()).astype(int) for operator in wiring.operators]
    for k in range(n_steps):
        kicks = {n: np.zeros(net.populations[n].n) for n in names}
        for projection, matrix, delay in zip(net.projections, matrices, delays, strict=True):
            if k - delay < 0:
                continue
            total = matrix @ spikes[projection.pre][k - delay].astype(int)
            begin = 0
            for post in projection.post:
                n = net.populations[post].n
                kicks[post] += float(projection.weight) * total[begin : begin + n]
                begin += n
        for n in names:
            v[n] = v[n] * decay + stimulus[n][k] * (1 - decay) + kicks[n]
            v[n][left[n] > 0] = LIF["v_reset"]
            fired = v[n] >= LIF["v_th"]
            v[n][fired] = LIF["v_reset"]
            left[n] = np.where(fired, 20, np.maximum(left[n] - 1, 0))
            spikes[n][k] = fired
    return spikes, v


def make_net(delays, rules):
    lif = jn.LIF(**LIF)
    return jn.Network(
        {"E": jn.Population(lif, 60), "I": jn.Population(lif, 40)},
        [
            jn.Projection("E", ("E", "I"), jn.DeltaCurrent(), weight=0.5, connectivity=rules[0], delay=delays[0] * DT),
            jn.Projection("I", ("E", "I"), jn.DeltaCurrent(), weight=-0.7, connectivity=rules[1], delay=delays[1] * DT),
            jn.Projection("E", "I", jn.DeltaCurrent(), weight=0.2, connectivity=rules[2], delay=delays[2] * DT),
        ],
    )


CASES = [
    ((15, 15, 15), (jn.FixedInDegree(20), jn.FixedInDegree(10), jn.Bernoulli(0.3))),
    ((1, 7, 12), (jn.Bernoulli(0.9), jn.FixedInDegree(10, multapses=False), jn.AllToAll())),
    ((5, 5, 40), (jn.AllToAll(), jn.AllToAll(autapses=True), jn.GaussianInDegree(20, cv=0.3))),
]


@pytest.mark.parametrize("case", CASES, ids=["homogeneous", "one-step", "long-delay"])
def test_spikes_equal_a_plain_loop(case):
    delays, rules = case
    net, n_steps = make_net(delays, rules), 1003  # no multiple of any block
    rng = np.random.default_rng(1)
    stimulus = {n: 45.0 + 40.0 * rng.normal(size=(n_steps, p.n)) for n, p in net.populations.items()}
    wiring = jn.wire(net, key=jax.random.key(3))
    sol = jn.simulate(
        net, 0.0, n_steps * DT, dt=DT, key=jax.random.key(0), wiring=wiring, stimulus=stimulus,
        record={"spikes": jn.record.Spikes(), "v": jn.record.Trace("E.v"), "rate": jn.record.Rate()},
    )  # fmt: skip
    spikes, v = plain_network(net, wiring, stimulus, n_steps, delays)
    for name in net.names:
        assert spikes[name].sum() > 200  # the comparison is about something
        np.testing.assert_array_equal(sol["spikes"][name].raster(), spikes[name])
        np.testing.assert_allclose(sol["rate"][name], spikes[name].sum(0) / (n_steps * DT) * 1000, rtol=1e-12)
    # Rounding of sums in another order, over a few time constants.
    np.testing.assert_allclose(sol["v"][-1], v["E"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("delivery", [jn.delivery.Sparse(), jn.delivery.NativeSparse()], ids=str)
def test_a_delay_for_every_synapse_equals_a_plain_loop(delivery):
    lif, n_steps = jn.LIF(**LIF), 700
    net = jn.Network(
        {"E": jn.Population(lif, 50)},
        [
            jn.Projection(
                "E", "E", jn.DeltaCurrent(), weight=0.6, connectivity=jn.FixedInDegree(12),
                delay=jn.UniformDelay(0.3, 4.0),
            )
        ],
    )  # fmt: skip
    wiring = jn.wire(net, key=jax.random.key(3), delivery=delivery)
    operator = wiring.operators[0]
    offsets, targets, delays = (np.asarray(x) for x in (operator.offsets, operator.targets, operator.delays))
    rng = np.random.default_rng(2)
    stimulus = 30.0 + 40.0 * rng.normal(size=(n_steps, 50))
    sol = jn.simulate(
        net, 0.0, n_steps * DT, dt=DT, key=jax.random.key(0), wiring=wiring, stimulus={"E": stimulus},
        record={"spikes": jn.record.Spikes("E")},
    )  # fmt: skip

    v, left, spikes = np.zeros(50), np.zeros(50, int), np.zeros((n_steps, 50), bool)
    arrivals = np.zeros((n_steps + 100, 50))
    decay = np.exp(-DT / 20.0)
    for k in range(n_steps):
        v = v * decay + stimulus[k] * (1 - decay) + 0.6 * arrivals[k]
        v[left > 0] = 10.0
        spikes[k] = v >= 20.0
        v[spikes[k]] = 10.0
        left = np.where(spikes[k], 20, np.maximum(left - 1, 0))
        for source in np.nonzero(spikes[k])[0]:
            for i in range(offsets[source], offsets[source + 1]):
                arrivals[k + round(float(delays[i]) / DT), targets[i]] += 1
    assert spikes.sum() > 200
    np.testing.assert_array_equal(sol["spikes"].raster(), spikes)
    assert targets.size == wiring.nnz == 600


def test_drawn_counts_reach_the_neuron():
    # Without threshold the potential of a Poisson-driven neuron is a filtered sum of the drawn counts.
    lif = jn.LIF(v_th=1e9)
    net = jn.Network(
        {"E": jn.Population(lif, 3)},
        drives=[jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1000, rate=20.0)],
    )
    sol = jn.simulate(net, 0.0, 400.0, dt=DT, key=jax.random.key(5), record={"v": jn.record.Trace("E.v")})
    v = np.asarray(sol["v"])
    before = np.concatenate([np.zeros((1, 3)), v[:-1]])
    counts = (v - before * np.exp(-DT / 20.0)) / 0.1
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    # 12,000 counts of mean and variance 2: the error of the mean is 0.0129, of the variance 0.029.
    assert abs(counts.mean() - 2.0) < 4 * 0.0129
    assert abs(counts.var() - 2.0) < 4 * 0.029


def test_float_stimulus_forms_agree():
    population = jn.Population(jn.LIF(), 4)
    key, run = jax.random.key(0), {"v": jn.record.Trace("v")}
    forms = [30.0, np.full(4, 30.0), np.full((500, 4), 30.0), np.full((500, 1), 30.0), lambda t: 30.0 + 0.0 * t]
    traces = [jn.simulate(population, 0.0, 50.0, dt=DT, key=key, record=run, stimulus=s)["v"] for s in forms]
    for trace in traces[1:]:
        np.testing.assert_array_equal(trace, traces[0])
    ramp = jn.simulate(population, 0.0, 50.0, dt=DT, key=key, record=run, stimulus=lambda t: t)["v"]
    table = np.broadcast_to(np.arange(500)[:, None] * DT, (500, 4))
    np.testing.assert_allclose(
        ramp,
        jn.simulate(population, 0.0, 50.0, dt=DT, key=key, record=run, stimulus=jnp.asarray(table))["v"],
        rtol=1e-12,
    )
