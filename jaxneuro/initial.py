"""Where the potentials of a population start: strategies for `jn.Population(initial=)`."""

from ._network import AtRest as AtRest, UniformPotential as UniformPotential
