"""Seconds given for milliseconds."""

import warnings

import jax
import matplotlib.pyplot as plt
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._simulate._plan import delays_of
from jaxneuro._simulate._short_run import warn_of_short_ode, warn_of_short_run


def net(delay):
    rule = jn.FixedInDegree(2)
    return jn.Network(
        {"E": jn.Population(jn.LIF(), 4)},
        [jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=rule, delay=d) for d in (5.0, delay)],
    )


def warned(network, n_steps):
    warn_of_short_run(network, delays_of(network, 0.1), n_steps, 0.1)


def test_a_run_that_ends_before_any_spike_arrives_warns():
    said = r"The run of 1 ms is shorter than the shortest delay, 1.5 ms of `projections\[1\]`.* in ms, not in seconds"
    with pytest.warns(jn.results.ShortRunWarning, match=said):
        sol = jn.simulate(net(1.5), 0.0, 1.0, dt=0.1, key=jax.random.key(0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jn.simulate(net(1.5), 1.0, 2.0, dt=0.1, key=jax.random.key(0), state=sol.state)  # a run that goes on
        warned(net(1.5), 100)


def test_a_run_in_which_nothing_settles_warns():
    said = r"The run of 1 ms is shorter than a quarter of the shortest time constant, 10 ms of `populations\['slow'\]`"
    slow = [jn.Population(model, 4) for model in (jn.HodgkinHuxley(), jn.LIF(tau_m=20.0), jn.neurons.izhikevich())]
    mixed = jn.Network({"no tau": slow[0], "slow": jn.Population(jn.LIF(tau_m=np.array([20.0, 10.0])), 2)})
    with pytest.warns(jn.results.ShortRunWarning, match=said):
        jn.simulate(mixed, 0.0, 1.0, dt=0.5, key=jax.random.key(0))
    with pytest.warns(jn.results.ShortRunWarning, match="The run of 4 ms .* 20 ms of `populations"):
        warned(jn.Network({"E": slow[1]}), 40)
    with pytest.warns(jn.results.ShortRunWarning, match="The run of 1 ms .* 10 ms of `model`"):
        warn_of_short_ode(jn.networks.ei_rate(tau_e=20.0, tau_i=10.0), 10, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warned(jn.Network({"E": slow[1]}), 1)  # a single step is a common run
        warned(jn.Network({"E": slow[1]}), 100)
        warned(jn.Network({"E": slow[0]}), 10)
        warn_of_short_ode(jn.networks.ei_rate(), 1, 0.1)
        jax.jit(lambda tau: warned(jn.Network({"E": jn.Population(jn.LIF(tau_m=tau), 4)}), 10))(20.0)


def test_a_figure_of_too_short_a_span_is_refused():
    record = {"spikes": jn.record.Spikes("population"), "population_rate": jn.record.PopulationRate()}
    sol = jn.simulate(jn.Population(jn.LIF(), 4), 0.0, 20.0, dt=0.1, key=jax.random.key(0), record=record)
    with pytest.raises(ValueError, match=r"`span` of 0\.2 ms holds 0 bins of the rate: it is in ms, not in seconds"):
        jn.plot.state(sol, span=0.2)
    plt.close("all")
