"""Rates over neurons of different in-degree, against NumPy and SciPy; and the escape over any energy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, special

import jaxneuro as jn
from jaxneuro.theory import (
    EffectiveNoise,
    critical_heterogeneity,
    escape_rate,
    kramers_rate,
    lif_log_rate,
    rate_distribution,
)
from jaxneuro.theory._rate_distribution import _solve as solve_distribution
from jaxneuro.theory._unknowns import groups_of

X64 = jax.config.jax_enable_x64


def net(cv):
    lif = jn.LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    excitatory, inhibitory = jn.DeltaConductance(reversal=0.0), jn.DeltaConductance(reversal=-75.0)
    many, few = jn.GaussianInDegree(1_000, cv=cv), jn.GaussianInDegree(250, cv=cv)
    both = ("E", "I")
    return jn.Network(
        {"E": jn.Population(lif, 10_000), "I": jn.Population(lif, 2_500), "X": jn.Population(jn.Poisson(25.0), 10_000)},
        projections=[
            jn.Projection("E", both, excitatory, weight=0.0016, connectivity=many, delay=1.0),
            jn.Projection("X", both, excitatory, weight=0.0016, connectivity=many, delay=1.0),
            jn.Projection("I", both, inhibitory, weight=0.032, connectivity=few, delay=1.0),
        ],
    )


def rates(nu, variance, z_e, z_i, cv):
    """The effective rate of neurons with quenched numbers z_E, z_I, equations (F1), (5), (6), (10)."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    r_e = nu + 25.0 + z_e * np.sqrt(cv**2 * (nu**2 + 25.0**2) + variance / 1_000.0)
    r_i = nu + z_i * np.sqrt(cv**2 * nu**2 + variance / 250.0)
    r_e, r_i = np.maximum(r_e, 0.0) / 1000.0, np.maximum(r_i, 0.0) / 1000.0
    tau = 1.0 / (1.0 / 20.0 + 1.6 * (r_e + 5.0 * r_i))
    mu = tau * (-4.0 - 1.6 * 5.0 * 75.0 * r_i)
    sigma = np.sqrt(0.0016**2 * 1_000.0 * tau * (r_e * mu**2 + 100.0 * r_i * (mu + 75.0) ** 2))
    low, top = (-65.0 - mu) / sigma, (-55.0 - mu) / sigma
    x = low[..., None] + (top - low)[..., None] * 0.5 * (1.0 + nodes)
    integral = np.sum(weights * special.erfcx(-x), axis=-1) * 0.5 * (top - low)
    return 1000.0 / (2.0 + tau * np.sqrt(np.pi) * integral)


@pytest.mark.skipif(not X64, reason="digits")
def test_self_consistent_mean_and_sd():
    found = rate_distribution(net(0.05))
    mean, sd = float(found.mean), float(found.sd)
    # What NumPy finds by iteration of the spread; the third step is sometimes quoted, 35.1725 and 0.58235.
    steps = iterated(9)
    np.testing.assert_allclose(steps[2], (35.1725, 0.58235), rtol=5e-6)
    np.testing.assert_allclose((mean, sd / mean), steps[-1], rtol=1e-5)
    # A sample of neurons is what these say of themselves.
    z = np.random.default_rng(0).standard_normal((2, 20_000))
    sample = rates(mean, sd**2, *z, 0.05)
    assert abs(sample.mean() - mean) < 4.0 * sd / np.sqrt(20_000)
    assert abs(np.mean(sample < 20.0) - found.fraction_below(20.0)) < 4.0 * 0.5 / np.sqrt(20_000)
    difference = (found.fraction_below(20.1) - found.fraction_below(19.9)) / 0.2
    np.testing.assert_allclose(found.pdf(20.0), difference, rtol=1e-3)
    assert abs(np.mean(np.exp(-0.1 * sample)) - found.fraction_silent(100.0)) < 4.0 * 0.5 / np.sqrt(20_000)
    assert abs(np.mean(sample < float(found.quantile(0.9))) - 0.9) < 4.0 * 0.3 / np.sqrt(20_000)
    np.testing.assert_allclose(found.fraction_below(found.quantile(0.9)), 0.9, rtol=1e-11)
    np.testing.assert_allclose(jax.grad(found.fraction_below)(20.0), found.pdf(20.0), rtol=1e-9)
    drawn = found.sample(20_000, key=jax.random.key(0))
    assert abs(drawn.rate.mean() - mean) < 4.0 * sd / np.sqrt(20_000)
    assert abs(drawn.cv.mean() - found.cv_mean) < 4.0 * float(found.cv_sd) / np.sqrt(20_000)
    # (F5) against differences, at the rate of equal neurons; it is far from the slope of the rate itself here.
    right = np.hypot(*(exponent_slope(float(found.homogeneous), i) for i in (0, 1)))
    np.testing.assert_allclose(found.gamma, right, rtol=1e-6)
    np.testing.assert_allclose(found.gamma / found.log_slope, 1.530, atol=5e-4)
    lognormal = np.exp(np.log(float(found.homogeneous)) + right**2 / 2.0)
    np.testing.assert_allclose(found.lognormal_mean, lognormal, rtol=1e-6)
    np.testing.assert_allclose(found.lognormal_sd, lognormal * np.sqrt(np.expm1(right**2)), rtol=1e-6)


