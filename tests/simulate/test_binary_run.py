"""Runs of binary networks: what is recorded, continued, transformed and refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)


def small(**changes):
    return jn.networks.binary(**{"k": 40, "n_e": 300, "n_i": 250, "m0": 0.2, **changes})


def all_records(start=0.0):
    return {
        "m": jn.record.MeanActivity(start=start),
        "p": jn.record.PopulationActivity("I", start=start),
        "s": jn.record.UnitStates(start=start),
    }


NET = small(temperature=0.05)
WIRING = jn.wire(NET, key=KEY)
CONTINUED = [pytest.param(u, id=type(u).__name__) for u in (jn.update.Sequential(), jn.update.Parallel())]


def run(t0, t1, net=NET, dt=10.0, **keywords):
    return jn.simulate(net, t0, t1, **{"dt": dt, "key": KEY, "wiring": WIRING, **keywords})


def test_records_agree_with_the_states():
    sol = run(0.0, 60.0, dt=2.5, record=all_records(start=20.0))
    states = np.asarray(sol["s"]["I"].as_array())
    assert states.shape == (16, 250)
    np.testing.assert_allclose(sol["m"]["I"], states.mean(0))
    np.testing.assert_allclose(sol["p"]["I"], states.mean(1))
    np.testing.assert_allclose(sol.times["p"], np.arange(22.5, 60.1, 2.5))
    np.testing.assert_allclose(sol["s"]["E"].times, sol.times["p"])
    np.testing.assert_array_equal(sol.counts["m"]["E"], 16)
    assert set(sol["p"]) == {"I"}
    assert "m E: " in str(sol)
    assert "states of 300 units at 16 times" in str(sol)


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("update", CONTINUED)
def test_a_run_cut_anywhere_equals_the_run_in_one(update):
    record = {"s": jn.record.UnitStates()}
    # In halves of equal length: one program.
    whole = run(0.0, 80.0, update=update, record=record)
    first = run(0.0, 40.0, update=update, record=record)
    rest = run(first.t1, 80.0, update=update, record=record, state=first.state)
    for name in NET.names:
        pieces = jnp.concatenate([first["s"][name].words, rest["s"][name].words])
        np.testing.assert_array_equal(pieces, whole["s"][name].words)
        np.testing.assert_array_equal(rest.state.words[name], whole.state.words[name])


def test_jit_and_vmap_equal_the_loop_over_runs():
    keys = jax.random.split(KEY, 3)

    def activity(key):
        return run(0.0, 30.0, key=key)["activity"]["E"]

    batch = jax.jit(jax.vmap(activity))(keys)
    for one, key in zip(batch, keys, strict=True):
        np.testing.assert_array_equal(one, activity(key))


def test_changing_numbers_does_not_compile_again():
    from jaxneuro._simulate import _driver

    run(0.0, 20.0)
    before = _driver._run._cached._cache_size()
    run(0.0, 20.0, net=small(temperature=0.1, m0=0.1, j_ee=1.3, theta_i=0.5, tau_e=7.0))
    assert _driver._run._cached._cache_size() == before


def test_a_stimulus_adds_to_the_field_as_long_as_it_lasts():
    def pulse(t):
        return jnp.where((t >= 20.0) & (t < 40.0), 50.0, 0.0)

    record = {"p": jn.record.PopulationActivity()}
    sol = run(0.0, 60.0, dt=10.0, update=jn.update.Parallel(), stimulus={"E": pulse}, record=record)
    active = np.asarray(sol["p"]["E"])
    np.testing.assert_array_equal(active == 1.0, [False, False, True, True, False, False])
    table = np.where((np.arange(6) >= 2) & (np.arange(6) < 4), 50.0, 0.0)[:, None]
    same = run(0.0, 60.0, dt=10.0, update=jn.update.Parallel(), stimulus={"E": table}, record=record)
    np.testing.assert_array_equal(same["p"]["E"], active)


def test_units_start_as_the_network_says():
    shape = np.linspace(0.0, 1.0, 7).round()
    net = jn.BinaryNetwork({"S": jn.Population(jn.Binary(1e9, tau=1e9), 7)}, initial={"S": shape})
    sol = jn.simulate(net, 0.0, 1.0, dt=1.0, key=KEY, record={"s": jn.record.UnitStates()})
    np.testing.assert_array_equal(sol["s"]["S"].as_array()[0], shape)


def test_a_field_that_is_no_number_is_reported():
    broken = {"E": lambda t: jnp.where(t < 30.0, 0.0, jnp.nan)}
    with pytest.raises(RuntimeError, match=r"By t = 40 ms, in E: The field of a unit became NaN"):
        run(0.0, 60.0, stimulus=broken)
    sol = run(0.0, 60.0, stimulus=broken, throw=False)
    assert bool(sol.result == jn.Result.nonfinite_state)
    assert int(sol.failed_step) == 4


def test_progress_is_shown(capfd):
    run(0.0, 30.0, progress=True)
    jax.effects_barrier()
    assert "simulate: 30 of 30 ms" in capfd.readouterr().err


SPIKING = jn.Network({"E": jn.Population(jn.LIF(), 5)})
WRONG = [
    (dict(solver=jn.Exact()), "`solver` is of neurons with a membrane"),
    (dict(update="sequential"), r"`update` has to be `Sequential\(\)` or `Parallel\(\)`"),
    (dict(update=jn.update.Parallel(), dt=5.0), "`dt` has to be `tau` under"),
    (dict(net=SPIKING, wiring=None, update=jn.update.Sequential()), "`update` is of a BinaryNetwork"),
    (dict(record={"rate": jn.record.Rate()}), r"`jn\.record\.Rate` records spikes, which 'E' has not"),
    (dict(net=SPIKING, wiring=None, record={"m": jn.record.MeanActivity()}), "MeanActivity` records binary units"),
    (dict(record={"m": jn.record.MeanActivity("X")}), "names the population 'X'"),
    (dict(record={"m": jn.record.MeanActivity(start=50.0)}), "`start` has to lie before the end"),
    (dict(record=[jn.record.MeanActivity()]), "`record` has to be a dict"),
    (dict(stimulus=1.0), "`stimulus` of a network has to be a dict"),
    (dict(stimulus={"X": 1.0}), "`stimulus` names 'X'"),
    (dict(stimulus={"E": [1.0, 2.0]}), "`stimulus` of 'E' has shape"),
    (dict(state=3), "`state` has to be the `state` of a binary network"),
    (dict(wiring=3), "`wiring` has to come from `jn.wire`"),
    (dict(wiring=jn.wire(small(n_e=299), key=KEY)), "sources and"),
    (dict(t1=0.0), "`t1` has to lie after"),
    (dict(throw=1), "`throw` has to be True or False"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG, ids=[sentence[:40] for _, sentence in WRONG])
@pytest.mark.usefixtures("as_users_run")
def test_wrong_arguments_are_named(arguments, sentence):
    arguments = {"t0": 0.0, "t1": 50.0, **arguments}
    with pytest.raises(ValueError, match=sentence):
        run(**arguments)


def test_a_state_of_another_time_or_network_is_refused():
    sol = run(0.0, 10.0)
    with pytest.raises(ValueError, match="`state` is at t = 10 ms"):
        run(20.0, 30.0, state=sol.state)
    other = small(n_e=200)
    with pytest.raises(ValueError, match="`state` comes from another network"):
        jn.simulate(other, 10.0, 20.0, dt=10.0, key=KEY, state=sol.state)
