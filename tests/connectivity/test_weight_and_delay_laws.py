"""Laws of weights and delays: moments of what is drawn, quadratures, draws, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

import jaxneuro as jn
from jaxneuro.connectivity import Group, Points
from jaxneuro.connectivity._delay_laws import as_delay

X64 = jnp.result_type(float) == jnp.float64
RTOL = 1e-9 if X64 else 2e-5


def truncated(mean, sd):
    """The normal law cut at 0, on the side of its mean, by SciPy."""
    low, high = (0.0, np.inf) if mean > 0 else (-np.inf, 0.0)
    return stats.truncnorm((low - mean) / sd, (high - mean) / sd, loc=mean, scale=sd)


def lognormal(mean, cv):
    s = np.sqrt(np.log1p(cv**2))
    return stats.lognorm(s, scale=abs(mean) * np.exp(-(s**2) / 2))


NORMAL = [(0.3, 0.1), (0.3, 0.5), (-0.5, 1.0), (2.0, 5.0), (0.1, 0.01)]


@pytest.mark.float32
@pytest.mark.parametrize(("mean", "cv"), NORMAL)
def test_a_normal_weight_has_the_moments_of_its_cut_law(mean, cv):
    exact = truncated(mean, abs(mean) * cv)
    for law in (jn.NormalWeight(mean, cv), jn.NormalWeight(mean, sd=abs(mean) * cv)):
        found, (values, p) = law.moments(), law.nodes(64)
        np.testing.assert_allclose([found.mean, found.variance], [exact.mean(), exact.var()], rtol=max(RTOL, 1e-7))
        np.testing.assert_allclose(jnp.sum(p * values), exact.mean(), rtol=max(RTOL, 1e-7))
        np.testing.assert_allclose(jnp.sum(p * values**3), exact.moment(3), rtol=max(10 * RTOL, 1e-6))
    drawn = jn.NormalWeight(mean, cv).draw(np.random.default_rng(0), (40_000,))
    assert (drawn * mean > 0).all()
    assert abs(drawn.mean() - exact.mean()) < 4 * exact.std() / 200
    assert stats.kstest(drawn, exact.cdf).pvalue > 1e-4


@pytest.mark.parametrize(("mean", "cv"), [(0.1, 0.5), (-0.4, 1.5), (2.0, 0.0)])
def test_a_lognormal_weight_has_its_moments(mean, cv):
    law = jn.LogNormalWeight(mean, cv)
    found, (values, p) = law.moments(), law.nodes(40)
    np.testing.assert_allclose([found.mean, found.variance], [mean, (mean * cv) ** 2], rtol=RTOL)
    np.testing.assert_allclose(jnp.sum(p * values**2), mean**2 * (1 + cv**2), rtol=max(RTOL, 1e-6))
    drawn = law.draw(np.random.default_rng(0), (40_000,))
    assert (drawn * mean > 0).all()
    if cv:
        assert stats.kstest(np.abs(drawn), lognormal(mean, cv).cdf).pvalue > 1e-4


@pytest.mark.float32
def test_moments_of_laws_have_derivatives_everywhere():
    def both(law):
        return lambda mean, cv: law(mean, cv).moments().mean + law(mean, cv).moments().variance

    for law in (jn.NormalWeight, jn.LogNormalWeight):
        for mean, cv in ((0.3, 0.5), (-0.5, 2.0)):
            slopes = jax.grad(both(law), argnums=(0, 1))(mean, cv)
            h = 1e-5 if X64 else 1e-2
            expected = [
                (both(law)(mean + h, cv) - both(law)(mean - h, cv)) / (2 * h),
                (both(law)(mean, cv + h) - both(law)(mean, cv - h)) / (2 * h),
            ]
            np.testing.assert_allclose(slopes, expected, rtol=1e-6 if X64 else 2e-2)
        assert np.isfinite(
            jax.vmap(jax.grad(both(law), argnums=1))(jnp.ones(4), jnp.asarray([0.0, 1e-3, 0.02, 0.07]))
        ).all()
        assert jax.grad(lambda c, law=law: jnp.sum(law(1.0, c).nodes(8).values))(0.0) < jnp.inf


DELAYS = [
    (jn.NormalDelay(1.5, 0.75, low=0.1, high=4.0), stats.norm(1.5, 0.75)),
    (jn.NormalDelay(2.0, 0.01, low=0.0, high=30.0), stats.norm(2.0, 0.01)),
    (jn.LogNormalDelay(2.0, 0.8, low=0.5, high=6.0), lognormal(2.0, 0.8)),
    (jn.LogNormalDelay(2.0, 0.3, low=0.0, high=20.0), lognormal(2.0, 0.3)),
    (jn.UniformDelay(0.5, 2.5), stats.uniform(0.5, 2.0)),
]


@pytest.mark.parametrize(("delay", "law"), DELAYS, ids=lambda x: type(x).__name__)
def test_delays_stay_within_their_bounds_and_have_their_means(delay, law):
    mass = law.cdf(delay.high) - law.cdf(delay.low)
    drawn = delay.draw(np.random.default_rng(0), (20_000,))
    assert delay.low <= drawn.min() <= drawn.max() <= delay.high
    assert stats.kstest(drawn, lambda d: (law.cdf(d) - law.cdf(delay.low)) / mass).pvalue > 1e-4
    center = law.mean()

    def mean_of(function):
        return integrate.quad(
            lambda d: function(d) * law.pdf(d) / mass, delay.low, delay.high, points=[center], limit=500
        )[0]

    np.testing.assert_allclose(delay.mean, mean_of(lambda d: d), rtol=1e-7)
    growth = 0.1 + 1.3j
    expected = mean_of(lambda d: np.exp(-growth * d).real) + 1j * mean_of(lambda d: np.exp(-growth * d).imag)
    np.testing.assert_allclose(delay.characteristic(jnp.asarray(growth)), expected, rtol=1e-7)


def test_bounds_of_delays_are_part_of_the_program_and_fit_16_bits():
    """No bound is a leaf, which a transformation could take from Python; the most is 32,767 steps."""
    assert [len(jax.tree.leaves(law)) for law in (as_delay(1.5), *(d for d, _ in DELAYS))] == [0, 2, 2, 2, 2, 0]
    assert jn.UniformDelay(0.5, 32_767.0).steps("delay", 1.0).most == 32_767
    with pytest.raises(ValueError, match=r"`delay.high` is 32,768 steps of dt; at most 32,767"):
        jn.UniformDelay(0.5, 32_768.0).steps("delay", 1.0)


def test_distances_are_euclidean_with_derivatives():
    here, there = Points([[0.0, 0.0], [1.0, 1.0]]), Points([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(here.distances(there), [[5, 0, 1], [np.sqrt(13), np.sqrt(2), 1]], rtol=1e-6)
    np.testing.assert_allclose(here.distances(there, np.array([1])), [[np.sqrt(13), np.sqrt(2), 1]], rtol=1e-6)
    slope = jax.grad(lambda s: jnp.sum(Points(s * here.coordinates).distances(Points(s * there.coordinates))))(1.0)
    np.testing.assert_allclose(slope, jnp.sum(here.distances(there)), rtol=1e-6)


def test_moments_of_rules():
    def moments(rule, n=200, recurrent=False):
        found = rule.in_degree(Group(n), Group(50), recurrent)
        return float(found.mean), float(found.variance)

    assert moments(jn.FixedInDegree(30)) == (30.0, 0.0)
    assert moments(jn.AllToAll(), recurrent=True) == (199.0, 0.0)
    np.testing.assert_allclose(moments(jn.Bernoulli(0.25)), (50.0, 37.5), rtol=1e-6)
    np.testing.assert_allclose(moments(jn.GaussianInDegree(60, cv=0.2)), (60.0, 144.0), rtol=1e-6)
    with pytest.raises(ValueError, match="give it its `n`"):
        jn.Bernoulli(0.1).in_degree(Group(None), Group(5), False)


def one(weight=0.1, synapse=None, rule=None, delay=1.0):
    rule = jn.FixedInDegree(3) if rule is None else rule
    return jn.Projection("E", "E", synapse or jn.DeltaCurrent(), weight=weight, connectivity=rule, delay=delay)


LAW, CONDUCTANCE = jn.LogNormalWeight(-0.1, 0.5), jn.DeltaConductance(0.0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: one(LAW, CONDUCTANCE), "`weight` of a conductance must not be negative; got a `LogNormalWeight`"),
        (lambda: one(LAW, jn.ExponentialConductance(5.0, reversal=0.0)), "`weight` of a conductance"),
        (lambda: one(LAW, jn.StochasticRelease(jn.DeltaCurrent(), n_sites=5, p=0.3)), "needs counts of spikes"),
        (lambda: one(jn.LogNormalWeight(0.1, 0.5), jn.DeltaConductance(0.0, jump=jn.FirstOrderJump())), "needs counts"),
        (lambda: one(LAW, rule=jn.Weights(np.ones((2, 2)))), "of given weights is one number"),
        (lambda: jn.NormalWeight(0.1), "either `cv` or `sd`"),
        (lambda: jn.NormalWeight(0.1, 0.5, sd=0.1), "either `cv` or `sd`"),
        (lambda: jn.NormalWeight(0.0, sd=0.1), "`mean` of 0 has no sign"),
        (lambda: jn.NormalWeight(0.1, -0.5), "`cv` must not be negative"),
        (lambda: jn.LogNormalWeight(np.array([0.1, 0.2]), 0.5), r"`mean` has to be one number; got shape \(2,\)"),
        (lambda: jn.NormalDelay(1.0, 0.0, low=0.1, high=2.0), "`sd` has to be positive"),
        (lambda: jn.NormalDelay(50.0, 1.0, low=0.1, high=2.0), "widen them"),
        (lambda: jn.LogNormalDelay(1.0, 0.5, low=2.0, high=1.0), "need 0 <= low <= high > 0"),
        (lambda: one(delay=jn.TrainableDelay(1.0, low=1.0, high=2.0)), "only with given weights"),
        (lambda: one(rule=jn.Weights(np.ones((2, 2))), delay=DELAYS[0][0]), "not a `NormalDelay`"),
        (lambda: jn.Population(jn.LIF(), 3, positions=np.zeros((4, 2))), "`n` is 3, and `positions` are of 4 neurons"),
        (lambda: jn.Population(jn.LIF(), positions=np.zeros((0, 2))), r"`positions` has to be \(n, d\)"),
        (lambda: jn.Population(jn.LIF(), positions=[[np.nan]]), "`positions` has to be finite"),
    ],
)
def test_one_clear_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
