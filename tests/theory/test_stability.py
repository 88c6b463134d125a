"""Modes of sparse networks against the characteristic equation in mpmath, and against slopes of the mean field."""

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.extend import AbstractNoise
from jaxneuro.theory._loop import RecurrentLoop, RecurrentPath, loop_of
from jaxneuro.theory._modes import Zeros, search_modes, window_of
from jaxneuro.theory._stability import all_decay, count_growing, differentiable_zero, self_consistent

X64 = jnp.result_type(float) == jnp.float64


def closed_response(growth, mu, sigma, tau, t_ref=2.0):
    """The response over the rate at lambda = `growth` [1/ms], from the closed form, of Brunel's neurons."""
    z, a, b = growth * tau, (10.0 - mu) / sigma, (20.0 - mu) / sigma

    def u(x, n):
        factor = (1, mp.sqrt(2) * z, 2 * z * (z + 1))[n]
        return factor * mp.exp(x * x / 2) * mp.pcfd(-z - n, -mp.sqrt(2) * x)

    denominator = u(b, 0) - mp.exp(-growth * t_ref) * u(a, 0)
    mean = (u(b, 1) - u(a, 1)) / denominator / sigma / (1 + z)
    return mean, (u(b, 2) - u(a, 2)) / denominator / (2 * sigma**2) / (2 + z)


def matrix(growth, g, ratio, rates, taus=(20.0, 20.0), delay=1.5):
    """M(lambda) of Brunel's network, written out for two populations."""
    growth, rows = mp.mpc(growth), []
    (nu_e, nu_i), j, c_e, c_i = (np.asarray(rates) / 1000), 0.1, 1_000, 250
    nu_ext = ratio * 20.0 / (j * c_e * 20.0)
    for tau, rate in zip(taus, (nu_e, nu_i), strict=True):
        if rows and taus[0] == taus[1]:
            return [rows[0], rows[0]]
        mu = tau * j * (c_e * (nu_ext + nu_e) - g * c_i * nu_i)
        sigma = mp.sqrt(tau * j**2 * (c_e * (nu_ext + nu_e) + g**2 * c_i * nu_i))
        mean, variance = closed_response(growth, mu, sigma, tau)
        weights = ((c_e, j), (c_i, -g * j))
        rows.append([tau * k * w * (mean + w * variance) * rate * mp.exp(-growth * delay) for k, w in weights])
    return rows


def characteristic(growth, *arguments, **keywords):
    (ee, ei), (ie, ii) = matrix(growth, *arguments, **keywords)
    return (1 - ee) * (1 - ii) - ei * ie


def distance_to_root(at, *arguments, **keywords):
    """How far the nearest zero is, in 1/ms: Newton's step, exact to the square of what it is small against."""
    value, beside = (characteristic(x, *arguments, **keywords) for x in (at, at + mp.mpf(1e-6)))
    return abs(value * 1e-6 / (beside - value))


BRUNEL = [
    (5.0, 2.0, True, None),
    (6.0, 4.0, False, 190.2),
    (4.5, 0.9, False, 29.0),
    (3.0, 2.0, False, 660.6),
]
IDS = ["AI", "fast SI", "slow SI", "SR"]


