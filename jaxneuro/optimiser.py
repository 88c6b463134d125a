"""How a fit searches: strategies for `jn.fit(optimiser=)`."""

from ._fit import LevenbergMarquardt as LevenbergMarquardt, Optax as Optax, QuasiNewton as QuasiNewton
