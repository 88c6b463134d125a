"""Spikes with amplitudes through a jump that is not linear in them: each jumps by its own scaled efficacy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)


def jump(v, amplitude, a, reversal):
    """The potential after a spike of an amplitude under the first-order jump."""
    return v + amplitude * a * (reversal - v)


@pytest.mark.parametrize("facilitates", [False, True])
def test_a_release_jumps_to_first_order_in_its_own_efficacy(facilitates):
    a, reversal, u_0, tau_rec, gaps = 0.3, 40.0, 0.6, 50.0, np.array([3.0, 4.0, 11.0])
    tau_facil = 20.0 if facilitates else None
    inner = jn.DeltaConductance(reversal, jump=jn.FirstOrderJump())
    depressing = jn.ShortTermPlasticity(inner, u_0=u_0, tau_rec=tau_rec, tau_facil=tau_facil)
    # Two sources that spike together make two jumps, each of its own release.
    when, raster = np.cumsum(gaps), np.zeros((250, 2), bool)
    for t in when:
        raster[round(t / 0.1) - 1] = True
    raster[round(when[0] / 0.1) - 1, 1] = False
    lif = jn.Population(jn.LIF(tau_m=10.0, v_th=1e6), 1)
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), 2), "out": lif},
        [jn.Projection("in", "out", depressing, weight=a, connectivity=jn.AllToAll(), delay=1.0)],
    )
    sol = jn.simulate(net, 0.0, 25.0, dt=0.1, key=KEY, stimulus={"in": raster}, record={"v": jn.record.Trace("out.v")})
    v, last, x, u = 0.0, 0.0, np.ones(2), np.zeros(2)
    for t in when:
        v = v * np.exp(-(t - last) / 10.0)
        x, u = 1.0 - (1.0 - x) * np.exp(-(t - last) / tau_rec), u * (np.exp(-(t - last) / 20.0) if facilitates else 0.0)
        for j in range(2):
            if raster[round(t / 0.1) - 1, j]:
                u[j] += u_0 * (1.0 - u[j])
                v = jump(v, u[j] * x[j], a, reversal)
                x[j] -= u[j] * x[j]
        last = t
        assert float(sol["v"][round((t + 1.0) / 0.1) - 1, 0]) == pytest.approx(v, rel=2e-6)


def test_given_amplitudes_jump_to_first_order_in_what_they_scale():
    a, reversal, amplitude = 0.2, 30.0, 1.7
    synapse = jn.DeltaConductance(reversal, jump=jn.FirstOrderJump())
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(jn.LIF(v_th=1e6), 1)},
        [jn.Projection("in", "out", synapse, weight=a, connectivity=jn.AllToAll(), delay=0.5)],
    )
    table = np.zeros((20, 1))
    table[2] = amplitude

    wiring = jn.wire(net, key=KEY)

    def end(scale):
        stimulus, record = {"in": scale * jnp.asarray(table)}, {"v": jn.record.Trace("out.v")}
        sol = jn.simulate(net, 0.0, 2.0, dt=0.1, key=KEY, wiring=wiring, stimulus=stimulus, record=record)
        return sol["v"][7, 0]

    value, slope = jax.value_and_grad(end)(1.0)
    assert float(value) == pytest.approx(jump(0.0, amplitude, a, reversal), rel=1e-6)
    assert float(slope) == pytest.approx(amplitude * a * reversal, rel=1e-6)


def test_amplitudes_that_a_synapse_cannot_have_are_refused():
    rule = dict(connectivity=jn.AllToAll(), delay=1.0)
    first_order = jn.DeltaConductance(30.0, jump=jn.FirstOrderJump())
    plastic, weights = jn.ShortTermPlasticity(first_order, u_0=0.5, tau_rec=100.0), np.array([0.1, 0.2])
    with pytest.raises(ValueError, match="`weight` has to be one number where spikes from 'in' have amplitudes"):
        jn.Projection("in", "out", plastic, weight=weights, **rule)
    populations = {"in": jn.Population(jn.SpikeSource(), 1), "out": jn.Population(jn.LIF(), 1)}
    random = jn.StochasticRelease(jn.DeltaCurrent(), n_sites=3, p=0.5)
    net = jn.Network(populations, [jn.Projection("in", "out", random, weight=1.0, **rule)])
    with pytest.raises(ValueError, match="`StochasticRelease`, which counts spikes, and these have amplitudes"):
        jn.simulate(net, 0.0, 1.0, dt=0.1, key=KEY, stimulus={"in": np.full((10, 1), 0.5)})
