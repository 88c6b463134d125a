"""Thresholds, frequencies, clamps, phases and bifurcations of single neurons."""

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import jaxneuro as jn

SQUID = jn.HodgkinHuxley()


@pytest.mark.float32
def test_rheobase_of_the_squid_axon():
    found = jn.analysis.rheobase(SQUID)
    assert float(found.one_spike) == pytest.approx(2.241, abs=1e-3)
    assert float(found.repetitive) == pytest.approx(6.264, abs=1e-3)


@pytest.mark.proof
def test_slope_of_a_hopf_current_is_that_of_differences():
    def current(g_k):
        cell = jn.HodgkinHuxley(g_k=g_k)
        return jn.analysis.hopf(cell, where=lambda m: m.bias, bracket=(8.0, 12.0), throw=False).value

    both = jax.jit(jax.value_and_grad(current))
    differences = (both(36.02)[0] - both(35.98)[0]) / 0.04
    assert float(both(36.0)[1]) == pytest.approx(float(differences), rel=1e-5)  # differences: 1e-6


def test_hopf_currents_of_the_squid_axon():
    branch = jn.analysis.continuation(SQUID, where=lambda m: m.bias, over=(0.0, 170.0))
    first, last = branch.bifurcations
    assert first.value == pytest.approx(9.779, abs=1e-3)
    assert last.value == pytest.approx(154.53, abs=1e-2)
    assert first.kind == last.kind == "Hopf"


@pytest.mark.parametrize(("bracket", "value"), [((0.0, 50.0), 9.779), ((140.0, 170.0), 154.53)])
def test_hopf_currents_are_found_from_any_bracket(bracket, value):
    found = jn.analysis.hopf(SQUID, where=lambda m: m.bias, bracket=bracket)
    assert float(found.value) == pytest.approx(value, abs=1e-2)


def test_rheobase_of_integrate_and_fire_neurons_is_the_minimum_of_their_curve():
    found = jn.analysis.rheobase(jn.neurons.eif(), over=(0.0, 30.0), dt=0.1, duration=4_000.0, tolerance=1e-3)
    assert float(found.repetitive) == pytest.approx(13.0, abs=0.01)
    lif = jn.analysis.rheobase(jn.LIF(), over=(0.0, 30.0), dt=0.1, duration=4_000.0, tolerance=1e-3)
    assert float(lif.one_spike) == pytest.approx(20.0, abs=2e-3)
    assert np.isnan(float(jn.analysis.rheobase(jn.LIF(), over=(0.0, 5.0), dt=0.1, duration=100.0).one_spike))


# Wang and Buzsaki: type I, rheobase about 0.16; Connor and Stevens fires from 8 on.
PUBLISHED = [(jn.neurons.wang_buzsaki(), 0.15, 0.17), (jn.neurons.connor_stevens(), 7.5, 9.0)]


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "low", "high"), PUBLISHED, ids=["Wang and Buzsaki", "Connor and Stevens"])
def test_named_neurons_fire_from_the_published_current_on(cell, low, high):
    sol = jn.simulate(
        jn.Population(cell, 2), 0.0, 600.0, dt=0.04, key=jax.random.key(0), stimulus=np.array([low, high]),
        record={"spikes": jn.record.Spikes(start=300.0)},
    )  # fmt: skip
    assert [len(times) > 0 for times in sol["spikes"].times] == [False, True]


@pytest.mark.proof
@pytest.mark.parametrize(("cell", "low", "high"), PUBLISHED, ids=["Wang and Buzsaki", "Connor and Stevens"])
def test_named_neurons_have_the_published_rheobase(cell, low, high):
    found = jn.analysis.rheobase(cell, over=(0.0, 2.5 * high), duration=600.0, dt=0.04, tolerance=1e-3 * high)
    assert low < float(found.repetitive) < high


@pytest.mark.slow
def test_a_regular_spiking_neuron_adapts():
    sol = jn.simulate(
        jn.Population(jn.neurons.regular_spiking(), 1), 0.0, 400.0, dt=0.05, key=jax.random.key(0), stimulus=2.0,
        record={"spikes": jn.record.Spikes()},
    )  # fmt: skip
    gaps = np.diff(sol["spikes"].times[0])
    assert gaps[-1] > 1.5 * gaps[0]


