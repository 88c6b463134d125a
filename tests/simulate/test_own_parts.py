"""What a neuron, a synapse or a drive of one's own returns is looked at before anything is compiled."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn
from jaxneuro._simulate._own import check_observed
from jaxneuro.extend import (
    AbstractDrive,
    AbstractNeuron,
    AbstractRecorder,
    AbstractSource,
    AbstractSynapse,
    Firing,
    Input,
    Received,
    Recorded,
    Scope,
    Watch,
)

pytestmark = pytest.mark.usefixtures("as_users_run")


class Told(AbstractNeuron):
    """A neuron whose methods return what they are told to."""

    stepped: Callable = eqx.field(static=True, default=lambda state: (state, Firing(state > 0)))
    begun: Callable = eqx.field(static=True, default=lambda v: v)
    seen: Callable = eqx.field(static=True, default=lambda state: {"v": state})

    def init(self, v):
        return self.begun(v)

    def resting_potential(self):
        return jnp.zeros(())

    def understands(self):
        return ("current", "kick")

    def step(self, constants, state, inputs):
        return self.stepped(state)

    def observe(self, state):
        return self.seen(state)


STEP, OBSERVE = r"`Told\.step` of the population 'E' has to return ", r"`Told\.observe` of the population 'E' has to "
WRONG_NEURONS = {
    "state alone": (Told(lambda v: v), STEP + r"two things.*`fire` gives it; got \w+\."),
    "spikes alone": (Told(lambda v: (v, v > 0)), STEP + "two things"),
    "three things": (Told(lambda v: (v, Firing(v > 0), 1)), STEP + "two things.*got 3 things"),
    "number of spikes": (Told(lambda v: (v, Firing(v[:1] > 0))), STEP + r"`Firing` of bools.*\(3,\); got shape \(1,\)"),
    "floats as spikes": (Told(lambda v: (v, Firing(v))), STEP + "`Firing` of bools.* of float"),
    "shape of the state": (
        Told(lambda v: (v[0], Firing(v > 0))),
        STEP + r"a state.*`state` was .*and is .* shape \(\)",
    ),
    "dtype of the state": (Told(lambda v: (v.astype(int), Firing(v > 0))), STEP + "a state like that .* and is int"),
    "structure": (Told(lambda v: ((v, v), Firing(v > 0))), STEP + r"a state like that of `init`, \*; got \(\*, \*\)"),
    "init": (
        Told(begun=lambda v: v[:2]),
        OBSERVE + r"return one value a neuron .*\(3,\); got .*\(2,\) of 'v'.*`init\(v",
    ),
    "no state": (Told(begun=lambda v: None), OBSERVE + "return arrays; got NoneType of 'v'"),
    "observe": (Told(seen=lambda v: v), OBSERVE + r"return a dict of \{variable: array\}"),
}


@pytest.mark.parametrize(("neuron", "message"), WRONG_NEURONS.values(), ids=WRONG_NEURONS)
def test_what_a_neuron_returns_is_looked_at(neuron, message):
    with pytest.raises(ValueError, match=message):
        jn.simulate(jn.Network({"E": jn.Population(neuron, 3)}), 0.0, 20.0, dt=0.1, key=jax.random.key(0))


def test_a_neuron_may_show_several_values_of_a_variable():
    check_observed(Told(), "E", {"v": jnp.zeros((3, 2))}, 3)
    with pytest.raises(ValueError, match=r"\(3,\); got shape \(2, 3\) of 'v'"):
        check_observed(Told(), "E", {"v": jnp.zeros((2, 3))}, 3)


@pytest.mark.parametrize(("rest", "got"), [(None, "NoneType"), (jnp.zeros(2), r"float\d\d of shape \(2,\)")])
def test_where_a_neuron_starts_is_looked_at(rest, got):
    class Starts(Told):
        def resting_potential(self):
            return rest

    with pytest.raises(ValueError, match=rf"`Starts\.resting_potential` of the population 'E' has to .*; got {got}"):
        jn.simulate(jn.Network({"E": jn.Population(Starts(), 3)}), 0.0, 20.0, dt=0.1, key=jax.random.key(0))


class Giver(AbstractDrive):
    """A drive that names `named` and returns what it is told to."""

    targets: tuple = eqx.field(static=True)
    named: tuple = eqx.field(static=True)
    returned: Callable = eqx.field(static=True)

    def gives(self):
        return self.named

    def init(self, n, key):
        return jnp.zeros(n)

    def input(self, constants, state, drawn, v):
        return self.returned(state)


class Passes(AbstractSynapse):
    """A synapse that names `named` and returns what it is told to."""

    named: tuple = eqx.field(static=True)
    returned: Callable = eqx.field(static=True)

    def gives(self):
        return self.named

    def init(self, n):
        return jnp.zeros(n)

    def prepare(self, dt, tau_m):
        return None

    def step(self, constants, state, counts, weight, v):
        return self.returned(state)


WRONG_INPUT = {
    "not named": (
        (),
        lambda x: Received(x, Input(current=x)),
        "the `Input` part `current`, which `gives` does not name",
    ),
    "another": (("current",), lambda x: Received(x, Input(current=x, kick=x)), "part `kick`, .*: it names current"),
    "integers": (("current",), lambda x: Received(x, Input(x.astype(int))), "has to give `Input` of floats; got int"),
    "state": (("current",), lambda x: Received(None, Input(x)), "has to return a state like that of `init`"),
    "length": (("current",), lambda x: Received(x[:1], Input(x)), r"`state` was .*\(3,\) and is .*\(1,\) after a step"),
}


@pytest.mark.parametrize("kind", WRONG_INPUT)
def test_what_gives_input_gives_what_it_names(kind):
    named, returned, message = WRONG_INPUT[kind]
    cells = jn.Population(Told(), 3)
    driven = jn.Network({"E": cells}, drives=[Giver(("E",), named, returned)])
    with pytest.raises(ValueError, match=rf"`drives\[0\]`: Giver\.input .*{message}"):
        jn.simulate(driven, 0.0, 20.0, dt=0.1, key=jax.random.key(0))
    given = dict(synapse=Passes(named, returned), weight=1.0, connectivity=jn.AllToAll(), delay=1.0)
    sent = jn.Network({"X": jn.Population(jn.Poisson(1.0), 2), "E": cells}, [jn.Projection("X", "E", **given)])
    with pytest.raises(ValueError, match=rf"`projections\[0\]`: Passes\.step .*{message}"):
        jn.simulate(sent, 0.0, 20.0, dt=0.1, key=jax.random.key(0))


class Made(AbstractSource):
    """A source whose methods return what they are told to."""

    returned: Callable = eqx.field(static=True)

    def init(self, n, key):
        return jnp.zeros(n)

    def spikes(self, key, steps, dt, n, state):
        return self.returned(jnp.zeros((steps.shape[0], n), bool), state)

    def mean_rate(self):
        return self.returned(None, jnp.ones(2))


WRONG_SPIKES = {
    "lists": (lambda rows, state: (rows.tolist, state), r"has to return \(time, n\) bools"),
    "three things": (lambda rows, state: (rows, state, 1), "two things.*got 3 things"),
    "length of the state": (lambda rows, state: (rows, state[1:]), r"a state like that of `init`.* \(3,\) and is "),
    "dtype of the state": (lambda rows, state: (rows, state.astype(int)), "a state like that of `init`.*and is int"),
    "no state": (lambda rows, state: (rows, None), r"a state like that of `init`, \*; got None"),
}


@pytest.mark.parametrize(("returned", "message"), WRONG_SPIKES.values(), ids=WRONG_SPIKES)
def test_what_a_source_returns_is_looked_at(returned, message):
    with pytest.raises(ValueError, match=f"`spikes` of Made, the source 'population'.*{message}"):
        jn.simulate(jn.Population(Made(returned), 3), 0.0, 20.0, dt=0.1, key=jax.random.key(0))


@pytest.mark.parametrize("returned", [lambda rows, rate: rate, lambda rows, rate: "5 Hz"], ids=["length", "text"])
def test_the_mean_rate_of_a_source_is_looked_at(returned):
    given = dict(synapse=jn.DeltaCurrent(), weight=1.0, connectivity=jn.AllToAll(), delay=1.0)
    cells = {"X": jn.Population(Made(returned), 3), "E": jn.Population(jn.LIF(), 3)}
    with pytest.raises(ValueError, match=r"`populations\['X'\]`: `Made\.mean_rate` has to "):
        jn.theory.mean_field(jn.Network(cells, [jn.Projection("X", "E", **given)]))


class Looks(AbstractRecorder):
    """A recorder that watches what it is told to."""

    watched: Any = eqx.field(static=True)
    scope: Scope = Scope((), 0.0)

    def watch(self, layout):
        return self.watched

    def init(self, layout, rows):
        return jnp.zeros(())

    def update(self, carry, window, layout):
        return carry

    def finish(self, carry, layout):
        return Recorded(carry)


@pytest.mark.parametrize("watched", ["E.v", None, Watch("E", "v"), ("E.v",)])
def test_what_a_recorder_watches_is_looked_at(watched):
    net = jn.Network({"E": jn.Population(jn.LIF(), 3)})
    with pytest.raises(ValueError, match=r"`record\['x'\]`: `Looks\.watch` has to return a tuple such as"):
        jn.simulate(net, 0.0, 20.0, dt=0.1, key=jax.random.key(0), record={"x": Looks(watched)})


class Understands(Told):
    """A neuron that understands what it is told to."""

    parts: Any = eqx.field(static=True, default=())

    def understands(self):
        return self.parts


@pytest.mark.parametrize("names", ["current", None, ("curent",)])
def test_parts_of_the_input_are_named_as_they_are(names):
    with pytest.raises(ValueError, match=r"`synapse`: `Passes\.gives` has to return a tuple of parts .*; got "):
        jn.Projection("X", "E", Passes(names, None), weight=1.0, connectivity=jn.AllToAll(), delay=1.0)
    with pytest.raises(ValueError, match=r"`drives\[0\]`: `Giver\.gives` has to return a tuple of parts"):
        jn.Network({"E": jn.Population(Told(), 3)}, drives=[Giver(("E",), names, None)])
    noise = jn.WhiteNoiseDrive("E", mu=0.0, sigma=1.0)
    with pytest.raises(ValueError, match=r"`Understands\.understands` of the population 'E' has to return a tuple"):
        jn.Network({"E": jn.Population(Understands(parts=names), 3)}, drives=[noise])


@pytest.mark.parametrize("weight", [-0.1, jn.NormalWeight(-0.1, cv=0.5)], ids=["number", "law"])
def test_a_conductance_of_ones_own_has_no_negative_weight(weight):
    synapse = Passes(("conductance",), None)
    with pytest.raises(ValueError, match=r"`weight` (of a conductance )?must not be negative"):
        jn.Projection("X", "E", synapse, weight=weight, connectivity=jn.AllToAll(), delay=1.0)


def test_a_class_in_place_of_an_object_is_told():
    with pytest.raises(ValueError, match=r"`model` .*got the class `LIF`: make an object of it, `LIF\(\.\.\.\)`"):
        jn.Population(jn.LIF, 3)
    with pytest.raises(ValueError, match="got the class `AllToAll`"):
        jn.Projection("X", "E", jn.DeltaCurrent(), weight=1.0, connectivity=jn.AllToAll, delay=1.0)


def test_theory_says_which_drive_it_cannot_read():
    drives = [jn.WhiteNoiseDrive("E", mu=1.0, sigma=1.0), Giver(("E",), ("current",), lambda x: Received(x, Input(x)))]
    with pytest.raises(ValueError, match=r"`drives\[1\]`: Giver does not say what it is to theory"):
        jn.theory.mean_field(jn.Network({"E": jn.Population(jn.LIF(), 3)}, drives=drives))


def test_a_class_that_forgets_a_method_is_told_which():
    class Half(AbstractNeuron):
        def init(self, v):
            return v

    with pytest.raises(TypeError, match=r"abstract .*Half.*observe.*resting_potential.*step"):
        Half()
