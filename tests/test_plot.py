"""Figures: what is drawn is what was recorded."""

import jax
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.legend import Legend

import jaxneuro as jn


@pytest.fixture(scope="module")
def both():
    net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
    record = {
        "rate": jn.record.Rate(),
        "cv": jn.record.CV(),
        "spikes": jn.record.Spikes(start=100.0),
        "population_rate": jn.record.PopulationRate(),
    }
    return jn.simulate(net, 0.0, 300.0, dt=0.1, key=jax.random.key(0), record=record), jn.theory.mean_field(net)


def test_overlay_shows_run_and_theory(both):
    sol, mf = both
    figure = jn.plot.overlay(sol, mf, most=10)
    spikes, rates, rate, cv = figure.axes
    assert not any(ax.spines[side].get_visible() for ax in figure.axes for side in ("top", "right"))
    drawn = np.concatenate([line.get_xdata() for line in spikes.lines])
    expected = np.concatenate([np.concatenate(sol["spikes"][n].times[:10]) for n in ("E", "I")])
    np.testing.assert_allclose(np.sort(drawn), np.sort(expected))
    assert spikes.get_xlim() == (100.0, 300.0)
    assert any(np.allclose(line.get_ydata(), float(mf.rate["E"])) for line in rates.lines)
    for ax, theory in ((rate, mf.rate), (cv, mf.cv)):
        assert any(np.allclose(line.get_xdata(), float(theory["E"])) for line in ax.lines)
    assert "Hz" in rate.get_xlabel()
    assert "ms" in spikes.get_xlabel()
    plt.close(figure)


def test_raster_draws_on_given_axes(both):
    figure, ax = plt.subplots()
    assert jn.plot.raster(both[0]["spikes"]["E"], ax=ax, most=5) is ax
    assert ax.get_ylim() == (-0.5, 4.5)
    plt.close(figure)


def test_overlay_names_what_is_missing(both):
    sol, mf = both
    bare = jn.simulate(jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4), 0.0, 5.0, dt=0.1, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`sol` needs a record 'cv'"):
        jn.plot.overlay(bare, mf)
    other = jn.theory.mean_field(jn.Network({"A": jn.Population(jn.LIF())}))
    with pytest.raises(ValueError, match="`mf` is of the populations A, `sol` of E, I"):
        jn.plot.overlay(sol, other)


def test_state_shows_spikes_above_the_rate(both):
    sol = both[0]
    figure = jn.plot.state(sol, most=7, span=150.0)
    above, below = figure.axes
    assert above.get_xlim() == below.get_xlim() == (150.0, 300.0)
    drawn = above.lines[0].get_xdata()
    np.testing.assert_allclose(np.sort(drawn), np.sort(np.concatenate(sol["spikes"]["E"].times[:7])))
    late = np.asarray(sol.times["population_rate"]) >= 150.0
    np.testing.assert_allclose(below.lines[0].get_ydata(), np.asarray(sol["population_rate"]["E"])[late])
    plt.close(figure)
    whole = jn.plot.state(sol, span=1e6)
    assert whole.axes[1].get_xlim() == (100.0, 300.0)  # as far as both records go
    plt.close(whole)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("draw", "argument"), [(jn.plot.state, "sol"), (jn.plot.sweep, "grid"), (jn.plot.phase_diagram, "found")]
)
def test_what_is_no_result_cannot_be_drawn(draw, argument):
    with pytest.raises(ValueError, match=f"`{argument}` has to be"):
        draw(None)


def test_state_names_what_is_missing(both):
    bare = jn.simulate(jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4), 0.0, 5.0, dt=0.1, key=jax.random.key(0))
    with pytest.raises(ValueError, match="`sol` needs a record 'spikes'"):
        jn.plot.state(bare)


def test_phase_diagram_shows_lines_and_classes():
    # Made by hand: a line at g = 1.5 of 100 Hz, and a saddle-node.
    shape = (3, 2, 1)
    line = jn.theory.Boundary(np.array([[1.5, 0.0], [1.5, 0.5], [1.5, 1.0]]), np.full(3, 100.0), False, True)
    fold = jn.theory.Boundary(np.array([[0.5, 0.0], [0.5, 1.0]]), np.full(2, np.nan), True, True)
    growth = np.array([[-1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]])[..., None]
    whole = np.ones(shape)
    found = jn.theory.PhaseMap(
        axes={"g": np.array([0.0, 1.0, 2.0]), "ratio": np.array([0.0, 1.0])},
        rate={"E": whole},
        cv={"E": whole},
        growth=growth,
        frequency=100.0 * whole,
        stable=growth < 0,
        complete=growth < 2,
        n_states=np.ones(shape[:2], int),
        boundaries=(line, fold),
    )
    ax = jn.plot.phase_diagram(found)
    styles = {drawn.get_linestyle(): drawn.get_xydata() for drawn in ax.lines}
    np.testing.assert_allclose(styles["-"], line.points)
    np.testing.assert_allclose(styles[":"], fold.points)
    assert [text.get_text() for text in ax.texts] == ["100 Hz"]
    assert ax.get_xlabel() == "$g$"
    assert "67%" in str(found)
    shown = ax.collections[0].get_array()
    assert np.ma.count(np.ma.masked_invalid(shown)) == 2
    plt.close(ax.figure)
    ax = jn.plot.phase_diagram(found, classes=np.array([[0, 0], [0, 1], [1, -1]]), names=("AI", "SI"))
    named = [[text.get_text() for text in legend.get_texts()] for legend in ax.findobj(Legend)]
    assert sorted(named) == [["AI", "SI"], ["highest state: oscillation grows", "states come and go"]]
    ax.figure.canvas.draw()
    for legend in ax.findobj(Legend):  # inside the figure, where a saved file shows it
        box, whole = legend.get_window_extent(), ax.figure.bbox
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    plt.close(ax.figure)
    with pytest.raises(ValueError, match="`classes` has to be integers of shape"):
        jn.plot.phase_diagram(found, classes=np.zeros((2, 2), int), names=("AI",))
    with pytest.raises(ValueError, match="`names` has to name every class"):
        jn.plot.phase_diagram(found, classes=np.ones((3, 2), int), names=("AI",))
    plt.close("all")