@pytest.mark.float32
@pytest.mark.parametrize(("g", "ratio", "stable", "frequency"), BRUNEL, ids=IDS)
def test_modes_of_brunel_network(g, ratio, stable, frequency):
    seen = jn.theory.brunel_stability(jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio))
    assert bool(seen.stable) == stable
    assert bool(seen.complete)
    assert (float(seen.growth) < 0) == stable
    if frequency is not None:
        assert float(seen.frequency) == pytest.approx(frequency, rel=2e-3 if X64 else 1e-2)
    if not X64:
        return
    rate = float(seen.rate["E"])
    for growth, mode in zip(seen.modes.growth, seen.modes.frequency, strict=True):
        if not np.isnan(growth):
            at = mp.mpc(float(growth), 2 * np.pi * float(mode)) / 1000
            assert distance_to_root(at, g, ratio, (rate, rate)) < 1e-8, at
    np.testing.assert_allclose(seen.growth, seen.modes.growth[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("g", "ratio", "stable", "_"),
    # The line that follows the turns takes mpmath long, a minute for SR.
    [
        pytest.param(*case, marks=[] if name == "fast SI" else pytest.mark.proof, id=name)
        for name, case in zip(IDS, BRUNEL, strict=True)
    ],
)
def test_no_growing_mode_is_missed(g, ratio, stable, _):
    # The turns of the closed form around 0 along the axis, on a line fine enough for the narrowest mode.
    rate = float(jn.theory.mean_field(jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio)).rate["E"])
    line = np.concatenate([np.linspace(1e-6, 1.0, 60), np.linspace(1.0, 8.0, 240)[1:]])
    values = np.array([complex(characteristic(1j * w, g, ratio, (rate, rate))) for w in line])
    steps = np.angle(values[1:] / values[:-1])
    assert np.abs(steps).max() < 1.6
    count = round((np.angle(values[-1]) - steps.sum()) / np.pi)
    seen = jn.theory.brunel_stability(jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio))
    assert count == int(seen.n_unstable)
    assert stable == (count == 0)


def test_at_zero_growth_it_is_the_slope_of_the_mean_field():
    net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    rates = jn.theory.mean_field(net).rate

    def phi(nu):
        found = jn.theory.effective_input(net, {"E": nu, "I": nu})["E"]
        return jn.theory.lif_rate(found.mu, found.sigma, tau=found.tau, v_th=20.0, v_reset=10.0, t_ref=2.0)

    @jax.jit
    def value_and_slope(rates):
        loop = loop_of(net, jn.theory.EffectiveNoise(), (("E", "I"),), rates)
        return loop.characteristic(jnp.asarray(0.0j)), jax.grad(phi)(rates["E"])

    value, slope = value_and_slope(rates)
    np.testing.assert_allclose(value, 1 - slope, rtol=1e-11)


def faster_inhibition(tau_i, delay=1.5, g=5.0, ratio=2.0):
    """Brunel's network with another time constant of inhibitory neurons: model B."""
    lif, fast = jn.LIF(), jn.LIF(tau_m=tau_i)
    brunel = jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio, delay=delay)
    return jn.Network({"E": jn.Population(lif), "I": jn.Population(fast)}, brunel.projections, brunel.drives)


@jax.jit
def of_two(net):
    """In jit no values are known, nor which are equal: one program of two unknowns for the tests that follow."""
    return jn.theory.brunel_stability(net, throw=False)


def test_two_populations():
    seen = of_two(faster_inhibition(15.0))
    assert seen.complete
    rates = (float(seen.rate["E"]), float(seen.rate["I"]))
    assert rates[0] != rates[1]
    at = mp.mpc(float(seen.growth), 2 * np.pi * float(seen.frequency)) / 1000
    assert distance_to_root(at, 5.0, 2.0, rates, taus=(20.0, 15.0)) < 1e-8


def test_one_and_two_unknowns_agree():
    net = jn.networks.brunel(g=6.0, nu_ext_over_nu_thr=4.0)
    one = jn.theory.brunel_stability(net)
    two = of_two(faster_inhibition(20.0, g=6.0, ratio=4.0))
    np.testing.assert_allclose([two.growth, two.frequency], [one.growth, one.frequency], rtol=1e-9)


def test_the_intermediate_state_is_unstable_in_its_rate():
    net = jn.networks.brunel(g=3.5, nu_ext_over_nu_thr=0.65)
    mf = jn.theory.mean_field(net)
    n = int(np.sum(~np.isnan(mf.branches["E"])))
    assert n == 3
    quiescent, intermediate, high = (
        jn.theory.brunel_stability(net, rates={name: found[k] for name, found in mf.branches.items()}) for k in range(n)
    )
    assert bool(quiescent.stable)
    assert float(intermediate.growth) > 0
    assert float(intermediate.frequency) == 0.0
    assert "unstable" in str(intermediate)
    np.testing.assert_allclose(high.rate["E"], mf.rate["E"], rtol=1e-12)


