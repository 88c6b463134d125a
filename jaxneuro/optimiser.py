"""How a fit searches: strategies for `jn.fit(optimiser=)`."""

from ._fit import (
    GaussNewton as GaussNewton,
    LevenbergMarquardt as LevenbergMarquardt,
    Optax as Optax,
    QuasiNewton as QuasiNewton,
)
