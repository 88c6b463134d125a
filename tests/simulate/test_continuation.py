"""A run cut anywhere equals the run in one; a batch equals the loop; a new value never compiles again."""

from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._simulate import _driver

DT, X64 = 0.1, jax.config.jax_enable_x64
RECORD = {"spikes": jn.record.Spikes(), "v": jn.record.Trace("E.v", every=3)}


def mixed_net(g=5.0, delay=1.5):
    """Every kind of randomness and of synapse at once."""
    lif = jn.LIF()
    both = ("E", "I")
    return jn.Network(
        {
            "E": jn.Population(lif, 80, initial=jn.initial.UniformPotential(0.0, 20.0)),
            "I": jn.Population(jn.LIF(tau_m=10.0), 20),
            "X": jn.Population(jn.Poisson(30.0), 50),
        },
        [
            jn.Projection(
                "E", both, jn.ExponentialCurrent(5.0), weight=0.4, connectivity=jn.FixedInDegree(20), delay=delay
            ),
            jn.Projection("I", both, jn.DeltaCurrent(), weight=-0.1 * g, connectivity=jn.Bernoulli(0.4), delay=2.0),
            jn.Projection("X", "E", jn.DeltaConductance(60.0), weight=0.02, connectivity=jn.AllToAll(), delay=0.7),
            jn.Projection(
                "E", "I", jn.AlphaConductance(2.0, reversal=60.0), weight=0.05, connectivity=jn.FixedInDegree(5),
                delay=jn.UniformDelay(0.5, 3.0),
            ),
        ],
        [
            jn.PoissonDrive(both, jn.DeltaCurrent(), weight=0.2, n_sources=1_000, rate=7.0),
            jn.WhiteNoiseDrive("E", mu=3.0, sigma=2.0),
        ],
    )  # fmt: skip


def small_net(g=5.0):
    return jn.networks.brunel(g, n_e=40, n_i=10, c_e=8, c_i=2)


# The fast part compiles without optimisation, which promises no bits: this runs in the other two.
@pytest.mark.slow
@pytest.mark.float32
@pytest.mark.bits
def test_continuation_is_bitwise():
    net, key = mixed_net(), jax.random.key(7)
    wiring = jn.wire(net, key=key)
    run = dict(dt=DT, key=key, wiring=wiring, record=RECORD)
    # Cut inside a block of 5 steps; the two parts are one program.
    ends = [0.0, 12.8, 25.6]
    whole = jn.simulate(net, 0.0, ends[-1], **run)
    parts, state = [], None
    for t0, t1 in pairwise(ends):
        parts.append(jn.simulate(net, t0, t1, state=state, **run))
        state = parts[-1].state
    for name in net.names:
        rasters = [sol["spikes"][name].raster() for sol in parts]
        np.testing.assert_array_equal(np.concatenate(rasters), whole["spikes"][name].raster())
    np.testing.assert_array_equal(np.concatenate([sol["v"] for sol in parts]), whole["v"])
    np.testing.assert_allclose(np.concatenate([sol.times["v"] for sol in parts]), whole.times["v"])
    assert eqx.tree_equal(state, whole.state)
    assert whole["spikes"]["E"].counts.sum() > 50


@pytest.mark.slow
@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("delay", [jn.UniformDelay(0.1, 2.0), 1.0], ids=["blocks of one step", "blocks of ten"])
def test_a_single_step_is_rounded_as_one_of_many(delay):
    # The first part has 16 or 10 steps and one more, the second begins with it: white noise, a tau_m for each neuron.
    net = jn.Network(
        {"E": jn.Population(jn.LIF(tau_m=jnp.linspace(10.0, 20.0, 40)), 40)},
        [jn.Projection("E", "E", jn.DeltaCurrent(), weight=-0.2, connectivity=jn.FixedInDegree(8), delay=delay)],
        [jn.WhiteNoiseDrive("E", mu=22.0, sigma=5.0)],
    )
    key, cut = jax.random.key(0), 1.7 if isinstance(delay, jn.UniformDelay) else 4.1
    run = dict(dt=DT, key=key, wiring=jn.wire(net, key=key), record={"v": jn.record.Trace("E.v")})
    whole = jn.simulate(net, 0.0, 10.0, **run)
    first = jn.simulate(net, 0.0, cut, **run)
    rest = jn.simulate(net, cut, 10.0, state=first.state, **run)
    np.testing.assert_array_equal(np.concatenate([first["v"], rest["v"]]), whole["v"])
    assert eqx.tree_equal(rest.state, whole.state)


