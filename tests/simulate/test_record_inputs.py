"""What neurons hear, recorded by parts and origins, in closed form; the autocovariance of potentials against NumPy."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._simulate.record import Layout, Window

KEY, DT = jax.random.key(0), 0.1


def network():
    source, rule = jn.Population(jn.SpikeSource(), 1), dict(connectivity=jn.AllToAll(), delay=1.0)
    return jn.Network(
        {"in": source, "also": source, "E": jn.Population(jn.LIF(v_th=1e6), 2)},
        [
            jn.Projection("in", "E", jn.ExponentialConductance(5.0, reversal=60.0), weight=0.2, **rule),
            jn.Projection("also", "E", jn.ExponentialConductance(10.0, reversal=-10.0), weight=0.5, **rule),
            jn.Projection("also", "E", jn.DeltaCurrent(), weight=3.0, **rule),
        ],
    )  # fmt: skip


def test_conductances_and_currents_are_recorded_by_their_origin():
    names = (
        "conductance", "conductance.in", "conductance.also", "conductance_times_reversal", "kick", "current.stimulus"
    )  # fmt: skip
    record = {name: jn.record.Trace(f"E.input.{name}") for name in names}
    given = {name: np.zeros((60, 1), bool) for name in ("in", "also")}
    given["in"][4], given["also"][9] = True, True  # arrive at the ends of steps 14 and 19
    sol = jn.simulate(
        network(), 0.0, 6.0, dt=DT, key=KEY, record=record, stimulus={**given, "E": jnp.asarray([1.0, 2.0])}
    )

    def mean(arrival, tau, weight):
        """The conductance averaged over each step."""
        late = np.maximum(np.arange(60) - 1 - arrival, 0) * DT
        return np.where(np.arange(60) > arrival, weight * np.exp(-late / tau) * tau / DT * -np.expm1(-DT / tau), 0.0)

    of_in, of_also = mean(14, 5.0, 0.2), mean(19, 10.0, 0.5)
    expected = {
        "conductance.in": of_in, "conductance.also": of_also, "conductance": of_in + of_also,
        "conductance_times_reversal": 60.0 * of_in - 10.0 * of_also, "kick": np.where(np.arange(60) == 19, 3.0, 0.0),
    }  # fmt: skip
    for name, values in expected.items():
        np.testing.assert_allclose(sol[name][:, 0], values, rtol=1e-5, atol=1e-9, err_msg=name)
        np.testing.assert_array_equal(sol[name][:, 0], sol[name][:, 1])
    np.testing.assert_array_equal(sol["current.stimulus"], np.tile([1.0, 2.0], (60, 1)))


def test_an_input_that_nothing_gives_is_refused_by_name():
    record = {"i": jn.record.Trace("E.input.noise")}
    given = {name: np.zeros((10, 1), bool) for name in ("in", "also")}
    with pytest.raises(ValueError, match=r"the variables of 'E' are v, refractory, input.conductance, input.conduct"):
        jn.simulate(network(), 0.0, 1.0, dt=DT, key=KEY, record=record, stimulus=given)


def test_the_input_of_a_drive_alone_is_that_of_the_drive():
    net = jn.Network({"E": jn.Population(jn.LIF(), 3)}, drives=[jn.WhiteNoiseDrive("E", mu=7.0, sigma=2.0)])
    record = {
        "mu": jn.record.Trace("E.input.current.drives[0]"),
        "xi": jn.record.Histogram("E.input.noise", low=-20.0, high=20.0, bins=2),
    }
    sol = jn.simulate(net, 0.0, 20.0, dt=DT, key=KEY, record=record)
    np.testing.assert_array_equal(sol["mu"], np.full((200, 3), 7.0))
    assert sol["xi"].outside == 0
    assert np.all(sol["xi"].values > 0.015)  # half of 1/20 on either side of 0, within 4 SD of 600 samples


def by_hand(v, longest):
    centred, m = v - v.mean(axis=0), v.shape[0]
    return np.array([np.sum(centred[: m - k] * centred[k:], axis=0) / (m - k) for k in range(longest + 1)])


@pytest.mark.parametrize(("every", "start", "max_lag"), [(1, 0.0, 2.0), (3, 10.0, 1.5), (2, 5.05 * 2, 0.0)])
def test_the_autocovariance_of_potentials_is_that_of_the_stored_trace(every, start, max_lag):
    net = jn.Network(
        {"E": jn.Population(jn.LIF(v_rest=-70.0, v_th=-50.0, v_reset=-60.0), 5)},
        drives=[jn.WhiteNoiseDrive("E", mu=18.0, sigma=5.0)],
    )
    own = dict(every=every, start=start, neurons=[4, 0, 1])
    record = {"c": jn.record.PotentialAutocovariance("E.v", max_lag=max_lag, **own), "v": jn.record.Trace("E.v", **own)}
    sol = jn.simulate(net, 0.0, 60.0, dt=DT, key=KEY, record=record)
    v = np.asarray(sol["v"], np.float64)
    longest = round(max_lag / (every * DT))
    np.testing.assert_allclose(sol["c"], by_hand(v, longest), rtol=1e-6, atol=1e-6 * v.var())
    np.testing.assert_allclose(sol.lags["c"], every * DT * np.arange(longest + 1), atol=1e-6)
    assert sol.counts["c"].tolist() == [v.shape[0] - k for k in range(longest + 1)]


def test_the_autocovariance_does_not_depend_on_blocks():
    recorder = jn.record.PotentialAutocovariance("E.v", max_lag=0.7, start=0.5)
    layout = Layout({"E": 4}, {"E": ("v",)}, (), (), ("E",), DT, 40, jnp.asarray(0, jnp.int32))
    v = jax.random.normal(KEY, (40, 4))
    ends, update = [], eqx.filter_jit(recorder.update)
    for length in (40, 10):
        carry = recorder.init(layout, 0)
        for begin in range(0, 40, length):
            steps = jnp.arange(begin, min(begin + length, 40), dtype=jnp.int32)
            carry = update(carry, Window(steps, {}, {}, {}, (v[steps],), ()), layout)
        ends.append(recorder.finish(carry, layout).values)
    np.testing.assert_allclose(ends[0], by_hand(np.asarray(v[5:], np.float64), 7), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (dict(max_lag=-1.0), "`max_lag` must not be negative"),
        (dict(max_lag=1.0, every=0), "`every` has to be a positive number of steps"),
        (dict(max_lag=5.0), "`max_lag` has to be shorter than the recorded time, 5 ms; got 5 ms"),
        (dict(max_lag=0.25), "`max_lag` has to be a multiple of dt"),
        (dict(max_lag=1.0, neurons=[True]), "is a mask of 1 neurons; 'E' has 2"),
    ],
)
def test_lags_that_do_not_fit_are_refused(own, message):
    net = jn.Network({"E": jn.Population(jn.LIF(), 2)})
    with pytest.raises(ValueError, match=message):
        jn.simulate(net, 0.0, 5.0, dt=DT, key=KEY, record={"c": jn.record.PotentialAutocovariance("E.v", **own)})
