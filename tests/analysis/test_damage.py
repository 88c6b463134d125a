"""Two copies that differ in one unit: chaos in the balanced network, none without its couplings."""

import jax
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
NET = jn.networks.binary(k=100, n_e=2_000, n_i=2_000, m0=0.3)
WIRING = jn.wire(NET, key=KEY)


def spread(t1=60.0, net=NET, **keywords):
    return jn.analysis.damage(net, 0.0, t1, **{"dt": 1.0, "key": KEY, "wiring": WIRING, **keywords})


def test_one_unit_changes_the_state_of_the_network():
    """Damage from one unit of 4,000 settles where two states share the quenched activities alone: 2 (m - q)."""
    begin = jn.simulate(NET, 0.0, 50.0, dt=1.0, key=KEY, wiring=WIRING, record={}).state
    found = jn.analysis.damage(NET, 50.0, 250.0, dt=1.0, key=KEY, state=begin, wiring=WIRING)
    mf = jn.theory.mean_field(NET, field=jn.theory.PoissonField(150))
    assert int(found.units["E"][0] + found.units["I"][0]) < 400
    for name in NET.names:
        settled = np.asarray(found.share[name])[50:].mean()
        # N = 20 K with K = 100: connections are not sparse, fields vary 5% less than the Poisson counts.
        assert settled == pytest.approx(2 * float(mf.rate[name] - mf.q[name]), rel=0.1)
    assert "units" in str(found)


def test_damage_heals_without_couplings():
    """Each unit forgets its state at its next update."""
    net = jn.BinaryNetwork({"S": jn.Population(jn.Binary(), 64)})
    found = jn.analysis.damage(net, 0.0, 200.0, dt=1.0, key=KEY, flip={"S": range(64)})
    assert int(found.units["S"][0]) > 40
    assert int(found.units["S"][-1]) == 0


def test_damage_is_the_distance_of_two_runs():
    found = spread(30.0, update=jn.update.Sequential(), flip={"I": [3, 40]})
    record = {"s": jn.record.UnitStates()}
    first = jn.simulate(NET, 0.0, 30.0, dt=1.0, key=KEY, wiring=WIRING, record=record)
    assert found.times.shape == (30,)
    np.testing.assert_array_equal(found.times, first["s"]["E"].times)
    np.testing.assert_allclose(found.share["E"], np.asarray(found.units["E"]) / 2_000)


def test_a_batch_of_keys():
    found = jax.vmap(lambda key: spread(10.0, key=key).units["E"])(jax.random.split(KEY, 2))
    assert found.shape == (2, 10)


WRONG = [
    (dict(net=3), "`net` has to be a BinaryNetwork"),
    (dict(flip=[0]), "`flip` has to be a dict"),
    (dict(flip={"X": [0]}), "`flip` names the population 'X'"),
    (dict(flip={"E": [2_000]}), "has to hold indices of the 2000 units"),
    (dict(flip={"E": []}), "has to hold indices"),
    (dict(flip={"E": [0.5]}), "has to hold whole numbers"),
    (dict(state=3), "`state` has to be the `state`"),
    (dict(key=3), "`key` has to be a key"),
    (dict(dt=-1.0), "`dt` has to be positive"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG, ids=[f"{s[:30]} {i}" for i, (_, s) in enumerate(WRONG)])
@pytest.mark.usefixtures("as_users_run")
def test_wrong_arguments_are_named(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        spread(**arguments)
