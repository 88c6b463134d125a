"""Pareto weights and weights matched to others: against closed forms, NumPy and sums over the drawn synapses."""

import math
import warnings

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn
from jaxneuro.connectivity import SummedWeights
from jaxneuro.laws import OutsideTheoryWarning

DELTA = jn.DeltaCurrent()


def parts(alpha):
    x1 = (math.gamma(1.0 + alpha) * math.sin(0.5 * math.pi * alpha) / (math.pi * alpha)) ** (1.0 / alpha)
    return x1, 1.0 - x1 * alpha / (alpha - 1.0)


def pareto(mean, alpha, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTheoryWarning)
        return jn.ParetoWeight(mean, alpha, **more)


@pytest.mark.float32
@pytest.mark.parametrize(("mean", "alpha"), [(0.02, 1.5), (-0.08, 1.2), (0.3, 1.95)])
def test_drawn_and_hashed_weights_have_the_law(mean, alpha):
    x1, x0 = parts(alpha)
    law, n = pareto(mean, alpha), 20_000

    def below(w):  # the distribution function of w/mean, written down
        return 1.0 - np.maximum((np.asarray(w, float) / mean - x0) / x1, 1.0) ** -alpha

    assert (
        stats.kstest(
            law.draw(np.random.default_rng(0), (n,)), lambda w: below(w) if mean > 0 else 1.0 - below(w)
        ).pvalue
        > 0.01
    )
    share = jnp.asarray([1.0, 0.5, 1e-3, 1e-6])
    np.testing.assert_allclose(1.0 - below(law.exceeded(share)), share, rtol=2e-4)
    nodes = law.nodes(32)
    np.testing.assert_allclose(jnp.sum(nodes.values * nodes.probabilities), mean, rtol=1e-4)
    assert law.moments().mean == jnp.asarray(mean)
    assert np.isinf(law.moments().variance)


