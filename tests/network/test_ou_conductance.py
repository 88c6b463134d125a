"""The Ornstein-Uhlenbeck conductance: its mean, spread and time constant, and how runs are cut."""

import jax
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
MEAN, SD, TAU, DT = 0.6, 0.15, 4.0, 0.5


def net(n=400):
    # A membrane of a microsecond follows: V = g E/(1 + g).
    follower = jn.LIF(tau_m=1e-3, v_rest=0.0, v_th=1e6, v_reset=-1.0, t_ref=0.0)
    drive = jn.OUConductanceDrive(("A", "B"), reversal=100.0, mean=np.repeat([MEAN, 2.0 * MEAN], n), sd=SD, tau=TAU)
    return jn.Network({"A": jn.Population(follower, n), "B": jn.Population(follower, n)}, drives=[drive])


def test_mean_spread_and_time_constant():
    record = {name: jn.record.Trace(f"{name}.v") for name in ("A", "B")}
    sol = jn.simulate(net(), 0.0, 100.0, dt=DT, key=KEY, record=record)
    for name, mean in (("A", MEAN), ("B", 2.0 * MEAN)):
        v = np.asarray(sol[name])
        x = v / (100.0 - v) - mean
        free = 400 * 100.0 / (2 * TAU)  # independent samples
        assert abs(x.mean()) < 4 * SD / np.sqrt(free)
        assert abs(x.var() / SD**2 - 1.0) < 4 * np.sqrt(2.0 / free)
        lag = round(TAU / DT)
        assert abs((x[:-lag] * x[lag:]).mean() / SD**2 - np.exp(-1.0)) < 4 * np.sqrt(2.0 / free)
    cut = jn.simulate(net(), 0.0, 40.0, dt=DT, key=KEY, record=record)
    rest = jn.simulate(net(), 40.0, 100.0, dt=DT, key=KEY, record=record, state=cut.state)
    np.testing.assert_array_equal(np.concatenate([cut["A"], rest["A"]]), sol["A"])


@pytest.mark.float32
@pytest.mark.parametrize("model", [jn.neurons.eif(), jn.HodgkinHuxley()], ids=["exponential", "Hodgkin-Huxley"])
def test_neurons_that_understand_conductances(model):
    """Strong excitation makes each fire, and none does without."""

    def spikes(mean):
        drive = jn.OUConductanceDrive("E", reversal=0.0, mean=mean, sd=0.1 * mean, tau=3.0)
        one = jn.Network({"E": jn.Population(model, 5)}, drives=[drive])
        return np.asarray(jn.simulate(one, 0.0, 60.0, dt=0.025, key=KEY).counts["rate"]["E"])

    assert np.all(spikes(1.0) > 0)
    assert np.all(spikes(0.0) == 0)


def test_refusals(as_users_run):
    good = dict(reversal=0.0, mean=0.5, sd=0.1, tau=3.0)
    for name, value in (("mean", -1.0), ("sd", -0.1), ("tau", 0.0), ("reversal", np.inf)):
        with pytest.raises(ValueError, match=f"`{name}`"):
            jn.OUConductanceDrive("E", **good | {name: value})
    one = jn.Network({"E": jn.Population(jn.LIF())}, drives=[jn.OUConductanceDrive("E", **good)])
    with pytest.raises(ValueError, match="OUConductanceDrive does not say what it is to theory"):
        jn.theory.mean_field(one)
