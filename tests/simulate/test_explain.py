"""A run is explained as it will be: numbers by hand, and wirings against drawn ones."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
FLOAT = jnp.result_type(float).itemsize


def pair(rule, *, n_pre=400, n_post=300, weight=0.1, delay=1.0, synapse=None):
    """One projection between two populations."""
    populations = {"A": jn.Population(jn.LIF(), n_pre), "B": jn.Population(jn.LIF(), n_post)}
    synapse = jn.DeltaCurrent() if synapse is None else synapse
    return jn.Network(populations, [jn.Projection("A", "B", synapse, weight=weight, connectivity=rule, delay=delay)])


def nbytes(tree):
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    net: object
    synapses: float
    within: float = 0.0


CASES = [
    Case("matrix", pair(jn.FixedInDegree(40)), 40 * 300),
    Case("list", pair(jn.FixedInDegree(8)), 8 * 300),
    Case("list with delays", pair(jn.FixedInDegree(40), delay=jn.UniformDelay(1.0, 2.0)), 40 * 300),
    Case("list of weights", pair(jn.FixedInDegree(40), weight=jn.LogNormalWeight(0.1, cv=0.5)), 40 * 300),
    Case("matrix of weights", pair(jn.FixedInDegree(200), weight=jn.LogNormalWeight(0.1, cv=0.5)), 200 * 300),
    Case("list of a random number", pair(jn.Bernoulli(0.03)), 0.03 * 400 * 300, within=0.05),
    Case("all", pair(jn.AllToAll()), 400 * 300),
    Case("bits", jn.networks.binary(n_e=200, n_i=100, k=20), 20 * 300 * 2, within=0.1),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wiring_takes_what_is_said(case):
    about = jn.explain(case.net, t1=10.0, dt=0.1)
    drawn = jn.wire(case.net, key=KEY)
    assert [p.nbytes for p in about.projections] == pytest.approx(list(map(nbytes, drawn.operators)), rel=case.within)
    assert about.memory.wiring == pytest.approx(nbytes(drawn.operators) / 1e6, rel=case.within)
    assert sum(p.synapses for p in about.projections) == pytest.approx(case.synapses, rel=1e-6)
    for said, operator in zip(about.projections, drawn.operators, strict=True):
        kind = getattr(operator, "delivery", None)
        assert said.delivery == repr(kind) if kind is not None else said.delivery in ("sum of all", "bits")


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the choice on a CPU")
@pytest.mark.parametrize(
    ("net", "why"),
    [
        (pair(jn.FixedInDegree(40)), "10% of the pairs are connected, and from 4% on rows are faster"),
        (pair(jn.FixedInDegree(8)), "2% of the pairs are connected, and below 4% lists are faster"),
        (pair(jn.FixedInDegree(40), delay=jn.UniformDelay(1.0, 2.0)), "synapses have delays of their own"),
        (pair(jn.FixedInDegree(9), n_pre=40_000, n_post=40_000), "a matrix would take 1.6 GB, and more than 1.1 GB"),
    ],
)
def test_the_reason_of_a_delivery(net, why):
    assert why in jn.explain(net, t1=10.0, dt=0.1).projections[0].why


def test_a_network_by_hand():
    """Of 500 neurons: v and the steps that are left of refractoriness; two projections of 15 steps onto all of them."""
    net = jn.networks.brunel(n_e=400, n_i=100, c_e=40, c_i=10)
    one, batch = (jn.explain(net, t1=300.0, dt=0.1, batch=n) for n in (1, 8))
    assert one.steps[:4] == (3_000, 15, 200, 15)
    assert one.steps.why == "the shortest delay is 1.5 ms, of `projections[0]`"
    neurons = 4 + 500 * (FLOAT + 4)
    state, floats = neurons + 2 * 15 * 500 * 2, neurons + 2 * 15 * 500 * FLOAT
    assert one.memory.wiring == pytest.approx((400 + 100) * 500 / 1e6)
    assert one.memory.state == pytest.approx(state / 1e6)
    assert one.memory.records == pytest.approx(500 * 4 / 1e6)
    # 200 turns in segments of 14: 15 states at their ends, and 14 turns of one of them.
    assert one.memory.gradient == pytest.approx((15 + 14) * floats / 1e6)
    assert batch.memory.wiring == one.memory.wiring
    assert batch.memory.constants == one.memory.constants
    for part in ("state", "records", "gradient"):
        assert getattr(batch.memory, part) == pytest.approx(8 * getattr(one.memory, part))
    assert [(p.name, p.n, p.model) for p in one.populations] == [("E", 400, "LIF"), ("I", 100, "LIF")]
    assert "tau_m=20 ms" in one.populations[0].parameters
    assert one.drives[0].targets == ("E", "I")


@pytest.mark.parametrize(
    ("delay", "n_steps", "block", "blocks"),
    [(1.5, 100, 10, 10), (1.5, 101, 15, 7), (3.0, 20, 20, 1), (0.1, 100, 1, 100)],
    ids=["a share", "a rest", "shorter than the delay", "every step"],
)
def test_blocks(delay, n_steps, block, blocks):
    """The longest share of all steps above half of the delay, or the delay."""
    steps = jn.explain(pair(jn.FixedInDegree(5), delay=delay), t1=0.1 * n_steps, dt=0.1).steps
    assert (steps.n, steps.block, steps.blocks) == (n_steps, block, blocks)


def test_given_weights_and_a_population_alone():
    matrix = np.ones((300, 400))
    given = jn.explain(pair(jn.Weights(matrix), weight=None), t1=10.0, dt=0.1).projections[0]
    assert (given.synapses, given.delivery, given.why) == (None, "matrix product", "the weights are given")
    assert given.nbytes == 300 * 400 * FLOAT
    alone = jn.explain(jn.Population(jn.LIF(), 10), t1=16.0, dt=0.1)
    assert alone.steps[:3] == (160, 16, 10)
    assert "no neuron hears of another" in alone.steps.why
    assert alone.projections == alone.drives == ()


def test_a_rate_model_and_binary_units():
    rates = jn.explain(jn.Ring(64, j=[-2.0, 3.0]), t1=100.0, dt=0.1)
    assert rates.steps[:3] == (1_000, 20, 50)
    assert rates.populations[0].n == 64
    assert rates.memory.wiring == 0.0
    assert rates.memory.records == pytest.approx(1_000 * 64 * FLOAT / 1e6)  # a trace of all units
    binary = jn.explain(CASES[-1].net, t1=10.0, dt=1.0)
    assert binary.steps[:3] == (10, 1, 10)
    assert binary.memory.gradient is None
    assert binary.memory.records == pytest.approx(300 * 4 / 1e6)


def test_it_is_a_frozen_table():
    about = jn.explain(pair(jn.FixedInDegree(40)), t1=10.0, dt=0.1)
    text = str(about)
    assert repr(about) == text
    for title in ("Populations", "Projections", "Delivery", "Memory"):
        assert f"\n{title}\n" in text
        assert f"<strong>{title}</strong>" in about._repr_html_()
    assert "Drives" not in text  # there are none
    with pytest.raises(dataclasses.FrozenInstanceError):
        about.dt = 1.0


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": 3}, "`model` has to be a Network, a Population, a BinaryNetwork or a rate model; got 3"),
        ({"t1": 0.0}, "`t1` has to lie after `t0`"),
        ({"dt": -0.1}, "`dt`"),
        ({"batch": 0}, "`batch` has to be a positive number of runs; got 0"),
        ({"model": jn.Population(jn.LIF())}, "has no size"),
        ({"model": pair(jn.FixedInDegree(5), delay=0.01)}, "delay"),
    ],
)
def test_what_is_wrong_is_said(given, message):
    arguments = {"model": jn.Population(jn.LIF(), 3), "t1": 10.0, "dt": 0.1} | given
    with pytest.raises(ValueError, match=message):
        jn.explain(arguments.pop("model"), **arguments)


@pytest.mark.slow
def test_what_is_measured_adds_up():
    found = jn.explain(jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4), t1=20.0, dt=0.1, measure=True)
    own = found.measured
    assert own.steps == 200
    parts = own.delivery + own.draws + own.update + own.recorders
    assert abs(parts - own.whole) < 1e-9 * own.whole
    assert own.whole > 0
    assert own.update > 0
    assert own.compiling > 0
    assert "us a step" in str(found)
