"""Seconds given for milliseconds."""

import warnings

import jax
import matplotlib.pyplot as plt
import pytest

import jaxneuro as jn
from jaxneuro._simulate._spiking import _warn_of_short_run


def net(delay):
    rule = jn.FixedInDegree(2)
    return jn.Network(
        {"E": jn.Population(jn.LIF(), 4)},
        [jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=rule, delay=d) for d in (5.0, delay)],
    )


def test_a_run_that_ends_before_any_spike_arrives_warns():
    said = r"The run of 1 ms is shorter than the shortest delay, 1.5 ms of `projections\[1\]`.* in ms, not in seconds"
    with pytest.warns(jn.results.ShortRunWarning, match=said):
        sol = jn.simulate(net(1.5), 0.0, 1.0, dt=0.1, key=jax.random.key(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jn.simulate(net(1.5), 1.0, 2.0, dt=0.1, key=jax.random.key(0), state=sol.state)  # a run that goes on
        _warn_of_short_run(net(1.5), 15, 0.1)
        _warn_of_short_run(jn.Network({"E": jn.Population(jn.LIF(), 4)}), 1, 0.1)


def test_a_figure_of_too_short_a_span_is_refused():
    record = {"spikes": jn.record.Spikes("population"), "population_rate": jn.record.PopulationRate()}
    sol = jn.simulate(jn.Population(jn.LIF(), 4), 0.0, 20.0, dt=0.1, key=jax.random.key(0), record=record)
    with pytest.raises(ValueError, match=r"`span` of 0\.2 ms holds 0 bins of the rate: it is in ms, not in seconds"):
        jn.plot.state(sol, span=0.2)
    plt.close("all")
