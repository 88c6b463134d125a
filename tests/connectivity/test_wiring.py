"""Drawn wirings: the laws they follow, and what the operators do with them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn
from jaxneuro.connectivity import Group, draw_operator


def draw(rule, n_pre=200, n_posts=(200, 50), recurrent=(True, False), seed=0):
    return draw_operator(rule, np.random.default_rng(seed), Group(n_pre), tuple(map(Group, n_posts)), recurrent)


RULES = [
    jn.FixedInDegree(30),
    jn.FixedInDegree(30, multapses=False),
    jn.FixedInDegree(150, multapses=False, autapses=True),
    jn.FixedInDegree(0),
    jn.FixedInDegree(199, multapses=False),
    jn.GaussianInDegree(60, cv=0.2),
    jn.Bernoulli(0.25),
    jn.Bernoulli(0.9, autapses=True),
    jn.AllToAll(),
    jn.AllToAll(autapses=True),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_operator_equals_its_matrix(rule):
    operator = draw(rule)
    matrix = np.asarray(operator.as_matrix()).astype(int)
    assert matrix.shape == (operator.n_post, operator.n_pre) == (250, 200)
    assert matrix.sum() == operator.nnz
    rng = np.random.default_rng(1)
    for probability in (0.0, 0.01, 0.3, 1.0):
        spikes = rng.random((7, 200)) < probability
        np.testing.assert_array_equal(operator.deliver(jnp.asarray(spikes)), spikes @ matrix.T)
    np.testing.assert_array_equal(operator.mv(jnp.asarray(spikes[0])), matrix @ spikes[0])
    cotangent = rng.normal(size=250)
    np.testing.assert_allclose(operator.rmv(jnp.asarray(cotangent)), matrix.T @ cotangent, atol=1e-12)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_autapses_and_multapses_are_as_asked(rule):
    matrix = np.asarray(draw(rule).as_matrix()).astype(int)
    if not rule.autapses:
        assert np.trace(matrix[:200]) == 0
    if not rule.multapses:
        assert matrix.max(initial=0) <= 1


@pytest.mark.parametrize("multapses", [True, False])
def test_fixed_in_degree_is_fixed_and_uniform(multapses):
    matrix = np.asarray(
        draw(jn.FixedInDegree(30, multapses=multapses), n_posts=(2_000,), recurrent=(False,)).as_matrix()
    )
    assert (matrix.sum(axis=1) == 30).all()
    out = matrix.astype(int).sum(axis=0)  # each source is expected 300 times
    p = 30 / 200
    variance = 2_000 * (30 * (1 / 200) * (1 - 1 / 200) if multapses else p * (1 - p))
    chi2 = ((out - 300) ** 2 / variance).sum()  # close to chi^2 of 199 degrees of freedom
    assert 1e-5 < stats.chi2.sf(chi2, 199) < 1 - 1e-5


def test_every_pair_of_sources_is_as_likely():
    # Subsets of 2 of 5 without repetition: ten subsets, equally likely.
    matrix = np.asarray(draw(jn.FixedInDegree(2, multapses=False), 5, (20_000,), (False,)).as_matrix())
    codes = matrix @ (1 << np.arange(5))
    counts = np.unique(codes, return_counts=True)[1]
    assert counts.size == 10
    assert stats.chisquare(counts).pvalue > 1e-4


def test_gaussian_in_degrees_have_their_moments():
    k = np.asarray(draw(jn.GaussianInDegree(60, cv=0.2), 200, (5_000,), (False,)).as_matrix()).sum(axis=1)
    assert abs(k.mean() - 60) < 4 * 12 / np.sqrt(5_000)
    assert abs(k.var() - 144 - 1 / 12) < 4 * 144 * np.sqrt(2 / 5_000)


def test_bernoulli_in_degrees_are_binomial():
    k = np.asarray(draw(jn.Bernoulli(0.25), 200, (5_000,), (False,)).as_matrix()).sum(axis=1)
    assert abs(k.mean() - 50) < 4 * np.sqrt(37.5 / 5_000)
    assert abs(k.var() - 37.5) < 4 * 37.5 * np.sqrt(2 / 5_000)


def test_counts_do_not_overflow():
    # 300 synapses of one source onto one target leave int8; 40,000 onto one target leave int16.
    operator = draw(jn.FixedInDegree(40_000), n_pre=100, n_posts=(3,), recurrent=(False,))
    assert np.asarray(operator.as_matrix()).max() > 300
    np.testing.assert_array_equal(operator.mv(jnp.ones(100, bool)), [40_000] * 3)


def test_a_matrix_between_two_populations():
    net = jn.networks.brunel(n_e=40, n_i=10, c_e=8, c_i=2)
    wiring = jn.wire(net, key=jax.random.key(0))
    assert wiring.as_matrix("I", "E").shape == (40, 10)
    assert wiring.nnz == 50 * 10
    with pytest.raises(ValueError, match="No projection goes from"):
        wiring.as_matrix("X", "E")
