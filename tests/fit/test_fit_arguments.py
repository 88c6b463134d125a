"""Arguments of a fit that are of the wrong kind: one sentence that names them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

pytestmark = pytest.mark.usefixtures("as_users_run")

K = np.geomspace(50.0, 1000.0, 12)
DATA = jn.laws.PSPTable(K, 20.0 / np.sqrt(K) * np.exp(0.1 * np.cos(7 * np.arange(12.0))), np.arange(12) % 2 == 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(model=jn.laws.PowerLaw), "`model` is the class PowerLaw"),
        (dict(data=(1, 2)), "`data` of a law has to be a `PSPTable`"),
        (dict(loss="ls"), "`loss` has to be a loss"),
        (dict(optimiser="lm"), "`optimiser` has to be an optimiser"),
        (dict(free="j0"), "`free` has to be a list of names; got the string 'j0'"),
        (dict(free=["x"]), "`free` names 'x', which is no parameter"),
        (dict(bounds={"g": (0, 1)}), r"`bounds\['g'\]` has to be a bijection"),
        (dict(bounds=3), "`bounds` has to be a dict"),
        (dict(free=["j0"], bounds={"g": jn.bounds.Interval(0.0, 2.0)}), "`bounds` names 'g', which is held fixed"),
        (dict(starts=1.5), "`starts` has to be a whole number"),
        (dict(starts=0), "`starts` has to be a whole number of at least 1"),
        (dict(bootstrap=1), "`bootstrap` is 1"),
        (dict(spread=np.nan), "`spread` has to be a finite number"),
        (dict(key=0), "`key` has to be a key"),
    ],
    ids=str,
)
def test_argument_is_named(arguments, message):
    call = {"model": jn.laws.CurrentScaling(), "data": DATA} | arguments
    with pytest.raises(ValueError, match=message):
        jn.fit(call.pop("model"), call.pop("data"), **call)


def test_predictions_need_a_positive_k():
    result = jn.fit(jn.laws.CurrentScaling(), DATA, starts=1)
    for k in (0, -1.0, np.nan, [100.0, 0.0]):
        with pytest.raises(ValueError, match="`k` has to be"):
            result.predict(k)
    with pytest.raises(ValueError, match="takes the number of connections"):
        result.predict()


def test_an_empty_table_says_so():
    with pytest.raises(ValueError, match="`psp` is empty"):
        jn.laws.PSPTable([], [], [])


def test_a_law_under_a_transformation_gives_no_silent_nan():
    slope = jax.vmap(jax.grad(lambda k: jn.laws.ConductanceScaling()(k)))(jnp.asarray(K))
    assert np.isfinite(slope).all()


def test_a_fit_cannot_be_traced():
    def fitted(x):
        return jn.fit(jn.laws.CurrentScaling(j0=x), DATA).params["j0"]

    for transform in (jax.jit, jax.grad):
        with pytest.raises(ValueError, match="cannot be traced"):
            transform(fitted)(20.0)
    with pytest.raises(ValueError, match="cannot be traced"):
        jax.jit(lambda x: x * jn.fit(jn.laws.CurrentScaling(), DATA).params["j0"])(20.0)