def test_simulated_fi_curve_of_the_squid_axon():
    # At 100 uA/cm2 spikes end at -20 mV; 160 lies above the Hopf bifurcation at 154.53.
    found = jn.analysis.fi_curve(SQUID, [5.0, 7.0, 10.0, 20.0, 50.0, 100.0, 160.0], duration=400.0)
    strong = by_scipy(100.0)
    np.testing.assert_allclose(found, [0.0, 58.307, 68.314, 86.465, 117.033, strong, 0.0], atol=2e-3)
    assert strong == pytest.approx(147.268, abs=1e-3)
    given = jn.analysis.fi_curve(SQUID, [10.0, 100.0], start=10.0, duration=60.0, threshold=-15.0)
    assert [float(f) > 0.0 for f in given] == [True, False]


def by_scipy(current):
    """The rate of the squid axon of 1952, written out, from its upward crossings of -40 mV."""

    def slope(t, y):
        v, m, h, n = y
        u = v + 65.0
        a = [
            0.1 * (25 - u) / np.expm1((25 - u) / 10),
            0.07 * np.exp(-u / 20),
            0.01 * (10 - u) / np.expm1((10 - u) / 10),
        ]
        b = [4 * np.exp(-u / 18), 1 / (np.exp((30 - u) / 10) + 1), 0.125 * np.exp(-u / 80)]
        flow = 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v + 54.4)
        return [current - flow, *(p * (1 - x) - q * x for p, q, x in zip(a, b, (m, h, n), strict=True))]

    def up(t, y):
        return y[0] + 40.0

    up.direction = 1.0
    run = solve_ivp(slope, (0.0, 400.0), [-65.0, 0.05, 0.6, 0.32], rtol=1e-8, atol=1e-10, events=up, method="LSODA")
    times = run.t_events[0][run.t_events[0] > 200.0]
    return 1e3 * (times.size - 1) / (times[-1] - times[0])


