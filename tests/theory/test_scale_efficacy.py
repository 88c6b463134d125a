"""Scalings of efficacy and in-degree, against the equations written out and solved by SciPy, and what they preserve."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize

import jaxneuro as jn
from jaxneuro.theory import (
    EffectiveNoise,
    FullResponse,
    ItoNoise,
    ShotNoise,
    StratonovichNoise,
    StrongCoupling,
    conductance_rate,
    network_gain,
    scale_efficacy,
    strong_coupling,
)

X64 = jax.config.jax_enable_x64
NEURON = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
NET = dict(a=5e-4, k=1e5, g=20.0, gamma=0.25)
FIRST = ShotNoise(jn.FirstOrderJump())


def neuron(**change):
    return jn.networks.conductance_neuron(**NEURON | dict(nu_x=20.0) | change)


def effective(r_i, g, gamma):
    """v_bar^2 of (13) at r_E = 1."""
    tau = 1.0 / (1.0 + g * gamma * r_i)
    mu = tau * g * gamma * r_i * -75.0
    return (-55.0 - mu) ** 2 / (tau * (mu**2 + g**2 * gamma * r_i * (mu + 75.0) ** 2))


def ito(r_i, g, gamma):
    """F(v_max) - F(alpha) of (A11), (A13) at r_E = 1, as the integral of 2 (V - mu)/sigma^2(V) over V."""
    tau = 1.0 / (1.0 + g * gamma * r_i)
    mu = tau * g * gamma * r_i * -75.0
    return integrate.quad(
        lambda v: 2.0 * (v - mu) / (tau * (v**2 + g**2 * gamma * r_i * (v + 75.0) ** 2)), mu, -55.0, epsabs=1e-14
    )[0]


def spikes(r_i, g, gamma):
    """The integral of p over V at r_E = 1, in units of 1/a."""
    mu = g * gamma * r_i * -75.0 / (1.0 + g * gamma * r_i)

    def slope(v):
        def balance(p):
            return np.expm1(-p * v) + gamma * r_i * np.expm1(p * g * (-75.0 - v))

        return optimize.brentq(balance, 1e-9, 1.0, xtol=1e-15) if v > mu + 1e-9 else 0.0

    return integrate.quad(slope, mu, -55.0, epsabs=1e-12, limit=200)[0]


EXPONENTS = {"effective": (EffectiveNoise(), effective), "ito": (ItoNoise(), ito), "shot": (FIRST, spikes)}


def solved(exponent, a, k, larger):
    """a at in-degree `larger` with exp(E/a)/(sqrt(a) K) as at (a, K)."""

    def missed(x):
        return exponent * np.exp(-x) - 0.5 * x - exponent / a + 0.5 * np.log(a) - np.log(larger / k)

    return np.exp(optimize.brentq(missed, np.log(1e-7), np.log(0.5), xtol=1e-15))


@pytest.mark.parametrize("name", EXPONENTS)
def test_exponents_and_the_scaling_that_follows(name):
    noise, by_hand = EXPONENTS[name]
    exponent = by_hand(1.8, 12.0, 0.25)
    given = strong_coupling(20.0, **NEURON, noise=noise, limit=True).exponent
    np.testing.assert_allclose(given, exponent, rtol=1e-7 if X64 else 1e-3)
    k = np.array([1e4, 1e5, 1e12])
    right = [solved(exponent, 0.01, 1e3, larger) for larger in k]
    np.testing.assert_allclose(scale_efficacy(k, like=neuron(), noise=noise), right, rtol=1e-8 if X64 else 1e-3)


@pytest.mark.skipif(not X64, reason="all digits")
def test_printed_digits():
    exponents = [
        strong_coupling(20.0, **NEURON, noise=n, limit=True).exponent
        for n in (EffectiveNoise(), ItoNoise(), StratonovichNoise(), FIRST, ShotNoise())
    ]
    assert [f"{e:.7f}" for e in exponents] == ["0.0340147", "0.0198887", "0.0198887", "0.0238308", "0.0238308"]
    at = [
        scale_efficacy(1e4, like=neuron(), preserve=StrongCoupling()),
        scale_efficacy(1e4, like=neuron(), noise=ItoNoise()),
        scale_efficacy(1e4, like=neuron(), preserve=FullResponse()),
    ]
    assert [f"{a:.8f}" for a in at] == ["0.00622203", "0.00503694", "0.00564907"]


def test_above_threshold_the_product_with_k_stays():
    above = neuron(a=1e-3, k=1e4, eta=0.6)
    for noise in (EffectiveNoise(), ItoNoise(), FIRST):
        np.testing.assert_allclose(scale_efficacy(1e5, like=above, noise=noise), 1e-4, rtol=1e-6)


@pytest.mark.skipif(not X64, reason="to 1e-9")
@pytest.mark.parametrize("noise", [EffectiveNoise(), pytest.param(ItoNoise(), marks=pytest.mark.proof)])
def test_the_full_response_keeps_the_rate(noise):
    a = scale_efficacy(1e4, like=neuron(), noise=noise, preserve=FullResponse())
    before, after = (conductance_rate(20.0, **NEURON | change, noise=noise) for change in ({}, dict(a=a, k=1e4)))
    np.testing.assert_allclose(after, before, rtol=1e-9)


@pytest.mark.skipif(not X64, reason="differences")
@pytest.mark.parametrize("preserve", [StrongCoupling(), FullResponse()])
def test_derivatives(preserve):
    @jax.jit
    @functools.partial(jax.value_and_grad, argnums=(0, 1))
    def efficacy(k, a):
        return scale_efficacy(k, like=neuron(a=a), preserve=preserve)

    slopes = efficacy(1e4, 0.01)[1]
    by_k = (efficacy(1.001e4, 0.01)[0] - efficacy(0.999e4, 0.01)[0]) / 20.0
    by_a = (efficacy(1e4, 0.010001)[0] - efficacy(1e4, 0.009999)[0]) / 2e-6
    np.testing.assert_allclose(slopes, (by_k, by_a), rtol=1e-6)


def test_by_14_the_rate_of_spikes_is_not_kept():
    """Agreement does not improve as a falls along (14): the exponents differ."""
    k = jnp.asarray([1e3, 1e4, 1e5])
    a = scale_efficacy(k, like=neuron())
    numbers = NEURON | dict(a=a, k=k)
    np.testing.assert_allclose(conductance_rate(20.0, **numbers), [16.3, 30.0, 36.4], atol=0.051)
    np.testing.assert_allclose(conductance_rate(20.0, **numbers, noise=FIRST), [29.1, 70.5, 130.0], rtol=4e-3)


@pytest.mark.skipif(not X64, reason="to 1e-8")
@pytest.mark.parametrize("noise", [EffectiveNoise(), pytest.param(ItoNoise(), marks=pytest.mark.proof)])
def test_in_a_network_the_gain_stays(noise):
    like = jn.networks.conductance_based(**NET)
    before = network_gain(**NET, noise=noise).rho_simplified
    a = scale_efficacy(1e6, like=like, noise=noise)
    after = network_gain(**NET | dict(a=a, k=1e6), noise=noise).rho_simplified
    np.testing.assert_allclose(after, before, rtol=1e-8)


@pytest.mark.skipif(not X64, reason="to 1e-7")
def test_a_gain_held_is_the_equation_of_one_neuron():
    """(D2) held: a by the equation, at r_I/r_E of the printed gain."""
    like, rho = jn.networks.conductance_based(**NET), 2.680811730
    right = solved(effective(rho / (1.0 + rho), 20.0, 0.25), 5e-4, 1e5, 1e4)
    np.testing.assert_allclose(scale_efficacy(1e4, like=like), right, rtol=1e-7)


@pytest.mark.skipif(not X64, reason="to 1e-8")
@pytest.mark.parametrize(
    "noise",
    [EffectiveNoise(), pytest.param(ItoNoise(), marks=pytest.mark.proof)],
)
def test_in_model_b_each_population_has_its_own(noise):
    pair = NET | dict(g=(20.0, 19.0))
    a = scale_efficacy(1e6, like=jn.networks.conductance_based(**pair), noise=noise)
    assert a.shape == (2,)
    before = network_gain(**pair, noise=noise).rho_simplified
    after = network_gain(**pair | dict(a=a, k=1e6), noise=noise).rho_simplified
    np.testing.assert_allclose(after, before, rtol=1e-8)


def mean_rate(noise, a, k, start):
    """The rate of the network at nu_X = 20 Hz by the secant method: few calls of a dear theory."""

    def missed(x):
        nu = np.exp(x)
        numbers = dict(a=a, k=k, g=20.0, eta=nu / (20.0 + nu), gamma=0.25)
        return float(jnp.log(conductance_rate(20.0 + nu, **numbers, noise=noise))) - x

    return np.exp(optimize.newton(missed, np.log(start), x1=np.log(1.03 * start), tol=1e-6))


RATIOS_BY_D2 = {1e4: (1.026, 0.9429), 1e5: (1.045, 0.9414), 1e6: (1.055, 0.9405)}
RATIOS_BY_ROOT = {1e3: 0.917, 1e4: 0.969, 1e5: 0.988, 1e6: 0.996}


def ratios(a, k):
    by_theory = mean_rate(EffectiveNoise(), a, k, 40.0)
    by_ito = mean_rate(ItoNoise(), a, k, by_theory)
    by_spikes = mean_rate(FIRST, a, k, 0.5 * (by_theory + by_ito))
    return by_spikes / by_theory, by_spikes / by_ito


@pytest.mark.skipif(not X64, reason="digits")
def test_spikes_over_diffusions_at_one_k():
    """At K = 1e4, along (D2) and along a ~ 1/sqrt(K); all K of both are a proof, below."""
    a = float(scale_efficacy(1e4, like=jn.networks.conductance_based(**NET)))
    np.testing.assert_allclose(ratios(a, 1e4), RATIOS_BY_D2[1e4], atol=6e-4)
    np.testing.assert_allclose(ratios(0.0016 * np.sqrt(0.1), 1e4)[1], RATIOS_BY_ROOT[1e4], atol=6e-4)


@pytest.mark.proof
@pytest.mark.skipif(not X64, reason="digits")
def test_diffusion_is_the_limit_of_spikes_at_a_fixed_distance_alone():
    """Spikes over Ito's diffusion tend to 1 along a ~ 1/sqrt(K), and do not along (D2), which preserves the gain."""
    like = jn.networks.conductance_based(**NET)
    held = {k: ratios(float(scale_efficacy(k, like=like)), k) for k in RATIOS_BY_D2}
    np.testing.assert_allclose(list(held.values()), list(RATIOS_BY_D2.values()), atol=6e-4)
    falling = {k: ratios(0.0016 * np.sqrt(1e3 / k), k)[1] for k in RATIOS_BY_ROOT}
    np.testing.assert_allclose(list(falling.values()), list(RATIOS_BY_ROOT.values()), atol=6e-4)
    off = 1.0 - np.array(list(falling.values()))
    assert np.all(off[1:] < 0.45 * off[:-1])
    off = 1.0 - np.array([by_ito for _, by_ito in held.values()])
    assert np.all(np.diff(off) > 0.0)