def test_distributed_delays():
    growth = jnp.asarray(0.1 + 1.3j)
    delays = np.linspace(0.5, 2.5, 20_001)
    mean = np.trapezoid(np.exp(-complex(growth) * delays), delays) / 2.0
    np.testing.assert_allclose(jn.UniformDelay(0.5, 2.5).characteristic(growth), mean, rtol=1e-8)
    for x in (1e-9, 1e-3, 0.0099, 0.0101):
        exact = mp.exp(-mp.mpf(x)) * mp.sinh(mp.mpf(x)) / mp.mpf(x)
        np.testing.assert_allclose(
            jn.UniformDelay(0.0, 2.0).characteristic(jnp.asarray(x + 0j)), float(exact), rtol=1e-12
        )


@pytest.mark.proof
def test_a_wide_distribution_of_delays_calms_the_fast_oscillation():
    # A narrow one is a single delay.
    single, narrow, wide = (
        jn.theory.brunel_stability(jn.networks.brunel(g=6.0, nu_ext_over_nu_thr=4.0, delay=delay))
        for delay in (1.5, jn.UniformDelay(1.499, 1.501), jn.UniformDelay(0.1, 2.9))
    )
    np.testing.assert_allclose(narrow.growth, single.growth, rtol=1e-3)
    assert float(single.growth) > 0 > float(wide.growth)


def leading(x):
    seen = jn.theory.brunel_stability(jn.networks.brunel(g=x[0], nu_ext_over_nu_thr=x[1], t_ref=x[2]), throw=False)
    return jnp.stack([seen.growth, seen.frequency])


POINT = (6.0, 4.0, 2.0)


def test_derivatives_of_a_known_mode():
    """The implicit part alone, without the search: the rates and the mode move with the network."""
    noise, groups = jn.theory.EffectiveNoise(), (("E", "I"),)

    def net(x):
        return jn.networks.brunel(g=x[0], nu_ext_over_nu_thr=x[1], t_ref=x[2])

    def values(x):
        seen = jn.theory.brunel_stability(net([float(v) for v in x]))
        return np.asarray([seen.growth, seen.frequency])

    known = jn.theory.brunel_stability(net(POINT))
    at = complex(known.growth, 2 * np.pi * known.frequency) / 1000
    zeros = Zeros(jnp.asarray([at]), jnp.asarray([True]), jnp.asarray(0, jnp.int32))
    start = jnp.log(known.rate["E"])[None]

    @jax.jit
    @jax.jacfwd
    def slope(x):
        rates = self_consistent(net(x), noise, groups, start)
        found = differentiable_zero(loop_of(net(x), noise, groups, rates), zeros, zeros.found[0])
        return found * jnp.asarray([1000.0, 500.0 / np.pi])

    x, h = np.asarray(POINT), 1e-4
    columns = [(values(x + h * one) - values(x - h * one)) / (2 * h) for one in np.eye(3)]
    np.testing.assert_allclose(slope(jnp.asarray(x)), np.stack(columns, 1), rtol=1e-5)


@pytest.mark.proof
def test_derivatives():
    x, h = jnp.asarray(POINT), 1e-4
    # One program for both: most of the time is compilation.
    slope_and_value = jax.jit(jax.jacfwd(lambda y: (leading(y),) * 2, has_aux=True))
    columns = [(slope_and_value(x.at[i].add(h))[1] - slope_and_value(x.at[i].add(-h))[1]) / (2 * h) for i in range(3)]
    np.testing.assert_allclose(slope_and_value(x)[0], np.stack(columns, 1), rtol=1e-5)


@pytest.mark.proof
def test_reverse_mode_is_forward_mode():
    x = jnp.asarray(POINT)
    np.testing.assert_allclose(jax.jit(jax.jacrev(leading))(x), jax.jit(jax.jacfwd(leading))(x), rtol=1e-9)


class FollowsAtOnce(AbstractNoise):
    """The rate of `EffectiveNoise`, and a response that has its slope at every frequency."""

    def rate(self, seen):
        return jn.theory.EffectiveNoise().rate(seen)

    def response(self, growth, seen):
        return jn.theory.EffectiveNoise().response(growth * 0.0, seen)


