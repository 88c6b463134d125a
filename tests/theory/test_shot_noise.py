"""Spikes of fixed efficacy: published rates, runs from spike to spike, derivatives, and what lies beyond the solve."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from problems import asked_at

import jaxneuro as jn
from jaxneuro.theory import (
    ShotNoise,
    conductance_cv,
    conductance_density,
    conductance_rate,
    strong_coupling,
)

X64 = jax.config.jax_enable_x64
NEURON = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
RATES = np.array([5.0, 10.0, 20.0])
FIRST = ShotNoise(jn.FirstOrderJump())
rate_of = asked_at(5, conductance_rate)
TABLE = [(FIRST, [1.07315, 8.5158, 29.144]), (ShotNoise(), [1.35604, 10.7303, 36.089])]


def run(nu_x, shares, n, events, seed):
    """Mean and variance of the intervals of n neurons, each from spike to spike of its input, exactly."""
    rng = np.random.default_rng(seed)
    r_e, r_i = 1_000 * nu_x / 1000.0, 250 * 1.8 * nu_x / 1000.0
    v, since, intervals = np.full(n, -65.0), np.zeros(n), []
    for _ in range(events):
        wait = rng.exponential(1.0 / (r_e + r_i), n)
        v = -80.0 + (v + 80.0) * np.exp(-wait / 20.0)
        since = since + wait
        excites = rng.random(n) < r_e / (r_e + r_i)
        v = np.where(excites, v - shares[0] * v, v + shares[1] * (-75.0 - v))
        fired = v >= -55.0
        intervals.append(since[fired] + 2.0)
        v, since = np.where(fired, -65.0, v), np.where(fired, 0.0, since)
    return np.concatenate(intervals)


@pytest.mark.parametrize(
    ("noise", "right"),
    [pytest.param(*TABLE[0], id="a (E - V)"), pytest.param(*TABLE[1], id="exact", marks=pytest.mark.float32)],
)
def test_the_table_of_rates(noise, right):
    np.testing.assert_allclose(rate_of(RATES, **NEURON, noise=noise), right, rtol=1e-4 if X64 else 2e-4)


@pytest.mark.skipif(not X64, reason="one type is enough")
def test_against_a_run_from_spike_to_spike():
    # Long intervals are cut where the run ends, which lets the mean of 1,000 events a neuron, ~ 35 ms, down: a run of
    # 40,000 events lasts 1.4 s, 40 intervals, of which the share that is cut is counted out by their number.
    intervals = run(20.0, (0.01, 0.12), 400, 20_000, seed=1)
    duration = 400 * 20_000 / (20.0 + 9.0)
    rate = rate_of(20.0, **NEURON, noise=FIRST)
    cv = conductance_cv(20.0, **NEURON, noise=FIRST)
    # The run leaves refractoriness out of its time: it is added for every spike.
    time = duration + 2.0 * intervals.size
    z = (intervals.size - rate / 1000.0 * time) / (cv * np.sqrt(intervals.size))
    assert abs(z) < 4.0
    # The spread of the estimate of a CV near 1 is about 1/sqrt(n).
    assert abs(np.std(intervals) / np.mean(intervals) - cv) < 4.0 / np.sqrt(intervals.size)


# Excitation alone, 100 sources of 3.5 Hz and a = 0.05: the rule, its share of the way, the rate of clocked runs [Hz].
JUMPS = [(jn.FirstOrderJump(), 0.05, 29.4), (jn.ExactJump(), 1.0 - np.exp(-0.05), 27.4)]


def excited(jump, n=None):
    lif = jn.LIF(tau_m=20.0, v_rest=-70.0, v_th=-50.0, v_reset=-60.0, t_ref=2.0)
    spikes = jn.DeltaConductance(0.0, jump=jump)
    drive = jn.PoissonDrive("E", spikes, weight=0.05, n_sources=100, rate=3.5)
    return jn.Network({"E": jn.Population(lif, n)}, drives=[drive])


@pytest.mark.skipif(not X64, reason="one type is enough")
@pytest.mark.parametrize(("jump", "share", "right"), JUMPS, ids=["a (E - V)", "exact"])
def test_shot_noise_tells_the_rules_of_the_jump_apart(jump, share, right):
    # 2,000 neurons from spike to spike of their input, 0.35 a ms. By NumPy, without a clock and without refractoriness,
    # which is added to the time of every spike; the first 2 s are left out.
    rng, v, spikes = np.random.default_rng(3), np.full(2_000, -60.0), 0
    for event in range(3_500):
        v = -70.0 + (v + 70.0) * np.exp(-rng.exponential(1.0 / 0.35, v.size) / 20.0)
        v = v - share * v
        fired = v >= -50.0
        spikes += int(fired.sum()) if event >= 700 else 0
        v = np.where(fired, -60.0, v)
    seen = jn.theory.afferents(excited(jump), {"E": 1.0})["E"]
    rate, cv = (float(x) for x in jax.jit(lambda s: (ShotNoise().rate(s), ShotNoise().cv(s)))(seen))
    assert rate == pytest.approx(right, rel=5e-3)
    time = 2_000 * 2_800 / 0.35 / 1000.0 + spikes * 0.002
    # The number of events is fixed and not the time, whose spread of 1/sqrt(events) goes into the number of spikes.
    spread = rate * (cv / np.sqrt(spikes) + 1.0 / np.sqrt(2_000 * 2_800))
    assert abs(spikes / time - rate) < 4.0 * spread
    # The diffusion has one rate for both.
    assert float(jn.theory.EffectiveNoise().rate(seen)) == pytest.approx(30.457, abs=1e-3)


@pytest.mark.proof
@pytest.mark.parametrize(("jump", "share", "right"), JUMPS, ids=["a (E - V)", "exact"])
def test_runs_tell_the_rules_of_the_jump_apart(jump, share, right):
    record = {"rate": jn.record.Rate(start=200.0)}
    sol = jn.simulate(excited(jump, 5_000), 0.0, 2_200.0, dt=0.01, key=jax.random.key(0), record=record)
    rates = np.asarray(sol["rate"]["E"])
    seen = jn.theory.afferents(excited(jump), {"E": 1.0})["E"]
    # Of 0.35 spikes a ms few share a step of 0.01 ms: 0.2% of the rate.
    error = 4.0 * rates.std() / np.sqrt(5_000) + 0.002 * right
    assert abs(rates.mean() - float(ShotNoise().rate(seen))) < error


@pytest.mark.skipif(not X64, reason="differences of rates")
def test_gradients_against_differences():
    def rate(a, nu_x, v_th):
        return conductance_rate(nu_x, **NEURON | dict(a=a), v_th=v_th, noise=FIRST)

    at = (0.01, 10.0, -55.0)
    slopes = jax.grad(rate, (0, 1, 2))(*at)
    for k, slope in enumerate(slopes):
        step = 1e-4 * abs(at[k])
        up, down = (rate(*(x + s * step * (i == k) for i, x in enumerate(at))) for s in (1, -1))
        np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-4)


@pytest.mark.skipif(not X64, reason="a density by the last digits of a transposed system")
def test_far_above_threshold_all_is_in_closed_form():
    """One spike of a = 0.4 is enough from anywhere: the interval is t_ref and an exponential time.

    The time since the reset is exp(-R t) of all, and V = -80 + 15 exp(-t/20): a density ~ ((V + 80)/15)^(20 R - 1).
    Without a leak 17 spikes of a = 0.01 lead from -65 to -55 mV, as 0.99^17 < 55/65 < 0.99^16.
    """
    kind = dict(k=1, g=1.0, eta=0.0, gamma=0.25, noise=FIRST)
    a, tau_m = np.array([0.4, 0.4, 0.4, 0.01]), np.array([20.0, 20.0, 20.0, 1e6])
    hertz, n = np.array([50.0, 200.0, 1000.0, 1000.0]), np.array([1, 1, 1, 17])
    wait = n * 1000.0 / hertz
    rates, cvs = (f(hertz, a=a, tau_m=tau_m, **kind) for f in (conductance_rate, conductance_cv))
    right = [1000.0 / (2.0 + wait), wait / (2.0 + wait) / np.sqrt(n)]
    np.testing.assert_allclose([rates[:3], cvs[:3]], [x[:3] for x in right], rtol=1e-12)
    # Without a leak the mean time is a staircase, which panels follow to half a percent.
    np.testing.assert_allclose([rates[3], cvs[3]], [x[3] for x in right], rtol=6e-3)
    v = np.linspace(-79.5, -60.5, 20)
    exact = np.where(v < -65.0, 20.0 / 15.0 / 7.0 * (np.maximum(v + 80.0, 0.0) / 15.0) ** 3, 0.0)
    np.testing.assert_allclose(conductance_density(v, 200.0, a=0.4, **kind), exact, atol=1e-12)


def test_without_excitation_there_are_no_spikes():
    found = conductance_rate(np.array([0.0, 10.0, 20.0]), **NEURON, noise=FIRST)
    np.testing.assert_allclose(found, [0.0, *TABLE[0][1][1:]], rtol=1e-5 if X64 else 1e-3)
    assert found[0] == 0.0


def test_rates_too_low_for_the_solve_are_continued_and_it_is_said():
    with pytest.warns(jn.laws.OutsideTheoryWarning, match="too low for the linear solve"):
        rates = conductance_rate(np.array([0.2, 0.3, 20.0]), **NEURON, noise=FIRST)
    assert np.all(np.isfinite(rates))
    assert np.all(np.diff(np.asarray(rates)) > 0)
    if X64:  # without a seam: just above where it starts, and below
        nu = np.linspace(0.35, 0.5, 9)
        with pytest.warns(jn.laws.OutsideTheoryWarning):
            curve = np.log(conductance_rate(nu, **NEURON, noise=FIRST))
        assert np.all(np.abs(np.diff(curve, 3)) < 0.1)


@pytest.mark.float32
def test_low_rates_in_both_types():
    """What float64 finds; without the constant part apart, float32 is 10% off at 1e-3 Hz."""
    found = rate_of(np.array([1.0, 1.6, 2.5, 5.0, 20.0]), **NEURON, noise=FIRST)
    right = [1.70256e-9, 4.387959e-5, 0.013325362, 1.0731511, 29.143916]
    np.testing.assert_allclose(found, right, rtol=1e-5 if X64 else 2e-3)


@pytest.mark.skipif(not X64, reason="times to exp(99)")
@pytest.mark.filterwarnings("ignore::jaxneuro.laws.OutsideTheoryWarning")
def test_times_against_a_chain_on_a_fine_grid():
    """K = 10/a, 20 Hz: the log of the time, by elimination without subtraction on grids of 1/8, 1/16 and 1/32 jump."""
    a = np.array([0.003, 0.001, 0.0006, 0.0003])
    rates = np.asarray(rate_of(20.0, **NEURON | dict(a=a, k=10.0 / a), noise=FIRST))
    np.testing.assert_allclose(np.log(1000.0 / rates - 2.0), [9.83760, 29.27155, 49.01329, 98.66446], atol=3e-4)


@pytest.mark.skipif(not X64, reason="reversal potentials of 1e6 mV")
def test_small_jumps_tend_to_the_rate_of_currents():
    """At a E = 0.02 mV and far reversal potentials, and above threshold at ever smaller a."""
    e = 1e6
    found = conductance_rate(20.0, a=0.02 / e, k=1e4, g=3.0, eta=1.0, gamma=0.25, e_e=e, e_i=-e, noise=ShotNoise())
    white = jn.theory.lif_rate(-60.0, np.sqrt(5.2), tau=20.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    # What leaps over the threshold changes the exponent by up to 2 J (th - mu)/sigma^2 = 4%.
    assert 0.8 < float(found) / float(white) < 1.2
    a = np.array([1e-4, 1e-5])
    above = rate_of(20.0, **NEURON | dict(a=a, k=10.0 / a, eta=0.6), noise=ShotNoise())
    # Without noise, tau = 1/(0.05 + 0.2 + 0.36) ms and mu = -50.82 mV, it would be t_ref + tau log(...): 249.850 Hz.
    np.testing.assert_allclose(above, 249.850, rtol=1e-2)


@pytest.mark.float32
@pytest.mark.skipif(X64, reason="float32 alone")
def test_spikes_too_many_and_too_small_for_float32_are_refused(as_users_run):
    with pytest.raises(ValueError, match="does not resolve spikes so many and so small in float32"):
        conductance_rate(20.0, **NEURON | dict(a=1e-6, k=1e7), noise=ShotNoise())


EXPONENTS = [
    (jn.theory.EffectiveNoise(), 0.0340147),
    (jn.theory.ItoNoise(), 0.0198887),
    (jn.theory.StratonovichNoise(), 0.0198887),
    (FIRST, 0.0238308),
    (ShotNoise(), 0.0238308),
]


@pytest.mark.float32
@pytest.mark.parametrize(("noise", "right"), EXPONENTS)
def test_exponents_of_the_passage_time(noise, right):
    found = strong_coupling(20.0, **NEURON, noise=noise).exponent
    np.testing.assert_allclose(found, right, rtol=5e-6 if X64 else 1e-3)


@pytest.mark.skipif(not X64, reason="all digits")
def test_strong_coupling_above_threshold():
    seen = strong_coupling(20.0, **NEURON | dict(a=1e-3, k=1e4, eta=0.6), noise=jn.theory.ItoNoise())
    assert f"{seen.rate:.3f} {seen.cv:.6f}" == "249.850 0.122825"
    # Between reset and threshold the potential is found for all but the 2 ms after each spike.
    v = np.linspace(-65.0, -55.0, 2_001)
    there = np.sum(seen.density(0.5 * (v[:-1] + v[1:]))) * 10.0 / 2_000.0
    np.testing.assert_allclose(there, 1.0 - 2e-3 * seen.rate, rtol=1e-6)


@pytest.mark.skipif(not X64, reason="all digits")
def test_strong_coupling_differs_between_the_conventions_by_one_factor():
    """sqrt((1 + v_max^2)/(1 + alpha^2)), 1.498 at K to infinity: r_I/r_E = 1.8, in units of E_D."""
    at = [strong_coupling(20.0, **NEURON, noise=e[0], limit=True).asymptotics.log_time for e in EXPONENTS[1:3]]
    pull, weight = 1.8 * 3.0, 1.8 * 36.0
    mu, centre, spread = (
        -75.0 * pull / (1.0 + pull),
        -75.0 * weight / (1.0 + weight),
        75.0 * np.sqrt(weight) / (1.0 + weight),
    )
    factor = np.sqrt((1.0 + ((-55.0 - centre) / spread) ** 2) / (1.0 + ((mu - centre) / spread) ** 2))
    np.testing.assert_allclose(np.exp(at[0] - at[1]), factor, rtol=1e-9)
    assert round(factor, 3) == 1.498


@pytest.mark.skipif(not X64, reason="rates of 1e-30 Hz")
@pytest.mark.parametrize("noise", [e[0] for e in EXPONENTS[:3]])
def test_strong_coupling_below_threshold(noise):
    misses = []
    for a in (0.01, 0.004, 0.002):
        at = NEURON | dict(a=a)
        seen = strong_coupling(20.0, **at, noise=noise)
        misses.append(abs(float(seen.rate / conductance_rate(20.0, **at, noise=noise)) - 1.0))
        np.testing.assert_allclose(seen.rate, 1000.0 / (2.0 + 1000.0 * seen.omega / 20.0), rtol=1e-12)
        np.testing.assert_allclose(seen.cv, 1.0 - 2e-3 * seen.rate, rtol=1e-12)
    assert misses[2] < 0.03
    assert misses[2] < misses[1] < misses[0] or misses[0] < 0.03
    v = np.linspace(-150.0, -55.0, 4_001)[:-1]
    np.testing.assert_allclose(np.sum(seen.density(v)) * 95.0 / 4_000.0, 1.0, atol=0.03)


def test_shot_noise_has_the_exponent_alone():
    seen = strong_coupling(20.0, **NEURON, noise=FIRST)
    for name in ("rate", "cv", "omega"):
        with pytest.raises(ValueError, match="`ShotNoise` has no strong-coupling form"):
            getattr(seen, name)
    with pytest.raises(ValueError, match="`ShotNoise` has no strong-coupling form"):
        seen.density(-60.0)


@pytest.mark.parametrize(
    "noise", [pytest.param(EXPONENTS[0][0], marks=pytest.mark.float32), EXPONENTS[1][0]], ids=["additive", "ito"]
)
def test_strong_coupling_without_input_is_silent(noise):
    seen = strong_coupling(0.0, **NEURON, noise=noise)
    many = jax.vmap(lambda nu: strong_coupling(nu, **NEURON, noise=noise).rate)(jnp.asarray([0.0, 20.0]))
    np.testing.assert_allclose(many, [0.0, strong_coupling(20.0, **NEURON, noise=noise).rate], rtol=1e-5)
    assert (float(seen.rate), float(seen.cv), float(seen.omega)) == (0.0, 1.0, np.inf)
    assert np.isnan(seen.density(-70.0))


@pytest.mark.parametrize("call", [strong_coupling, lambda nu_x, **o: conductance_density(-60.0, nu_x, **o)])
def test_what_is_of_one_neuron_names_the_number_that_is_none(call):
    for name in ("a", "gamma", "nu_x"):
        with pytest.raises(ValueError, match=rf"`{name}` has to be one number, .* got shape \(2,\): use jax.vmap"):
            call(**NEURON | {"nu_x": 20.0, name: np.array([0.1, 0.2])})


def test_the_limit_is_true_or_false(as_users_run):
    with pytest.raises(ValueError, match="`limit` has to be True or False; got 'yes'"):
        strong_coupling(20.0, **NEURON, limit="yes")


@pytest.mark.parametrize(
    ("change", "noise", "says"),
    [
        (dict(a=1.0), FIRST, r"efficacy has to lie in \[0, 1\)"),
        (dict(g=100.0), FIRST, r"`g a`: an efficacy has to lie in \[0, 1\)"),
        (dict(v_rest=-50.0), FIRST, "rest below threshold"),
    ],
)
def test_refusals(as_users_run, change, noise, says):
    with pytest.raises(ValueError, match=says):
        conductance_rate(20.0, **NEURON | change, noise=noise)
    with pytest.raises(ValueError, match="`jump` has to be"):
        ShotNoise("exact")


NETWORK = [(FIRST, 21.256), (ShotNoise(), 22.093)]


@pytest.mark.skipif(not X64, reason="all digits")
@pytest.mark.parametrize(("noise", "right"), NETWORK, ids=["a (E - V)", "exact"])
def test_the_rate_of_the_network_is_self_consistent(noise, right):
    def missed(nu):
        at = dict(a=0.0016, k=1_000, g=20.0, eta=nu / (20.0 + nu), gamma=0.25)
        return float(rate_of(20.0 + nu, **at, noise=noise)) - nu

    assert missed(right - 1e-3) > 0.0 > missed(right + 1e-3)


@pytest.mark.proof
@pytest.mark.skipif(not X64, reason="all digits")
@pytest.mark.parametrize(("noise", "right"), NETWORK, ids=["a (E - V)", "exact"])
def test_rates_of_the_network(noise, right):
    net = jn.networks.conductance_based(a=0.0016, k=1_000, g=20.0, gamma=0.25, nu_x=20.0)
    np.testing.assert_allclose(jn.theory.mean_field(net, noise=noise).rate["E"], right, atol=1e-3)


def test_an_efficacy_of_one_is_refused_wherever_it_stands(as_users_run):
    a = np.array([0.01, 1.0])
    with pytest.raises(ValueError, match=r"`a`: an efficacy has to lie in \[0, 1\)"):
        conductance_rate(20.0, **NEURON | dict(a=a, g=0.5), noise=FIRST)
    found = jax.jit(lambda a: conductance_rate(20.0, **NEURON | dict(a=a, g=0.5), noise=FIRST))(a)
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_a_mean_field_refuses_what_it_does_not_cover():
    with pytest.raises(ValueError, match="`ShotNoise` is of conductances"):
        jn.theory.mean_field(jn.networks.brunel(), noise=ShotNoise())
    assert jnp.isfinite(conductance_rate(0.0, **NEURON, noise=ShotNoise()))
