"""Synapses that do not release alike at every spike, as theory reads them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

RATE, K, J = 20.0, 100, 0.2
DELTA = jn.DeltaCurrent()


def fed(synapses, n=None, source=400):
    """One population a synapse, each with K sources of RATE."""
    free = jn.LIF(tau_m=20.0, v_th=1e6)
    names = [f"E{i}" for i in range(len(synapses))]
    populations = {name: jn.Population(free, n) for name in names} | {"X": jn.Population(jn.Poisson(RATE), source)}
    rule = jn.FixedInDegree(K)
    projections = [
        jn.Projection("X", name, synapse, weight=J, connectivity=rule, delay=1.0)
        for name, synapse in zip(names, synapses, strict=True)
    ]
    return jn.Network(populations, projections)


def theory(synapse):
    return jn.theory.effective_input(fed([synapse]), {"E0": 0.0})["E0"]


@pytest.mark.parametrize("n_sites", [1, 5, 300])
def test_quanta_are_read_by_their_mean_and_variance(n_sites):
    at = theory(jn.StochasticRelease(DELTA, n_sites=n_sites, p=0.3))
    mean, square = 0.3 * n_sites, 0.3 * 0.7 * n_sites + (0.3 * n_sites) ** 2
    per_ms = K * RATE / 1000.0
    np.testing.assert_allclose(
        [at.mu, at.sigma**2], [20.0 * per_ms * J * mean, 20.0 * per_ms * J**2 * square], rtol=1e-5
    )


def test_resources_are_read_by_their_mean():
    # Without facilitation exact: the mean of x before a spike of a Poisson train, by NumPy from spike to spike.
    rng, x, seen = np.random.default_rng(0), np.ones(2_000), []
    for spike in range(150):
        x = 1.0 - (1.0 - x) * np.exp(-rng.exponential(1.0 / RATE, x.size) / 0.3)
        seen += [x.copy()] if spike >= 50 else []
        x = x - 0.4 * x
    seen = np.array(seen)
    released = jn.ShortTermPlasticity(DELTA, u_0=0.4, tau_rec=300.0).released(jnp.asarray(RATE))
    error = 4.0 * np.std(seen.mean(0)) / np.sqrt(2_000)
    assert abs(float(released.values[0]) - 0.4 * seen.mean()) < 0.4 * error
    # With it by the two means of Tsodyks, Pawelzik and Markram.
    both = jn.ShortTermPlasticity(DELTA, u_0=0.1, tau_rec=300.0, tau_facil=500.0)
    before = 0.1 * RATE * 0.5 / (1.0 + 0.1 * RATE * 0.5)
    u = before + 0.1 * (1.0 - before)
    np.testing.assert_allclose(theory(both).mu, 20.0 * K * RATE / 1000.0 * J * u / (1.0 + u * RATE * 0.3), rtol=1e-5)
    slope = jax.grad(lambda rate: both.released(rate).values[0])(RATE)
    ends = [float(both.released(jnp.asarray(RATE + h)).values[0]) for h in (-0.1, 0.1)]
    np.testing.assert_allclose(slope, (ends[1] - ends[0]) / 0.2, rtol=1e-3)


def test_free_potentials_of_a_run_have_these_moments():
    synapses = [jn.StochasticRelease(DELTA, n_sites=3, p=0.3), jn.ShortTermPlasticity(DELTA, u_0=0.4, tau_rec=300.0)]
    net = fed(synapses, n=300, source=4_000)
    record = {f"v{i}": jn.record.Trace(f"E{i}.v", every=40) for i in range(2)}
    sol = jn.simulate(net, 0.0, 1_200.0, dt=0.5, key=jax.random.key(0), record=record)
    for i, synapse in enumerate(synapses):
        v = np.asarray(sol[f"v{i}"])[30:]  # after 600 ms
        at, n = theory(synapse), v.size / 3.0  # a value each 20 ms, the time constant
        # An arrival at the end of a step stays whole until it is seen there: a factor dt/tau/(1 - exp(-dt/tau)).
        scale = 0.025 / -np.expm1(-0.025)
        mean = float(at.mu) * scale
        assert abs(v.mean() - mean) < 4.0 * v.std() / np.sqrt(n)
        if i == 0:
            assert abs(v.var() / (0.5 * float(at.sigma) ** 2) - 1.0) < 4.0 * np.sqrt(2.0 / n) + 0.025


@pytest.mark.parametrize("jump", [jn.FirstOrderJump(), jn.ExactJump()], ids=["first", "exact"])
def test_a_depressed_spike_jumps_by_its_own_efficacy(jump):
    # The efficacy is a s with s = u x = u_0/(1 + u_0 r tau_rec): the share is a s, or 1 - exp(-a s).
    synapse = jn.ShortTermPlasticity(jn.DeltaConductance(0.0, jump=jump), u_0=0.4, tau_rec=300.0)
    stream = jn.theory.afferents(fed([synapse]), {"E0": 0.0})["E0"].streams[0]
    efficacy = J * 0.4 / (1.0 + 0.4 * RATE * 0.3)
    share = efficacy if type(jump) is jn.FirstOrderJump else 1.0 - np.exp(-efficacy)
    for power in (1, 2):
        got = stream.expected(lambda spike, p=power: spike.share**p, jnp.asarray(20.0))
        np.testing.assert_allclose(got, share**power, rtol=1e-6)


def test_what_theory_does_not_read_is_refused_by_name():
    first = jn.DeltaConductance(0.0, jump=jn.FirstOrderJump())
    depressing = jn.ShortTermPlasticity(DELTA, u_0=0.4, tau_rec=300.0)
    quanta = jn.StochasticRelease(first, n_sites=2, p=0.3)
    with pytest.raises(ValueError, match=r"`projections\[0\]`: DeltaConductance with a jump to first order"):
        jn.theory.mean_field(fed([quanta]))
    recurrent = jn.Network(
        {"E": jn.Population(jn.LIF())},
        [jn.Projection("E", "E", depressing, weight=J, connectivity=jn.FixedInDegree(K), delay=1.0)],
    )
    with pytest.raises(ValueError, match=r"`projections\[0\]`: ShortTermPlasticity remembers spikes"):
        jn.theory.brunel_stability(recurrent, rates={"E": 0.0})