@pytest.mark.skipif(not X64, reason="one type is enough")
def test_a_theory_of_the_noise_brings_its_own_response():
    # With 1 - s exp(-lambda d) and s < -1 the modes are lambda = (log |s| + i pi (2 k + 1))/d: growth log |s|/d.
    net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    rates = jn.theory.mean_field(net).rate

    def phi(nu):
        found = jn.theory.effective_input(net, {"E": nu, "I": nu})["E"]
        return jn.theory.lif_rate(found.mu, found.sigma, tau=found.tau, v_th=20.0, v_reset=10.0, t_ref=2.0)

    slope = float(jax.grad(phi)(rates["E"]))
    seen = jn.theory.brunel_stability(net, noise=FollowsAtOnce(), rates=rates)
    assert slope < -1.0
    np.testing.assert_allclose(seen.growth, 1000.0 * np.log(-slope) / 1.5, rtol=1e-6)
    # Which of them comes first is chance: all grow alike.
    turns = np.asarray(seen.modes.frequency)[~np.isnan(seen.modes.frequency)] * 1.5e-3 * 2.0
    np.testing.assert_allclose(turns, 2.0 * np.round((turns - 1.0) / 2.0) + 1.0, rtol=1e-6)


def test_new_values_do_not_compile_again():
    from jaxneuro.theory import _stability

    jn.theory.brunel_stability(jn.networks.brunel(g=5.0))
    compiled = _stability._solve._cached._cache_size()
    for g in (4.2, 6, np.float32(7.0)):
        jn.theory.brunel_stability(jn.networks.brunel(g=g))
    assert _stability._solve._cached._cache_size() == compiled


def test_a_network_without_recurrence_has_no_modes():
    for rate in (10.0, 0.0):  # without a drive it is silent
        drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=rate)
        seen = jn.theory.brunel_stability(jn.Network({"E": jn.Population(jn.LIF())}, drives=[drive]))
        assert bool(seen.stable)
        assert np.isnan(seen.growth)


@pytest.mark.usefixtures("as_users_run")
def test_errors():
    with pytest.raises(ValueError, match="`net` has to be a Network"):
        jn.theory.brunel_stability(jn.LIF())
    with pytest.raises(ValueError, match="covers `DeltaCurrent`; got DeltaConductance"):
        jn.theory.brunel_stability(jn.networks.conductance_based())
    for noise in (jn.theory.ItoNoise(), jn.theory.ShotNoise()):
        with pytest.raises(ValueError, match=f"`{type(noise).__name__}` has no linear response"):
            jn.theory.brunel_stability(jn.networks.conductance_based(), noise=noise)
    with pytest.raises(ValueError, match="`noise` has to be a theory of the noise"):
        jn.theory.brunel_stability(jn.networks.brunel(), noise="ito")
    with pytest.raises(ValueError, match="`rates` has no rate of I"):
        jn.theory.brunel_stability(jn.networks.brunel(), rates={"E": 30.0})
    with pytest.raises(ValueError, match="`rates` has to be self-consistent"):
        jn.theory.brunel_stability(jn.networks.brunel(), rates={"E": 30.0, "I": 30.0})
    wrong = [
        ({"E": -1.0, "I": 1.0}, r"`rates\['E'\]` must not be negative"),
        ({"E": np.nan, "I": 1.0}, r"`rates\['E'\]` has to be finite"),
        ({"E": np.ones(2), "I": 1.0}, r"`rates\['E'\]` has to be one number"),
        ({"E": 1.0, "I": 1.0, "X": 1.0}, "`rates` names the population 'X'"),
        (3.0, "`rates` has to be a dict"),
    ]
    for rates, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            jn.theory.brunel_stability(jn.networks.brunel(), rates=rates)


