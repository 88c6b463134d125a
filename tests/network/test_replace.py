"""`jn.replace`: one named number, with all checks, and all else as it was."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn


def pair() -> jn.Network:
    populations = {name: jn.Population(jn.LIF(), n) for name, n in (("E", 8), ("I", 4))}
    rule = jn.FixedInDegree(2)

    def onto(pre, post, synapse, weight):
        return jn.Projection(pre, post, synapse, weight=weight, connectivity=rule, delay=1.5)

    projections = [
        onto("E", "I", jn.DeltaCurrent(), 0.1),
        onto("E", "I", jn.ExponentialCurrent(5.0), 0.2),
        onto("I", ("E", "I"), jn.DeltaCurrent(), -0.5),
    ]
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=100, rate=12.0)
    return jn.Network(populations, projections, [drive])


CHANGES = {
    "E.tau_m": (10.0, lambda net: net.populations["E"].model.tau_m),
    "E.model.tau_m": (10.0, lambda net: net.populations["E"].model.tau_m),
    "E->I[1].weight": (0.3, lambda net: net.projections[1].weight),
    "E -> I[1].tau": (7.0, lambda net: net.projections[1].synapse.tau),
    "I->E,I.weight": (-1.0, lambda net: net.projections[2].weight),
    "I->E,I.delay": (2.5, lambda net: net.projections[2].delay),
    "I->E,I.k": (1.0, lambda net: net.projections[2].connectivity.k),
    "drives[0].rate": (3.0, lambda net: net.drives[0].rate),
}


@pytest.mark.parametrize(("name", "value", "read"), [(n, v, r) for n, (v, r) in CHANGES.items()], ids=list(CHANGES))
def test_one_number_changes_and_no_other(name, value, read):
    net = pair()
    before, after = jax.tree.leaves(net), jax.tree.leaves(jn.replace(net, name, value))
    assert float(read(jn.replace(net, name, value))) == value != float(read(net))
    changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert sum(changed) == (0 if name.endswith("delay") else 1)  # a delay is part of the program


def test_a_changed_number_does_not_trace_again_and_is_differentiated():
    net, traced = pair(), []

    @jax.jit
    def of(net):
        traced.append(1)
        return net.populations["E"].model.tau_m ** 2

    assert [float(of(jn.replace(net, "E.tau_m", tau))) for tau in (3.0, 4.0)] == [9.0, 16.0]
    assert len(traced) == 1
    slope = jax.grad(lambda tau: jn.replace(net, "E.tau_m", tau).populations["E"].model.tau_m ** 2)(jnp.asarray(3.0))
    assert float(slope) == 6.0
    assert float(jn.replace(jn.LIF(), "v_th", 15.0).v_th) == 15.0


REFUSED = {
    "E.tau": "there is no 'E.tau'; did you mean 'E.tau_m'? There are E.model, E.tau_m",
    "F.tau_m": "there is no 'F.tau_m'. There are E, I, E->I, I->E,I, drives[0].",
    "E->I.weight": "there are 2 of 'E->I'; say which, such as 'E->I[0]'.",
    "I->I.weight": "'I->I' is part of one projection onto 2 populations, which have their numbers in common: 'I->E,I'",
    "drives[1].rate": "there is no 'drives[1].rate'; did you mean 'drives[0]'?",
    "E": "'E' is a whole part; a parameter of it follows a dot",
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(("name", "sentence"), REFUSED.items(), ids=list(REFUSED))
def test_a_name_that_is_none_is_refused_with_what_there_is(name, sentence):
    with pytest.raises(ValueError, match=r"^`name`: ") as caught:
        jn.replace(pair(), name, 1.0)
    assert sentence in str(caught.value)


@pytest.mark.usefixtures("as_users_run")
def test_values_are_checked_as_when_the_parts_are_made():
    for name, value, sentence in (
        ("E.tau_m", -1.0, "`tau_m` has to be positive"),
        ("I->E,I.k", 100.0, "an in-degree of 100 exceeds"),
        ("E.model", 3.0, "'model' is LIF; it cannot become 3.0"),
    ):
        with pytest.raises(ValueError, match=r"^`") as caught:
            jn.replace(pair(), name, value)
        assert sentence in str(caught.value)
    with pytest.raises(ValueError, match="`x` has to be a network or a model; got int"):
        jn.replace(3, "E.tau_m", 1.0)
    with pytest.raises(ValueError, match="`name` has to be a string"):
        jn.replace(pair(), 3, 1.0)