def test_noise_does_not_depend_on_the_block():
    # With integer counts times one weight, two delays that give other blocks give the same noise.
    lif = jn.LIF()

    def run(delay):
        silent = jn.Projection("A", "A", jn.DeltaCurrent(), weight=0.0, connectivity=jn.AllToAll(), delay=delay)
        drive = jn.PoissonDrive("A", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=20.0)
        net = jn.Network({"A": jn.Population(lif, 30)}, [silent], [drive])
        return jn.simulate(net, 0.0, 50.0, dt=DT, key=jax.random.key(1), record={"s": jn.record.Spikes("A")})[
            "s"
        ].raster()

    reference = run(0.1)
    assert reference.sum() > 10
    for delay in (0.7, 20.0):
        np.testing.assert_array_equal(run(delay), reference)


def test_vmap_equals_the_loop_to_the_last_digits():
    # As users compile, a batch is rounded otherwise than a run alone: by an ulp or two of 20 mV.
    key = jax.random.key(7)
    wiring = jn.wire(mixed_net(), key=key)
    gs, keys = jnp.asarray([3.0, 5.0, 8.0]), jax.random.split(jax.random.key(2), 3)

    def run(g, k):
        sol = jn.simulate(mixed_net(g), 0.0, 10.0, dt=DT, key=k, wiring=wiring, record=RECORD, throw=False)
        return sol["spikes"], sol["v"]

    spikes, v = jax.vmap(run)(gs, keys)
    assert spikes["E"].raster().sum() > 20
    for i in range(3):
        one_spikes, one_v = run(gs[i], keys[i])
        np.testing.assert_array_equal(spikes["E"].raster()[i], one_spikes["E"].raster())
        np.testing.assert_allclose(v[i], one_v, rtol=0.0, atol=4 * 20.0 * jnp.finfo(v.dtype).eps)


@pytest.mark.float32
def test_new_values_do_not_compile_again():
    key, make = jax.random.key(0), mixed_net if X64 else small_net
    run = dict(dt=DT, wiring=jn.wire(make(), key=key), record=RECORD)
    jn.simulate(make(5.0), 0.0, 10.0, key=key, **run)
    compiled = _driver._run._cached._cache_size()
    for g in (4, 4.0, np.float32(4.0), np.float64(4.5), jnp.asarray(6.0), jnp.float32(6.5)):
        sol = jn.simulate(make(g), 0.0, 10.0, key=jax.random.key(3), **run)
        jn.simulate(make(g), 10.0, 20.0, key=key, state=sol.state, **run)
    assert _driver._run._cached._cache_size() == compiled


def test_the_wiring_comes_from_the_key_alone():
    net = mixed_net()
    a, b, c = (jn.wire(net, key=jax.random.key(s)) for s in (0, 0, 1))
    assert eqx.tree_equal(a, b)
    assert not eqx.tree_equal(a, c)
    drawn = jn.simulate(net, 0.0, 10.0, dt=DT, key=jax.random.key(0), record=RECORD)
    given = jn.simulate(net, 0.0, 10.0, dt=DT, key=jax.random.key(0), record=RECORD, wiring=a)
    np.testing.assert_array_equal(drawn["v"], given["v"])


def test_derivatives_of_a_potential():
    # Between spikes the potential is a smooth function of every weight: both modes against differences.
    net = jn.networks.brunel(n_e=40, n_i=10, c_e=8, c_i=2)
    wiring, key = jn.wire(net, key=jax.random.key(0)), jax.random.key(4)

    def potential(j):
        raised = jn.networks.brunel(n_e=40, n_i=10, c_e=8, c_i=2, j=j, nu_ext_over_nu_thr=0.05 * j / 0.1)
        trace = {"v": jn.record.Trace("E.v")}
        return jnp.mean(jn.simulate(raised, 0.0, 20.0, dt=DT, key=key, wiring=wiring, record=trace)["v"])

    @jax.jit
    def both_modes(j):
        value, forward = jax.jvp(potential, (j,), (1.0,))
        return value, forward, jax.grad(potential)(j)

    _, forward, reverse = both_modes(0.3)
    difference = (both_modes(0.3 + 1e-6)[0] - both_modes(0.3 - 1e-6)[0]) / 2e-6
    assert abs(float(difference)) > 0.1
    np.testing.assert_allclose(reverse, difference, rtol=1e-6)
    np.testing.assert_allclose(forward, difference, rtol=1e-6)
