"""The phase map: lines through known fields, states against the mean field, and a boundary against bisection."""

import functools

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.theory._contours import crossings, polylines
from jaxneuro.theory._phase_atlas import Atlas, StatesOfPlane, _chunked
from jaxneuro.theory._phase_lines import _saddle_nodes


def anywhere(first, second):
    return np.ones(len(first), bool)


def test_a_circle_is_one_closed_line():
    x, y = np.linspace(-2, 2, 81), np.linspace(-2, 2, 61)
    field = 1.0 - np.hypot(x[:, None], y[None])
    edges = crossings(field, anywhere)
    (line,) = polylines(edges, field.shape)
    assert line[0] == line[-1]
    assert len(line) == len(edges.share) + 1
    across = edges.interpolate(np.broadcast_to(x[:, None], field.shape))
    along = edges.interpolate(np.broadcast_to(y[None], field.shape))
    # Linear interpolation over a cell of 0.07: h^2/8 of the curvature.
    np.testing.assert_allclose(np.hypot(across, along), 1.0, atol=1e-3)


def test_two_lines_stay_two():
    x = np.linspace(0, 1, 21)
    field = np.broadcast_to((x[:, None] - 0.31) * (x[:, None] - 0.72), (21, 9))
    lines = polylines(crossings(field, anywhere), field.shape)
    assert sorted(len(line) for line in lines) == [9, 9]


def test_no_points_are_no_values_and_no_progress():
    seen = []
    found = _chunked(lambda x, y: {"sum": x[:, 0] + y}, seen.append, np.zeros((0, 2)), np.zeros(0))
    assert found["sum"].shape == (0,)
    found = _chunked(lambda x, y: {"sum": x[:, 0] + y}, seen.append, np.ones((20, 2)), np.arange(20.0))
    np.testing.assert_array_equal(found["sum"], 1.0 + np.arange(20.0))
    assert seen == [16, 4]


def an_atlas(**replaced):
    """One whose network is never asked."""
    atlas = Atlas(jn.networks.brunel, ("g", "j"), jn.theory.EffectiveNoise(), False)
    for name, function in replaced.items():
        setattr(atlas, name, function)
    return atlas


def test_states_come_and_go_on_lines_from_two_points_on():
    """Three states between two lines, and one outside: a grid of two rows, where each line has two points."""
    axes = {"x": np.arange(4.0), "y": np.array([0.0, 1.0])}

    def count(points):
        x, y = points.T
        return np.where((x > 1.3 + 0.1 * y) & (x < 2.4 - 0.2 * y), 3, 1)

    n = count(np.stack(np.meshgrid(*axes.values(), indexing="ij"), -1).reshape(-1, 2)).reshape(4, 2)
    nothing, none = np.zeros((4, 2, 3)), np.zeros((4, 2, 3), bool)
    seen = StatesOfPlane({"E": nothing}, {"E": nothing}, nothing, nothing, none, none, n)
    lines = _saddle_nodes(an_atlas(count=count), axes, seen)
    found = [line.points[np.argsort(line.points[:, 1])] for line in lines]
    found.sort(key=lambda points: points[0, 0])
    np.testing.assert_allclose(found, [[[1.3, 0.0], [1.4, 1.0]], [[2.4, 0.0], [2.2, 1.0]]], atol=1 / 2_048)


def test_beyond_the_last_state_of_a_point_nothing_is_missing():
    """Rates in columns, of which the first is that of silence; a state that is not there is no incomplete one."""
    columns = {"E": np.array([[np.nan, 5.0, 9.0], [0.0, np.nan, np.nan]])}

    def leading(points, rates, advance):
        growth = rates["E"]
        return dict(cv=rates, growth=growth, frequency=growth, stable=growth > 0.0, complete=growth < 9.0)

    both = an_atlas(rates=lambda points: columns, _leading=leading)._states(np.zeros((2, 2)))
    np.testing.assert_array_equal([s.n_states for s in both], [2, 1])
    np.testing.assert_array_equal([s.rate["E"] for s in both], [[5.0, 9.0, np.nan], [0.0, np.nan, np.nan]])
    np.testing.assert_array_equal([s.stable for s in both], [[True, True, False], [False] * 3])
    np.testing.assert_array_equal([s.complete for s in both], [[True, False, True], [True] * 3])


