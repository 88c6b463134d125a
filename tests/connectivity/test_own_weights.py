"""Weights of single synapses: delivered event by event, with derivatives, cuts and batches; rules of one's own."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro import extend as ext
from jaxneuro.connectivity import Group, ScheduledOperator, draw_operator

X64 = jnp.result_type(float) == jnp.float64
WAYS = [None, jn.delivery.Rows(), jn.delivery.Product(), jn.delivery.Sparse(window=3), jn.delivery.NativeSparse()]
KEY = jax.random.key(0)


def draw(delivery, law=None, delays=None, n_pre=60):
    law = jn.LogNormalWeight(1.0, 0.5) if law is None else law
    rule, rng = jn.FixedInDegree(12), np.random.default_rng(0)
    posts = (Group(60), Group(20))
    return draw_operator(rule, rng, Group(n_pre), posts, (True, False), weights=law, delays=delays, delivery=delivery)


@pytest.mark.parametrize("delivery", WAYS, ids=str)
def test_every_delivery_has_the_same_weights_and_sums_them(delivery):
    operator = draw(delivery)
    matrix = np.asarray(operator.as_matrix(), float)
    counts = np.asarray(draw_operator(
        jn.FixedInDegree(12), np.random.default_rng(0), Group(60), (Group(60), Group(20)), (True, False)
    ).as_matrix())  # fmt: skip
    assert ((matrix > 0) == (counts > 0)).all()
    np.testing.assert_allclose(matrix, draw(jn.delivery.Sparse()).as_matrix(), rtol=1e-6)
    rng = np.random.default_rng(1)
    spikes, cotangent = rng.random((7, 60)) < 0.2, rng.normal(size=(7, 80))
    values, some = jnp.asarray(rng.normal(size=(7, 60))), jnp.asarray(spikes)

    @jax.jit
    def every(values, cotangent):
        forward, back = jax.vjp(lambda v: operator.linear(v, some), values)
        tangent = jax.jvp(lambda v: operator.linear(v, some), (values,), (values,))[1]
        delivered, batch = operator.deliver(some), jax.vmap(operator.deliver)(jnp.stack([some, ~some]))
        return forward, back(cotangent)[0], tangent, delivered, batch[0]

    forward, back, tangent, delivered, first = every(values, jnp.asarray(cotangent))
    np.testing.assert_allclose(delivered, spikes @ matrix.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(forward, np.where(spikes, values, 0) @ matrix.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(back, np.where(spikes, cotangent @ matrix, 0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tangent, forward, rtol=1e-6)
    np.testing.assert_array_equal(first, delivered)


@pytest.mark.parametrize("delivery", WAYS[3:], ids=str)
def test_weights_and_delays_of_their_own(delivery):
    operator = draw(delivery, delays=jn.UniformDelay(3.0, 6.0))
    scheduled = ScheduledOperator(operator, operator.delay_steps(1.0, 3, 6), 6, jnp.asarray(3, jnp.int32))
    rng = np.random.default_rng(1)
    spikes, cotangent = rng.random((3, 60)) < 0.3, rng.normal(size=(6, 80))
    offsets, targets, weights = (np.asarray(x) for x in (operator.offsets, operator.targets, operator.weights))
    linear = np.zeros((6, 80, 3, 60))  # arrivals by spikes
    for source in range(60):
        for s in range(offsets[source], offsets[source + 1]):
            for t in range(3):
                row = t + round(float(operator.delays[s])) - 3
                linear[row, targets[s], t, source] += weights[s]
    expected = np.einsum("rpts,ts->rp", linear, spikes)
    before = rng.normal(size=(6, 80)).astype(np.float32)
    pushed = scheduled.push(jnp.asarray(before, operator.count_dtype), jnp.asarray(spikes))
    np.testing.assert_allclose(pushed, before + expected, rtol=1e-5, atol=1e-5)
    values, every = jnp.asarray(rng.normal(size=(3, 60))), jnp.ones((3, 60), bool)
    forward, back = jax.vjp(lambda v: scheduled.linear(v, every), values)
    np.testing.assert_allclose(forward, np.einsum("rpts,ts->rp", linear, values), rtol=1e-4, atol=1e-5)
    transposed = np.einsum("rpts,rp->ts", linear, cotangent)
    np.testing.assert_allclose(back(jnp.asarray(cotangent))[0], transposed, rtol=1e-4, atol=1e-5)


def recurrent(mean=0.4, delay=1.5, cv=0.5):
    lif, initial = jn.LIF(), jn.initial.UniformPotential(0.0, 20.0)
    law = jn.LogNormalWeight(mean, cv)
    return jn.Network(
        {"E": jn.Population(lif, 60, initial=initial), "out": jn.Population(jn.LeakyIntegrator(), 5)},
        [
            jn.Projection(
                "E", ("E", "out"), jn.DeltaCurrent(), weight=law, connectivity=jn.FixedInDegree(12), delay=delay
            )
        ],
        [jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=11.0)],
    )


# The fast part compiles without optimisation, which promises no bits.
@pytest.mark.slow
@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize(
    "delay",
    [pytest.param(1.5, marks=pytest.mark.proof), jn.NormalDelay(1.5, 0.5, low=0.4, high=3.0)],
    ids=lambda d: type(d).__name__,
)
def test_a_cut_run_is_bitwise_the_whole_and_a_batch_shares_the_wiring(delay):
    net = recurrent(delay=delay)
    wiring = jn.wire(net, key=KEY)

    def run(t0, t1, state=None, key=KEY):
        return jn.simulate(net, t0, t1, dt=0.1, key=key, wiring=wiring, state=state)

    # Inside a block of steps, and in halves of equal length: one program.
    whole = run(0.0, 21.4)
    parts = run(10.7, 21.4, run(0.0, 10.7).state)
    assert float(whole["rate"]["E"].sum()) > 0
    for a, b in zip(jax.tree.leaves(whole.state), jax.tree.leaves(parts.state), strict=True):
        np.testing.assert_array_equal(a, b)
    keys = jax.random.split(KEY, 2)
    rates = jax.vmap(lambda k: run(0.0, 21.4, key=k)["rate"]["E"])(keys)
    np.testing.assert_array_equal(rates[1], run(0.0, 21.4, key=keys[1])["rate"]["E"])


def test_the_mean_of_a_law_is_a_leaf_of_the_run():
    wiring = jn.wire(recurrent(), key=KEY)
    surrogate = jn.surrogate.Triangular(5.0)

    def voltage(mean):
        record = {"v": jn.record.Trace("out.v")}
        net = recurrent(mean)
        run = jn.simulate(net, 0.0, 6.0, dt=0.1, key=KEY, wiring=wiring, record=record, surrogate=surrogate)
        return jnp.sum(run["v"])

    forward, backward = jax.jit(lambda m: (jax.jvp(voltage, (m,), (1.0,))[1], jax.grad(voltage)(m)))(0.4)
    np.testing.assert_allclose(backward, forward, rtol=1e-5)
    assert abs(float(forward)) > 0
    with pytest.raises(ValueError, match="`wiring` was drawn with the weight LogNormalWeight"):
        jn.simulate(recurrent(cv=0.6), 0.0, 1.0, dt=0.1, key=KEY, wiring=wiring)
    with pytest.raises(ValueError, match="another kind of delay"):
        jn.simulate(recurrent(delay=jn.UniformDelay(1.0, 2.0)), 0.0, 1.0, dt=0.1, key=KEY, wiring=wiring)
    with pytest.raises(ValueError, match="draws on the host"):
        jax.jit(lambda cv: jn.wire(recurrent(cv=cv), key=KEY).nnz)(0.5)


class OnARing(ext.AbstractConnectivity):
    """Connected with probability p exp((cos(angle) - 1) / width^2)."""

    p: jax.Array
    width: jax.Array

    def __init__(self, p, width):
        self.p, self.width = ext.as_leaf(p), ext.as_leaf(width)

    def probability(self, pre, post):
        angle = post.positions.coordinates - pre.positions.coordinates[:, 0]
        return self.p * jnp.exp((jnp.cos(angle) - 1.0) / self.width**2)

    def in_degree(self, pre, post, recurrent):
        p = self.probability(pre, post)
        return ext.Moments(jnp.mean(jnp.sum(p, axis=1)), jnp.mean(jnp.sum(p * (1.0 - p), axis=1)))

    def draw(self, rng, pre, post, recurrent):
        drawn = rng.random((post.n, pre.n)) < np.asarray(self.probability(pre, post))
        return ext.Pairs(*np.nonzero(drawn))


def on_a_ring(rule, n=400, **others):
    angles = 2 * np.pi * np.arange(n) / n
    return jn.Network(
        {"E": jn.Population(jn.LIF(), positions=angles)},
        [jn.Projection("E", "E", jn.DeltaCurrent(), weight=-0.1, connectivity=rule, delay=1.5, **others)],
        [jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=13.0)],
    )


def test_a_rule_of_ones_own_on_a_ring():
    net = on_a_ring(OnARing(0.5, 0.5))
    matrix = np.asarray(jn.wire(net, key=KEY).as_matrix("E", "E"))
    angles = 2 * np.pi * np.arange(400) / 400
    p = 0.5 * np.exp((np.cos(angles[:, None] - angles) - 1) / 0.25)
    z = (matrix - p) / np.sqrt(p * (1 - p))
    assert abs(z.mean()) < 4 / 400
    assert abs((z**2).mean() - 1) < 0.05
    np.testing.assert_array_equal(
        matrix, jn.wire(net, key=KEY, delivery=jn.delivery.NativeSparse()).as_matrix("E", "E")
    )
    seen = jn.theory.afferents(net, {"E": 10.0})["E"].streams[0].in_degree
    np.testing.assert_allclose([seen.mean, seen.variance], [p.sum(1).mean(), (p * (1 - p)).sum(1).mean()], rtol=1e-5)
    bits = jn.BinaryNetwork(
        {"E": jn.Population(jn.Binary(), positions=angles)},
        [jn.BinaryProjection("E", "E", weight=1.0, connectivity=OnARing(0.5, 0.5))],
    )
    assert abs(jn.wire(bits, key=KEY).nnz - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum())


@pytest.mark.proof
def test_theory_and_simulation_of_a_ring_agree():
    net = on_a_ring(OnARing(0.3, 0.5), n=2_000)
    sol = jn.simulate(net, 0.0, 1_000.0, dt=0.1, key=KEY, record={"rate": jn.record.Rate(start=200.0)})
    assert abs(float(sol["rate"]["E"].mean()) / float(jn.theory.mean_field(net).rate["E"]) - 1) < 0.05


class Given(ext.AbstractConnectivity):
    """Draws what it is given, whatever that is."""

    drawn: object = eqx.field(static=True)

    def in_degree(self, pre, post, recurrent):
        return ext.Moments(jnp.asarray(1.0), jnp.asarray(0.0))

    def draw(self, rng, pre, post, recurrent):
        return self.drawn()


@pytest.mark.parametrize(
    ("drawn", "sentence"),
    [
        (lambda: ext.Pairs(np.array([0]), np.array([400])), "gave the source 400, outside its population of 400"),
        (lambda: ext.Pairs(np.array([-1]), np.array([0])), "gave the target -1, outside its population"),
        (lambda: ext.Pairs(np.array([0.5]), np.array([0])), "integer arrays `target` and `source` of one length"),
        (lambda: ext.Pairs(np.array([0, 1]), np.array([0])), "integer arrays `target` and `source` of one length"),
        (lambda: [(np.array([0]), np.array([0]))], r"has to return `Pairs\(target, source\)`"),
        (lambda: None, r"has to return `Pairs\(target, source\)` or to yield them; got NoneType"),
        (
            lambda: iter([ext.Pairs(np.array([3]), np.array([0])), ext.Pairs(np.array([2]), np.array([0]))]),
            "each target has to stand in one part",
        ),
    ],
)
def test_a_rule_that_draws_amiss_is_refused(drawn, sentence):
    with pytest.raises(ValueError, match=sentence):
        jn.wire(on_a_ring(Given(drawn)), key=KEY)


def test_more_neurons_or_synapses_than_can_be_numbered_are_refused():
    def net(n, rule):
        projection = jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=rule, delay=1.5)
        return jn.Network({"E": jn.Population(jn.LIF(), n)}, [projection])

    with pytest.raises(ValueError, match="1,000,000,000,000 neurons, more than the 2,147,483,647"):
        jn.wire(net(10**12, jn.FixedInDegree(10)), key=KEY)
    with pytest.raises(ValueError, match="1,000,000,000,000 neurons"):
        jn.simulate(net(10**12, jn.FixedInDegree(10)), 0.0, 1.0, dt=0.1, key=KEY)
    with pytest.raises(ValueError, match="synapses are too many to list"):
        jn.wire(net(10**7, jn.FixedInDegree(1_000)), key=KEY)


def test_given_weights_say_their_row_sums():
    rng = np.random.default_rng(0)
    matrix, left, right = rng.normal(size=(4, 6)), rng.normal(size=(4, 2)), rng.normal(size=(6, 2))
    kinds = [
        jn.Weights(matrix),
        jn.LowRankWeights(left, right),
        jn.SparseWeights([0.5, -1.0, 0.25, 2.0], post=[0, 1, 0, 3], pre=[2, 0, 2, 5], n_post=4, n_pre=6),
        jn.ConvolutionalWeights(rng.normal(size=(2, 1, 2, 2)), sheet=(3, 3)),
        jn.DaleWeights(np.abs(matrix), signs=np.ones(6)),
    ]
    for weights in kinds:
        w = np.asarray(weights.as_matrix(), float)
        np.testing.assert_allclose(weights.row_sums(), w.sum(1), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(weights.row_sums_of_squares(), (w**2).sum(1), rtol=1e-4, atol=1e-5)
    lif = jn.Population(jn.LIF(), 4)
    net = jn.Network(
        {"E": lif, "X": jn.Population(jn.Poisson(50.0), 6)},
        [jn.Projection("X", "E", jn.DeltaCurrent(), weight=2.0, connectivity=kinds[0], delay=1.0)],
    )
    seen = jn.theory.effective_input(net, {"E": 5.0})["E"]
    # tau = 20 ms and 0.05 spikes a ms: mu and sigma^2 are the mean row sums of W and W^2, of all targets.
    np.testing.assert_allclose(seen.mu, 2 * matrix.sum(1).mean(), rtol=1e-5)
    np.testing.assert_allclose(seen.sigma**2, 4 * (matrix**2).sum(1).mean(), rtol=1e-5)


@pytest.mark.parametrize("weight", [0.4, jn.LogNormalWeight(0.4, 0.5)], ids=["one", "law"])
def test_amplitudes_of_spikes_are_the_same_with_and_without_a_surrogate(weight):
    # Short-term plasticity gives every spike an amplitude; a surrogate changes derivatives, and no spike.
    synapse = jn.ShortTermPlasticity(jn.DeltaCurrent(), u_0=0.4, tau_rec=100.0)
    loop = jn.Projection("E", "E", synapse, weight=weight, connectivity=jn.FixedInDegree(12), delay=1.0)
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=12.0)
    net = jn.Network(
        {"E": jn.Population(jn.LIF(), 40, initial=jn.initial.UniformPotential(0.0, 20.0))}, [loop], [drive]
    )
    wiring = jn.wire(net, key=KEY)
    record = {"spikes": jn.record.Spikes("E"), "v": jn.record.Trace("E.v")}
    plain, soft = (
        jn.simulate(net, 0.0, 40.0, dt=0.1, key=KEY, wiring=wiring, record=record, surrogate=surrogate)
        for surrogate in (None, jn.surrogate.Triangular(2.0))
    )
    times = [np.concatenate(sol["spikes"].times) for sol in (plain, soft)]
    assert times[0].size > 20
    np.testing.assert_array_equal(times[0], times[1])
    np.testing.assert_allclose(plain["v"], soft["v"], rtol=1e-6 if X64 else 1e-3, atol=1e-4)


class NegativeSizes(ext.AbstractWeightLaw):
    """Says a positive mean and draws negative weights."""

    def draw(self, rng, shape):
        return -np.ones(shape)

    def moments(self):
        return ext.Moments(ext.as_leaf(0.1), ext.as_leaf(0.0))

    def nodes(self, count):
        return ext.Nodes(ext.as_leaf([0.1]), ext.as_leaf([1.0]))


class Ticks(ext.AbstractSource):
    """Its name is no array, and not marked as static."""

    name: str = "ticks"

    def spikes(self, key, steps, dt, n, state):
        return jnp.zeros((len(steps), n), bool), state


def test_parts_of_ones_own_are_refused_by_name(as_users_run):
    def made(synapse):
        rule = jn.FixedInDegree(2)
        projection = jn.Projection("E", "E", synapse, weight=NegativeSizes(), connectivity=rule, delay=1.0)
        return jn.Network({"E": jn.Population(jn.LIF(), 5)}, [projection])

    jn.wire(made(jn.DeltaCurrent()), key=KEY)
    with pytest.raises(ValueError, match=r"must not be negative; NegativeSizes\.draw gave some"):
        jn.wire(made(jn.DeltaConductance(0.0)), key=KEY)
    with pytest.raises(ValueError, match="A field of `model`, Ticks, holds 'ticks', which is no array"):
        jn.Population(Ticks(), 3)
