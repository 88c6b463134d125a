"""Axes of `jn.sweep` beyond a grid of numbers: points, objects, sizes, wirings, and their outer product."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

KEY = jax.random.key(2)


class Scale(eqx.Module):
    by: jax.Array


def product(point, key):
    return {"y": point["a"] * point["b"]}


def test_paired_names_go_together():
    over = jn.Paired({"a": [1.0, 2.0, 2.0], "b": [3, 4, 5]})
    grid = jn.sweep(lambda p, key: {"y": p["a"] * p["b"].astype(p["a"].dtype)}, over=over, seeds=2, key=KEY)
    assert grid["y"].dims == ("point", "seed")
    np.testing.assert_array_equal(grid["y"][:, 0], [3.0, 8.0, 10.0])
    assert grid["a"].dims == grid["b"].dims == ("point",)


def test_a_list_is_an_outer_product():
    over = [jn.Paired({"a": [1.0, 2.0]}, dim="trial"), {"b": [1.0, 10.0, 100.0]}]
    grid = jn.sweep(product, over=over, key=KEY)
    assert dict(grid["y"].sizes) == {"trial": 2, "b": 3}
    np.testing.assert_array_equal(grid["y"], [[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])


@pytest.mark.parametrize("kind", [jn.RandomPoints, jn.SobolPoints], ids=lambda kind: kind.__name__)
def test_points_lie_in_their_box_and_follow_from_the_key(kind):
    ranges = {"a": (-1.0, 3.0), "b": (10.0, 20.0)}
    points, again, other = (kind(64, ranges, key=jax.random.key(i)).draw() for i in (0, 0, 1))
    assert points.shape == (64, 2)
    np.testing.assert_array_equal(points, again)
    assert np.all(points != other)
    assert np.all((points >= 0) & (points < 1))
    grid = jn.sweep(product, over=kind(64, ranges, key=jax.random.key(0)), key=KEY)
    np.testing.assert_allclose(grid["a"], -1.0 + 4.0 * points[:, 0], rtol=1e-6)
    np.testing.assert_allclose(grid["y"], grid["a"] * grid["b"], rtol=1e-6)
    # The standard error of a mean of 64 uniform numbers is 0.036.
    assert np.all(np.abs(points.mean(axis=0) - 0.5) < 4 * 0.036)


def test_sobol_points_fill_every_elementary_box_once():
    """64 points in base 2: one in each of the 8 x 8, 2 x 32 and 32 x 2 boxes (Sobol 1967), whatever the shift."""
    points = jn.SobolPoints(64, {"a": (0.0, 1.0), "b": (0.0, 1.0)}, key=KEY).draw()
    for n, m in ((8, 8), (2, 32), (32, 2)):
        boxes = np.floor(points * np.asarray([n, m])).astype(int)
        assert len({tuple(box) for box in boxes}) == 64
    # A count that is no power of two is the beginning of the same sequence.
    np.testing.assert_array_equal(jn.SobolPoints(37, {"a": (0.0, 1.0), "b": (0.0, 1.0)}, key=KEY).draw(), points[:37])


def test_objects_have_labels_and_share_a_program(compilations):
    scales = {"double": Scale(jnp.asarray(2.0)), "triple": Scale(jnp.asarray(3.0))}
    over = {"a": [1.0, 5.0], "scale": scales}
    for execution in (jn.Threads(2), jn.Vectorised(2)):
        grid = jn.sweep(lambda p, key: {"y": 0.5 - p["a"] * p["scale"].by}, over=over, key=KEY, execution=execution)
        np.testing.assert_array_equal(grid["y"].sel(scale="triple"), [-2.5, -14.5])
        np.testing.assert_array_equal(grid["y"].sel(scale="double"), [-1.5, -9.5])
        assert grid.attrs["traces"] == 2
        assert compilations() == 1


def test_sizes_compile_a_program_each():
    over = [jn.Paired({"n": jn.Structural([2, 4]), "a": [1.0, 2.0]}), {"b": [1.0, 2.0]}]
    for execution in (jn.Threads(2), jn.Vectorised(3)):
        grid = jn.sweep(
            lambda p, key: {"y": jnp.sum(jnp.ones(p["n"], p["a"].dtype)) * p["a"] * p["b"]},
            over=over, key=KEY, execution=execution,
        )  # fmt: skip
        np.testing.assert_array_equal(grid["y"], [[2.0, 4.0], [8.0, 16.0]])
        np.testing.assert_array_equal(grid["n"], [2, 4])
        assert grid.attrs["traces"] == 2


SIZES = {"n_e": 40, "n_i": 10, "c_e": 4, "c_i": 2, "j": 0.5}


def test_wirings_are_a_dimension_and_share_a_program(compilations):
    net = jn.networks.brunel(**SIZES)
    wirings = {name: jn.wire(net, key=jax.random.key(i)) for i, name in enumerate(("first", "second"))}

    def run(point, key):
        sol = jn.simulate(
            jn.networks.brunel(g=point["g"], **SIZES), 0.0, 20.0, dt=0.1, key=key, wiring=point["wiring"], throw=False
        )
        return {"rate": sol["rate"]["E"], "result": sol.result}

    both = jn.sweep(run, over={"g": [4.0]}, wirings=wirings, seeds=1, key=KEY)
    assert compilations() == 1
    assert both["rate"].dims[:3] == ("g", "wiring", "seed")
    one = jn.sweep(run, over={"g": [4.0]}, wirings=[wirings["second"]], seeds=1, key=KEY)
    np.testing.assert_array_equal(both["rate"].sel(wiring="second"), one["rate"].sel(wiring=0))
    assert float(abs(both["rate"].sel(wiring="first") - both["rate"].sel(wiring="second")).max()) > 0.0


REFUSED = {
    "lengths": (lambda: jn.Paired({"a": [1.0], "b": [1.0, 2.0]}), "have to be of one length; there are a 1, b 2"),
    "no names": (lambda: jn.Paired({}), "`values` has to be a dict of at least one"),
    "dim": (lambda: jn.Paired({"a": [1.0]}, dim=""), "`dim` has to be the name of a dimension"),
    "range": (lambda: jn.RandomPoints(3, {"a": (2.0, 1.0)}, key=KEY), "`ranges['a']` has to be two finite numbers"),
    "number": (lambda: jn.SobolPoints(0, {"a": (0.0, 1.0)}, key=KEY), "`n` has to be a positive whole number"),
    "key": (lambda: jn.SobolPoints(3, {"a": (0.0, 1.0)}, key=3), "`key` has to be a key made by"),
    "half": (lambda: jn.Structural([1, 2.5]), "`values` of `Structural` have to be whole numbers"),
    "same": (lambda: jn.Structural([1, 1]), "`values` of `Structural` have to be different"),
    "twice": (lambda: [{"a": [1.0]}, {"a": [2.0]}], "`over` has 'a' twice"),
    "two points": (lambda: [jn.Paired({"a": [1.0]}), jn.Paired({"b": [1.0]})], "`over` has 'point' twice"),
    "inside": (lambda: jn.Paired({"a": [1.0], "b": [2.0]}, dim="a"), "'a' for a dimension and an axis in it"),
    "labels": (lambda: {"a": {1: Scale(KEY)}}, "has to give each of its objects a label, a string"),
    "objects": (lambda: {"a": [Scale(KEY)]}, "holds objects: give a dict of {label: object}"),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(("over", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_axis_is_refused(over, sentence):
    with pytest.raises(ValueError, match=r"^(?s:.*)$") as caught:
        jn.sweep(product, over=over(), key=KEY)
    assert sentence in str(caught.value)


@pytest.mark.usefixtures("as_users_run")
def test_other_arguments_of_points_are_refused():
    over = {"a": [1.0], "b": [1.0]}
    for wirings in (3, [], {}, "wiring"):
        with pytest.raises(ValueError, match="`wirings` has to be a list of at least one"):
            jn.sweep(product, over=over, key=KEY, wirings=wirings)
    with pytest.raises(ValueError, match=r"`attributes` has a dict for 'z'"):
        jn.sweep(product, over=over, key=KEY, attributes={"z": {"units": "mV"}})
    with pytest.raises(ValueError, match="`attributes` has to be a dict"):
        jn.sweep(product, over=over, key=KEY, attributes=[1])
    sizes = {"n": jn.Structural([2, 3])}
    with pytest.raises(
        ValueError, match=r"returns y .*\[2\], result .* at n = 2 and y .*\[3\].* at n = 3: names, shapes"
    ):
        jn.sweep(lambda p, key: {"y": jnp.ones(p["n"]), "result": jn.Result.successful}, over=sizes, key=KEY)