@pytest.mark.usefixtures("as_users_run")
def test_errors():
    j = ([0.2, 0.1], [0.1, 0.1], 0.1)
    for over in ({"g": [1.0, 2.0]}, *({"g": [1.0, 2.0], "j": values} for values in j)):
        with pytest.raises(ValueError, match="`over"):
            jn.theory.phase_boundaries(jn.networks.brunel, over=over)
    axis = [1.0, 2.0]
    with pytest.raises(ValueError, match="`network` has to be a function"):
        jn.theory.phase_boundaries(jn.networks.brunel(), over={"g": axis, "j": axis})
    with pytest.raises(ValueError, match="`over` names 'foo', which `network` does not take"):
        jn.theory.phase_boundaries(jn.networks.brunel, over={"g": axis, "foo": axis})
    with pytest.raises(ValueError, match="`over` names 'n_e', which is no continuous parameter"):
        jn.theory.phase_boundaries(jn.networks.brunel, over={"g": axis, "n_e": axis})


@pytest.mark.proof
def test_states_and_the_fast_boundary():
    axes = {"g": np.array([3.5, 5.5, 6.0, 6.5]), "nu_ext_over_nu_thr": np.array([0.65, 2.75, 3.0, 3.25, 3.5])}
    found = jn.theory.phase_boundaries(jn.networks.brunel, over=axes)
    assert found.n_states[0, 0] == 3
    assert found.complete.all()
    mf = jn.theory.mean_field(jn.networks.brunel(g=6.0, nu_ext_over_nu_thr=3.0))
    np.testing.assert_allclose(found.highest(found.rate["E"])[2, 2], mf.rate["E"], rtol=1e-9)
    np.testing.assert_allclose(found.highest(found.cv["E"])[2, 2], mf.cv["E"], rtol=1e-9)

    low, high = 3.0, 3.5
    for _ in range(12):
        middle = 0.5 * (low + high)
        grows = bool(jn.theory.brunel_stability(jn.networks.brunel(g=6.0, nu_ext_over_nu_thr=middle)).growth > 0)
        low, high = (low, middle) if grows else (middle, high)
    line = max((b for b in found.boundaries if not b.saddle_node), key=lambda b: b.points[:, 1].max())
    at = line.points[np.abs(line.points[:, 0] - 6.0) < 1e-9]
    np.testing.assert_allclose(at[0, 1], 0.5 * (low + high), atol=0.01)


@pytest.mark.proof
def test_a_line_lies_where_the_mode_starts_to_grow_on_any_grid():
    @eqx.filter_jit
    def growth(g, ratio):
        return jn.theory.brunel_stability(jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio)).growth

    def start_of_growth(growing, still):
        for _ in range(10):
            middle = 0.5 * (growing + still)
            grows = growth(*jnp.asarray(middle)) > 0
            growing, still = (middle, still) if grows else (growing, middle)
        return still

    # Between g = 3 and 4 the leading mode changes from 650 to 2,000 Hz: a straight line between would miss by 0.3.
    low = start_of_growth(np.array([3.0, 2.25]), np.array([4.0, 2.25]))[0]
    axes = {"g": [3.0, 4.0], "nu_ext_over_nu_thr": [2.25, 2.3]}
    found = jn.theory.phase_boundaries(jn.networks.brunel, over=axes)
    (line,) = [b for b in found.boundaries if b.highest and not b.saddle_node]
    assert abs(line.points[np.argmin(line.points[:, 1]), 0] - low) < 1 / 64

    # The slow oscillations live on a strip that a grid as coarse as this steps over.
    axes = {"g": [4.5, 4.6], "nu_ext_over_nu_thr": [0.8, 1.0]}
    assert not jn.theory.phase_boundaries(jn.networks.brunel, over=axes, refine=0).boundaries
    lines = jn.theory.phase_boundaries(jn.networks.brunel, over=axes).boundaries
    at = sorted(line.points[np.argmin(line.points[:, 0]), 1] for line in lines)
    inside = np.array([4.5, 0.88])
    ends = [start_of_growth(inside, np.array([4.5, ratio]))[1] for ratio in (0.845, 1.0)]
    np.testing.assert_allclose(at, ends, atol=0.1 / 64)


@pytest.mark.usefixtures("as_users_run")
def test_values_that_the_network_refuses_are_refused():
    with pytest.raises(ValueError, match="`tau_m`"):
        jn.theory.phase_boundaries(jn.networks.brunel, over={"tau_m": [-1.0, 2.0], "j": [0.1, 0.2]})


@pytest.mark.proof
def test_a_partial_of_the_same_values_does_not_compile_again():
    from jaxneuro.theory import _phase_atlas

    def found():
        network = functools.partial(jn.networks.brunel, j=0.1, n_e=2_000, n_i=500)
        return jn.theory.phase_boundaries(network, over={"g": [5.0, 5.5], "nu_ext_over_nu_thr": [1.5, 2.0]})

    found()
    compiled = _phase_atlas._leading._cached._cache_size()
    found()
    assert _phase_atlas._leading._cached._cache_size() == compiled
