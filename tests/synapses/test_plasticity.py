"""Depression and facilitation against their recursion and closed form; release by chance against the binomial law."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)


def network(synapse, weight=1.0, n_post=1, n_pre=1, t_ref=0.0, delay=1.0):
    return jn.Network(
        {
            "E": jn.Population(jn.LIF(t_ref=t_ref), n_pre),
            "target": jn.Population(jn.LIF(tau_m=1e6, v_rest=0.0, v_th=1e9), n_post),
        },
        projections=[
            jn.Projection("E", "target", synapse, weight=weight, connectivity=jn.AllToAll(), delay=delay),
        ],
    )


@pytest.mark.float32
@pytest.mark.parametrize("tau_facil", [None, 300.0])
def test_amplitudes_follow_the_recursion_and_its_limit(tau_facil):
    synapse = jn.ShortTermPlasticity(jn.DeltaCurrent(), u_0=0.2, tau_rec=150.0, tau_facil=tau_facil)
    record = {"spikes": jn.record.Spikes("E"), "v": jn.record.Trace("target.v")}
    sol = jn.simulate(network(synapse), 0.0, 600.0, dt=0.1, key=KEY, stimulus={"E": 25.0}, record=record)
    times = sol["spikes"].times[0]
    gap = np.diff(times)
    assert np.ptp(gap) < 1e-9
    x, u, wanted = 1.0, 0.0, []
    for k in range(times.size):
        if k:
            x = 1 - (1 - x) * np.exp(-gap[0] / 150.0)
            u = 0.0 if tau_facil is None else u * np.exp(-gap[0] / tau_facil)
        u = u + 0.2 * (1 - u)
        wanted.append(u * x)
        x = x - u * x
    jumps = np.diff(np.asarray(sol["v"][:, 0]), prepend=0.0)
    seen = jumps[jumps > 1e-2]
    np.testing.assert_allclose(seen, wanted[: seen.size], atol=1e-4)
    assert seen.size >= times.size - 1
    assert float(synapse.steady_amplitude(1000.0 / gap[0])) == pytest.approx(wanted[-1], rel=2e-2)


def test_a_run_cut_in_two_and_a_gradient():
    def run(u_0, state=None, t0=0.0, t1=60.0, adjoint=None):
        synapse = jn.ShortTermPlasticity(jn.ExponentialCurrent(4.0), u_0=u_0, tau_rec=100.0, tau_facil=50.0)
        record = {"v": jn.record.Trace("target.v", every=100)}
        net = network(synapse, n_pre=3, n_post=2)
        return jn.simulate(
            net, t0, t1, dt=0.1, key=KEY, stimulus={"E": 60.0}, record=record, state=state, wiring=wiring,
            adjoint=adjoint, throw=False,
        )  # fmt: skip

    example = jn.ShortTermPlasticity(jn.ExponentialCurrent(4.0), u_0=0.3, tau_rec=100.0, tau_facil=50.0)
    wiring = jn.wire(network(example, n_pre=3, n_post=2), key=KEY)
    whole = run(0.3)
    half = run(0.3, t1=30.0)
    rest = run(0.3, state=half.state, t0=30.0)
    np.testing.assert_array_equal(rest["v"][-1], whole["v"][-1])
    last = jax.jit(lambda u: run(u)["v"][-1, 0])
    slope = jax.jit(jax.grad(last))(0.3)
    difference = (last(jnp.asarray(0.301)) - last(jnp.asarray(0.299))) / 0.002
    assert float(slope) == pytest.approx(float(difference), rel=1e-4)


def test_quanta_have_the_binomial_law():
    synapse = jn.StochasticRelease(jn.DeltaCurrent(), n_sites=5, p=0.3)
    n = 20_000
    record = {"v": jn.record.Trace("target.v", every=1)}
    sol = jn.simulate(
        network(synapse, n_post=n, n_pre=2, t_ref=100.0), 0.0, 20.0, dt=0.1, key=KEY, stimulus={"E": 60.0},
        record=record,
    )  # fmt: skip
    quanta = np.round(np.asarray(sol["v"][-1]), 2)
    np.testing.assert_allclose(quanta, np.round(quanta), atol=0.02)
    # Two spikes arrive in one step: 10 sites.
    mean, variance = 10 * 0.3, 10 * 0.3 * 0.7
    assert abs(quanta.mean() - mean) < 4 * np.sqrt(variance / n)
    assert abs(quanta.var() / variance - 1) < 4 * np.sqrt(2 / n)
    assert quanta.max() <= 10
    certain = jn.StochasticRelease(jn.DeltaCurrent(), n_sites=3, p=1.0)
    counts = jnp.asarray([0.0, 1.0, 2.0])
    np.testing.assert_array_equal(certain.transmitted(counts, jnp.asarray([0.5, 0.5, 0.999])), [0.0, 3.0, 6.0])


def test_errors(as_users_run):
    with pytest.raises(ValueError, match="`u_0` has to lie above 0"):
        jn.ShortTermPlasticity(jn.DeltaCurrent(), u_0=1.5, tau_rec=100.0)
    with pytest.raises(ValueError, match="`synapse` has to be a plain synapse"):
        jn.StochasticRelease(jn.StochasticRelease(jn.DeltaCurrent(), n_sites=1, p=0.5), n_sites=1, p=0.5)
    with pytest.raises(ValueError, match="`n_sites` has to be a positive integer"):
        jn.StochasticRelease(jn.DeltaCurrent(), n_sites=0, p=0.5)
    synapse = jn.StochasticRelease(jn.DeltaCurrent(), n_sites=1, p=0.5)
    with pytest.raises(ValueError, match="`synapse` of a drive"):
        jn.PoissonDrive("E", synapse, weight=0.1, n_sources=1, rate=1.0)
