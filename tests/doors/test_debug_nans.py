"""Under `jax_debug_nans` what is healthy raises nothing: a value that is not there is NaN, which is no fault."""

import jax
import numpy as np
import pytest

import jaxneuro as jn

TABLE = jn.laws.PSPTable([10.0, 20.0, 50.0, 100.0, 200.0], [2.0, 1.5, 1.1, 0.6, 0.5], list("EEIIE"))
HEALTHY = {
    # Nobody fires three times in 5 ms: every CV is NaN.
    "simulate": lambda: jn.simulate(
        jn.Population(jn.LIF(), 3), 0.0, 5.0, dt=0.1, key=jax.random.key(0), stimulus=30.0,
        record={"cv": jn.record.CV(), "v": jn.record.Trace("v"), "t": jn.record.SpikeTimes("population", 2)},
    ),
    "rates": lambda: jn.simulate(jn.networks.ei_rate(), 0.0, 5.0, dt=0.5),
    "fit": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE),
    "hopf": lambda: jn.analysis.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(20.0, 80.0)),
    "fixed_points": lambda: jn.analysis.fixed_points(jn.networks.ei_rate()),
    "spatial_balance": lambda: jn.theory.spatial_balance(jn.networks.spatial_balanced(side=16)).rate,
    "ring_bump": lambda: jn.theory.ring_bump(j0=-2.0, j1=4.0),
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in ("hopf", "fixed_points") else n for n in HEALTHY]
)
def test_what_is_healthy_raises_nothing(name):
    with jax.debug_nans(True):
        found = HEALTHY[name]()
    if name == "simulate":
        assert np.all(np.isnan(found["cv"]))
