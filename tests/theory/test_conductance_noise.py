"""The conductance neuron with multiplicative noise: numbers, quadrature of (A13) by SciPy, limits, refusals."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import asked_at
from scipy import integrate

import jaxneuro as jn
from jaxneuro.theory import (
    EffectiveNoise,
    ItoNoise,
    StratonovichNoise,
    conductance_cv,
    conductance_density,
    conductance_rate,
)

X64 = jax.config.jax_enable_x64
NEURON = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
RATES = np.array([5.0, 10.0, 20.0])
rate_of = asked_at(4, conductance_rate)
TABLE = {
    "effective": (EffectiveNoise(), ["0.160229", "3.29464", "16.3400"]),
    "ito": (ItoNoise(), ["3.45054", "17.4254", "49.4071"]),
    "stratonovich": (StratonovichNoise(), ["5.27431", "24.6894", "66.2316"]),
}


def by_quad(nu_x, a, k, g, eta, gamma, stratonovich):
    """Equation (A13) as it is printed, with x = tan(phi), by nested adaptive quadrature."""
    r_e, r_i = nu_x / 1000.0, eta * nu_x / 1000.0
    tau = 1.0 / (1.0 / 20.0 + a * k * (r_e + r_i * g * gamma))
    mu = tau * (-80.0 / 20.0 + a * k * r_i * g * gamma * -75.0)
    chi = 1.0 / (r_e + r_i * g**2 * gamma)
    e_s, e_d = chi * r_i * g**2 * gamma * -75.0, chi * np.sqrt(r_e * r_i * g**2 * gamma) * 75.0
    alpha, c = (mu - e_s) / e_d, 2.0 * chi / (a**2 * k * tau)
    power = c - 1.0 if stratonovich else c
    peak, top, low = np.arctan(c * alpha / power), np.arctan((-55.0 - e_s) / e_d), np.arctan((-65.0 - e_s) / e_d)

    def f(phi):
        return -power * np.log(np.cos(phi)) - c * alpha * phi

    def inner(phi):
        points = [peak] if peak < phi else None
        call = dict(points=points, epsabs=0.0, epsrel=1e-11, limit=400)
        return integrate.quad(lambda x: np.exp(f(phi) - f(x)), -np.pi / 2 + 1e-12, phi, **call)[0]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outer = integrate.quad(lambda phi: inner(phi) / np.cos(phi) ** 2, low, top, epsabs=0.0, epsrel=1e-10)[0]
    return 1000.0 / (2.0 + 2.0 * chi / (a**2 * k) * outer)


@pytest.mark.float32
@pytest.mark.parametrize("name", TABLE)
def test_the_table_of_rates_to_all_digits(name):
    noise, printed = TABLE[name]
    rates = rate_of(RATES, **NEURON, noise=noise)
    if X64:
        decimals = [len(p.split(".")[1]) for p in printed]
        assert [f"{rate:.{d}f}" for rate, d in zip(rates, decimals, strict=True)] == printed
    np.testing.assert_allclose(rates, [float(p) for p in printed], rtol=5e-6 if X64 else 5e-4)


HARD = [
    (5.0, 0.01, 1e3, 12.0, 1.8, 0.25),
    (100.0, 0.01, 1e3, 12.0, 0.6, 0.25),
    (1.0, 0.05, 1e3, 12.0, 1.8, 0.25),
    (20.0, 0.1, 1e4, 12.0, 1.8, 0.25),
]


@pytest.mark.skipif(not X64, reason="to 1e-9")
@pytest.mark.parametrize("noise", [ItoNoise(), StratonovichNoise()], ids=["ito", "stratonovich"])
def test_rates_against_nested_quadrature(noise):
    numbers = np.array(HARD).T
    rates = rate_of(numbers[0], **dict(zip(NEURON, numbers[1:], strict=True)), noise=noise)
    right = [by_quad(*row, isinstance(noise, StratonovichNoise)) for row in HARD]
    np.testing.assert_allclose(rates, right, rtol=1e-9)


@pytest.mark.skipif(not X64, reason="all digits")
def test_above_threshold():
    numbers = NEURON | dict(a=1e-3, k=1e4, eta=0.6)
    assert f"{rate_of(20.0, **numbers, noise=ItoNoise()):.3f}" == "253.726"
    assert f"{conductance_cv(20.0, **numbers, noise=ItoNoise()):.6f}" == "0.108806"


@pytest.mark.parametrize("name", TABLE)
def test_density_is_normalised_and_its_flux_is_the_rate(name):
    noise = TABLE[name][0]
    nodes, weights = np.polynomial.legendre.leggauss(40)
    ends = np.array([-140.0, -95.0, -78.0, -65.0, -55.0])
    half = np.diff(ends)[:, None] / 2
    v = ends[:-1, None] + half * (1 + nodes)
    density = conductance_density(v, 20.0, **NEURON, noise=noise)
    rate = float(rate_of(20.0, **NEURON, noise=noise))
    np.testing.assert_allclose(np.sum(half * weights * density), 1.0 - 2e-3 * rate, rtol=1e-7 if X64 else 1e-4)
    if X64 and name != "effective":
        step = 1e-5
        b2 = 0.01**2 * 1e3 * 0.02 * (55.0**2 + 1.8 * 36.0 * 20.0**2)
        slope = float(conductance_density(-55.0 - step, 20.0, **NEURON, noise=noise)) / step
        np.testing.assert_allclose(0.5 * b2 * slope, rate / 1000.0, rtol=1e-4)


VARIED = ["nu_x", *NEURON, "v_th", "v_reset"]
AT = np.array([7.0, 0.01, 1_000.0, 12.0, 1.8, 0.25, -55.0, -65.0])
MANY = 40


@eqx.filter_jit
def rates_and_slopes(at, noise):
    """The rates at `MANY` neurons and their slopes by all that `VARIED` names: one program a theory."""
    return jax.vmap(jax.value_and_grad(lambda x: conductance_rate(**dict(zip(VARIED, x, strict=True)), noise=noise)))(
        at
    )


# In float32 one theory is enough: of the other a power differs by one.
@pytest.mark.parametrize("noise", [pytest.param(ItoNoise(), marks=pytest.mark.float32), StratonovichNoise()], ids=str)
def test_finite_from_silence_to_saturation(noise):
    at = jnp.asarray(np.tile(AT, (MANY, 1))).at[:, 0].set(np.geomspace(0.3, 1e5, MANY))
    rates, slopes = rates_and_slopes(at, noise)
    assert np.all(np.isfinite(rates))
    assert rates[0] < 1e-20
    assert rates[-1] > 400.0
    assert np.all(np.isfinite(slopes))


@pytest.mark.float32
def test_far_above_threshold_with_little_noise_and_beyond_one_reversal_potential():
    """The rate of a membrane without noise, t_ref + tau log((mu - v_reset)/(mu - v_th)); the last has g = 0."""
    a, k, g = np.array([1e-4, 1e-3, 1e-3]), np.array([1e6, 1e4, 1e5]), np.array([1.0, 0.5, 0.0])
    rate = rate_of(20.0, a=a, k=k, g=g, eta=0.5, gamma=0.25, noise=ItoNoise())
    opened = a * k * 0.02 * np.stack([np.ones(3), 0.125 * g])
    tau = 1.0 / (0.05 + opened.sum(0))
    mu = tau * (-4.0 - 75.0 * opened[1])
    np.testing.assert_allclose(rate, 1000.0 / (2.0 + tau * np.log((mu + 65.0) / (mu + 55.0))), rtol=2e-3)


@pytest.mark.skipif(not X64, reason="differences of rates")
@pytest.mark.parametrize("noise", [ItoNoise(), StratonovichNoise()], ids=str)
def test_gradients_against_differences(noise):
    steps = 1e-5 * np.abs(AT)
    ends = AT + np.concatenate([np.diag(steps), -np.diag(steps)])
    values, slopes = rates_and_slopes(jnp.asarray(np.resize(np.vstack([AT, ends]), (MANY, 8))), noise)
    np.testing.assert_allclose(slopes[0], (values[1:9] - values[9:17]) / (2 * steps), rtol=1e-6)


@pytest.mark.skipif(not X64, reason="a rate of 1e-39 Hz")
def test_without_inhibition_and_at_many_inputs():
    at = np.tile(AT, (MANY, 1))
    at[:, 0], at[:, 4], at[:3, 3] = 0.9, 1.0, (0.0, 1e-7, 1e-6)
    rates, slopes = rates_and_slopes(jnp.asarray(at), ItoNoise())
    assert rates[0] > 0
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-5)
    np.testing.assert_allclose(slopes[0, 3], slopes[2, 3], rtol=1e-4)
    assert 0 < rate_of(20.0, **NEURON | dict(a=2e-4, k=1e12), noise=ItoNoise()) < 1e-20


@pytest.mark.skipif(not X64, reason="reversal potentials of 1e6 mV")
@pytest.mark.parametrize("name", TABLE)
def test_far_reversal_potentials_are_currents(name):
    """At a E fixed, conductances tend to currents: equation (8) and the LIF rate of white noise."""
    e, jump = 1e6, 0.1
    far = dict(a=jump / e, k=1_000, g=5.0, eta=1.0, gamma=0.25, v_rest=0.0, v_th=20.0, v_reset=10.0, e_e=e, e_i=-e)
    nu_x = np.array([20.0])
    mu = 20.0 * jump * 1_000 * nu_x / 1000.0 * (1.0 - 1.25)
    sigma = np.sqrt(20.0 * jump**2 * 1_000 * nu_x / 1000.0 * (1.0 + 25.0 * 0.25))
    right = jn.theory.lif_rate(mu, sigma, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    np.testing.assert_allclose(conductance_rate(nu_x, **far, noise=TABLE[name][0]), right, rtol=2e-3)


NETWORK = dict(zip(TABLE, ["21.650", "23.171", "24.517"], strict=True))


@pytest.mark.skipif(not X64, reason="all digits")
@pytest.mark.parametrize("name", TABLE)
def test_the_rate_of_the_network_is_self_consistent_to_all_digits(name):
    noise, nu = TABLE[name][0], float(NETWORK[name])

    def missed(nu):
        at = dict(a=0.0016, k=1_000, g=20.0, eta=nu / (20.0 + nu), gamma=0.25)
        return float(rate_of(20.0 + nu, **at, noise=noise)) - nu

    assert missed(nu - 5.1e-4) > 0.0 > missed(nu + 5.1e-4)


@pytest.mark.skipif(not X64, reason="all digits")
@pytest.mark.parametrize("name", TABLE)
def test_the_theory_reads_that_rate_from_the_network(name):
    noise, nu = TABLE[name][0], float(NETWORK[name])
    net = jn.networks.conductance_based(a=0.0016, k=1_000, g=20.0, gamma=0.25, nu_x=20.0)

    @jax.jit
    def missed(nu):
        return noise.rate(jn.theory.afferents(net, {"E": nu, "I": nu})["E"]) - nu

    assert missed(nu - 5.1e-4) > 0.0 > missed(nu + 5.1e-4)


@pytest.mark.proof
@pytest.mark.skipif(not X64, reason="all digits")
@pytest.mark.parametrize("name", TABLE)
def test_rates_of_the_network(name):
    net = jn.networks.conductance_based(a=0.0016, k=1_000, g=20.0, gamma=0.25, nu_x=20.0)
    assert f"{float(jn.theory.mean_field(net, noise=TABLE[name][0]).rate['E']):.3f}" == NETWORK[name]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(a=-0.1), "`a` must not be negative"),
        (dict(k=float("nan")), "`k` has to be finite"),
        (dict(nu_x=-1.0), "`nu_x` must not be negative"),
        (dict(gamma=np.ones(2), g=np.ones(3)), "The lengths do not fit: `g`"),
        (dict(e_i=10.0), "`e_i` has to lie below `e_e`"),
        (dict(v_reset=-50.0), "`v_reset` has to lie below `v_th`"),
        (dict(noise="ito"), "`noise` has to be a theory of the noise"),
        (dict(eta="x"), "`eta` has to be a real number"),
    ],
)
def test_refusals(as_users_run, change, says):
    with pytest.raises(ValueError, match=says):
        conductance_rate(**dict(nu_x=20.0) | NEURON | change)


def test_a_refused_number_ends_the_sentence_with_one_dot():
    with pytest.raises(ValueError, match=r"got -1\.0\.$"):
        conductance_rate(-1.0, **NEURON)


def test_bad_numbers_under_jit_are_nan_in_their_own_place():
    rates = jax.jit(lambda a: conductance_rate(20.0, **NEURON | dict(a=a)))(jnp.asarray([0.01, -0.01, jnp.nan]))
    assert np.isfinite(rates[0])
    assert np.all(np.isnan(rates[1:]))
