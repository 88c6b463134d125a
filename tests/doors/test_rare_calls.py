"""Calls that no other table hands anything wrong: each refuses one thing in a sentence that names the argument."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn

A, T, S = jn.analysis, jn.theory, jn.statistics
PAIR = jn.networks.ei_rate()
LINEAR = jn.RateNetwork(m=[[0.0, 0.5], [0.25, 0.0]], h=1.0)
CURVED = jn.RateNetwork(m=[[0.0, 0.5], [0.25, 0.0]], h=1.0, transfer=jn.transfer.Tanh())
SPIKES = jnp.zeros((4, 2))
CONDUCTANCE = {"k": 400, "g": 12.0, "eta": 1.8, "gamma": 0.25}
ONE = jn.Population(jn.LIF(), 1)
DIFFUSION = {"convention": jn.theory.Ito(), "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}


def line(v):
    return 1.0 + 0.0 * v


BAD = {
    "left": lambda: jn.LowRankWeights([1.0, 2.0], [[1.0, 2.0]]),
    "sigma": lambda: jn.OUCurrentDrive("E", mean=0.0, sigma=-1.0, tau=5.0),
    "tau_rise": lambda: jn.RiseDecayConductance(tau_rise=-1.0, tau_decay=5.0, reversal=0.0),
    "tau_s": lambda: jn.SynapticRateNetwork([[1.0]], tau_s=-5.0),
    "every": lambda: A.bump_diffusion(np.zeros(10), every=-1.0),
    "over": lambda: A.continuation(PAIR, where=lambda m: m.tau_i, over=(1.0, 1.0)),
    "model": lambda: A.current_voltage(jn.LIF(), [-65.0]),
    "near": lambda: A.fixed_point(PAIR, [1.0, 2.0, 3.0]),
    "pair": lambda: A.inhibition_stabilisation(LINEAR),
    "surface": lambda: A.poincare_section(PAIR, 0.0, 1.0, dt=0.1, surface=3),
    "positions": lambda: jn.extend.Points("here"),
    "results": lambda: jn.io.write_fits("fits.json", [1]),
    "path": lambda: jn.io.read_psp_csv(3),
    "path that is empty": lambda: jn.io.read_psp_csv(""),
    "path of fits": lambda: jn.io.write_text(3, "a"),
    "path with a zero": lambda: jn.io.write_text("a\0b", "a"),
    "text": lambda: jn.io.write_text("a", 3),
    "psp": lambda: jn.io.read_psp_csv("a", psp="synapse"),
    "labels": lambda: jn.learning.accuracy(jnp.zeros((2, 3)), [0, 3]),
    "dt": lambda: jn.learning.first_spike_times(SPIKES, dt=-1.0),
    "dt of intervals": lambda: jn.learning.interval_cv(SPIKES, dt=0.0),
    "width": lambda: jn.learning.population_rates(0.5, centres=[0.0, 1.0], width=-1.0, peak=20.0),
    "function": lambda: jn.loss.LeastSquares(3),
    "function of a likelihood": lambda: jn.loss.Likelihood(3),
    "alpha": lambda: jn.networks.wardak_gong(alpha=-1.0),
    "patterns": lambda: jn.networks.hopfield([[1.0, 0.5]]),
    "decoder": lambda: jn.networks.memory([[np.nan]]),
    "drive": lambda: jn.networks.supralinear(drive=np.nan),
    "g": lambda: jn.neurons.connor_stevens(g_a=-1.0),
    "k": lambda: jn.neurons.qif(k=-1.0),
    "c_m": lambda: jn.neurons.regular_spiking(c_m=-1.0),
    "c_m of squid": lambda: jn.neurons.squid(c_m=-1.0),
    "c_m of an interneuron": lambda: jn.neurons.wang_buzsaki(c_m=-1.0),
    "tolerance": lambda: jn.optimiser.LevenbergMarquardt(tolerance=-1.0),
    "tolerance of BFGS": lambda: jn.optimiser.QuasiNewton(tolerance=np.nan),
    "tolerance of Gauss": lambda: jn.optimiser.GaussNewton(tolerance="x"),
    "tolerance of Optax": lambda: jn.optimiser.Optax(optax.sgd(0.1), tolerance=0.0),
    "max_steps": lambda: jn.optimiser.LevenbergMarquardt(max_steps=0),
    "max_steps of BFGS": lambda: jn.optimiser.QuasiNewton(max_steps=2.5),
    "variable": lambda: jn.record.Trace(3),
    "variable of a histogram": lambda: jn.record.Histogram("", low=0.0, high=1.0, bins=3),
    "variable of potentials": lambda: jn.record.PotentialAutocovariance(None, max_lag=1.0),
    "without": lambda: jn.record.Histogram("v", low=0.0, high=1.0, bins=3, without=3),
    "low": lambda: jn.record.Histogram("v", low=[0.0, 1.0], high=1.0, bins=3),
    "mean": lambda: jn.Network(
        {"E": ONE}, [], [jn.OUConductanceDrive("E", reversal=0.0, mean=[[0.1]], sd=0.1, tau=5.0)]
    ),
    "rates of an input": lambda: T.effective_input(jn.Network({"E": ONE}), [1.0]),
    "rates of afferents": lambda: T.afferents(jn.Network({"E": ONE}), [1.0]),
    "g of a network": lambda: jn.networks.brunel(g=-1.0),
    "n of panels": lambda: T.diffusion_rate(line, line, n=10**9, **DIFFUSION),
    "nu_x": lambda: T.conductance_rate([1.0, 2.0, 3.0], a=[0.1, 0.2], **CONDUCTANCE),
    "j_e": lambda: T.BalancedInput(n=10, j_e=[1.0, 2.0, 3.0], p_e=[0.1, 0.2]),
    "transformation": lambda: jn.optimiser.Optax("adam"),
    "sol": lambda: jn.plot.bump(3),
    "box": lambda: jn.plot.phase_plane(PAIR, box=(1.0, 0.0)),
    "n of angles": lambda: jn.plot.ring_diagram(n=1),
    "rates": lambda: jn.plot.sheet([1.0, 2.0]),
    "theta": lambda: jn.plot.tuning([0.0, 1.0], {"a": [1.0]}),
    "width of pairs": lambda: S.pairwise_correlation([[1.0], [2.0]], width=-1.0, t0=0.0, t1=5.0),
    "width of synchrony": lambda: S.synchrony([[1.0], [2.0]], width=0.0, t0=0.0, t1=5.0),
    "width of ArcTan": lambda: jn.surrogate.ArcTan(-1.0),
    "width of Exponential": lambda: jn.surrogate.Exponential(-1.0),
    "width of MultiGaussian": lambda: jn.surrogate.MultiGaussian(-1.0),
    "width of SuperSpike": lambda: jn.surrogate.SuperSpike(-1.0),
    "surrogate": lambda: jn.surrogate.spike(3, jnp.zeros(2)),
    "ring": lambda: T.bump_motion(LINEAR, None),
    "a": lambda: T.conductance_cv(10.0, a=-1.0, **CONDUCTANCE),
    "a of a density": lambda: T.conductance_density(-60.0, 10.0, a=-1.0, **CONDUCTANCE),
    "noise": lambda: T.diffusion_cv(line, 3, **DIFFUSION),
    "noise of a density": lambda: T.diffusion_density(15.0, line, 3, **DIFFUSION),
    "frequency": lambda: T.diffusion_response(line, line, frequency=np.nan, **DIFFUSION),
    "net": lambda: T.energy(PAIR, [0.0, 0.0]),
    "net of modes": lambda: T.linear_modes(CURVED),
    "net of a steady state": lambda: T.linear_steady_state(CURVED),
    "net of a trajectory": lambda: T.linear_trajectory(CURVED, [1.0]),
    "net of an amplification": lambda: T.transient_amplification(CURVED, [1.0]),
    "sigma of LIFRate": lambda: jn.transfer.LIFRate(sigma=-1.0),
    "width of Tanh": lambda: jn.transfer.Tanh(width=-1.0),
    "gain": lambda: jn.transfer.ThresholdLinear(gain=-1.0),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("name", list(BAD))
def test_a_rare_call_refuses_what_does_not_fit(name):
    with pytest.raises(ValueError, match=rf"`{name.split()[0]}`") as caught:
        BAD[name]()
    assert "\n" not in str(caught.value)