def test_synapses_make_their_weights_from_a_hash():
    """Nothing is stored: weights have the law, and arrivals and their transpose are those of the matrix."""
    alpha, n = 1.5, 900
    x1, x0 = parts(alpha)
    rule = jn.Projection(
        "E", ("E", "I"), DELTA, weight=pareto(0.02, alpha), connectivity=jn.FixedInDegree(20), delay=1.5
    )
    net = jn.Network({"E": jn.Population(jn.LIF(), n), "I": jn.Population(jn.LIF(), n // 3)}, [rule])
    wiring = jn.wire(net, key=jax.random.key(3), delivery=jn.delivery.Procedural())
    operator = wiring.operators[0]
    matrix = np.asarray(operator.as_matrix(), float)
    # Few of 20 synapses from 900 sources are of one pair; those sums are a few in a hundred.
    values = matrix[matrix != 0.0]
    assert 0.97 < values.size / (20 * (n + n // 3)) < 1.0
    assert stats.kstest(values, lambda w: 1.0 - np.maximum((w - x0) / x1, 1.0) ** -alpha).statistic < 0.02
    spikes = np.random.default_rng(0).random((3, n)) < 0.05
    np.testing.assert_allclose(operator.count(jnp.asarray(spikes)), spikes @ matrix.T, rtol=1e-5, atol=1e-4)
    values, back = np.random.default_rng(1).normal(size=(2, n)), np.random.default_rng(2).normal(size=(2, len(matrix)))
    floats = lambda x: jnp.asarray(x, jnp.result_type(float))  # noqa: E731
    every = jnp.ones((2, n), bool)
    np.testing.assert_allclose(operator.push_forward(floats(values), every), values @ matrix.T, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(operator.pull_back(floats(back), every), back @ matrix, rtol=1e-4, atol=1e-3)
    mine = jn.wire(net, key=jax.random.key(3), delivery=jn.delivery.Procedural()).operators[0].as_matrix()
    np.testing.assert_array_equal(mine, operator.as_matrix())


def test_what_a_hash_cannot_make_is_refused():
    hashed = jn.delivery.Procedural()
    small = jn.networks.wardak_gong(1.9, n_e=40, n_i=10, c_e=20, c_i=5, j=4.0, tol=0.9)
    with pytest.raises(ValueError, match="stores no weights, which `MatchedWeight` sums"):
        jn.wire(small, key=jax.random.key(0), delivery=hashed)
    g = jn.ExponentialConductance(5.0, reversal=60.0)
    rule = jn.Projection("E", "E", g, weight=jn.NormalWeight(1.0, 0.2), connectivity=jn.FixedInDegree(5), delay=1.5)
    with pytest.raises(ValueError, match="`exceeded`"):
        jn.wire(jn.Network({"E": jn.Population(jn.LIF(), 9)}, [rule]), key=jax.random.key(0), delivery=hashed)


def test_at_two_all_weights_are_equal():
    law = jn.ParetoWeight(0.1, 2.0)
    assert np.all(law.draw(np.random.default_rng(0), (9,)) == 0.1)
    assert law.moments().variance == 0.0
    assert law.tail().weight == 0.1


def test_weights_of_the_other_sign_are_told():
    with pytest.warns(
        OutsideTheoryWarning, match=r"`alpha`: at 1.2, below 1.34945, 74.2% of the weights have the other"
    ):
        law = jn.ParetoWeight(0.1, 1.2)
    drawn = law.draw(np.random.default_rng(0), (10_000,))
    assert abs(np.mean(drawn < 0.0) - 0.742) < 4 * math.sqrt(0.742 * 0.258 / 10_000)
    jn.ParetoWeight(0.1, 1.34946)
    one_sign = jn.ParetoWeight(0.1, 1.2, positive=True)
    assert one_sign.draw(np.random.default_rng(0), (10_000,)).min() >= 0.0
    # P(w > y) of x1 (P - 1) with x1 = alpha - 1, far out, over that of the law with its full tail.
    ratio = float(one_sign.tail().weight) / 0.1
    np.testing.assert_allclose(ratio, 0.2 / parts(1.2)[0], rtol=1e-5)


@pytest.mark.parametrize("alpha", [1.2, 1.5, 1.8])
def test_the_sum_of_many_is_stable(alpha):
    """log E exp(iq (w - 1)) at small q: that of the stable law whose sigma^alpha is one spike in tau."""
    with mpmath.workdps(60):
        a, q = mpmath.mpf(alpha), mpmath.mpf(10) ** -12
        x1 = (mpmath.gamma(1 + a) * mpmath.sin(mpmath.pi * a / 2) / (mpmath.pi * a)) ** (1 / a)
        x0, z = 1 - x1 * a / (a - 1), -1j * q * x1
        transform = a * z**a * mpmath.gammainc(-a, z) * mpmath.exp(1j * q * (x0 - 1))
        stable = -(q**a) / 2 * (1 - 1j * mpmath.tan(mpmath.pi * a / 2))
        assert abs(mpmath.log(transform) / stable - 1) < 0.02


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: jn.ParetoWeight(0.1, 1.0), r"`alpha` has to lie in \(1, 2\], where weights have a mean"),
        (lambda: jn.ParetoWeight(0.1, 2.5), "take `LogNormalWeight`"),
        (lambda: jn.ParetoWeight(np.ones(2), 1.5), "`mean` has to be one number"),
        (lambda: jn.MatchedWeight(0.1, to="E"), "`law` has to be a law that weights are drawn from"),
        (lambda: jn.MatchedWeight(jn.LogNormalWeight(0.1, 1.0), to="E", tol=0.0), "`tol` has to be positive"),
        (lambda: drive(jn.NormalWeight(0.1, 0.5)), "for which NormalWeight needs the method `exceeded`"),
        (lambda: drive(jn.MatchedWeight(pareto(0.1, 1.5), to="E")), "cannot be a `MatchedWeight`"),
        (lambda: drive(pareto(0.1, 1.5), counts=jn.counts.GaussianCounts()), "have to be `PoissonCounts"),
    ],
)
def test_bad_laws(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def drive(law, **more):
    return jn.PoissonDrive("E", DELTA, weight=law, n_sources=50, rate=20.0, **more)


@pytest.mark.float32
def test_sources_of_a_drive_keep_their_weights():
    """The mean potential of a neuron without threshold is tau r times the sum of its own sources' weights."""
    law = jn.LogNormalWeight(0.1, cv=1.0)
    one = drive(law)
    table, steps = one.table(1.0), jnp.arange(4_000)
    drawn = np.asarray(jax.jit(lambda k: one.draw(k, steps, 1.0, 30, table))(jax.random.key(0)), float)
    # 50 sources at 0.02 a step: a step's sum has the mean sum(w) 0.02, and over neurons the spread of sums of 50.
    rates = drawn.mean(axis=0) / 0.02 / 50.0
    assert abs(rates.mean() - 1.0) < 4 * math.sqrt(1.0 / 50 / 30 + 2.0 / 80_000 / 30 * 50)
    within = drawn.var(axis=0).mean() / 4_000 / 0.02**2 / 2_500
    assert abs((rates.var(ddof=1) - within) * 50.0 - 1.0) < 4 * math.sqrt(2.0 / 29) * 2.0
    halves = np.corrcoef(drawn[:2_000].mean(axis=0), drawn[2_000:].mean(axis=0))[0, 1]
    assert halves > 0.5


def matched(alpha=1.2, n=300, c_e=240, c_i=60, tol=1e-3, to="E", g=4.0):
    law = pareto(0.02, alpha)
    inhibition = jn.MatchedWeight(pareto(-0.02 * g, alpha), to=to, tol=tol)
    return jn.Network(
        {"E": jn.Population(jn.LIF(), n), "I": jn.Population(jn.LIF(), n // 2)},
        [
            jn.Projection("I", ("E", "I"), DELTA, weight=inhibition, connectivity=jn.FixedInDegree(c_i), delay=1.5),
            jn.Projection("E", ("E", "I"), DELTA, weight=law, connectivity=jn.FixedInDegree(c_e), delay=1.5),
        ],
    )


def excess(wiring, post, c_e=240, c_i=60):
    a, b = (np.asarray(wiring.as_matrix(pre, post), float).sum(axis=1) for pre in ("E", "I"))
    return a / c_e, b / c_i


def test_every_neuron_is_matched_and_the_law_is_kept():
    wiring = jn.wire(matched(), key=jax.random.key(0), delivery=jn.delivery.Sparse())
    for post in ("E", "I"):
        a, b = excess(wiring, post)
        assert np.max(np.abs(a - b)) < 1e-3
        assert np.std(a) > 0.05  # there is something to match
    weights = np.asarray(wiring.operators[0].weights, float)
    x1, x0 = parts(1.2)
    some = np.random.default_rng(0).choice(weights, 10_000, replace=False)
    assert stats.kstest(some, lambda w: 1.0 - np.maximum((w - x0) / x1, 1.0) ** -1.2).pvalue > 0.01
    # Without a match the sums differ a hundred times as much, and the synapses are the same.
    loose = jn.wire(matched(tol=1e9), key=jax.random.key(0), delivery=jn.delivery.Sparse())
    a, b = excess(loose, "E")
    assert np.max(np.abs(a - b)) > 0.1
    np.testing.assert_array_equal(loose.operators[0].targets, wiring.operators[0].targets)
    assert np.mean(np.asarray(loose.operators[0].weights) != weights) < 0.05


def test_a_match_that_cannot_be():
    with pytest.raises(ValueError, match="no projection with drawn weights leads from there to 'E'"):
        jn.wire(matched(n=20, c_e=5, c_i=5, to="X"), key=jax.random.key(0))
    narrow = jn.Network(
        {"E": jn.Population(jn.LIF(), 50)},
        [
            jn.Projection("E", "E", DELTA, weight=law, connectivity=jn.FixedInDegree(10), delay=1.5)
            for law in (pareto(0.1, 1.3), jn.MatchedWeight(jn.NormalWeight(-0.1, cv=1e-3), to="E"))
        ],
    )
    with pytest.raises(ValueError, match=r"`tol` of 0.001 is not met by .* of 50 neurons: the worst reaches"):
        jn.wire(narrow, key=jax.random.key(0))


@pytest.mark.proof
def test_matching_at_the_scale_of_the_network():
    """Sums of 4,000 weights, matched by 1,000 others: all neurons are, the law is kept, and their ratio is one."""
    law, rng, n, c_e, c_i = pareto(1.0, 1.2), np.random.default_rng(0), 4_000, 4_000, 1_000
    weights, targets = law.draw(rng, (n * c_i,)).astype(np.float32), np.repeat(np.arange(n), c_i)
    sums = np.array([law.draw(rng, (c_e,)).sum() for _ in range(n)])
    wanted = SummedWeights(sums, np.full(n, c_e))
    found = jn.MatchedWeight(law, to="E", tol=1e-3).matched(rng, weights, targets, wanted)
    e, i = sums / c_e, np.bincount(targets, weights=found, minlength=n) / c_i
    before = np.bincount(targets, weights=weights, minlength=n) / c_i
    assert np.max(np.abs(e - i)) < 1e-3
    x1, x0 = parts(1.2)
    some = rng.choice(found, 100_000, replace=False).astype(float)
    assert stats.kstest(some, lambda w: 1.0 - np.maximum((w - x0) / x1, 1.0) ** -1.2).pvalue > 0.01
    both = (e > 0.05) & (before > 0.05)
    assert np.std(np.log(e[both] / before[both])) > 10.0 * np.std(np.log(e[both] / i[both]))
