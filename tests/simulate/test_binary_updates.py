"""Updates of binary units against a plain loop that knows nothing of blocks, bits or layers."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import jaxneuro as jn
from jaxneuro._numerics import PoissonTable, role_key
from jaxneuro._simulate import initial_binary_state
from jaxneuro._simulate._binary._plan import make_plan
from jaxneuro._simulate._binary._updates import _FEW_UNITS, _LARGE, _SMALL, _draw
from jaxneuro.connectivity import unpack_bits


def two_populations(n_e=45, n_i=33, rule=None, temperature=0.0):
    """Sizes that fill no word, one projection onto two populations, and two onto one."""
    rule = jn.Bernoulli(0.4) if rule is None else rule
    return jn.BinaryNetwork(
        {
            "E": jn.Population(jn.Binary(np.linspace(-0.3, 0.9, n_e), tau=10.0, temperature=temperature), n_e),
            "I": jn.Population(jn.Binary(0.4, tau=7.0, temperature=temperature), n_i),
        },
        [
            jn.BinaryProjection("E", ("E", "I"), weight=0.31, connectivity=rule),
            jn.BinaryProjection("I", "E", weight=np.linspace(-0.6, -0.2, n_e), connectivity=jn.FixedInDegree(9)),
            jn.BinaryProjection("I", "I", weight=-0.37, connectivity=jn.Bernoulli(0.3, autapses=True)),
            jn.BinaryProjection("E", "E", weight=0.05, connectivity=jn.AllToAll()),
        ],
        {"E": 0.1, "I": np.linspace(0.0, 0.5, n_i)},
        initial={"E": 0.3, "I": 0.5},
    )


def coupled_spins(n=10, temperature=1.0, seed=0):
    """Symmetric couplings of every pair and none of a unit with itself."""
    couplings = np.random.default_rng(seed).normal(size=(n, n))
    couplings = np.triu(couplings, 1) + np.triu(couplings, 1).T
    thresholds = np.random.default_rng(seed + 1).normal(size=n) * 0.5
    net = jn.BinaryNetwork(
        {"S": jn.Population(jn.Binary(thresholds, temperature=temperature), n)},
        [jn.BinaryProjection("S", "S", weight=couplings)],
        initial={"S": 0.5},
    )
    return net, couplings, thresholds


def dense(net, wiring):
    """Weights (n, n), drives less thresholds and temperatures of all units, from the public description."""
    sizes = [net.populations[name].n for name in net.names]
    begin = dict(zip(net.names, np.cumsum([0, *sizes[:-1]]), strict=True))
    total = np.zeros((sum(sizes), sum(sizes)))
    for projection, operator in zip(net.projections, wiring.operators, strict=True):
        matrix = np.asarray(operator.as_matrix(), float)
        weight = np.asarray(projection.weight)
        weighted = matrix * (weight[:, None] if weight.ndim == 1 else weight)
        row, pre = 0, begin[projection.pre]
        for post in projection.post:
            n = net.populations[post].n
            total[begin[post] : begin[post] + n, pre : pre + matrix.shape[1]] += weighted[row : row + n]
            row += n
    model = {name: net.populations[name].model for name in net.names}
    shape = dict(zip(net.names, sizes, strict=True))
    outside = [np.broadcast_to(net.drives[n] - model[n].threshold, (shape[n],)) for n in net.names]
    return total, np.concatenate(outside)


def plain_steps(net, wiring, state, key, dt, n_steps):
    """The states after each step by single updates, in the order and with the noise that the run draws."""
    weights, outside = dense(net, wiring)
    plan = make_plan(net, wiring, dt)
    table, size = PoissonTable(jnp.sum(plan.per_step)), _SMALL if plan.n < _FEW_UNITS else _LARGE
    draw = jax.jit(lambda key, done, n: _draw(plan, key, done, n, size))
    count = jax.jit(lambda key: table.count(key, 1)[0])
    states = []
    for step in range(n_steps):
        step_key = jax.random.fold_in(role_key(key, "update"), step)
        number, order = jax.random.split(step_key)
        n_updates = int(count(number))
        for done in range(0, n_updates, size):
            at = jnp.int32(done)
            block = draw(jax.random.fold_in(order, at), at, jnp.int32(n_updates))
            for unit, noise, real in zip(*(np.asarray(x) for x in (block.units, block.noise, block.real)), strict=True):
                if real:
                    state[unit] = weights[unit] @ state + outside[unit] > noise
        states.append(state.copy())
    return np.array(states)


def joined(sol, name="s"):
    return np.concatenate([np.asarray(s.as_array()) for s in sol[name].values()], axis=1)


CASES = [
    pytest.param(lambda: two_populations(), id="counted"),
    pytest.param(lambda: two_populations(temperature=0.3), id="warm"),
    pytest.param(lambda: two_populations(rule=jn.FixedInDegree(40)), id="multapses"),
    pytest.param(lambda: two_populations(n_e=400, n_i=200, temperature=0.1), id="large blocks"),
    pytest.param(lambda: coupled_spins(temperature=0.7)[0], id="one weight a pair"),
]


@pytest.mark.parametrize("make", CASES)
def test_sequential_updates_equal_single_updates_in_the_same_order(make):
    net, key = make(), jax.random.key(3)
    wiring = jn.wire(net, key=jax.random.key(1))
    sol = jn.simulate(net, 0.0, 40.0, dt=4.0, key=key, wiring=wiring, record={"s": jn.record.UnitStates()})
    words = initial_binary_state(net, 0.0, 4.0, key).words
    start = np.concatenate([np.asarray(unpack_bits(words[name], net.populations[name].n)) for name in net.names])
    ours, plain = joined(sol), plain_steps(net, wiring, start, key, 4.0, 10)
    assert ours.std() > 0.2, "the case has to be alive"
    np.testing.assert_array_equal(ours, plain)


# Without a temperature "warm" is "counted".
@pytest.mark.parametrize("make", [case for case in CASES if case.id != "warm"])
def test_parallel_updates_are_one_product_a_step(make):
    net, key = make(), jax.random.key(3)
    populations = {
        n: jn.Population(jn.Binary(p.model.threshold, tau=5.0), p.n) for n, p in net.populations.items()
    }  # at T = 0, where the law needs no noise
    net = jn.BinaryNetwork(populations, net.projections, net.drives, initial=net.initial)
    wiring = jn.wire(net, key=jax.random.key(1))
    run = dict(dt=5.0, key=key, wiring=wiring, update=jn.update.Parallel(), record={"s": jn.record.UnitStates()})
    ours = joined(jn.simulate(net, 0.0, 50.0, **run))
    weights, outside = dense(net, wiring)
    for before, after in itertools.pairwise(ours):
        np.testing.assert_array_equal(weights @ before + outside > 0, after)


def test_each_unit_is_updated_at_its_rate():
    """Units that forget everything: T so high that an update is a coin; a state survives with exp(-t / tau)."""
    n, rest = 20_000, 5.0
    model = {name: jn.Binary(0.0, tau=tau, temperature=1e9) for name, tau in (("a", 10.0), ("b", 4.0))}
    net = jn.BinaryNetwork({k: jn.Population(m, n) for k, m in model.items()}, initial={"a": 1.0, "b": 1.0})
    sol = jn.simulate(net, 0.0, rest, dt=0.5, key=jax.random.key(0), record={"p": jn.record.PopulationActivity()})
    for name, tau in (("a", 10.0), ("b", 4.0)):
        expected = 0.5 + 0.5 * np.exp(-np.asarray(sol.times["p"]) / tau)
        z = (np.asarray(sol["p"][name]) - expected) / np.sqrt(expected * (1 - expected) / n)
        assert np.abs(z).max() < 4


@pytest.mark.parametrize("update", [jn.update.Sequential(), jn.update.Parallel()], ids=["sequential", "parallel"])
def test_temperature_to_zero_is_the_threshold_rule(update):
    """With the same key the noise is T times the same numbers: below every field's distance it changes nothing."""
    states = []
    for temperature in (0.0, 1e-12):
        net = coupled_spins(temperature=temperature)[0]
        run = dict(dt=10.0, key=jax.random.key(2), update=update, record={"s": jn.record.UnitStates()})
        states.append(joined(jn.simulate(net, 0.0, 300.0, **run)))
    np.testing.assert_array_equal(*states)


