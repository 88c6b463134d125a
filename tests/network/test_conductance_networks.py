"""The named neuron and network with conductances: what they are made of, by the source's own tables."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

X64 = jax.config.jax_enable_x64


def received(net, name, rates):
    """{what: number} of every stream onto a neuron of `name`."""
    seen = jn.theory.afferents(net, rates)[name]
    return [
        (
            float(s.rate),
            float(s.in_degree.mean),
            float(s.in_degree.variance),
            float(s.weight.moments().mean),
            float(s.synapse.reversal),
        )
        for s in seen.streams
    ]


def test_the_neuron_has_the_inputs_of_equation_9():
    net = jn.networks.conductance_neuron(a=0.02, k=500, g=10.0, eta=1.5, gamma=0.2, nu_x=8.0, n=7)
    assert net.populations["E"].n == 7
    seen = received(net, "E", {"E": 3.0})
    np.testing.assert_allclose(seen, [(8.0, 500.0, 0.0, 0.02, 0.0), (12.0, 100.0, 0.0, 0.2, -75.0)], rtol=1e-6)


def test_model_b_receives_what_d16_and_d17_say():
    net = jn.networks.conductance_based(
        a=(0.002, 0.003), k=(400, 300), g=(20.0, 15.0), gamma=(0.25, 0.5), nu_x=(5.0, 6.0), tau_m=(20.0, 10.0)
    )
    onto_e = [(2.0, 400.0, 0.0, 0.002, 0.0), (3.0, 100.0, 0.0, 0.04, -75.0), (5.0, 400.0, 0.0, 0.002, 0.0)]
    onto_i = [(2.0, 300.0, 0.0, 0.003, 0.0), (3.0, 150.0, 0.0, 0.045, -75.0), (6.0, 300.0, 0.0, 0.003, 0.0)]
    rates = {"E": 2.0, "I": 3.0}
    np.testing.assert_allclose(received(net, "E", rates), onto_e, rtol=1e-6)
    np.testing.assert_allclose(received(net, "I", rates), onto_i, rtol=1e-6)
    assert [float(net.populations[name].model.tau_m) for name in "EI"] == [20.0, 10.0]
    assert [net.populations[name].n for name in "EI"] == [4_000, 1_500]


def test_a_pair_of_one_value_is_model_a():
    one = received(jn.networks.conductance_based(), "I", {"E": 2.0, "I": 3.0})
    assert received(jn.networks.conductance_based(g=(20.0, 20.0)), "I", {"E": 2.0, "I": 3.0}) == one


@pytest.mark.skipif(not X64, reason="all digits")
def test_rates_of_model_b_are_self_consistent():
    e, i = 0.519709, 3.899046
    seen = jn.theory.conductance_rate(5.0 + e, a=0.0005, k=1e5, g=np.array([20.0, 19.0]), eta=i / (5.0 + e), gamma=0.25)
    # The digits given, times the slopes by both rates.
    np.testing.assert_allclose(seen, [e, i], rtol=2e-5)


@pytest.mark.proof
@pytest.mark.skipif(not X64, reason="all digits")
def test_rates_of_model_b():
    net = jn.networks.conductance_based(a=0.0005, k=1e5, g=(20.0, 19.0), nu_x=5.0)
    rate = jn.theory.mean_field(net).rate
    assert f"{rate['E']:.6f}, {rate['I']:.6f}" == "0.519709, 3.899046"


def test_external_sources_are_shared_and_their_number_drawn_too():
    net = jn.networks.conductance_based(k=100, cv_k=0.1, nu_x=25.0)
    assert (net.names, net.drives, net.populations["X"].n) == (("E", "I", "X"), (), 1_000)
    rates = {"E": 3.0, "I": 3.0}
    seen = received(net, "I", rates)
    a = 0.0016
    right = [(3.0, 100.0, 100.0, a, 0.0), (3.0, 25.0, 6.25, 20.0 * a, -75.0), (25.0, 100.0, 100.0, a, 0.0)]
    np.testing.assert_allclose(seen, right, rtol=1e-6)
    counts = jn.wire(net, key=jax.random.key(0))
    in_degree = np.asarray(counts.operators[2].as_matrix()).sum(axis=1)
    assert abs(in_degree.mean() - 100.0) < 4.0 * 10.0 / np.sqrt(in_degree.size)
    assert abs(in_degree.std() - 10.0) < 4.0 * 10.0 / np.sqrt(2 * in_degree.size)
    pair = jn.networks.conductance_based(k=100, nu_x=(20.0, 10.0), n_x=500)
    assert pair.names == ("E", "I", "X_E", "X_I")
    np.testing.assert_allclose(received(pair, "I", rates)[2], (10.0, 100.0, 0.0, a, 0.0), rtol=1e-6)


def test_a_time_course_keeps_the_integral_of_a_spike():
    for net in (
        jn.networks.conductance_based(tau_s=10.0, tau_m=(20.0, 15.0)),
        jn.networks.conductance_neuron(a=0.0016, g=20.0, tau_s=10.0),
    ):
        for name, tau_m in zip(net.names, (20.0, 15.0), strict=False):
            seen = jn.theory.afferents(net, dict.fromkeys(net.names, 1.0))[name]
            effects = [s.synapse.spike_effect(s.weight.moments().mean, jnp.asarray(tau_m)) for s in seen.streams]
            np.testing.assert_allclose([e.integral for e in effects[:2]], [0.0016, 0.032], rtol=1e-6)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("call", [jn.networks.conductance_based, jn.networks.conductance_neuron])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(a=-0.1), "`a` must not be negative; got -0.1"),
        (dict(k=float("nan")), "`k` has to be finite"),
        (dict(g=-1.0), "`g` must not be negative"),
        (dict(gamma="x"), "`gamma` has to be a real number"),
        (dict(nu_x=np.ones(3)), r"`nu_x` has to be a number.*got shape \(3,\)"),
        (dict(jump="exact"), "`jump` has to be `ExactJump"),
        (dict(a=1.2, g=0.5, jump=jn.FirstOrderJump()), "`a` has to be below 1 under `FirstOrderJump`"),
        (dict(a=0.2, g=6.0, jump=jn.FirstOrderJump()), "`g a` has to be below 1 under `FirstOrderJump`"),
        (dict(tau_s=(5.0, 10.0)), "`tau_s` has to be one number"),
        (dict(tau_s=0.0), "`tau_s` has to be positive"),
        (dict(tau_s=5.0, jump=jn.ExactJump()), "`jump` is of synapses that act at once"),
    ],
)
def test_refusals(call, change, says):
    with pytest.raises(ValueError, match=says):
        call(**change)


@pytest.mark.usefixtures("as_users_run")
def test_refusals_of_the_network():
    for change, says in (
        (dict(cv_k=(0.1, 0.2)), "`cv_k` has to be one number"),
        (dict(cv_k=-0.1), "`cv_k` must not be negative"),
        (dict(tau_m=(20.0, 0.0)), "`tau_m` has to be positive"),
        (dict(n_x=0), "`n_x` has to be a positive integer"),
    ):
        with pytest.raises(ValueError, match=says):
            jn.networks.conductance_based(**change)
    with pytest.warns(jn.laws.OutsideTheoryWarning, match="over 1% of the in-degrees"):
        jn.networks.conductance_based(cv_k=0.43)
    jn.networks.conductance_based(cv_k=0.429)


def test_bad_numbers_under_vmap_are_nan_in_their_own_place():
    def numbers(a, cv_k):
        net = jn.networks.conductance_based(a=a, cv_k=cv_k, jump=jn.FirstOrderJump())
        return net.projections[0].weight, net.projections[0].connectivity.cv

    a, cv = jnp.asarray([0.01, -0.01, jnp.nan, 0.01, 1.1]), jnp.asarray([0.1, 0.1, 0.1, -0.1, 0.1])
    weights, cvs = jax.jit(jax.vmap(numbers))(a, cv)
    np.testing.assert_array_equal(np.isnan(weights), [False, True, True, False, True])
    np.testing.assert_array_equal(np.isnan(cvs), [False, False, False, True, False])
