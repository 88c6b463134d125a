"""What a network refuses, in one sentence that names the argument; and that it is a pytree."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

pytestmark = pytest.mark.usefixtures("as_users_run")


def projection(pre="E", post="I", **keywords):
    defaults = dict(weight=0.1, connectivity=jn.FixedInDegree(5), delay=1.0)
    synapse = keywords.pop("synapse", jn.DeltaCurrent())
    return jn.Projection(pre, post, synapse, **(defaults | keywords))


def drive(targets="E", **keywords):
    return jn.PoissonDrive(targets, jn.DeltaCurrent(), **(dict(weight=0.1, n_sources=10, rate=5.0) | keywords))


def network(projections=(), drives=(), **populations):
    lif = jn.LIF()
    known = {"E": jn.Population(lif, 20), "I": jn.Population(lif, 10), "X": jn.Population(jn.Poisson(5.0), 4)}
    return jn.Network(known | populations, projections, drives)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network([projection(connectivity=jn.FixedInDegree(21))]), "in-degree of 21 exceeds the 20 sources"),
        (lambda: network([projection(post="E", connectivity=jn.FixedInDegree(20))]), "exceeds the 19 sources"),
        (lambda: network([projection(connectivity=jn.GaussianInDegree(21, cv=0.1))]), "in-degree of 21 exceeds"),
        (lambda: network([projection(pre="A")]), "names the population 'A'; there are E, I, X"),
        (lambda: network([projection(post=("E", "B"))]), "names the population 'B'"),
        (lambda: projection(post=("E", "E")), "`post` names a population twice"),
        (lambda: projection(post=()), "`post` has to be the name"),
        (lambda: projection(pre=("E", "I")), "`pre` has to be the name of one population"),
        (lambda: network([projection(post="X")]), "'X', a Poisson population, which takes no input"),
        (lambda: network([projection(weight=np.ones(3))]), "`weight` has 3 values for the 10 neurons"),
        (lambda: network(projection()), "`projections` has to be a list; got Projection"),
        (lambda: network(drives=drive()), "`drives` has to be a list; got PoissonDrive"),
        (lambda: network([3]), r"`projections\[0\]` has to be a Projection"),
        (lambda: projection(weight=np.nan), "`weight` has to be finite"),
        (lambda: projection(weight=np.ones((2, 2))), "`weight` has to be one number or one a target"),
        (lambda: projection(weight=-0.1, synapse=jn.DeltaConductance(0.0)), "`weight` must not be negative"),
        (
            lambda: projection(weight=1.0, synapse=jn.DeltaConductance(0.0, jump=jn.FirstOrderJump())),
            "`weight` has to be below 1 under `FirstOrderJump`",
        ),
        (lambda: projection(synapse="delta"), "`synapse` has to be a synapse"),
        (lambda: projection(connectivity=5), "`connectivity` has to be a rule"),
        (lambda: projection(delay=0.0), "`delay` has to be positive"),
        (lambda: projection(delay=np.inf), "`delay` has to be finite"),
        (lambda: projection(delay=None), "`delay` has to be a real number"),
        (lambda: jn.UniformDelay(2.0, 1.0), "need 0 <= low <= high"),
        (lambda: network(drives=[drive("A")]), r"`drives\[0\]` names the population 'A'"),
        (lambda: network(drives=[drive(rate=np.ones(7))]), "`rate` has 7 values for the 20 neurons"),
        (lambda: network(drives=["noise"]), r"`drives\[0\]` has to be a drive"),
        (lambda: drive(rate=-1.0), "`rate` must not be negative"),
        (lambda: drive(n_sources=np.nan), "`n_sources` has to be finite"),
        (lambda: jn.WhiteNoiseDrive("E", mu=0.0, sigma=-1.0), "`sigma` must not be negative"),
        (lambda: jn.Network({}), "at least one"),
        (lambda: jn.Network([jn.LIF()]), "`populations` has to be a dict"),
        (lambda: network(**{"E.x": jn.Population(jn.LIF(), 2)}), "a name has to be a string without a dot"),
        (lambda: network(A=jn.LIF()), "has to be a Population; got LIF"),
        (lambda: jn.Population(jn.LIF(), 0), "`n` has to be a positive integer"),
        (lambda: jn.Population(jn.LIF(), 2.5), "`n` has to be a positive integer"),
        (lambda: jn.Population(jn.LIF(), True), "`n` has to be a positive integer"),
        (lambda: jn.Population("LIF", 3), "`model` has to be a neuron model"),
        (lambda: jn.Population(jn.LIF(tau_m=np.ones(4)), 3), r"has shape \(4,\); it has to be \(\) or \(3,\)"),
        (lambda: jn.Bernoulli(1.5), r"has to lie in \[0, 1\]"),
        (lambda: jn.FixedInDegree(-1), "`k` must not be negative"),
        (lambda: jn.FixedInDegree([1, 2]), r"`k` has to be one number; got shape \(2,\)"),
        (lambda: jn.FixedInDegree(3, autapses="no"), "`autapses` has to be True or False"),
        (lambda: jn.Population(jn.LIF(), 3, initial=3.0), "`initial` has to be"),
        (lambda: jn.initial.UniformPotential(5.0, 1.0), "`low` has to be at most `high`"),
        (lambda: projection(delay=np.ones(2)), r"`delay` has to be one number of milliseconds; got shape \(2,\)"),
    ],
)
def test_one_clear_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_named_networks():
    net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    # nu_thr = 20 mV / (0.1 mV 1000 20 ms) = 10 Hz.
    np.testing.assert_allclose(net.drives[0].rate, 20.0, rtol=1e-12)
    assert [float(p.weight) for p in net.projections] == [0.1, -0.5]
    net = jn.networks.conductance_based(k=100, gamma=0.25)
    assert (net.populations["E"].n, net.populations["I"].n) == (1_000, 250)
    with pytest.raises(ValueError, match="in-degree of 300 exceeds"):
        jn.networks.brunel(n_e=200, c_e=300)


def test_a_network_is_a_frozen_pytree():
    net = jn.networks.brunel()
    leaves, structure = jax.tree_util.tree_flatten(net)
    again = jax.tree_util.tree_unflatten(structure, [2 * x for x in leaves])
    assert float(again.projections[0].weight) == 0.2
    assert again.names == ("E", "I")
    with pytest.raises(AttributeError):
        net.names = ("A",)
    weight = jax.jit(lambda g: jn.networks.brunel(g=g).projections[1].weight)(4.0)
    np.testing.assert_allclose(weight, -0.4)
    slope = jax.vmap(jax.grad(lambda g: jn.networks.brunel(g=g).projections[1].weight))(jnp.arange(3.0))
    np.testing.assert_allclose(slope, -0.1)


@pytest.mark.parametrize(
    "synapse", [jn.ExponentialCurrent(np.array([2.0, 5.0, 7.0])), jn.DeltaConductance(np.array([0.0, -75.0, -80.0]))]
)
def test_parameters_of_a_synapse_have_the_length_of_its_targets(synapse):
    pair = {"E": jn.Population(jn.LIF(), 2)}
    loop = jn.Projection("E", "E", synapse, weight=0.1, connectivity=jn.FixedInDegree(1), delay=1.0)
    with pytest.raises(ValueError, match=r"`projections\[0\].synapse`: a parameter has 3 values for the 2 neurons"):
        jn.Network(pair, [loop])
    drive = jn.PoissonDrive("E", synapse, weight=0.1, n_sources=3, rate=1.0)
    with pytest.raises(ValueError, match=r"`drives\[0\]`: a parameter has 3 values for the 2 neurons of 'E'"):
        jn.Network(pair, drives=[drive])
    jn.Network({"E": jn.Population(jn.LIF(), 3)}, [loop], [drive])
