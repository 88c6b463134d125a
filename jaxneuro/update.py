"""How binary units are updated: strategies for `jn.simulate(update=)` of a `BinaryNetwork`."""

from ._simulate import Parallel as Parallel, Sequential as Sequential
