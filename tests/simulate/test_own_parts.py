"""What a neuron, a synapse or a drive of one's own returns is looked at before anything is compiled."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn
from jaxneuro.extend import AbstractDrive, AbstractNeuron, AbstractSynapse, Firing, Input, Received

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
    "observe": (Told(seen=lambda v: v), OBSERVE + r"return a dict of \{variable: array\}"),
}


@pytest.mark.parametrize(("neuron", "message"), WRONG_NEURONS.values(), ids=WRONG_NEURONS)
def test_what_a_neuron_returns_is_looked_at(neuron, message):
    with pytest.raises(ValueError, match=message):
        jn.simulate(jn.Network({"E": jn.Population(neuron, 3)}), 0.0, 20.0, dt=0.1, key=jax.random.key(0))


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