@pytest.mark.proof
def test_frequency_of_a_simulated_network():
    # Just above the onset, where the oscillation is small: the largest peak of the spectrum of the population rate.
    net = jn.networks.brunel(g=6.0, nu_ext_over_nu_thr=4.0)
    theory = jn.theory.brunel_stability(net)
    record = {"rate": jn.record.PopulationRate(start=200.0, width=0.1)}
    sol = jn.simulate(net, 0.0, 1_200.0, dt=0.1, key=jax.random.key(3), record=record)
    rate = np.asarray(sol["rate"]["E"]) - np.mean(sol["rate"]["E"])
    blocks = rate[: rate.size // 2_000 * 2_000].reshape(-1, 2_000) * np.hanning(2_000)
    power = np.mean(np.abs(np.fft.rfft(blocks)) ** 2, axis=0)
    frequencies = np.fft.rfftfreq(2_000, 1e-4)
    peak = frequencies[np.argmax(power * (frequencies > 15.0))]
    # Resolution 5 Hz; the rate of the network is 8% above the mean field there, and its frequency 5% below.
    assert abs(peak / float(theory.frequency) - 1) < 0.1


@pytest.mark.float32
def test_states_far_right_are_stable():
    for g, ratio in ((5.0, 2.0571), (5.0, 2.3), (5.25, 2.0571), (5.25, 2.3)):
        seen = jn.theory.brunel_stability(jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio))
        assert seen.stable
        assert seen.complete
        assert float(seen.frequency) > 100.0


@pytest.mark.proof
@pytest.mark.float32
def test_far_right_where_the_function_is_flat_there_is_no_mode():
    # In float32 a difference quotient vanishes there; all of these states are stable in float64.
    axes = {"g": [5.0, 5.25], "nu_ext_over_nu_thr": [2.0571, 2.3]}
    seen = jn.theory.phase_boundaries(jn.networks.brunel, over=axes)
    assert seen.highest(seen.stable).all()
    assert seen.highest(seen.complete).all()
    assert (seen.highest(seen.frequency) > 100.0).all()
    assert not seen.boundaries


def test_a_growing_mode_outside_the_window_is_counted_as_missing():
    window = window_of(1.5)
    far, pair = 8.0 * window.fastest, 0.3 + 1.2j

    @jax.jit
    def searched(with_far):
        def function(z):
            value = (z - pair) * (z - np.conj(pair)) / (z + 4.0) ** 2
            return value * jnp.where(with_far, (z - far) / (z + far), 1.0)

        return search_modes(function, window, jnp.result_type(complex))

    whole, lacking = searched(False), searched(True)
    assert abs(complex(whole.at[0]) - pair) < (1e-8 if X64 else 1e-4)
    assert (int(whole.missing), int(lacking.missing)) == (0, 1)
    # The pair found counts twice, the missing one once.
    assert (int(count_growing(whole)), int(count_growing(lacking))) == (2, 3)
    none = [eqx.tree_at(lambda z: z.found, zeros, jnp.zeros_like(zeros.found)) for zeros in (whole, lacking)]
    assert [bool(all_decay(zeros)) for zeros in (whole, *none)] == [False, True, False]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_characteristic_function_is_a_determinant(n):
    """det(1 - M) by NumPy of 1, 2 and 3 groups, of answers that are made up."""
    rng = np.random.default_rng(n)
    mean, variance, tau = rng.normal(size=(n, n)), rng.normal(size=(n, n)), rng.uniform(5.0, 20.0, n)
    net = jn.Network({f"P{i}": jn.Population(jn.LIF(tau_m=tau[i]), 1) for i in range(n)})
    neurons = tuple(jn.theory.afferents(net, dict.fromkeys(net.names, 1.0)).values())

    class MadeUp(AbstractNoise):
        def rate(self, seen):
            return jnp.asarray(1.0)

        def response(self, growth, seen):
            gain = seen.membrane().tau_m.astype(growth.dtype) / (1.0 + growth)
            return jn.theory.LifResponse(gain, 2.0 * gain)

    delay = jn.connectivity.as_delay(1.5).law()
    paths = tuple(
        RecurrentPath(i, j, delay, jnp.asarray(mean[i, j]), jnp.asarray(variance[i, j]))
        for i in range(n)
        for j in range(n)
    )
    growth = 0.02 + 0.3j
    found = RecurrentLoop(MadeUp(), neurons, paths, n).characteristic(jnp.asarray(growth))
    m = (tau / (1.0 + growth))[:, None] * (mean + 2.0 * variance) * np.exp(-1.5 * growth)
    np.testing.assert_allclose(found, np.linalg.det(np.eye(n) - m), rtol=1e-10)
