"""Parts of one's own at the sizes that the page `docs/extending.md` states but does not run."""

import doctest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.extend import AbstractDrive, AbstractNoise, AbstractWeightLaw, Input, Moments, Nodes, Received

PAGE = Path(__file__).resolve().parent.parent / "docs" / "extending.md"


def names_of(heading: str) -> dict[str, Any]:
    """What the page up to and with the section `heading` defines; what a section computes is left out."""
    names: dict[str, Any] = {}
    before, section = PAGE.read_text().split(f"\n## {heading}\n")
    for example in doctest.DocTestParser().get_examples(before + section.split("\n## ")[0]):
        if example.source.startswith(("import", "from", "class", "def")):
            exec(example.source, names)
    return names


@pytest.mark.proof
def test_lognormal_weights_agree_with_their_mean_field():
    net = names_of("A law of the weights")["lognormal"](n_e=10_000, k_e=1_000, j=0.1)
    rate = jn.theory.mean_field(net).rate["E"]
    record = {"rate": jn.record.Rate(start=100.0)}
    runs = [jn.simulate(net, 0.0, 600.0, dt=0.1, key=jax.random.key(i), record=record) for i in range(2)]
    measured = np.mean([np.mean(sol["rate"]["E"]) for sol in runs])
    # Spread of weights raises the rate: at one weight theory gives 37.95 Hz.
    assert 38.5 < rate < 39.1
    assert abs(measured / rate - 1.0) < 0.05


def test_a_recorder_of_ones_own_says_what_there_is_to_watch():
    recorder = names_of("A recorder")["PotentialDensity"]
    rates = jn.Network({"in": jn.Population(jn.Poisson(10.0), 3)})
    record = {"p": recorder("in", low=0.0, high=20.0, bins=4, start=0.0)}
    with pytest.raises(ValueError, match=r"`PotentialDensity`: the variables of 'in' are none"):
        jn.simulate(rates, 0.0, 1.0, dt=0.1, key=jax.random.key(0), record=record)
    record = {"p": recorder("out", low=0.0, high=20.0, bins=4, start=0.0)}
    with pytest.raises(ValueError, match="names the population 'out'; there are in"):
        jn.simulate(rates, 0.0, 1.0, dt=0.1, key=jax.random.key(0), record=record)


def test_a_rule_of_ones_own_stays_inside_its_populations():
    names = names_of("A rule of connectivity")

    class Beyond(names["ByDistance"]):
        def draw(self, rng, pre, post, recurrent):
            return names["Pairs"](np.asarray([0]), np.asarray([pre.n]))

    loop = jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=Beyond(0.1, 0.5), delay=1.0)
    with pytest.raises(ValueError, match=r"Beyond\.draw gave the source 20, outside its population of 20 neurons"):
        jn.wire(jn.Network({"E": names["ring"](20)}, [loop]), key=jax.random.key(0))


class Wrong(AbstractDrive):
    """A drive that returns what it is told to."""

    targets: tuple = eqx.field(static=True)
    returned: Callable = eqx.field(static=True)

    def gives(self):
        return ("current",)

    def input(self, constants, state, drawn, v):
        return self.returned()


WRONG_DRIVES = {
    r"`drives\[0\]`: Wrong\.input has to return `Received\(state, Input\(...\)\)`; got Input": lambda: Input(
        jnp.zeros(3)
    ),
    r"`drives\[0\]`: Wrong\.input has to give .* of shape \(3,\); got shape \(2,\)": lambda: Received(
        None, Input(jnp.zeros(2))
    ),
}


@pytest.mark.parametrize("message", WRONG_DRIVES)
def test_what_a_drive_returns_is_looked_at(message):
    net = jn.Network({"E": jn.Population(jn.LIF(), 3)}, drives=[Wrong(("E",), WRONG_DRIVES[message])])
    with pytest.raises(ValueError, match=message):
        jn.simulate(net, 0.0, 20.0, dt=0.1, key=jax.random.key(0))


class Told(AbstractNoise):
    """A theory whose rate is what it is told."""

    returned: Any

    def rate(self, seen):
        return self.returned


@pytest.mark.parametrize(("returned", "got"), [(jnp.ones(3), r"shape \(3,\)"), (1.0, "1.0")])
def test_what_a_theory_returns_is_looked_at(returned, got):
    seen = jn.theory.afferents(jn.networks.brunel(), {"E": 38.0, "I": 38.0})["E"]
    with pytest.raises(ValueError, match=rf"`noise`: Told\.rate has to return one rate \[Hz\], an array; got {got}"):
        Told(returned).log_rate(seen)


class Short(AbstractWeightLaw):
    """A law that draws too few."""

    def draw(self, rng, shape):
        return np.ones(2)

    def moments(self):
        return Moments(jnp.ones(()), jnp.zeros(()))

    def nodes(self, count):
        return Nodes(jnp.ones(1), jnp.ones(1))


def test_a_law_draws_as_many_as_it_is_asked_for():
    loop = jn.Projection("E", "E", jn.DeltaCurrent(), weight=Short(), connectivity=jn.FixedInDegree(2), delay=1.0)
    net = jn.Network({"E": jn.Population(jn.LIF(), 10)}, [loop])
    with pytest.raises(ValueError, match=r"Short\.draw has to give .* \(20,\); got float64\[2\]\.$"):
        jn.wire(net, key=jax.random.key(0))
