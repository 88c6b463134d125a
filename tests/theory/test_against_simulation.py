"""Theory against simulation, where one of the two is exact or the difference is known."""

import jax
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(11)


def rate_and_error(net, duration, dt, start):
    """Mean rate [Hz] over independent neurons, and its standard error."""
    sol = jn.simulate(net, 0.0, duration, dt=dt, key=KEY, record={"rate": jn.record.Rate(start=start)})
    rates = np.asarray(sol["rate"]["E"])
    return rates.mean(), rates.std(ddof=1) / np.sqrt(rates.size)


@pytest.mark.parametrize(
    ("mu", "sigma"),
    [
        pytest.param(15.0, 5.0, id="noise-driven", marks=pytest.mark.slow),
        pytest.param(21.0, 3.0, id="mean-driven", marks=pytest.mark.proof),
    ],
)
def test_white_noise_rate(mu, sigma):
    # On a grid a crossing between two steps is missed, as if the threshold stood higher by
    # 0.5826 sigma sqrt(dt/tau), with -zeta(1/2)/sqrt(2 pi) = 0.5826 (Broadie, Glasserman and Kou 1997,
    # doi:10.1111/1467-9965.00035); their result is of first order, so the step is small.
    dt = 0.02
    net = jn.Network(
        {"E": jn.Population(jn.LIF(), 4_000, initial=jn.initial.UniformPotential(10.0, 20.0))},
        drives=[jn.WhiteNoiseDrive("E", mu=mu, sigma=sigma)],
    )
    rate, error = rate_and_error(net, 600.0, dt, 100.0)
    raised = 20.0 + 0.5826 * sigma * np.sqrt(dt / 20.0)
    # The refractory period of 100 whole steps starts at the end of the step that crossed: half a step is lost.
    expected = jn.theory.lif_rate(mu, sigma, tau=20.0, v_th=raised, v_reset=10.0, t_ref=2.0 + dt / 2)
    uncorrected = jn.theory.lif_rate(mu, sigma, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    assert abs(rate - expected) < 4 * error
    assert abs(rate - uncorrected) > 4 * error  # and the test can tell the correction


@pytest.mark.parametrize(
    ("jump", "recorded"),
    [
        pytest.param(jn.FirstOrderJump(), 28.9, id="first-order", marks=pytest.mark.proof),
        pytest.param(jn.ExactJump(), 35.8, id="exact", marks=pytest.mark.slow),
    ],
)
def test_shot_noise_rate_of_a_conductance_based_neuron(jump, recorded):
    # a = 0.01, K = 1000, g = 12, gamma = 1/4, eta = 1.8, nu_X = 20 Hz: the rates of event-driven simulations.
    excitatory, inhibitory = jn.DeltaConductance(0.0, jump=jump), jn.DeltaConductance(-75.0, jump=jump)
    lif = jn.LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    net = jn.Network(
        {"E": jn.Population(lif, 2_000)},
        drives=[
            jn.PoissonDrive("E", excitatory, weight=0.01, n_sources=1_000, rate=20.0),
            jn.PoissonDrive("E", inhibitory, weight=0.12, n_sources=250, rate=36.0),
        ],
    )
    rate, error = rate_and_error(net, 300.0, 0.005, 50.0)
    # The recorded digits, the statistical error, and 0.4% for spikes that share a step of 5 us.
    assert abs(rate - recorded) < 0.05 + 4 * error + 0.004 * recorded
    # The effective-time-constant theory lies far below both, as it does not know the multiplicative noise.
    effective = jn.theory.conductance_rate(20.0, a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
    assert float(effective) == pytest.approx(16.3, abs=0.05)


@pytest.mark.proof
def test_brunel_network_of_full_size():
    # NEST and Brian2 give 37.5 Hz and a CV of 0.41 to 0.42 over the first second.
    record = {"rate": jn.record.Rate(), "cv": jn.record.CV()}
    net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    runs = [jn.simulate(net, 0.0, 1_000.0, dt=0.1, key=jax.random.key(s), record=record) for s in range(3)]
    rates = [run.mean("rate")["E"].value for run in runs]
    cvs = [run.mean("cv")["E"].value for run in runs]
    # The rate of a wiring has a standard deviation of 0.3 Hz, its CV one of 0.002 (`python -m benchmarks brunel`).
    assert abs(np.mean(rates) - 37.5) < 4 * 0.3 / np.sqrt(3)
    assert 0.41 - 4 * 0.002 < np.mean(cvs) < 0.425 + 4 * 0.002
    assert all(run.mean("cv")["E"].n == 10_000 for run in runs)
