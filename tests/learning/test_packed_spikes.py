"""Given spikes as bits: the same run as of a table, and what does not fit is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY, N_IN, STEPS = jax.random.key(0), 37, 40
TABLE = np.random.default_rng(0).random((3, STEPS, N_IN)) < 0.2


def network():
    weights = jn.Weights(np.random.default_rng(1).normal(0.5, 1.0, (4, N_IN)))
    return jn.Network(
        {"in": jn.Population(jn.SpikeSource(), N_IN), "out": jn.Population(jn.LIF(v_th=5.0, v_reset=0.0), 4)},
        [jn.Projection("in", "out", jn.DeltaCurrent(), connectivity=weights, delay=1.0)],
    )


def run(spikes, net=None, **more):
    record = {"rate": jn.record.Rate("out"), "in": jn.record.Spikes("in")}
    return jn.simulate(
        net or network(), 0.0, STEPS * 0.5, dt=0.5, key=KEY, stimulus={"in": spikes}, record=record, **more
    )


@pytest.mark.float32
@pytest.mark.bits
def test_bits_are_the_spikes_of_a_table_alone_and_in_a_batch():
    trains = jn.statistics.SpikeTrains.of(TABLE, dt=0.5)
    np.testing.assert_array_equal(trains.raster(), TABLE)
    table = jax.jit(jax.vmap(lambda s: run(s, throw=False)["rate"]["out"]))(jnp.asarray(TABLE))
    np.testing.assert_array_equal(jax.jit(jax.vmap(lambda s: run(s, throw=False)["rate"]["out"]))(trains), table)
    assert float(table.max()) > 0
    again = run(jn.statistics.SpikeTrains.of(TABLE[0], dt=0.5))
    np.testing.assert_array_equal(again["rate"]["out"], table[0])
    np.testing.assert_array_equal(run(again["in"])["rate"]["out"], table[0])  # a record is played again


def test_trains_that_do_not_fit_are_refused(as_users_run):
    of, net = jn.statistics.SpikeTrains.of, network()
    cases = [
        (of(TABLE[0, :, :30], dt=0.5), "trains of 30 neurons"),
        (of(TABLE[0, :30], dt=0.5), r"\(30,\) steps; the run has 37 and 40"),
        (of(TABLE, dt=0.5), r"\(3, 40\) steps"),
        (of(TABLE[0], dt=0.1), "in steps of 0.1 ms"),
    ]
    for trains, message in cases:
        with pytest.raises(ValueError, match=message):
            run(trains, net)
    crossed = jn.simulate(
        jn.Population(jn.HodgkinHuxley(), N_IN), 0.0, STEPS * 0.5, dt=0.5, key=KEY, solver=jn.ExponentialEuler(),
        record={"s": jn.record.Spikes()},
    )["s"]  # fmt: skip
    trains = crossed["population"] if isinstance(crossed, dict) else crossed
    with pytest.raises(ValueError, match="inside steps"):
        run(trains, net)
    with pytest.raises(ValueError, match="`raster` has to hold true and false"):
        of(np.ones((3, 2)), dt=0.5)
