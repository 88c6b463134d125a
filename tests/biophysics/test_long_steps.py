"""Steps that are longer than what they have to follow: a run says so, whatever finite numbers come out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.results import Result

KEY = jax.random.key(0)
SQUID = jn.HodgkinHuxley()


def squid_time_constant():
    """[ms] of the potassium gate at 50 mV, 115 mV above rest, where it is the quickest; sodium's slowest is slower."""
    u = 115.0
    return 1.0 / (0.01 * (10.0 - u) / np.expm1((10.0 - u) / 10.0) + 0.125 * np.exp(-u / 80.0))


def resolves(model, dt):
    return bool(model.resolves(jnp.asarray(dt)))


@pytest.mark.parametrize("dt", [1.0, 5.0])
def test_the_squid_axon_in_long_steps_fails(dt):
    cells = jn.Population(SQUID, 1)
    with pytest.raises(RuntimeError, match=r"longer than the shortest time constant.*smaller dt"):
        jn.simulate(cells, 0.0, 20.0, dt=dt, key=KEY, stimulus=10.0)


def test_the_code_of_a_run_that_does_not_raise():
    run = jn.simulate(jn.Population(SQUID, 1), 0.0, 20.0, dt=1.0, key=KEY, stimulus=10.0, throw=False)
    assert run.result == Result.long_step
    assert "smaller dt" in str(run)


def test_the_longest_step_is_the_time_constant_of_the_quickest_channel():
    longest = squid_time_constant()
    assert longest == pytest.approx(0.926, abs=1e-3)
    assert resolves(SQUID, longest * 0.999)
    assert not resolves(SQUID, longest * 1.001)
    warm = jn.HodgkinHuxley(temperature=np.array([6.3, 16.3]))
    assert resolves(warm, longest / 3.0 * 0.999)
    assert not resolves(warm, longest / 3.0 * 1.001)


@pytest.mark.parametrize(
    ("cell", "longest"),
    [
        pytest.param(jn.neurons.wang_buzsaki(), 0.22, id="Wang and Buzsaki"),
        pytest.param(jn.neurons.connor_stevens(), 0.33, id="Connor and Stevens", marks=pytest.mark.slow),
        pytest.param(jn.neurons.traub_miles(), 0.30, id="Traub and Miles", marks=pytest.mark.slow),
        pytest.param(jn.neurons.regular_spiking(), 0.34, id="regular spiking", marks=pytest.mark.slow),
    ],
)
def test_other_neurons(cell, longest):
    assert resolves(cell, 0.97 * longest)
    assert not resolves(cell, 1.03 * longest)


def test_gates_that_are_shut_or_open_for_good_set_no_limit():
    """tau_u of the current T falls to nothing where it is shut for good; without gates no step is too long."""
    burst = jn.ConductanceNeuron({"t": jn.channels.CalciumT(), "l": jn.channels.Leak(g=0.1, e=-65.0)})
    assert resolves(burst, 1.0)
    passive = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.1, e=-65.0)}, v_th=0.0)
    assert resolves(passive, 100.0)
    blocked = jn.HodgkinHuxley(g_na=0.0, g_k=0.0)
    assert resolves(blocked, 100.0)
    # 150 mV below rest the gate h of sodium would follow within 0.01 ms, but it is open there for good.
    assert resolves(jn.HodgkinHuxley(e_k=-215.0), squid_time_constant() * 0.999)


def test_cables_and_rates():
    cable = jn.Cable(SQUID, jn.Section(length=100.0, diameter=10.0, n=2))
    with pytest.raises(RuntimeError, match="longer than the shortest time constant"):
        jn.simulate(cable, 0.0, 20.0, dt=1.0)
    net = jn.RateNetwork([[0.0, -3.0], [3.0, 0.0]], h=1.0, tau=np.array([20.0, 10.0]))
    assert jn.simulate(net, 0.0, 40.0, dt=10.0).result == Result.successful
    with pytest.raises(RuntimeError, match="longer than the shortest time constant"):
        jn.simulate(net, 0.0, 40.0, dt=20.0)
    pair = jn.networks.ei_rate()
    assert not resolves(pair, 60.0)
    assert resolves(pair, 5.0)
