"""Mean field of synapses with a time constant: a full-scale column, and a network of conductances."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, optimize, special

import jaxneuro as jn
from jaxneuro.theory import Afferents, Crossings, EffectiveNoise, LongFilter, ShortFilter, afferents, mean_field

X64 = jax.config.jax_enable_x64
# The column of Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358: sizes, probabilities (row the target), sources.
NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
EXTERNAL = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
IN_DEGREES = np.round(np.log(1 - PROBABILITIES) / np.log(1 - 1 / np.outer(SIZES, SIZES))) / SIZES[:, None]
WEIGHT = 87.8 * 10.0 / 250.0  # pA over nF, times tau_m: mV
ZETA_HALF = -1.4603545088095868
FILTERED = np.array([0.754093, 2.792125, 4.436312, 5.820757, 7.151609, 8.460476, 1.167633, 7.753325])
SCATTERED = np.array([0.756140, 2.797877, 4.436001, 5.827700, 7.151815, 8.468631, 1.169704, 7.762595])
DELTA = np.array([0.820872, 3.008742, 4.632846, 6.104169, 7.136576, 8.904861, 1.042961, 8.072160])


def column(synapse, scale=1.0, law=lambda weight: weight, external=8.0, names=NAMES):
    """The column, or these of its populations, with weights that are `scale` times those of the exponential current."""
    lif = jn.LIF(tau_m=10.0, v_rest=0.0, v_th=15.0, v_reset=0.0, t_ref=2.0)
    projections, drives = [], []
    for i, post in enumerate(names):
        for j, pre in enumerate(names):
            weight = WEIGHT * scale * (-4.0 if j % 2 else 2.0 if (i, j) == (0, 2) else 1.0)
            rule = jn.FixedInDegree(IN_DEGREES[i, j])
            projections.append(
                jn.Projection(pre, post, synapse, weight=law(weight), connectivity=rule, delay=0.75 if j % 2 else 1.5)
            )
        drives.append(jn.PoissonDrive(post, synapse, weight=WEIGHT * scale, n_sources=EXTERNAL[i], rate=external))
    return jn.Network({name: jn.Population(lif) for name in names}, projections, drives)


SHORT = EffectiveNoise(ShortFilter())
COLUMNS = {
    "filtered": (lambda tau_s=0.5, **more: column(jn.ExponentialCurrent(tau_s), **more), SHORT, FILTERED),
    "scattered": (
        lambda: column(jn.ExponentialCurrent(0.5), law=lambda w: jn.NormalWeight(w, cv=0.1)),
        SHORT,
        SCATTERED,
    ),
    "delta": (lambda: column(jn.DeltaCurrent(), scale=0.05), None, DELTA),
}


@pytest.mark.skipif(not X64, reason="six digits")
@pytest.mark.parametrize("which", COLUMNS)
def test_the_published_rates_of_the_column_are_self_consistent(which):
    make, noise, right = COLUMNS[which]
    noise = EffectiveNoise() if noise is None else noise
    seen = side_by_side(make(), right)
    np.testing.assert_allclose(answers(noise, seen), right, rtol=1e-5)  # the digits given, times the gain of the column


def side_by_side(net, rates):
    """What all populations receive at `rates`, each number with an axis of populations."""
    seen = afferents(net, dict(zip(net.names, rates, strict=True)))
    bare = [Afferents(one.neuron, one.streams, one.currents) for one in seen.values()]
    return jax.tree.map(lambda *values: jnp.asarray(np.stack(values)), *bare)


@eqx.filter_jit
def answers(noise, seen):
    return jax.vmap(noise.rate)(seen)


@pytest.mark.parametrize(
    "which", [pytest.param(w, marks=() if w == "filtered" else pytest.mark.proof) for w in COLUMNS]
)
def test_the_rates_of_the_column(which):
    make, noise, right = COLUMNS[which]
    mf = mean_field(make(), noise=noise)
    rates = np.array([mf.rate[name] for name in NAMES])
    np.testing.assert_allclose(rates, right, rtol=2e-6)
    assert mf.stable
    if which != "filtered":
        return
    assert all(0.3 < float(mf.cv[name]) < 1.0 for name in NAMES)
    # Equation (G9), corrected, by adaptive quadrature at these rates.
    jumps = WEIGHT / 20.0 * np.where(np.arange(8) % 2, -4.0, np.ones((8, 8)))
    jumps[0, 2] *= 2.0
    mu = 10.0 * (IN_DEGREES * jumps) @ rates / 1000.0 + 10.0 * np.array(EXTERNAL) * WEIGHT / 20.0 * 8e-3
    square = 10.0 * (IN_DEGREES * jumps**2) @ rates / 1000.0 + 10.0 * np.array(EXTERNAL) * (WEIGHT / 20.0) ** 2 * 8e-3
    shift = -ZETA_HALF / np.sqrt(2.0) * np.sqrt(0.05)
    for rate, mean, sigma in zip(rates, mu, np.sqrt(square), strict=True):
        limits = -mean / sigma + shift * np.exp(-4.0), (15.0 - mean) / sigma + shift
        time = integrate.quad(lambda x: special.erfcx(-x), *limits, epsabs=0, epsrel=1e-12)[0]
        np.testing.assert_allclose(1000.0 / (2.0 + 10.0 * np.sqrt(np.pi) * time), rate, rtol=1e-7)


@pytest.mark.parametrize("n", [2, pytest.param(8, marks=pytest.mark.proof)])
def test_derivatives_of_the_column_are_implicit(n):
    make, noise, _ = COLUMNS["filtered"]

    def rates(external):
        mf = mean_field(make(external=external, names=NAMES[:n], tau_s=external / 16.0), noise=noise)
        return jnp.stack([mf.rate[name] for name in NAMES[:n]])

    both = jax.jit(lambda x: jax.jvp(rates, (x,), (jnp.ones(()),)))
    differences = (both(8.001)[0] - both(7.999)[0]) / 0.002
    np.testing.assert_allclose(both(8.0)[1], differences, rtol=1e-5)


def conductances(nu_x, tau_s=10.0, a=0.0016, k=1_000.0, g=20.0, tau_i=None, extra=()):
    """The network of the conductance paper with tau_s; efficacies are a tau_m/tau_s, so that a is that at tau_s = 0."""
    lif = jn.LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    excites = jn.ExponentialConductance(tau_s, reversal=0.0)
    inhibits = jn.ExponentialConductance(tau_s if tau_i is None else tau_i, reversal=-75.0)
    weight, fixed = a * 20.0 / tau_s, jn.FixedInDegree
    return jn.Network(
        {"E": jn.Population(lif), "I": jn.Population(lif)},
        [
            jn.Projection("E", ("E", "I"), excites, weight=weight, connectivity=fixed(k), delay=1.0),
            jn.Projection("I", ("E", "I"), inhibits, weight=g * weight, connectivity=fixed(k / 4), delay=1.0),
        ],
        [jn.PoissonDrive(("E", "I"), excites, weight=weight, n_sources=k, rate=nu_x), *extra],
    )


def long_filter(nu, nu_x, tau_s, a=0.0016, k=1_000.0, g=20.0):
    """Equations (5), (6) and (G11), by adaptive quadrature in log w - w_0; [Hz]."""
    r_e, r_i = (nu + nu_x) / 1000.0, nu / 1000.0
    tau = 1 / (1 / 20 + a * k * (r_e + r_i * g / 4))
    mu = tau * (-80.0 / 20 + a * k * r_i * g / 4 * -75.0)
    sigma = np.sqrt(a**2 * k * tau * (r_e * mu**2 + g**2 / 4 * r_i * (mu + 75.0) ** 2))
    low, top, e = (-65.0 - mu) / sigma, (-55.0 - mu) / sigma, np.sqrt(tau / tau_s)

    def integrand(u):  # e w - top is e exp(u)
        w = top / e + np.exp(u)
        return np.exp(u - w * w) / np.sqrt(np.pi) / (2.0 + tau * np.log1p((top - low) / e / np.exp(u)))

    return 1000.0 * integrate.quad(integrand, -60.0, 3.0, epsabs=0, epsrel=1e-11, limit=400)[0]


@pytest.mark.float32
def test_a_network_of_slow_conductances():
    mf = mean_field(conductances(100.0), noise=EffectiveNoise(LongFilter()))
    root = optimize.brentq(lambda nu: long_filter(nu, 100.0, 10.0) - nu, 50.0, 200.0, xtol=1e-10)
    np.testing.assert_allclose(mf.rate["E"], root, rtol=1e-8 if X64 else 1e-4)
    np.testing.assert_allclose(mf.rate["E"], 105.07, atol=5e-3 if X64 else 2e-2)  # the digits given
    # The rule where no regime is given is at tau_s/tau = 19 the same.
    seen = side_by_side(conductances(100.0), [root, root])
    np.testing.assert_allclose(answers(EffectiveNoise(), seen), root, rtol=1e-8 if X64 else 1e-4)


@pytest.mark.parametrize(("nu_x", "tau_s"), [(50.0, 10.0), (100.0, 10.0), (100.0, 30.0)])
def test_the_mean_comes_as_close_to_threshold_as_g13_says(nu_x, tau_s):
    """(G13), corrected: theta - mu is of the order of sigma sqrt(tau/tau_s), the root over all of its bracket."""
    root = optimize.brentq(lambda nu: long_filter(nu, nu_x, tau_s) - nu, 0.3 * nu_x, 2.5 * nu_x, xtol=1e-10)
    at = jn.theory.effective_input(conductances(nu_x, tau_s), {"E": root, "I": root})["E"]
    per_ms = (nu_x + root * (1.0 + 20.0 / 4.0)) / 1000.0
    scale = float(at.sigma) / np.sqrt(0.0016 * 1_000.0) / np.sqrt(tau_s * per_ms)
    np.testing.assert_allclose(scale, at.sigma * np.sqrt(at.tau / tau_s), rtol=0.05)
    assert abs(-55.0 - float(at.mu)) < scale


def test_crossings_alone_have_no_root_at_a_long_time_constant():
    none = mean_field(conductances(100.0), noise=EffectiveNoise(Crossings()), throw=False)
    assert np.isnan(none.rate["E"])
    assert none.result == jn.Result.no_fixed_point
    with pytest.raises(RuntimeError, match="No self-consistent rate"):
        mean_field(conductances(100.0), noise=EffectiveNoise(Crossings()))


def test_several_time_constants_that_only_a_transformation_knows_have_no_rate():
    def rate(tau_i):
        net = conductances(20.0, 2.0, tau_i=tau_i)
        return EffectiveNoise().rate(afferents(net, {"E": 20.0, "I": 20.0})["E"])

    found = jax.jit(jax.vmap(rate))(jnp.asarray([2.0, 3.0]))
    assert np.isfinite(found).tolist() == [True, False]


@pytest.mark.proof
def test_derivatives_by_every_number_of_the_filter_where_there_is_one_time_constant():
    def rate(at):
        tau_s, nu_x, ratio = at
        return mean_field(conductances(nu_x, tau_s, tau_i=ratio * tau_s), throw=False).rate["E"]

    at, step = np.array([2.0, 20.0, 1.0]), 1e-4
    moved = [at + sign * step * np.eye(3)[k] for k in (0, 1) for sign in (1.0, -1.0)]
    several = np.array([2.0, 20.0, 1.5])
    found, slopes = jax.jit(jax.vmap(jax.value_and_grad(rate)))(jnp.asarray([at, *moved, several]))
    up, down = np.asarray(found[1:5]).reshape(2, 2).T
    np.testing.assert_allclose(slopes[0, :2], (up - down) / (2.0 * step), rtol=1e-6)
    # Several time constants that only a transformation knows have no rate.
    assert np.isnan(found[5])


def test_a_short_filter_tends_to_delta_synapses():
    # Its own rate is self-consistent; the shift is 1e-5 of the noise.
    seen = side_by_side(conductances(20.0, 1e-10), [21.6497, 21.6497])
    np.testing.assert_allclose(answers(EffectiveNoise(), seen), 21.6497, rtol=2e-4 if X64 else 1e-3)


def test_refusals(as_users_run):
    with pytest.raises(ValueError, match=r"`projections\[1\]`: .* one time constant of all synapses; got `tau` 5 ms"):
        mean_field(conductances(20.0, tau_i=5.0))
    with pytest.raises(ValueError, match="white noise has none"):
        mean_field(conductances(20.0, extra=[jn.WhiteNoiseDrive("E", mu=0.0, sigma=1.0)]))
    both = [jn.PoissonDrive("E", jn.DeltaConductance(reversal=0.0), weight=0.01, n_sources=10, rate=1.0)]
    with pytest.raises(ValueError, match="DeltaConductance acts at once"):
        mean_field(conductances(20.0, extra=both))
    alpha = [jn.PoissonDrive("E", jn.AlphaCurrent(10.0), weight=0.01, n_sources=10, rate=1.0)]
    with pytest.raises(ValueError, match="AlphaCurrent has 2"):
        mean_field(conductances(20.0, extra=alpha))
    with pytest.raises(ValueError, match="`regime` has to be"):
        EffectiveNoise("long")
    for noise in (jn.theory.ItoNoise(), jn.theory.ShotNoise()):
        with pytest.raises(ValueError, match="ExponentialConductance has a time course"):
            mean_field(conductances(20.0), noise=noise)
    with pytest.raises(ValueError, match="ExponentialConductance has a time course"):
        jn.theory.brunel_stability(conductances(20.0))
    seen = afferents(conductances(20.0), {"E": 20.0, "I": 20.0})["E"]
    for what in (lambda n: n.density(jnp.asarray(-60.0), seen), lambda n: n.response(jnp.asarray(1j), seen)):
        with pytest.raises(ValueError, match="time course"):
            what(EffectiveNoise())
    with pytest.raises(ValueError, match="no exponent"):
        EffectiveNoise().exponent(seen)
