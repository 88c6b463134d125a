"""Figures of single results: what is drawn is what was given, with units on the axes."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

import jaxneuro as jn

E, I = jn.plot.KIND_COLOURS["E"], jn.plot.KIND_COLOURS["I"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def sol():
    net = jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
    record = {
        "rate": jn.record.Rate(),
        "spectrum": jn.record.Spectrum(segment=20.0, width=1.0),
        "spikes": jn.record.Spikes("E"),
        "v": jn.record.Trace("E.v", neurons=slice(0, 3)),
        "p": jn.record.Histogram("E.v", low=-10.0, high=20.0, bins=30),
    }
    return jn.simulate(net, 0.0, 60.0, dt=0.1, key=jax.random.key(0), record=record)


@pytest.fixture(scope="module")
def fitted():
    k = np.array([50.0, 100.0, 200.0, 50.0, 100.0, 200.0])
    table = jn.laws.PSPTable(k, 10.0 / np.sqrt(k) * np.tile([1.1, 0.9, 1.05], 2), list("EEEIII"))
    return jn.fit(jn.laws.CurrentScaling(), table, starts=1, bootstrap=30, key=jax.random.key(0))


def grey(colour):
    return float(np.dot([0.299, 0.587, 0.114], plt.matplotlib.colors.to_rgb(colour)))


def test_excitation_and_inhibition_are_told_apart_in_grey():
    assert abs(grey(E) - grey(I)) > 0.2
    assert max(grey(E), grey(I)) < 0.7  # and from paper


def test_a_spectrum_of_a_run_has_the_level_of_independent_neurons(sol):
    ax = jn.plot.spectrum(sol)
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["I"].get_ydata(), np.asarray(sol["spectrum"]["I"])[2:])
    assert lines["I"].get_color() == I
    level = float(np.mean(np.asarray(sol["rate"]["I"])) / 20)
    np.testing.assert_allclose(lines["I if independent"].get_ydata(), level, rtol=1e-5)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("frequency (Hz)", "power of the rate (Hz)")


def test_traces_have_a_stroke_at_every_spike(sol):
    ax = jn.plot.traces(sol, spikes=sol["spikes"], most=2)
    strokes = np.concatenate([[p[0, 0] for p in c.get_segments()] for c in ax.collections])
    np.testing.assert_allclose(np.sort(strokes), np.sort(np.concatenate(sol["spikes"].times[:2])))
    first, second = (np.asarray(line.get_ydata()) for line in ax.lines[:2])
    values = np.asarray(sol["v"])
    np.testing.assert_allclose(first, values[:, 0], rtol=1e-6)
    np.testing.assert_allclose(second - values[:, 1], (second - values[:, 1])[0], atol=1e-5)
    assert ax.texts[0].get_text().endswith(" mV")
    alone = jn.plot.traces(sol, most=1)
    assert alone.get_ylabel() == "potential (mV)"
    assert alone.get_yticks().size


def test_densities_have_area_one_and_the_unit_of_their_inverse(sol):
    x = np.linspace(0.0, 1.0, 5)
    ax = jn.plot.density({"E": sol["p"], "I": np.arange(50.0)}, theory={"E": (x, 1.0 - x)}, label="rate (Hz)")
    recorded, values = (patch.get_data() for patch in ax.patches)
    np.testing.assert_allclose(recorded.values, sol["p"].values)
    assert np.sum(values.values * np.diff(values.edges)) == pytest.approx(1.0)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), 1.0 - x)
    assert ax.get_ylabel() == "density (1/Hz)"


def test_an_f_i_curve_has_marks_and_lines_of_one_colour():
    x = np.array([1.0, 2.0])
    ax = jn.plot.fi_curve(x, {"a": [1.0, 2.0], "b": [3.0, 4.0]}, theory={"b": [5.0, 6.0]}, unit="nA")
    line, _, mark = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), [5.0, 6.0])
    np.testing.assert_array_equal(mark.get_ydata(), [3.0, 4.0])
    assert line.get_color() == mark.get_color() == jn.plot.COLOURS[1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("current (nA)", "firing rate (Hz)")


class Line(eqx.Module):
    slope: jax.Array

    def __call__(self, x):
        return self.slope * x


def test_a_model_of_ones_own_is_drawn_as_a_line_in_a_band_without_an_edge():
    """Through (1, 1.1), (2, 1.9), (3, 3.2): the slope is sum x y / sum x^2 = 14.5 / 14."""
    x, y = np.array([1.0, 2.0, 3.0]), np.array([1.1, 1.9, 3.2])
    loss = jn.loss.LeastSquares(lambda line, data: data[1] - line(data[0]))
    result = jn.fit(Line(jnp.array(1.0)), (x, y), loss=loss, starts=1)
    ax = result.plot(np.array([0.0, 2.0]), label="by hand")
    (line,), (band,) = ax.lines, ax.collections
    np.testing.assert_allclose(line.get_ydata(), [0.0, 29.0 / 14.0], rtol=1e-6)
    assert line.get_label() == "by hand"
    # t of 2 degrees of freedom times the standard error of the slope, at x = 2.
    half = 4.302653 * np.sqrt(np.sum((y - 14.5 / 14.0 * x) ** 2) / 2.0 / 14.0) * 2.0
    x, heights = band.get_paths()[0].vertices.T
    heights = heights[x == 2.0]
    np.testing.assert_allclose([heights.min(), heights.max()], 29.0 / 14.0 + half * np.array([-1.0, 1.0]), rtol=1e-5)
    assert np.all(band.get_linewidth() == 0.0)


def test_fits_are_drawn_with_their_bands_profiles_and_resamples(fitted):
    ax = jn.plot.laws({"first": fitted}, k=[100.0, 400.0])
    curve = next(line for line in ax.lines if line.get_label() == "first law, E")
    np.testing.assert_allclose(curve.get_ydata(), fitted.predict(np.array([100.0, 400.0])).value)
    assert curve.get_color() == E
    name = next(iter(fitted.params))
    found = fitted.profile(name, points=9)
    drawn = jn.plot.profile(found).lines
    np.testing.assert_allclose(drawn[0].get_xydata(), np.stack([found.values, found.deviance], axis=1))
    np.testing.assert_allclose(drawn[1].get_ydata(), found.limit)
    assert (name, found.unit) == ("j0", "mV")
    assert jn.plot.profile(found).get_xlabel() == "$J_0$ (mV)"
    ax = jn.plot.bootstrap(fitted, name)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$J_0$ (mV)", "density (1/mV)")
    samples = fitted.bootstrap.samples[name]
    heights = [patch for patch in ax.patches if patch.get_label() == "_nolegend_" or patch.get_height() > 0]
    assert min(p.get_x() for p in heights) <= np.nanmin(samples)
    for wrong, sentence in [
        (lambda: jn.plot.bootstrap(fitted, "nothing"), "`name` is 'nothing', which was not fitted"),
        (lambda: jn.plot.bootstrap(dataclasses.replace(fitted, bootstrap=None), name), "`result` was not resampled"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            wrong()


def test_a_training_shows_every_step_and_its_median():
    loss = 100.0 * 0.5 ** np.arange(20.0)
    trained = jn.results.Trained(None, None, loss, loss, {10: 3.0, 20: 2.0}, (), False)
    ax = jn.plot.training(trained, unit="nat")
    steps, median, validation = ax.lines
    np.testing.assert_array_equal(steps.get_xydata(), np.stack([np.arange(1.0, 21.0), loss], axis=1))
    np.testing.assert_array_equal(median.get_xydata(), np.stack([np.arange(3.0, 19.0), loss[2:-2]], axis=1))
    np.testing.assert_array_equal(validation.get_xydata(), [[10.0, 3.0], [20.0, 2.0]])
    assert (ax.get_yscale(), ax.get_ylabel()) == ("log", "loss (nat)")


def test_one_wide_estimate_of_an_audit_does_not_hide_the_others():
    def estimate(mean, sd):
        return jn._train._audit.Estimate(np.array([mean]), np.array([sd]), 100)

    near = {"surrogate": estimate(1.1, 1.0), "differences": estimate(1.0, 1.0)}
    for more, scale in (({}, "linear"), ({"smoothed": estimate(1.0, 1e4)}, "symlog")):
        audit = jn.results.GradientAudit({**near, **more}, ("weight",), -0.1, np.inf, 10.0)
        assert jn.plot.gradient_audit(audit).get_yscale() == scale


def test_a_state_map_shows_the_most_frequent_state_of_seeds():
    xarray = pytest.importorskip("xarray")
    state = jn.analysis.State
    codes = [[[state.SR, state.AI, state.AI], [state.SR] * 3], [[state.fast_SI] * 3, [state.AI] * 3]]
    grid = xarray.Dataset({"state_E": (("g", "j", "seed"), codes)}, {"g": [3.0, 6.0], "j": [0.1, 0.2]})
    ax = jn.plot.state_map(grid)
    shown = ax.collections[0].get_array()
    np.testing.assert_array_equal(shown, np.array([[state.AI, state.SR], [state.fast_SI, state.AI]]).T)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$g$", "$J$ (mV)")
    with pytest.raises(ValueError, match="`name`: there is no 'rate'"):
        jn.plot.state_map(grid, name="rate")
    with pytest.raises(ValueError, match="`grid`: 'state_E' has the axes j; two can be drawn"):
        jn.plot.state_map(grid.isel(g=0))


def test_units_of_a_ring_leave_no_strip():
    figure, (left, right) = plt.subplots(1, 2)
    jn.plot.sheet(np.arange(16.0), ax=left)
    jn.plot.bump(jn.simulate(jn.networks.ring(n=4), 0.0, 3.0, dt=1.0), ax=right)
    for ax in (left, right):
        assert (*ax.get_xlim(), *ax.get_ylim()) == pytest.approx(ax.images[0].get_extent())
    assert figure.axes[0] is left