def test_voltage_clamp_against_scipy_and_by_parts():
    levels, times = [-20.0, 40.0], np.array([0.3, 1.0, 6.0])
    clamp = jn.analysis.voltage_clamp(SQUID, levels, times, holding=-65.0)
    for row, v in enumerate(levels):
        u = v + 65.0
        alpha, beta = 0.1 * (0.1 * u - 2.5) * 10 / (1 - np.exp(2.5 - 0.1 * u)), 4 * np.exp(-u / 18)
        start = float(SQUID.steady_gates(jnp.asarray(-65.0))["m_na"])
        m = solve_ivp(lambda t, y: alpha * (1 - y) - beta * y, (0, 6), [start], t_eval=times, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(clamp.gates["m_na"][row], m.y[0], rtol=1e-7)
    parts = sum(np.asarray(x) for x in clamp.currents.values())
    np.testing.assert_allclose(clamp.current, parts)
    late = jn.analysis.voltage_clamp(SQUID, levels, [500.0]).current[:, 0]
    np.testing.assert_allclose(late, jn.analysis.current_voltage(SQUID, levels), rtol=1e-8)
    assert abs(float(jn.analysis.current_voltage(SQUID, SQUID.resting_potential()))) < 1e-10


def test_phase_response_of_the_quadratic_neuron_is_one_over_its_speed():
    model, current, kick = jn.neurons.qif(v_peak=200.0, v_reset=-200.0), 10.0, 0.05
    found = jn.analysis.phase_response(model, current, kick=kick, n_phases=16, dt=0.01, cycles=2)
    excess = current - 0.05 * 7.5**2
    scale = np.sqrt(0.05 / excess)
    ends = np.arctan(np.array([-200 + 57.5, 200 + 57.5]) * scale)
    period = 20.0 / np.sqrt(0.05 * excess) * np.ptp(ends)
    assert float(found.period) == pytest.approx(period, rel=1e-3)
    v = np.tan(ends[0] + np.asarray(found.phase) * np.ptp(ends)) / scale
    speed = (0.05 * v**2 + excess) / 20.0
    # Spikes lie on the grid, so that an advance is known to one step.
    np.testing.assert_allclose(found.advance, kick / speed / period, atol=1.5 * 0.01 / period)
    assert float(jnp.max(found.advance)) > 0.001


def test_phase_response_of_the_squid_axon_has_both_signs():
    found = jn.analysis.phase_response(SQUID, 10.0, n_phases=16, settle=150.0)
    assert float(found.period) == pytest.approx(14.638, abs=2e-3)
    assert float(found.advance.max()) > 0.01
    assert float(found.advance.min()) < -0.005
    strong = jn.analysis.phase_response(SQUID, 100.0, n_phases=16, settle=150.0)
    assert float(strong.period) == pytest.approx(1e3 / 147.268, abs=2e-3)


def test_errors(as_users_run):
    mixed = jn.Network({"E": jn.Population(jn.LIF(), 10), "I": jn.Population(SQUID, 10)})
    with pytest.raises(
        ValueError,
        match=r"populations\['I'\].*leaky integrate-and-fire neurons such as `LIF`, and HodgkinHuxley is none",
    ):
        jn.theory.mean_field(mixed)
    assert str(jn.analysis.rheobase(jn.LIF(), over=(0.0, 5.0))) == (
        "no threshold of a spike in the range tried, none of repetitive firing"
    )
    with pytest.raises(ValueError, match="`model` has to be a neuron"):
        jn.analysis.rheobase(3.0)
    with pytest.raises(ValueError, match="single numbers"):
        jn.analysis.rheobase(jn.HodgkinHuxley(g_na=np.array([100.0, 120.0])))
    with pytest.raises(ValueError, match="`over` has to be"):
        jn.analysis.rheobase(SQUID, over=(3.0, 1.0))
    with pytest.raises(ValueError, match="neuron with channels"):
        jn.analysis.voltage_clamp(jn.LIF(), 0.0, [1.0])
    with pytest.raises(ValueError, match="`cycles` has to be"):
        jn.analysis.phase_response(SQUID, 10.0, cycles=0)
    for call in (jn.analysis.rheobase, lambda m, **kw: jn.analysis.fi_curve(m, 30.0, **kw)):
        with pytest.raises(ValueError, match="`threshold` is of neurons with channels"):
            call(jn.LIF(), threshold=10.0)
        with pytest.raises(ValueError, match="`threshold` has to be one number"):
            call(SQUID, threshold=[1.0, 2.0])
    with pytest.raises(ValueError, match="`current` has to be one number"):
        jn.analysis.phase_response(SQUID, [10.0, 11.0])


CELLS = [
    pytest.param(SQUID, 10.0, id="squid"),
    pytest.param(jn.neurons.connor_stevens(), 15.0, id="Connor and Stevens", marks=pytest.mark.slow),
    pytest.param(jn.neurons.wang_buzsaki(), 2.0, id="Wang and Buzsaki", marks=pytest.mark.slow),
    pytest.param(jn.neurons.traub_miles(), 5.0, id="Traub and Miles", marks=pytest.mark.slow),
    pytest.param(jn.neurons.regular_spiking(), 2.0, id="regular spiking", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("cell", "current"), CELLS)
def test_a_bias_makes_a_neuron_fire_as_a_stimulus_of_as_much(cell, current):
    """Where rest under the bias is unstable; the bias is then like a current that is switched on."""

    @jax.jit
    @jax.vmap
    def times(bias, stimulus):
        biased = eqx.tree_at(lambda m: m.bias, cell, bias)
        record = {"t": jn.record.SpikeTimes("population", 40)}
        run = dict(dt=0.05, key=jax.random.key(0), stimulus=stimulus, record=record, throw=False)
        return jn.simulate(jn.Population(biased, 1), 0.0, 60.0, **run)["t"][0]

    by_bias, by_stimulus = times(jnp.asarray([current, 0.0]), jnp.asarray([0.0, current]))
    assert np.isfinite(by_bias[1])
    np.testing.assert_allclose(by_bias, by_stimulus, rtol=0, atol=2e-3)


def test_where_a_run_starts():
    """At rest where an eigenvalue analysis calls it stable, else at the rest without bias, else beside it."""

    @jax.jit
    @jax.vmap
    def jacobian(bias, v):
        cell = jn.HodgkinHuxley(bias=bias)
        y, unravel = jax.flatten_util.ravel_pytree(cell.init(v[None]))
        return jax.jacfwd(lambda x: jax.flatten_util.ravel_pytree(cell.vector_field(0.0, unravel(x)))[0])(y)

    rest = float(SQUID.resting_potential())
    biases = np.array([-5.0, 3.0, 9.7, 9.85, 100.0, 154.0, 156.0])
    many = jn.HodgkinHuxley(bias=biases)
    stands = np.asarray(many.resting_potential())
    grows = np.linalg.eigvals(np.asarray(jacobian(biases, stands))).real.max(axis=1) > 0.0
    np.testing.assert_array_equal(grows, (biases > 9.78) & (biases < 154.5))
    starts = np.where(grows, rest, stands)
    np.testing.assert_allclose(many.starting_potential(), starts, atol=1e-9)
    for k in (1, 3):  # and of one neuron
        one = jn.HodgkinHuxley(bias=biases[k])
        assert float(one.starting_potential()) == pytest.approx(starts[k], abs=1e-9)
    pacemaker = jn.HodgkinHuxley(e_l=-20.0)
    assert float(pacemaker.starting_potential()) == float(pacemaker.resting_potential()) - 5.0
    # Without a rest, or with one that oscillates: from the reset potential on.
    assert float(jn.neurons.eif(v_rest=-40.0).starting_potential()) == -60.0
    assert float(jn.neurons.eif().starting_potential()) == float(jn.neurons.eif().resting_potential())
    swinging = jn.neurons.eif(a=20.0, v_w=-47.0, tau_w=200.0, v_reset=-55.0)
    rest = float(swinging.resting_potential())
    slope = (np.exp((rest + 50.0) / 2.0) - 1.0) / 20.0
    values = np.linalg.eigvals([[slope, -1 / 20.0], [20.0 / 200.0, -1 / 200.0]])
    assert values.real.max() > 0.0
    assert float(swinging.starting_potential()) == -55.0


def test_what_is_not_in_the_range_is_no_rheobase():
    above = jn.analysis.rheobase(jn.LIF(), over=(40.0, 80.0), duration=100.0)  # 20 mV, the threshold
    assert np.isnan(float(above.one_spike))
    assert np.isnan(float(above.repetitive))


def test_a_run_that_is_lost_is_not_silent():
    # At 0.1 ms Runge-Kutta is unstable in a spike of the squid axon.
    assert np.isnan(jn.analysis.fi_curve(jn.HodgkinHuxley(), [10.0], start=10.0, duration=100.0, dt=0.1)).all()
    with pytest.raises(RuntimeError, match="Take a smaller `dt`"):
        jn.analysis.rheobase(jn.HodgkinHuxley(), duration=100.0, dt=0.2)
    with pytest.raises(ValueError, match="`current` has to be a number or"):
        jn.analysis.fi_curve(jn.LIF(), [[1.0]])


def test_clamp_refuses_what_it_has_no_answer_for():
    for times in ([-5.0], [[1.0]], 1.0):
        with pytest.raises(ValueError, match="`times`"):
            jn.analysis.voltage_clamp(jn.HodgkinHuxley(), 0.0, times)
    with pytest.raises(ValueError, match="`holding` has to be finite"):
        jn.analysis.voltage_clamp(jn.HodgkinHuxley(), 0.0, [1.0], holding=np.nan)
    with pytest.raises(ValueError, match="give it single numbers"):
        jn.analysis.voltage_clamp(jn.HodgkinHuxley(g_na=jnp.asarray([120.0, 100.0])), [0.0, 1.0], [1.0, 2.0])
