"""Brunel's network: model A, and model B in which E and I neurons differ."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

SMALL = dict(n_e=80, n_i=20, c_e=8, c_i=2)


def test_model_b_with_equal_values_is_model_a():
    pairs = dict(g=(5.0, 5.0), tau_m=(20.0, 20.0), j=(0.1, 0.1), delay=((1.5, 1.5), (1.5, 1.5)))
    a, b = jn.networks.brunel(), jn.networks.brunel(**pairs)
    assert (len(a.projections), len(b.projections)) == (2, 4)
    expected = jn.theory.mean_field(a).rate["E"]
    for rate in jn.theory.mean_field(b).rate.values():
        np.testing.assert_allclose(rate, expected, rtol=1e-9)


def test_model_b_gives_every_population_its_own():
    net = jn.networks.brunel(
        (5.0, 4.0), (2.0, 1.0), j=(0.1, 0.2), tau_m=(20.0, 10.0), v_th=(20.0, 18.0), t_ref=(2.0, 1.0),
        delay=((1.5, 0.8), (1.2, jn.UniformDelay(0.1, 1.0))), **SMALL,
    )  # fmt: skip
    weights = {(p.pre, p.post[0]): float(p.weight) for p in net.projections}
    assert weights == pytest.approx({("E", "E"): 0.1, ("I", "E"): -0.5, ("E", "I"): 0.2, ("I", "I"): -0.8})
    delays = {(p.pre, p.post[0]): p.delay for p in net.projections}
    assert (delays["I", "E"], delays["E", "I"]) == (0.8, 1.2)
    assert isinstance(delays["I", "I"], jn.UniformDelay)
    # nu_thr = v_th / (J c_e tau_m): 20 / (0.1 * 8 * 20) and 18 / (0.2 * 8 * 10) a millisecond.
    rates = [float(d.rate) for d in net.drives]
    np.testing.assert_allclose(rates, [2.0 * 1250.0, 1125.0])
    assert float(net.populations["I"].model.tau_m) == 10.0
    sol = jn.simulate(net, 0.0, 20.0, dt=0.1, key=jax.random.key(0))
    assert sol["rate"]["I"].shape == (20,)


def test_a_pair_can_be_differentiated():
    # mu of a population falls by tau J C_I nu_I for each unit of its own g: 20 or 19 ms times 0.1 mV, 250 and 0.03 /ms.
    def mu(g):
        seen = jn.theory.effective_input(jn.networks.brunel(g=g, tau_m=(20.0, 19.0)), {"E": 30.0, "I": 30.0})
        return jnp.stack([seen["E"].mu, seen["I"].mu])

    slope = jax.jacrev(mu)(np.asarray([5.0, 4.0]))
    np.testing.assert_allclose(slope, [[-15.0, 0.0], [0.0, -14.25]], rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"g": (1.0, 2.0, 3.0)}, "`g` has to be a number or a pair"),
        ({"delay": (1.0, 2.0)}, "`delay` has to be one delay or"),
        ({"tau_m": (20.0, -1.0)}, "tau_m"),
        ({"j": 0.0}, "`j` has to be positive"),
        ({"nu_ext_over_nu_thr": -1.0}, "`nu_ext_over_nu_thr` must not be negative"),
        ({"g": float("nan")}, "`g` has to be finite"),
        ({"g": "5"}, "`g` has to be a real number"),
        ({"c_i": None}, "`c_i` has to be a real number"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        jn.networks.brunel(**SMALL | arguments)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("name", ["k", "m0", "e", "i", "initial", "j_ee", "j_ie", "j_ei", "j_ii"])
def test_what_is_no_number_is_named(name):
    with pytest.raises(ValueError, match=f"`{name}` has to be a real number"):
        jn.networks.binary(**{name: "5"})


@pytest.mark.float32
@pytest.mark.parametrize(("gamma", "k", "n"), [(0.25, 1_000.0, 2_500), (0.2, 1_000.0, 2_000), (0.1, 500.0, 500)])
def test_the_default_size_is_ten_gamma_k(gamma, k, n):
    """The nearest float32 to 0.2 lies above it: its product with K, taken in float64, would add a neuron."""
    assert jn.networks.conductance_based(gamma=gamma, k=k).populations["I"].n == n