def iterated(steps):
    """The mean and sd/mean of Fig. 4 by (F2), from equal neurons on: of each spread the mean that goes with it."""
    z, weights = np.polynomial.hermite_e.hermegauss(20)
    pairs, weights = np.meshgrid(z, z), np.outer(weights, weights) / weights.sum() ** 2
    found, variance = [], 0.0
    for _ in range(steps):

        def mean_of(nu, spread=variance):
            return np.sum(weights * rates(nu, spread, *pairs, 0.05))

        nu = optimize.brentq(lambda x, mean_of=mean_of: mean_of(x) - x, 10.0, 100.0)
        variance = np.sum(weights * (rates(nu, variance, *pairs, 0.05) - nu) ** 2)
        found.append((nu, np.sqrt(variance) / nu))
    return found


def exponent_slope(nu, which, step=1e-5):
    """d v_max^2/dz by z_E or z_I at 0, CV_K 0.05, Fig. 4."""

    def exponent(z):
        r_e, r_i = nu + 25.0, nu
        r_e, r_i = ((r_e + z * 0.05 * np.hypot(nu, 25.0), r_i), (r_e, r_i + z * 0.05 * nu))[which]
        tau = 1.0 / (1.0 / 20.0 + 1.6e-3 * (r_e + 5.0 * r_i))
        mu = tau * (-4.0 - 1.6e-3 * 5.0 * 75.0 * r_i)
        return (-55.0 - mu) ** 2 / (0.0016**2 * tau * (r_e * mu**2 + 100.0 * r_i * (mu + 75.0) ** 2))

    return (exponent(step) - exponent(-step)) / (2.0 * step)


MADE_INSIDE = {
    "at once": lambda x: jn.networks.conductance_based(nu_x=x, cv_k=jnp.asarray(0.05), k=jnp.asarray(1e3)),
    "filtered": lambda x: jn.networks.conductance_based(nu_x=25.0, cv_k=0.05, tau_s=x),
    "efficacies": lambda x: jn.networks.conductance_based(a=x, g=20.0),
    "currents": lambda x: jn.networks.brunel(g=x),
}


@pytest.mark.parametrize("name", MADE_INSIDE)
def test_a_network_made_inside_a_jit_still_has_equal_neurons(name):
    """Numbers in a jit are known to be equal where they are the same object: E and I cells share one model."""
    seen = []
    jax.eval_shape(lambda x: seen.append(groups_of(MADE_INSIDE[name](x), ("E", "I"))), 0.01)
    assert seen == [(("E", "I"),)]


