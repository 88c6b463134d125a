"""What has a derivative: each function called by itself, and once more under jit, vmap and grad together."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
T, S = jn.theory, jn.statistics
SURROGATE = jn.surrogate.FastSigmoid(width=2.0)
# 200 x 100 weights: more than the least that is multiplied by the operation of our own.
SPIKES = np.random.default_rng(0).random((4, 200)) < 0.05
MATRIX = np.random.default_rng(1).normal(size=(100, 200)).astype(np.float32)
RATES = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
LEAKY = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.1, e=-65.0)}, v_th=0.0)
PAIR = [[0.0, 0.5], [0.5, 0.0]]


def through_a_wiring(delivery, delay=1.5):
    """The mean potential of a recurrent network in a current, which is the argument."""
    projection = jn.Projection(
        "E", "E", jn.ExponentialCurrent(5.0), weight=0.5, connectivity=jn.FixedInDegree(2), delay=delay
    )
    cells = jn.Population(jn.LIF(), 100, initial=jn.initial.UniformPotential(0.0, 20.0))
    net = jn.Network({"E": cells}, [projection])
    wiring = jn.wire(net, key=KEY, delivery=delivery)

    def potential(current):
        run = dict(dt=0.5, key=KEY, wiring=wiring, record={"v": jn.record.Trace("E.v")}, surrogate=SURROGATE)
        return jnp.mean(jn.simulate(net, 0.0, 10.0, stimulus={"E": current}, throw=False, **run)["v"])

    return potential


def given(weights):
    def loss(factor):
        net = jn.Network(
            {"in": jn.Population(jn.SpikeSource(), 200), "out": jn.Population(jn.LIF(v_th=1.0, v_reset=0.0), 100)},
            [jn.Projection("in", "out", jn.DeltaCurrent(), connectivity=weights(factor), delay=1.0)],
        )
        record = {"v": jn.record.Trace("out.v")}
        run = dict(dt=1.0, key=KEY, stimulus={"in": SPIKES}, record=record, surrogate=SURROGATE, throw=False)
        return jnp.mean(jn.simulate(net, 0.0, 4.0, **run)["v"] ** 2)

    return loss


def sparse(factor):
    values = factor * MATRIX[:, 0]
    return jn.SparseWeights(values, post=np.arange(100), pre=np.arange(100), n_post=100, n_pre=200)


def potential(neuron, current, **run):
    record = {"v": jn.record.Trace("neurons.v")}
    cells = jn.Network({"neurons": jn.Population(neuron, 2)})
    run = dict(dt=0.05, key=KEY, stimulus={"neurons": current}, record=record, throw=False) | run
    return jnp.mean(jn.simulate(cells, 0.0, 1.0, **run)["v"])


def first_spike(weight):
    lif = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=0.0)
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(lif, 1)},
        [
            jn.Projection(
                "in", "out", jn.ExponentialCurrent(10.0), connectivity=jn.Weights(weight[None, None]), delay=1.0
            )
        ],
    )
    return jn.simulate_events(net, 50.0, spikes={"in": ([2.0], [0])}, most=2).of("out")[0, 0]


def exact_time(current):
    cells = jn.Network({"E": jn.Population(jn.LIF(t_ref=0.0), 1)})
    record = {"times": jn.record.SpikeTimes("E", 1)}
    run = dict(dt=1.0, key=KEY, stimulus={"E": current}, spike_times=jn.InsideSteps(), record=record, throw=False)
    return jnp.ravel(jn.simulate(cells, 0.0, 30.0, **run)["times"])[0]


def last_rate(model, **run):
    return jnp.mean(jn.simulate(model, 0.0, 10.0, dt=0.5, throw=False, **run)["rate"][-1])


def rate_of_mean_field(mu):
    cells = jn.Population(jn.LIF(tau_m=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0))
    return T.mean_field(jn.Network({"E": cells}, drives=[jn.WhiteNoiseDrive("E", mu=mu, sigma=5.0)])).rate["E"]


def linear(h):
    return jn.RateNetwork([[0.5]], h=h, transfer=jn.transfer.Linear())


def mean_decay(tau, dt=0.05, steps=20):
    """The mean of exp(-t / tau) over the ends of the steps."""
    return float(np.mean(np.exp(-dt * np.arange(1, steps + 1) / tau)))


def plastic(u_0):
    synapse = jn.ShortTermPlasticity(jn.ExponentialCurrent(3.0), u_0=u_0, tau_rec=100.0)
    return synapse.steady_amplitude(10.0)


# Without a number the function is also called by itself, and that is what is expected.
CASES = {
    "given weights, product of spikes": (given(lambda x: jn.Weights(x * MATRIX)), 1.0),
    "given weights, lists": (given(sparse), 1.0),
    "LIF": (lambda i: potential(jn.LIF(), i), 5.0, 5.0 * (1.0 - mean_decay(20.0))),
    "HodgkinHuxley": (lambda i: potential(jn.HodgkinHuxley(), i), 5.0),
    "adex": (lambda i: potential(jn.neurons.adex(), i), 5.0),
    "channels": (lambda i: potential(LEAKY, i), 5.0, -65.0 + 50.0 * (1.0 - mean_decay(10.0))),
    "adjoint": (lambda i: potential(jn.LIF(), i, surrogate=SURROGATE, adjoint=jn.adjoint.Checkpoint()), 5.0),
    "simulate_events": (first_spike, 6.0, 7.748, -1.220),
    "exact spike times": (exact_time, 30.0, 20.0 * math.log(3.0), -20.0 * (1 / 10 - 1 / 30)),
    "RateNetwork": (lambda h: last_rate(jn.RateNetwork(PAIR, h=h, tau=10.0)), 1.0),
    "EIRate": (lambda tau: last_rate(jn.networks.ei_rate(tau_i=tau)), 30.0),
    "Ring": (lambda j: last_rate(jn.networks.ring(n=16, j1=j)), 4.0),
    "mean_field": (rate_of_mean_field, 18.0, 19.6203),
    "lif_rate": (lambda mu: T.lif_rate(mu, 5.0, **RATES), 18.0, 19.6203),
    "lif_log_rate": (lambda mu: T.lif_log_rate(mu, 0.5, **RATES), -30.0, -9992.1),
    "lif_cv": (lambda mu: T.lif_cv(mu, 5.0, **RATES), 18.0, 0.6665),
    "lif_density": (lambda v: T.lif_density(v, 18.0, 5.0, **RATES), 15.0, 0.12078),
    "lif_response": (lambda mu: jnp.abs(T.lif_response(0.2e3 * math.pi, mu, 5.0, **RATES).mu), 15.0, 0.8658),
    "kramers_rate": (lambda mu: T.kramers_rate(mu, 4.0, tau=20.0, v_th=20.0, t_ref=2.0), 10.0, 0.1361),
    "ou_moments": (lambda t: T.ou_moments(t, mu=15.0, sigma=5.0, tau=20.0, v_0=0.0, lag=20.0).variance, 10.0, 7.902),
    "fi_curve": (lambda i: T.fi_curve(jn.LIF(), i), 30.0, 1e3 / (2.0 + 20.0 * math.log(2.0))),
    "ring_tuning": (lambda c: T.ring_tuning(j0=-5.0, j1=1.5, i0=c, i1=c).rate(0.0), 1.0, 0.996),
    "linear_steady_state": (lambda h: T.linear_steady_state(linear(h))[0], 2.0, 4.0, 2.0),
    "fixed_point": (lambda m: jn.analysis.fixed_point(jn.networks.ei_rate(m_ei=m))[0], -1.0, 26.6667, 22.2222),
    "steady_amplitude": (plastic, 0.5),
    "poisson_counts": (lambda r: S.poisson_counts(2, rate=r, width=100.0), 10.0, math.exp(-1.0) / 2.0),
    "interval_density": (lambda r: S.interval_density(3.0, rate=r), 20.0, 0.02 * math.exp(-0.06)),
    "CurrentScaling": (lambda j: jn.laws.CurrentScaling(j0=j)(100.0), 20.0, 2.0, 0.1),
    "ConductanceScaling": (lambda g: jn.laws.ConductanceScaling(g=g)(100.0), 4.0),
    "QuantalRelease": (lambda m: jn.quantal.QuantalRelease(m=m, u=0.4, sigma_1=0.08).density(0.4), 2.0, 1.352),
    "Sigmoid": (lambda x: jn.transfer.Sigmoid()(x), 0.5),
    "surrogate": (lambda x: SURROGATE.derivative(x), 0.5),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_the_same_under_jit_vmap_and_grad(case):
    function, at, *expected = case
    values, slopes = both(function, at)
    np.testing.assert_allclose(values[0], expected[0] if expected else function(jnp.asarray(at)), rtol=1e-3)
    if len(expected) == 2:
        np.testing.assert_allclose(slopes[0], expected[1], rtol=1e-3)


def test_every_delivery_of_one_wiring_brings_the_same():
    of_rows, _ = both(through_a_wiring(jn.delivery.Rows()), 25.0)
    for delivery in (jn.delivery.NativeSparse(), jn.delivery.NativeBits(), jn.delivery.Product()):
        np.testing.assert_allclose(through_a_wiring(delivery)(25.0), of_rows[0], rtol=1e-4)


def test_delays_of_every_synapse():
    law = jn.UniformDelay(1.0, 3.0)
    natively, _ = both(through_a_wiring(jn.delivery.NativeSparse(), law), 25.0)
    in_xla = jax.vmap(through_a_wiring(jn.delivery.Sparse(), law))(jnp.asarray([25.0, 25.5]))
    np.testing.assert_allclose(in_xla, natively, rtol=1e-4)


def both(function, at):
    """Values and slopes at a point and near it, from one program."""
    found = jax.jit(jax.vmap(jax.value_and_grad(function)))(jnp.asarray([at, 1.02 * at]))
    for part in found:
        assert np.isfinite(part).all()
        assert np.any(part)
    return found