@pytest.mark.usefixtures("as_users_run")
def test_spikes_are_drawn_above_the_rate_of_their_own_population():
    net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
    record = {"spikes": jn.record.Spikes("I"), "population_rate": jn.record.PopulationRate()}
    sol = jn.simulate(net, 0.0, 60.0, dt=0.1, key=jax.random.key(0), record=record)
    figure = jn.plot.state(sol)
    drawn = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, np.asarray(sol["population_rate"]["I"])[-len(drawn) :])
    assert "I" in figure.axes[1].get_ylabel()
    twins = jn.networks.brunel(n_e=50, n_i=50, c_e=10, c_i=10)
    sol = jn.simulate(twins, 0.0, 20.0, dt=0.1, key=jax.random.key(0), record=record)
    with pytest.raises(ValueError, match="do not tell which of E, I they are of"):
        jn.plot.state(sol)
    for span in (0.0, -10.0, np.nan):
        with pytest.raises(ValueError, match="`span` has to be a positive number"):
            jn.plot.state(sol, span=span)
    with pytest.raises(ValueError, match="`most` has to be a number of neurons"):
        jn.plot.raster(sol["spikes"], most=0)


@pytest.mark.usefixtures("as_users_run")
def test_figures_of_rates():
    ring = jn.networks.ring(n=16, j1=4.0)
    sol = jn.simulate(ring, 0.0, 40.0, dt=1.0)
    ax = jn.plot.bump(sol)
    np.testing.assert_array_equal(ax.images[0].get_array(), np.asarray(sol["rate"]).T)
    assert "ms" in ax.get_xlabel()
    ax = jn.plot.ring_diagram(n=40)
    line = ax.lines[1].get_xydata()
    wanted = jn.theory.ring_bump(j0=-9.0, j1=line[1:, 1], throw=False).most_j0
    np.testing.assert_allclose(line[1:, 0], wanted, rtol=1e-12)
    assert [text.get_text() for text in ax.texts] == ["homogeneous", "bump", "divergent"]
    rates = np.arange(16.0)
    np.testing.assert_array_equal(jn.plot.sheet(rates).images[0].get_array(), rates.reshape(4, 4).T)
    pair = jn.networks.ei_rate()
    run = jn.simulate(pair, 0.0, 20.0, dt=1.0)
    ax = jn.plot.phase_plane(pair, box=(0.0, 60.0), runs=[run])
    drawn = ax.lines[-2].get_xydata()
    np.testing.assert_array_equal(drawn, np.asarray(run["rate"]))
    assert len(ax.get_legend().get_texts()) == 2
    once = jn.simulate(pair, 0.0, 20.0, dt=1.0, record={"rate": jn.record.Trace("rate", every=20)})
    wrong = [
        (lambda: jn.plot.bump(3), "`sol` has to be what"),
        (lambda: jn.plot.bump(once), "at two times or more"),
        (lambda: jn.plot.sheet(rates[:5]), "`rates` has to be"),
        (lambda: jn.plot.tuning([1.0], [1.0]), "`curves` has to be"),
        (lambda: jn.plot.ring_diagram(j0=3.0), "`j0` has to be"),
        (lambda: jn.plot.ring_diagram(n=1), "`n` has to be"),
        (lambda: jn.plot.phase_plane(pair, box=3.0), "`box` has to be"),
        (lambda: jn.plot.phase_plane(pair, box=(0.0, 1.0), runs=[3]), "`runs` has to be"),
        (lambda: jn.plot.phase_plane(pair, box=(0.0, 1.0), fixed_points=3), "`fixed_points` has to be"),
    ]
    for call, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            call()
    plt.close("all")


def test_raster_takes_what_a_run_of_several_populations_returns(both):
    sol, _ = both
    ax = jn.plot.raster(sol["spikes"], most=7)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    seconds = 1e-3 * (sol.t1 - int(sol["spikes"]["E"].first_step) * sol.dt)
    rates = {name: float(sol["spikes"][name].counts.mean() / seconds) for name in ("E", "I")}
    assert texts == [f"{name}, {rate:.3g} Hz" for name, rate in rates.items()]
    assert [line.get_color() for line in ax.lines] == [jn.plot.KIND_COLOURS[name] for name in ("E", "I")]
    assert ax.get_ylim() == (-0.5, 13.5)
    plt.close(ax.figure)


@pytest.mark.usefixtures("as_users_run")
def test_raster_names_what_is_no_record(both):
    with pytest.raises(ValueError, match=r"`trains\['E'\]` has to be a record"):
        jn.plot.raster(both[0]["rate"])
    with pytest.raises(ValueError, match="holds no population"):
        jn.plot.raster({})
