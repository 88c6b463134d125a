"""The description of binary networks, and their wiring as bits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.connectivity import pack_bits, unpack_bits

UNITS = jn.Population(jn.Binary(), 5)


def net(populations=None, projections=(), drives=None, **more):
    return jn.BinaryNetwork({"A": UNITS} if populations is None else populations, projections, drives, **more)


def projection(pre="A", post="A", weight=1.0, connectivity=None):
    return jn.BinaryProjection(pre, post, weight=weight, connectivity=connectivity or jn.AllToAll())


WRONG = [
    (lambda: jn.Binary(tau=0.0), "`tau` has to be positive"),
    (lambda: jn.Binary(tau=[1.0, 2.0]), "`tau` has to be one number"),
    (lambda: jn.Binary(temperature=-1.0), "`temperature` must not be negative"),
    (lambda: jn.Binary(float("nan")), "`threshold` has to be finite"),
    (lambda: net({}), "`populations` has to be a dict"),
    (lambda: net({"a.b": UNITS}), "a name has to be a string without a dot"),
    (lambda: net({"A": jn.Population(jn.LIF(), 3)}), "has to be a Population of `Binary` units"),
    (
        lambda: net({"A": jn.Population(jn.Binary(), 3, initial=jn.initial.UniformPotential(0, 1))}),
        "give the network its",
    ),
    (lambda: jn.Network({"A": UNITS}), "put them in a `BinaryNetwork`"),
    (lambda: net(projections=projection()), "`projections` has to be a list"),
    (lambda: net(projections=[3]), r"`projections\[0\]` has to be a BinaryProjection"),
    (lambda: net(projections=[projection(pre="B")]), "names the population 'B'"),
    (lambda: net(projections=[projection(weight=[1.0, 2.0])]), "`weight` has shape"),
    (lambda: net(projections=[projection(connectivity=jn.FixedInDegree(9))]), "exceeds the 4 sources"),
    (lambda: net(drives={"B": 1.0}), "`drives` names the population 'B'"),
    (lambda: net(drives={"A": [1.0, 2.0]}), r"`drives\['A'\]` has shape"),
    (lambda: net(drives=3.0), "`drives` has to be a dict"),
    (lambda: net(initial={"A": 1.5}), "is a probability"),
    (lambda: jn.BinaryProjection("A", "A", weight=1.0), "`connectivity` has to be a rule"),
    (lambda: jn.BinaryProjection(3, "A", weight=np.ones((5, 5))), "`pre` has to be the name"),
    (lambda: jn.BinaryProjection("A", "A", weight=np.ones((2, 2, 2))), "`weight` has to have at most two axes"),
    (lambda: jn.networks.binary(k=1_000, n_e=500), "`k` = 1000 exceeds `n_e` = 500"),
    (lambda: jn.networks.binary(k=[100.0, 200.0]), "`k` has to be one number"),
    (lambda: jn.networks.binary(m0=-0.1), "`m0` is an activity"),
    (lambda: jn.wire(None, key=jax.random.key(0)), "`net` has to be a Network or a BinaryNetwork"),
    (lambda: jn.simulate(UNITS, 0.0, 1.0, dt=1.0, key=jax.random.key(0)), "put them in a `BinaryNetwork`"),
]


@pytest.mark.parametrize(("make", "sentence"), WRONG, ids=[sentence[:40] for _, sentence in WRONG])
@pytest.mark.usefixtures("as_users_run")
def test_wrong_arguments_are_named(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize("n", [1, 31, 32, 33, 100])
def test_bits_return_what_was_packed(n):
    active = jnp.asarray(np.random.default_rng(0).random((3, n)) < 0.5)
    np.testing.assert_array_equal(unpack_bits(pack_bits(active), n), active)


RULES = [jn.Bernoulli(0.3), jn.Bernoulli(0.9, autapses=True), jn.FixedInDegree(70), jn.AllToAll()]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_wiring_as_bits_says_what_its_matrix_says(rule):
    sizes = {"A": jn.Population(jn.Binary(), 75), "B": jn.Population(jn.Binary(), 40)}
    described = net(sizes, [jn.BinaryProjection("A", ("A", "B"), weight=1.0, connectivity=rule)])
    wiring = jn.wire(described, key=jax.random.key(0))
    operator = wiring.operators[0]
    matrix = np.asarray(operator.as_matrix())
    assert matrix.shape == (115, 75)
    assert operator.nnz == matrix.sum() == wiring.nnz
    np.testing.assert_array_equal(wiring.as_matrix("A", "B"), matrix[75:])
    active = np.random.default_rng(0).random(75) < 0.4
    np.testing.assert_array_equal(operator.mv(jnp.asarray(active)), matrix @ active)
    cotangent = np.random.default_rng(0).normal(size=115)
    np.testing.assert_allclose(operator.rmv(jnp.asarray(cotangent)), cotangent @ matrix, rtol=1e-5)
    if not rule.autapses:
        assert not np.diag(matrix[:75]).any()
    expected = [float(rule.mean_in_degree(75, recurrent)) for recurrent in (True, False)]
    spread = np.sqrt(75 * 0.25 / np.array([75, 40]))  # at most, of a Bernoulli in-degree's mean
    z = (np.array([matrix[:75].sum(1).mean(), matrix[75:].sum(1).mean()]) - expected) / spread
    assert np.abs(z).max() < 4


def test_probability_is_one_rule_with_its_cold_limit():
    fields = np.linspace(-2.0, 4.0, 13)
    warm = jn.Binary(1.0, temperature=0.4).probability(fields)
    np.testing.assert_allclose(warm, 1 / (1 + np.exp(-(fields - 1.0) / 0.4)), rtol=1e-6)
    np.testing.assert_array_equal(jn.Binary(1.0).probability(fields), fields > 1.0)
    np.testing.assert_allclose(jn.Binary(1.0, temperature=1e-9).probability(fields), (fields > 1) + 0.5 * (fields == 1))