def test_bad_numbers_under_vmap_are_nan_in_their_own_place():
    k = jnp.asarray([1e4, -1.0, jnp.nan])
    found = jax.jit(lambda k: scale_efficacy(k, like=neuron()))(k)
    np.testing.assert_array_equal(np.isnan(found), [False, True, True])
    assert found.dtype == jnp.result_type(float)
    efficacies = jax.vmap(lambda a: scale_efficacy(1e4, like=neuron(a=a)))(jnp.asarray([0.01, -0.01]))
    np.testing.assert_array_equal(np.isnan(efficacies), [False, True])


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(k=-1.0), "`k` has to be positive; got -1"),
        (dict(k="many"), "`k` has to be a real number"),
        (dict(noise="ito"), "`noise` has to be a theory of the noise"),
        (dict(preserve="rate"), r"`preserve` has to be `StrongCoupling\(\)` or `FullResponse\(\)`"),
        (dict(like=3.0), "`like` has to be a Network; got float"),
        (dict(like=jn.networks.brunel()), "`like` has currents for synapses"),
        (
            dict(like=jn.networks.conductance_neuron(tau_s=5.0)),
            "`StrongCoupling\\(\\)` is of synapses that act at once",
        ),
    ],
)
def test_refusals(change, says):
    with pytest.raises(ValueError, match=says):
        scale_efficacy(**dict(k=1e4, like=neuron()) | change)


def test_refusals_of_a_network():
    with pytest.raises(ValueError, match="`ShotNoise` has no strong-coupling form"):
        scale_efficacy(1e4, like=jn.networks.conductance_based(**NET), noise=FIRST)
    with pytest.raises(RuntimeError, match="`like` needs a self-consistent rate"):
        scale_efficacy(1e4, like=jn.networks.conductance_based(**NET | dict(g=12.0)))