@pytest.mark.float32
def test_glauber_dynamics_reach_boltzmann():
    """N = 10, every mean and every pair's mean against the sum over 1,024 states, from 192 independent runs."""
    n, temperature = 10, 1.0
    net, couplings, thresholds = coupled_spins(n, temperature)
    states = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    energy = -0.5 * np.einsum("ki,ij,kj->k", states, couplings, states) + states @ thresholds
    p = np.exp(-(energy - energy.min()) / temperature)
    p /= p.sum()
    wiring = jn.wire(net, key=jax.random.key(0))

    def means(key):
        run = {"dt": 10.0, "key": key, "wiring": wiring, "record": {"s": jn.record.UnitStates(start=300.0)}}
        s = jn.simulate(net, 0.0, 1_300.0, **run)["s"]["S"].as_array().astype(jnp.result_type(float))
        return s.T @ s / s.shape[0]

    runs = np.asarray(jax.jit(jax.vmap(means))(jax.random.split(jax.random.key(1), 192)))
    exact = np.einsum("k,ki,kj->ij", p, states, states)
    # Runs are independent: the distance in units of their covariance is Hotelling's, whatever the correlation
    # within a run and between the means.
    upper = np.triu_indices(n)
    deviation, size, d = (runs.mean(0) - exact)[upper], len(runs), len(upper[0])
    squared = size * deviation @ np.linalg.solve(np.cov(runs[:, *upper].T), deviation)
    assert scipy.stats.f.sf(squared * (size - d) / (d * (size - 1)), d, size - d) > 6e-5, "as rare as |z| > 4"
    # Four standard errors of the widest: each is of 192 runs.
    assert np.abs(deviation).max() < 4.0 * runs.std(0).max() / np.sqrt(size) < 0.03


@pytest.mark.float32
@pytest.mark.bits
def test_units_on_their_threshold_are_inactive():
    """A parallel step from balance against fields in whole numbers, 50 root K times: a tie is 0."""
    k, root, n = 100, 10, 2_000
    net = jn.networks.binary(k=k, n_e=n, n_i=n, m0=0.1)
    wiring = jn.wire(net, key=jax.random.key(k))
    run = {"dt": 10.0, "key": jax.random.key(1), "wiring": wiring, "record": {"s": jn.record.UnitStates()}}
    settled = jn.simulate(net, 0.0, 100.0, **run)
    before = joined(settled)[-1].astype(int)
    after = joined(jn.simulate(net, 100.0, 110.0, state=settled.state, update=jn.update.Parallel(), **run))[0]
    ee, ie, ei, ii = (np.asarray(operator.as_matrix(), int) for operator in wiring.operators)
    e, i = before[:n], before[n:]
    excess_e = 50 * ee @ e - 100 * ei @ i + 5 * k - 50 * root
    excess_i = 50 * ie @ e - 90 * ii @ i + 4 * k - 35 * root
    field = np.concatenate([excess_e, excess_i])
    assert (field == 0).sum() > 10
    np.testing.assert_array_equal(after, field > 0)