def test_neurons_that_only_a_jit_could_compare_are_refused_with_the_reason():
    def apart(x):
        cells = {n: jn.Population(jn.LIF(tau_m=x + 0.0 * i), 100) for i, n in enumerate("EI")}
        spikes = [jn.PoissonDrive(("E", "I"), jn.DeltaConductance(0.0), weight=0.01, n_sources=100, rate=10.0)]
        return rate_distribution(jn.Network(cells, drives=spikes)).mean

    with pytest.raises(ValueError, match=r"differ between E, I.* `jax.jit` alone knows are equal where they are one"):
        jax.eval_shape(apart, 20.0)


@pytest.mark.skipif(not X64, reason="digits")
def test_gamma_and_the_slope_of_the_rate_come_together_as_a_falls():
    like = jn.networks.conductance_based(a=5e-4, k=1e5, g=20.0)
    k = jnp.asarray([1e5, 1e6, 1e8])

    def ratio(a, k):
        seen = rate_distribution(jn.networks.conductance_based(a=a, k=k, g=20.0, nu_x=1.0, cv_k=1e-3))
        return seen.gamma / seen.log_slope

    found = jax.vmap(ratio)(jn.theory.scale_efficacy(k, like=like), k)
    np.testing.assert_allclose(found, [1.134, 1.092, 1.056], atol=6e-4)


@pytest.mark.proof
@pytest.mark.skipif(not X64, reason="digits")
def test_gamma_of_many_inputs():
    many = rate_distribution(jn.networks.conductance_based(a=5e-4, k=1e7, g=20.0, nu_x=20.0, cv_k=1e-3))
    np.testing.assert_allclose(many.gamma / 1e-3, 86.21, atol=0.01)


@pytest.mark.skipif(not X64, reason="digits")
def test_critical_heterogeneity():
    found = critical_heterogeneity(net(0.0))
    z = np.random.default_rng(1).standard_normal((2, 50_000))
    sample = rates(float(found.mean), float(found.sd) ** 2, *z, float(found.cv_k))
    assert abs(np.mean(sample < 1e-3) - 0.01) < 4.0 * np.sqrt(0.01 * 0.99 / 50_000)
    assert abs(sample.mean() - found.mean) < 4.0 * float(found.sd) / np.sqrt(50_000)


@pytest.mark.skipif(not X64, reason="digits")
def test_no_answer_says_why():
    """With slow synapses at many inputs neurons of equal in-degrees hear rates that differ enough."""
    slow = jn.theory.EffectiveNoise(jn.theory.LongFilter())

    @jax.jit
    def found(k):
        a = 0.0016 * jnp.sqrt(1e3 / k)
        return critical_heterogeneity(jn.networks.conductance_based(a=a, k=k, nu_x=25.0, tau_s=20.0), noise=slow)

    few, many = found(1e3), found(1e4)
    np.testing.assert_allclose(few.cv_k, 0.0377, atol=5e-5)
    assert bool(few.result == jn.Result.successful)
    assert bool(many.result == jn.Result.already_slow)
    assert np.isnan([many.cv_k, many.mean, many.sd]).all()


@pytest.mark.slow
@pytest.mark.skipif(not X64, reason="digits")
def test_slow_synapses_are_more_sensitive():
    """(G14), (G15), corrected: the sd of the exponent v_max^2 tau_s/tau, at the rate of equal neurons by (G11)."""
    long = jn.theory.EffectiveNoise(jn.theory.LongFilter())
    net = jn.networks.conductance_based(a=0.0016, k=1_000, g=20.0, nu_x=100.0, cv_k=1e-3, tau_s=10.0)

    @jax.jit
    def found():
        seen = rate_distribution(net, noise=long)
        return seen.homogeneous, seen.gamma, seen.result

    nu, gamma, result = found()
    nu = float(nu)
    np.testing.assert_allclose(nu, 105.07, rtol=1e-3)
    # Neurons answer differences in their inputs with larger ones in their rates: no spread is that of its own inputs.
    assert result == jn.Result.no_fixed_point

    def exponent(r_e, r_i):
        tau = 1.0 / (1.0 / 20.0 + 1.6e-3 * (r_e + 5.0 * r_i))
        mu = tau * (-4.0 - 1.6e-3 * 5.0 * 75.0 * r_i)
        variance = 0.0016**2 * tau * (r_e * mu**2 + 100.0 * r_i * (mu + 75.0) ** 2)
        return (-55.0 - mu) ** 2 / variance * 10.0 / tau

    by_e = (exponent(nu + 100.001, nu) - exponent(nu + 99.999, nu)) / 0.002
    by_i = (exponent(nu + 100.0, nu + 0.001) - exponent(nu + 100.0, nu - 0.001)) / 0.002
    right = 1e-3 * np.hypot(by_e * np.hypot(nu, 100.0), by_i * nu)
    np.testing.assert_allclose(gamma, right, rtol=1e-5)


