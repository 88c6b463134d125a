"""Bad input to a run: one clear sentence that names the argument."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

pytestmark = pytest.mark.usefixtures("as_users_run")

KEY = jax.random.key(0)


def net(**keywords):
    return jn.networks.brunel(n_e=40, n_i=10, c_e=8, c_i=2, **keywords)


def run(model=None, t0=0.0, t1=10.0, **keywords):
    return jn.simulate(model or net(), t0, t1, **({"dt": 0.1, "key": KEY} | keywords))


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (dict(t1=10.05), "`t1` has to be a multiple of dt"),
        (dict(t0=0.05), "`t0` has to be a multiple of dt"),
        (dict(t1=0.0), "`t1` has to lie after `t0`"),
        (dict(t0=-1.0), "`t0` has to be at least 0"),
        (dict(t1=np.nan), "`t1` has to be finite"),
        (dict(t1="1"), "`t1` has to be a number"),
        (dict(t1=1e9), r"more than the 2\^31"),
        (dict(dt=0.0), "`dt` has to be positive"),
        (dict(dt=-0.1), "`dt` has to be positive"),
        (dict(dt=2.0), r"`projections\[0\].delay` has to be at least dt"),
        (dict(key=0), "`key` has to be a key"),
        (dict(key=jax.random.split(KEY, 2)), "one key"),
        (dict(model=jn.LIF()), "`model` has to be a Network, a Population, a BinaryNetwork or a rate model"),
        (dict(record=[jn.record.Rate()]), "`record` has to be a dict"),
        (dict(record={"rate": "rate"}), r"`record\['rate'\]` has to be a recorder"),
        (dict(record={"rate": jn.record.Rate("X")}), "names the population 'X'"),
        (dict(record={"rate": jn.record.Rate(start=10.0)}), "`start` has to lie before the end"),
        (dict(record={"rate": jn.record.Rate(start=0.03)}), "`start` has to be a multiple"),
        (dict(record={"v": jn.record.Trace("v")}), "has to name population and variable"),
        (dict(record={"v": jn.record.Trace("E.u")}), "the variables of 'E' are v, refractory"),
        (dict(record={"v": jn.record.Trace("E.v", neurons=[40])}), "`neurons` of"),
        (dict(record={"p": jn.record.PopulationRate(width=0.25)}), "`width` has to be a multiple"),
        (dict(stimulus=3.0), "`stimulus` of a network has to be a dict"),
        (dict(stimulus={"X": 3.0}), "`stimulus` names 'X'"),
        (dict(stimulus={"E": np.zeros(7)}), r"`stimulus` of 'E' has shape \(7,\)"),
        (dict(stimulus={"E": np.nan}), "has to be finite"),
        (dict(stimulus={"E": lambda t: np.zeros(3)}), "the function returns shape"),
        (dict(state=3), "`state` has to be the `state` of a Solution"),
        (dict(wiring=3), "`wiring` has to come from"),
        (dict(solver="euler"), "`solver` has to be"),
        (dict(throw="no"), "`throw` has to be True or False"),
        (dict(wiring=jn.wire(jn.networks.brunel(n_e=40, n_i=10, c_e=7, c_i=2), key=KEY)), "FixedInDegree\\(8\\)"),
    ],
    ids=lambda x: str(x)[:40],
)
def test_argument_is_named(keywords, message):
    with pytest.raises(ValueError, match=message):
        run(**keywords)


def test_a_start_before_the_run_is_refused_at_once():
    with pytest.raises(ValueError, match="`start` must not be negative"):
        jn.record.Rate(start=-5.0)


def test_state_of_another_time_or_network():
    sol = run()
    with pytest.raises(ValueError, match="`state` is at t = 10 ms"):
        run(state=sol.state)
    with pytest.raises(ValueError, match="comes from another network"):
        run(net(delay=3.0), 10.0, 20.0, state=sol.state)


def test_wiring_of_another_network():
    with pytest.raises(ValueError, match="`wiring` was drawn for"):
        run(wiring=jn.wire(jn.networks.brunel(n_e=80, n_i=10, c_e=8, c_i=2), key=KEY))
    with pytest.raises(ValueError, match="another kind of delay"):
        run(wiring=jn.wire(net(delay=jn.UniformDelay(1.0, 2.0)), key=KEY))


def test_wiring_under_a_transformation():
    with pytest.raises(ValueError, match="draw the wiring outside jit"):
        jax.vmap(lambda k: run(key=k)["rate"]["E"])(jax.random.split(KEY, 2))


def test_a_size_is_needed_to_run_and_an_integer_to_wire():
    with pytest.raises(ValueError, match="has no size"):
        run(jn.Network({"E": jn.Population(jn.LIF())}))
    with pytest.raises(ValueError, match="has to be an integer to be wired"):
        run(jn.networks.brunel(n_e=40, n_i=10, c_e=8.5, c_i=2))


def test_a_drive_of_very_many_spikes_is_refused():
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=1e-6, n_sources=1e9, rate=1e3)
    with pytest.raises(ValueError, match=r"`drives\[0\]` gives every neuron 1e\+08 spikes a step"):
        run(jn.Network({"E": jn.Population(jn.LIF(), 3)}, drives=[drive]))


def test_a_source_makes_at_most_one_spike_a_step():
    with pytest.raises(ValueError, match="spikes a step"):
        run(jn.Network({"X": jn.Population(jn.Poisson(20_000.0), 3)}))


@pytest.mark.float32
def test_a_run_that_blows_up_says_when_where_and_what_to_try():
    wild = jn.Network({"A": jn.Population(jn.LIF(), 3), "B": jn.Population(jn.LIF(), 3)})
    grow = {"B": lambda t: jnp.where(t > 5.0, jnp.nan, 0.0)}
    with pytest.raises(RuntimeError, match=r"By t = .* ms, in B: .* Take a smaller dt"):
        run(wild, stimulus=grow)
    sol = run(wild, stimulus=grow, throw=False)
    assert sol.result == jn.Result.nonfinite_state
    assert 5.0 < float(sol.failed_step) * 0.1 <= 5.1 + 1.6
    good = jn.simulate(wild, 0.0, 10.0, dt=0.1, key=KEY, throw=False)
    assert good.result == jn.Result.successful


def test_a_failure_under_jit_is_not_silent():
    wild = jn.Network({"A": jn.Population(jn.LIF(), 3)})
    bad = {"A": lambda t: jnp.where(t > 5.0, jnp.inf, 0.0)}

    def total(key):
        record = {"v": jn.record.Trace("A.v")}
        return jn.simulate(wild, 0.0, 10.0, dt=0.1, key=key, stimulus=bad, record=record, wiring=wiring)["v"]

    wiring = jn.wire(wild, key=KEY)

    with pytest.raises(Exception, match="non-finite"):
        jax.jit(total)(KEY).block_until_ready()


def test_a_traced_in_degree_that_is_not_the_wirings_is_a_result_code():
    wiring = jn.wire(jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2), key=jax.random.key(0))

    @jax.jit
    def result(c_e):
        net = jn.networks.brunel(n_e=80, n_i=20, c_e=c_e, c_i=2)
        return jn.simulate(net, 0.0, 1.0, dt=0.1, key=jax.random.key(0), wiring=wiring, throw=False).result

    assert result(8.0) == jn.Result.successful
    assert result(9.0) == jn.Result.wrong_wiring


def test_a_traced_rate_that_is_no_rate_is_a_result_code():
    wiring = jn.wire(jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2), key=jax.random.key(0))

    @jax.vmap
    def result(ratio):
        net = jn.networks.brunel(nu_ext_over_nu_thr=ratio, n_e=80, n_i=20, c_e=8, c_i=2)
        return jn.simulate(net, 0.0, 1.0, dt=0.1, key=jax.random.key(0), wiring=wiring, throw=False).result

    found = result(jnp.asarray([2.0, -1.0, jnp.nan, jnp.inf]))
    assert (found == jn.Result.wrong_drive).tolist() == [False, True, True, True]


def test_a_traced_width_that_is_no_width_is_a_result_code():
    net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
    wiring = jn.wire(net, key=KEY)

    @jax.vmap
    def result(width):
        surrogate = jn.surrogate.Triangular(width)
        return jn.simulate(net, 0.0, 1.0, dt=0.1, key=KEY, wiring=wiring, surrogate=surrogate, throw=False).result

    found = result(jnp.asarray([1.0, -1.0, 0.0, jnp.nan, jnp.inf]))
    assert (found == jn.Result.wrong_surrogate).tolist() == [False, True, True, True, True]


def test_a_traced_delay_is_named():
    for transform in (jax.jit, jax.grad):
        with pytest.raises(ValueError, match="`delay` decides the program"):
            transform(lambda d: jn.theory.mean_field(jn.networks.brunel(delay=d)).rate["E"])(1.5)
    assert jn.networks.brunel(delay=jnp.asarray(1.5)).projections[0].delay == 1.5


@pytest.mark.parametrize("other", [jn.Bernoulli(0.5), jn.FixedInDegree(10), jn.Bernoulli(0.1, autapses=True)], ids=str)
def test_a_wiring_of_another_rule_is_refused(other):
    def net(rule):
        projection = jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=rule, delay=1.0)
        return jn.Network({"E": jn.Population(jn.LIF(), 100)}, [projection])

    wiring = jn.wire(net(jn.Bernoulli(0.1)), key=jax.random.key(0))
    with pytest.raises(ValueError, match="`wiring` was drawn with the connectivity Bernoulli"):
        jn.simulate(net(other), 0.0, 1.0, dt=0.1, key=jax.random.key(0), wiring=wiring)


def test_a_binary_wiring_of_another_in_degree_is_refused():
    sizes = dict(n_e=50, n_i=50)
    wiring = jn.wire(jn.networks.binary(k=10, **sizes), key=jax.random.key(0))
    other = jn.networks.binary(k=20, **sizes)
    with pytest.raises(ValueError, match="draw it again"):
        jn.simulate(other, 0.0, 10.0, dt=1.0, key=jax.random.key(0), wiring=wiring)
    with pytest.raises(ValueError, match="`delivery` is of spikes"):
        jn.wire(other, key=jax.random.key(0), delivery=jn.delivery.Rows())


def test_what_a_model_does_not_take_is_named():
    with pytest.raises(ValueError, match=r"`jn\.record\.Rate` records spikes, which 'population' has not"):
        jn.simulate(jn.networks.ring(n=8), 0.0, 5.0, dt=0.5, record={"r": jn.record.Rate()})
    with pytest.raises(ValueError, match="`connectivity` has to be a rule"):
        jn.BinaryProjection("E", "E", weight=1.0, connectivity=jn.Weights(np.ones((3, 3))))
