"""Figures of sweeps: what is drawn is what was swept."""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest

import jaxneuro as jn

X, Y = np.linspace(0.0, 2.0, 3), np.linspace(1.0, 4.0, 4)


def run(point, key):
    y = point.get("y", 1.0)
    rate = point["x"] + 10.0 * y + 0.0 * jax.random.normal(key)
    return {"rate": rate, "cv": jnp.sqrt(point["x"] - 1.0), "code": jn.Result.successful, "v": jnp.ones(3)}


def test_a_map_over_two_axes():
    grid = jn.sweep(run, over={"x": X, "y": Y}, seeds=2, key=jax.random.key(0))
    grid["rate"].attrs["units"] = "Hz"
    figure = jn.plot.sweep(grid, names=["rate", "cv"])
    rate, cv = (ax for ax in figure.axes if ax.collections and ax.get_xlabel() == "x")
    np.testing.assert_allclose(rate.collections[0].get_array(), X[None, :] + 10 * Y[:, None])
    assert np.ma.getmaskarray(cv.collections[0].get_array())[:, 0].all()
    assert (rate.get_xlabel(), rate.get_ylabel()) == ("x", "y")
    assert any(ax.get_ylabel() == "rate (Hz)" for ax in figure.axes)
    plt.close(figure)


def test_a_line_over_one_axis():
    grid = jn.sweep(run, over={"x": X}, seeds=2, key=jax.random.key(0)).drop_vars("v")
    figure = jn.plot.sweep(grid)
    assert [ax.get_ylabel() for ax in figure.axes] == ["rate", "cv"]  # codes are left out
    np.testing.assert_allclose(figure.axes[0].lines[-1].get_ydata(), X + 10.0)
    plt.close(figure)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("names", "sentence"),
    [(["z"], "there is no 'z'"), (["v"], "'v' has the dimensions"), ([], "`names` is empty")],
    ids=["unknown", "array", "none"],
)
def test_what_cannot_be_drawn_is_refused(names, sentence):
    grid = jn.sweep(run, over={"x": X}, key=jax.random.key(0))
    with pytest.raises(ValueError, match=sentence):
        jn.plot.sweep(grid, names=names)