@pytest.mark.skipif(not X64, reason="a time of 1e4 s")
def test_escape_of_an_exponential_neuron():
    def eif(v):
        return -65.0 - v + 2.0 * jnp.exp((v + 55.0) / 2.0)

    rate = escape_rate(eif, 3.0, tau=5.0, t_ref=0.0, low=-80.0, middle=-60.0, high=-40.0)
    assert round(1.0 / float(rate)) == 53_045


@pytest.mark.skipif(not X64, reason="to 1e-9")
def test_escape_over_a_cubic_energy():
    """V - V^3/3 about -1 and 1: the barrier is 4/3 and both bends are 2."""
    rate = escape_rate(lambda v: v**2 - 1.0, 0.7, tau=3.0, t_ref=1.0, low=-2.0, middle=0.0, high=2.0)
    time = 2.0 * np.pi * 3.0 / 2.0 * np.exp(2.0 * (4.0 / 3.0) / 0.49)
    np.testing.assert_allclose(rate, 1000.0 / (1.0 + time), rtol=1e-9)
    assert float(kramers_rate(0.0, 1.0, tau=3.0, v_th=3.0, t_ref=1.0)) > 0.0


def test_refusals(as_users_run):
    with pytest.raises(ValueError, match="`force` has to be positive at `low`"):
        escape_rate(lambda v: -v, 1.0, tau=1.0, t_ref=0.0, low=-1.0, middle=0.5, high=1.0)
    with pytest.raises(ValueError, match="`net` has to be a Network"):
        rate_distribution(3.0)
    with pytest.raises(ValueError, match="`noise` has to be a theory of the noise"):
        critical_heterogeneity(net(0.0), noise="ito")
    with pytest.raises(ValueError, match="`fraction` has to lie between 0 and 1/2"):
        critical_heterogeneity(net(0.0), fraction=0.7)
    with pytest.raises(ValueError, match="`rate` has to be positive"):
        critical_heterogeneity(net(0.0), rate=-1.0)
    with pytest.raises(ValueError, match="neurons that differ between E, I"):
        critical_heterogeneity(jn.networks.conductance_based(g=(20.0, 19.0)))


CUBIC = dict(force=lambda v: v**2 - 1.0, sigma=0.7, tau=3.0, t_ref=1.0, low=-2.0, middle=0.0, high=2.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(force="-v"), "`force` has to be a function of the potential; got '-v'"),
        (dict(force=lambda v: np.square(v) - 1.0), "`force` has to be written with `jax.numpy`"),
        (dict(force=lambda v: -v if abs(v) < 1.0 else v), "`force` has to be written with `jax.numpy`"),
        (dict(sigma=[3.0, 4.0]), r"`sigma` has to be one number; got shape \(2,\)"),
        (dict(low=2.0, high=-2.0), "`low`, `middle` and `high` have to rise; got 2.0, 0.0 and -2.0"),
        (dict(low=-1.0), r"`force` has to be positive at `low`, .* at -1.0, 0.0 and 2.0 mV it is \[0.0, -1.0, 3.0\]"),
        (dict(middle=1.0), r"`force` has to be positive at `low`, negative at `middle`"),
        (dict(high=1.0), r"`force` has to be positive at `low`, .* it is \[3.0, -1.0, 0.0\]"),
    ],
)
def test_refusals_of_escape(as_users_run, change, says):
    with pytest.raises(ValueError, match=says):
        escape_rate(**CUBIC | change)


