"""What a neuron understands, what recorders watch, drives and sources with memory, clamps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro import extend
from jaxneuro._simulate._plan import _even_share

KEY = jax.random.key(0)


class Theta(extend.AbstractNeuron):
    """dtheta/dt = (1 - cos theta) + (1 + cos theta) I, per 10 ms; v is theta."""

    def init(self, v):
        return v

    def resting_potential(self):
        return jnp.zeros(())

    def step(self, constants, state, inputs):
        drive = 0.0 if inputs.current is None else inputs.current
        after = state + constants.dt / 10.0 * ((1.0 - jnp.cos(state)) + (1.0 + jnp.cos(state)) * drive)
        spikes = after >= jnp.pi
        return jnp.where(spikes, after - 2.0 * jnp.pi, after), extend.Firing(spikes)

    def observe(self, y):
        return {"v": y}


def of(model, **more):
    return jn.Network({"E": jn.Population(model, 2)}, **more)


def test_blocks_divide_a_run_evenly_where_that_makes_none_half_as_long():
    for n in range(1, 60):
        for most in range(1, 21):
            even = [share for share in range(1, most + 1) if n % share == 0 and 2 * share > most]
            assert _even_share(n, most) == max(even, default=min(n, most))


def test_a_neuron_of_ones_own_is_four_methods():
    sol = jn.simulate(of(Theta()), 0.0, 1_000.0, dt=0.05, key=KEY, stimulus={"E": 0.25})
    # The period is pi / sqrt(I) in units of 10 ms.
    np.testing.assert_allclose(sol["rate"]["E"], 1_000.0 * np.sqrt(0.25) / (10.0 * np.pi), atol=1.0)


@pytest.mark.parametrize(
    ("drive", "part"),
    [
        (jn.WhiteNoiseDrive("E", mu=1.0, sigma=1.0), "noise"),
        (jn.PoissonDrive("E", jn.DeltaConductance(0.0), weight=0.1, n_sources=1, rate=1.0), "log_decay"),
        (jn.PoissonDrive("E", jn.ExponentialConductance(2.0, reversal=0.0), weight=0.1, n_sources=1, rate=1.0), "cond"),
    ],
    ids=["noise", "jump", "conductance"],
)
def test_what_a_neuron_does_not_understand_is_refused_by_name(drive, part):
    with pytest.raises(
        ValueError, match=rf"`drives\[0\]` gives 'E' the `Input` part `{part}.*Theta does not understand"
    ):
        of(Theta(), drives=[drive])


class Silent(extend.AbstractSource):
    rows: int = eqx.field(static=True)

    def spikes(self, key, steps, dt, n, state):
        return jnp.zeros((self.rows, n)), state


class Integers(extend.AbstractSource):
    def spikes(self, key, steps, dt, n, state):
        return jnp.zeros((steps.shape[0], n), jnp.int32), state


class SpikesAlone(extend.AbstractSource):
    def spikes(self, key, steps, dt, n, state):
        return jnp.zeros((steps.shape[0], n), bool)


@pytest.mark.parametrize("source", [Silent(3), Integers(), SpikesAlone()], ids=["shape", "type", "no state"])
def test_a_source_that_returns_something_else_is_named(source):
    with pytest.raises(ValueError, match=r"`spikes` of \w+, the source 'E', has to return"):
        jn.simulate(of(source), 0.0, 1.0, dt=0.1, key=KEY)


@pytest.mark.parametrize("variable", ["E.u", "X.v"])
def test_a_recorder_that_watches_what_there_is_not_is_named(variable):
    record = {"h": jn.record.Histogram(variable, low=0.0, high=1.0, bins=2)}
    with pytest.raises(ValueError, match=r"`Histogram\('\w.\w'\)`"):
        jn.simulate(of(jn.LIF()), 0.0, 1.0, dt=0.1, key=KEY, record=record)


def test_an_ou_current_has_its_variance_and_its_time_constant():
    sigma, tau, dt = 3.0, 4.0, 0.5
    drive = jn.OUCurrentDrive(("A", "B"), mean=np.repeat([1.0, 2.0], 400), sigma=sigma, tau=tau)
    slow = jn.LeakyIntegrator(tau_m=1e-3)  # follows its current
    net = jn.Network({"A": jn.Population(slow, 400), "B": jn.Population(slow, 400)}, drives=[drive])
    record = {name: jn.record.Trace(f"{name}.v") for name in net.names}
    sol = jn.simulate(net, 0.0, 100.0, dt=dt, key=KEY, record=record)
    for name, mean in (("A", 1.0), ("B", 2.0)):
        x = np.asarray(sol[name]) - mean
        free = 400 * 100.0 / (2 * tau)  # independent samples
        assert abs(x.mean()) < 4 * sigma / np.sqrt(free)
        assert abs(x.var() / sigma**2 - 1.0) < 4 * np.sqrt(2.0 / free)
        lag = round(tau / dt)
        assert abs((x[:-lag] * x[lag:]).mean() / sigma**2 - np.exp(-1.0)) < 4 * np.sqrt(2.0 / free)
    cut = jn.simulate(net, 0.0, 40.0, dt=dt, key=KEY, record=record)
    rest = jn.simulate(net, 40.0, 100.0, dt=dt, key=KEY, record=record, state=cut.state)
    np.testing.assert_array_equal(np.concatenate([cut["A"], rest["A"]]), sol["A"])


def test_a_histogram_counts_what_the_trace_shows():
    net = of(jn.LIF(), drives=[jn.WhiteNoiseDrive("E", mu=22.0, sigma=4.0)])
    edges = np.linspace(-2.0, 20.0, 23)
    more = dict(low=-2.0, high=20.0, bins=22, start=20.0)
    record = {
        "v": jn.record.Trace("E.v", start=20.0),
        "r": jn.record.Trace("E.refractory", start=20.0),
        "all": jn.record.Histogram("E.v", **more),
        "free": jn.record.Histogram("E.v", without="refractory", **more),
    }
    sol = jn.simulate(net, 0.0, 300.0, dt=0.1, key=KEY, record=record)
    for name, kept in (("all", np.ones(sol["v"].shape, bool)), ("free", np.asarray(sol["r"]) == 0)):
        values = np.asarray(sol["v"])[kept]
        counts = np.histogram(values, edges)[0]
        np.testing.assert_allclose(sol[name].values, counts / values.size, rtol=1e-6)
        assert int(sol.counts[name]) == values.size
        assert int(sol[name].outside) == values.size - counts.sum()


def test_a_clamp_is_a_current_a_conductance_and_kicks_in_closed_form():
    kicks = np.zeros((50, 2))
    kicks[9] = 3.0
    clamp = jn.Clamp(current=2.0, conductance=lambda t: 1.5 + 0.0 * t, reversal=[4.0, 6.0], kick=kicks)
    lif, record = jn.LIF(tau_m=10.0), {"v": jn.record.Trace("E.v")}
    v = jn.simulate(of(lif), 0.0, 5.0, dt=0.1, key=KEY, stimulus={"E": clamp}, record=record)["v"]
    t, settled = 0.1 * np.arange(1, 51), (2.0 + 1.5 * np.array([4.0, 6.0])) / 2.5
    expected = settled * (1 - np.exp(-2.5 * t[:, None] / 10.0))
    expected[9:] += 3.0 * np.exp(-2.5 * (t[9:, None] - t[9]) / 10.0)
    np.testing.assert_allclose(v, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="`conductance` and `reversal` belong together"):
        jn.Clamp(conductance=1.0)


def test_a_differential_equation_has_recorders_and_the_truncated_adjoint():
    squid, record = jn.HodgkinHuxley(), {"s": jn.record.Spikes(threshold=0.0), "v": jn.record.Trace("v")}
    record["h"] = jn.record.Histogram("v", low=-100.0, high=100.0, bins=20)
    sol = jn.simulate(squid, 0.0, 30.0, dt=0.02, stimulus=10.0, record=record)
    v = np.concatenate([[float(squid.resting_potential())], np.asarray(sol["v"])[:, 0]])
    assert sol["s"].counts.tolist() == [int(np.sum((v[1:] >= 0) & (v[:-1] < 0)))]
    assert sol["h"].values.sum() * 10.0 == pytest.approx(1.0)

    def end(h, adjoint):
        net = jn.RateNetwork([[0.0]], h=h, tau=10.0)
        return jn.simulate(net, 0.0, 40.0, dt=0.5, adjoint=adjoint)["rate"][-1, 0]

    # Of dv/dh = 1 - exp(-T/tau) the last 10 ms are left.
    slope = jax.grad(end)(1.0, jn.adjoint.Truncated(10.0))
    assert slope == pytest.approx(1.0 - np.exp(-1.0), rel=1e-5)
    assert jax.grad(end)(1.0, jn.adjoint.Direct()) == pytest.approx(1.0 - np.exp(-4.0), rel=1e-5)


def test_the_old_name_of_spikes_inside_steps_warns():
    with pytest.warns(DeprecationWarning, match="InsideSteps"):
        jn.simulate(of(jn.LIF()), 0.0, 1.0, dt=0.1, key=KEY, spike_times=jn.Exact())