class Louder(jn.theory.AbstractNoise):
    """Noise of 1.1 times the strength, in closed form; as a dear theory it names a cheap one like it."""

    dear: bool = eqx.field(static=True)

    def rate(self, seen):
        return jnp.exp(self.log_rate(seen))

    def log_rate(self, seen):
        at, own = seen_as(seen), seen.membrane()
        return lif_log_rate(at.mu, 1.1 * at.sigma, tau=at.tau, v_th=own.v_th, v_reset=own.v_reset, t_ref=own.t_ref)

    def cheap(self):
        return EffectiveNoise() if self.dear else None


def seen_as(seen):
    return EffectiveNoise().summary(seen)


def test_a_dear_theory_is_asked_at_few_neurons_only():
    """What it adds to the log rates of a cheap one is a polynomial over neurons: as if every neuron were asked."""
    given, start = net(0.05), jnp.asarray(35.0)
    dear, every = (solve_distribution(given, Louder(dear), start) for dear in (True, False))
    # To 1e-4, which is what rates by shot noise are right to.
    np.testing.assert_allclose((dear.mean, dear.sd), (every.mean, every.sd), rtol=1e-4)
    np.testing.assert_allclose(dear.fraction_below(20.0), every.fraction_below(20.0), rtol=1e-4)
    assert dear.result == every.result == jn.Result.successful


@pytest.mark.float32
@pytest.mark.skipif(X64, reason="float32 alone")
def test_mean_and_sd_in_float32():
    found = solve_distribution(net(0.05), EffectiveNoise(), jnp.asarray(35.0))
    np.testing.assert_allclose((found.mean, found.sd / found.mean), iterated(9)[-1], rtol=2e-3)


@pytest.mark.proof
@pytest.mark.skipif(not X64, reason="one type is enough")
def test_runs_of_spikes_against_the_distribution_by_shot_noise():
    """2,000 neurons of Fig. 4 with numbers z_E, z_I of their own, each from spike to spike of its input, in NumPy."""
    found = rate_distribution(net(0.05), noise=jn.theory.ShotNoise(jn.FirstOrderJump()))
    nu, sd = float(found.mean), float(found.sd)
    rng = np.random.default_rng(5)
    z_e, z_i = rng.standard_normal((2, 2_000))
    r_e = nu + 25.0 + z_e * np.sqrt(0.05**2 * (nu**2 + 25.0**2) + sd**2 / 1_000.0)
    r_i = nu + z_i * np.sqrt(0.05**2 * nu**2 + sd**2 / 250.0)
    r_i = r_i / 4.0  # of both, spikes a ms: 1,000 sources a neuron, or 250, at r Hz
    v, spikes, time, events = np.full(2_000, -65.0), np.zeros(2_000), np.zeros(2_000), 70_000
    for event in range(events):
        wait = rng.exponential(1.0, 2_000) / (r_e + r_i)
        v = -80.0 + (v + 80.0) * np.exp(-wait / 20.0)
        v = np.where(rng.random(2_000) < r_e / (r_e + r_i), v - 0.0016 * v, v + 0.032 * (-75.0 - v))
        fired = v >= -55.0
        v = np.where(fired, -65.0, v)
        if event >= events // 10:
            spikes, time = spikes + fired, time + wait
    rates = 1000.0 * spikes / (time + 2.0 * spikes)
    assert abs(rates.mean() - nu) < 4.0 * sd / np.sqrt(2_000)
    # A count of 35 spikes has a spread of its own, at most that of a Poisson count; a spread has that of a normal one.
    poisson = np.mean(1000.0 * rates / (time + 2.0 * spikes))
    assert sd * (1.0 - 4.0 / np.sqrt(4_000)) < rates.std() < np.sqrt(sd**2 + poisson) * (1.0 + 4.0 / np.sqrt(4_000))
