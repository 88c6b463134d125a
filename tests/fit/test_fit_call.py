"""What `fit` accepts, refuses, warns of and returns."""

import json
import warnings

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import pytest

import jaxneuro as jn
from jaxneuro.laws import ConductanceScaling, CurrentScaling, OutsideTheoryWarning, PowerLaw, PSPTable

K = np.geomspace(50.0, 1000.0, 24)
MASK = np.arange(24) % 2 == 0
NOISE = np.exp(0.2 * np.random.default_rng(5).normal(size=24))
DATA = PSPTable(K, np.asarray(CurrentScaling()(K, inhibitory=MASK)) * NOISE, MASK)


def line(model, data):
    return data[1] - model["a"] - model["b"] * data[0]


X = jnp.linspace(0.0, 1.0, 12)
POINTS = (X, 1.0 + 2.0 * X + 0.01 * jnp.cos(40.0 * X))
LINE = {"a": jnp.asarray(0.0), "b": jnp.asarray(1.0)}


def test_any_pytree_with_a_residual_function():
    result = jn.fit(LINE, POINTS, loss=jn.loss.LeastSquares(line))
    np.testing.assert_allclose([result.params["b"], result.params["a"]], np.polyfit(*POINTS, 1), rtol=1e-7)
    assert set(result.params) == set(result.stderr) == set(result.ci95) == {"a", "b"}


def test_any_pytree_with_a_likelihood():
    def exponential(model, data):
        return jnp.log(model["rate"]) - model["rate"] * data

    data = jnp.asarray([0.2, 1.0, 0.7, 2.5, 0.1])
    result = jn.fit(
        {"rate": jnp.asarray(1.0)}, data, loss=jn.loss.Likelihood(exponential), bounds={"rate": jn.bounds.Positive()}
    )
    rate = 5 / 4.5
    np.testing.assert_allclose(result.params["rate"], rate, rtol=1e-6)
    np.testing.assert_allclose(result.stderr["rate"], rate / np.sqrt(5), rtol=1e-5)


def test_arrays_are_named_by_index_and_bounds_hold():
    model = {"w": jnp.asarray([0.1, 0.2])}
    loss = jn.loss.LeastSquares(lambda m, d: d[1] - m["w"][0] - m["w"][1] * d[0])
    result = jn.fit(model, POINTS, loss=loss, bounds={"w": jn.bounds.Interval(-1.0, 5.0)})
    np.testing.assert_allclose([result.params["w[1]"], result.params["w[0]"]], np.polyfit(*POINTS, 1), rtol=1e-5)
    assert all(-1.0 < low < high < 5.0 for low, high in result.ci95.values())


def test_new_values_and_data_never_recompile():
    traces = 0

    def counting(model, data):
        nonlocal traces
        traces += 1
        return line(model, data)

    loss = jn.loss.LeastSquares(counting)
    jn.fit(LINE, POINTS, loss=loss)
    first = traces
    jn.fit({"a": jnp.asarray(0.3), "b": jnp.asarray(-1.0)}, (POINTS[0], POINTS[1] * 2.0), loss=loss)
    assert traces == first + 1  # the shape of the rows is asked for, nothing is compiled


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: jn.fit(LINE, POINTS), "`loss` is needed for a model of type dict"),
        (lambda: jn.fit(PowerLaw(), DATA, free=["j0", "k"]), "`free` names 'k', which is no parameter"),
        (lambda: jn.fit(PowerLaw(), DATA, bounds={"q": jn.bounds.Positive()}), "`bounds` names 'q'"),
        (lambda: jn.fit(ConductanceScaling(), DATA, free=["tau_bar"]), "None has to be given a value"),
        (lambda: jn.fit(PowerLaw(), DATA, bounds={"beta": jn.bounds.Interval(0.8, 1.0)}), "`beta` starts outside"),
        (lambda: jn.fit(PowerLaw(), DATA, starts=0), "`starts` has to be a whole number of at least 1; got 0"),
        (lambda: jn.fit(PowerLaw(), DATA, bootstrap=1), "`bootstrap` is 1"),
        (lambda: jn.fit(PowerLaw(), PSPTable(K[:3], K[:3], MASK[:3])), "holds 3 observations, fewer than the 4"),
        (lambda: jn.fit(PowerLaw(), DATA).profile("q"), "`name` is 'q', which was not fitted"),
        (
            lambda: jn.fit(
                CurrentScaling(), DATA, loss=jn.loss.LogNormalScatter(), optimiser=jn.optimiser.LevenbergMarquardt()
            ),
            "needs a least-squares `loss`",
        ),
    ],
)
def test_mistakes_are_named(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_a_failed_fit_raises_or_carries_a_code():
    bad = jn.loss.LeastSquares(lambda model, data: jnp.log(-jnp.square(model["a"]) - 1.0) * data[0])
    model = {"a": jnp.asarray(1.0)}
    with pytest.raises(RuntimeError, match="not finite at any start"):
        jn.fit(model, POINTS, loss=bad)
    slow = jn.optimiser.Optax(optax.sgd(1e-6), steps=2)
    with pytest.raises(RuntimeError, match="No start converged"):
        jn.fit(CurrentScaling(), DATA, optimiser=slow)
    stopped = jn.fit(CurrentScaling(), DATA, optimiser=slow, throw=False)
    assert stopped.result == jn.Result.not_converged
    assert not stopped.converged
    with pytest.warns(DeprecationWarning, match=r"`FitResult.code` is now `FitResult.result`"):
        assert stopped.code is jn.results.FitCode.NOT_CONVERGED


def test_only_one_kind_of_synapse_leaves_g_open():
    data = PSPTable(K, DATA.psp, np.zeros(24, bool))
    with pytest.warns(jn.results.IdentifiabilityWarning, match="cannot tell `g`"):
        result = jn.fit(PowerLaw(), data)
    assert result.stderr["g"] == np.inf
    assert np.isfinite(result.stderr["beta"])
    assert result.to_dict()["stderr"]["g"] is None
    with pytest.warns(jn.results.IdentifiabilityWarning, match="profile of `g` stays flat"):
        assert result.profile("g", points=11).ci95[1] == np.inf


@pytest.mark.filterwarnings("ignore:v_bar:UserWarning")  # the second of two, both in `concerns`
def test_free_tau_bar_leaves_the_theory_and_says_so():
    rng = np.random.default_rng(0)
    k = np.exp(rng.uniform(np.log(50), np.log(1000), 240))
    data = PSPTable(k, 32.0 * k**-0.59 * np.exp(0.5 * rng.normal(size=240)), np.arange(240) % 2 == 0)
    with pytest.warns(OutsideTheoryWarning, match=r"outside \(0, 1\]"):
        result = jn.fit(
            ConductanceScaling(tau_bar=0.2),
            data,
            free=("v_bar", "g", "tau_bar"),
            bounds={"tau_bar": jn.bounds.Positive()},
        )
    assert result.params["tau_bar"] > 1.0
    assert any("outside" in sentence for sentence in result.concerns)
    assert "Warning" in repr(result)


def test_result_prints_plots_and_writes(tmp_path):
    result = jn.fit(CurrentScaling(), DATA, bootstrap=50)
    assert "j0" in repr(result)
    assert "boot low" in repr(result)
    result.to_json(tmp_path / "fit.json")
    written = json.loads((tmp_path / "fit.json").read_text())
    assert set(written) >= {"params", "stderr", "ci95", "rms", "aicc", "predictions", "bootstrap_ci95"}
    assert written["ci95"]["j0"] == list(result.ci95["j0"])
    assert written["predictions"]["excitatory_mv"][2]["value"] == float(result.predictions.value[0, 2])
    axes = result.plot()
    assert axes.get_xlabel() == "number of connections, K"
    plt.close(axes.figure)
    assert list(tmp_path.iterdir()) == [tmp_path / "fit.json"]


def test_comparison_orders_and_refuses():
    fits = {"current": jn.fit(CurrentScaling(), DATA), "conductance": jn.fit(ConductanceScaling(), DATA)}
    found = jn.compare(fits)
    assert found.names[0] == "current"
    share = np.exp(-(fits["conductance"].aicc - fits["current"].aicc) / 2)
    np.testing.assert_allclose(found.weight, np.array([1.0, share]) / (1.0 + share), rtol=1e-9)
    assert "dAICc" in repr(found)
    with pytest.raises(ValueError, match="differ in their loss"):
        jn.compare({**fits, "other": jn.fit(CurrentScaling(), DATA, loss=jn.loss.LogNormalScatter())})
    with pytest.raises(ValueError, match="`results` is empty"):
        jn.compare({})


def test_progress_is_shown_when_asked(capsys):
    jn.fit(CurrentScaling(), DATA, bootstrap=40, progress=True)
    assert "40 of 40 bootstrap refits" in capsys.readouterr().err
    jn.fit(CurrentScaling(), DATA)
    assert capsys.readouterr().err == ""


@pytest.mark.proof
def test_intervals_cover_and_estimates_recover():
    truth, n_runs, covered, z = ConductanceScaling(), 200, 0, []
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        k = np.exp(rng.uniform(np.log(50), np.log(1000), 80))
        mask = rng.random(80) < 0.5
        data = PSPTable(k, np.asarray(truth(k, inhibitory=mask)) * np.exp(0.5 * rng.normal(size=80)), mask)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            result = jn.fit(truth, data)
        low, high = result.ci95["v_bar"]
        covered += low < 0.283 < high
        z.append(np.log(result.params["v_bar"] / 0.283) / (result.stderr["v_bar"] / result.params["v_bar"]))
    assert abs(covered - 0.95 * n_runs) < 4 * np.sqrt(n_runs * 0.95 * 0.05)  # n = 200
    assert abs(np.mean(z)) < 4 * np.std(z) / np.sqrt(n_runs)
    assert abs(np.std(z) - 1) < 4 / np.sqrt(2 * n_runs)


def test_recovery_at_one_seed():
    truth = PowerLaw(j0=20.0, beta=0.6, g=1.2)
    rng = np.random.default_rng(11)
    k = np.exp(rng.uniform(np.log(50), np.log(1000), 400))
    mask = rng.random(400) < 0.5
    data = PSPTable(k, np.asarray(truth(k, inhibitory=mask)) * np.exp(0.5 * rng.normal(size=400)), mask)
    result = jn.fit(PowerLaw(), data, key=jax.random.key(1))
    for name, value in (("beta", 0.6), ("g", 1.2), ("j0", 20.0)):
        assert abs(result.params[name] - value) < 4 * result.stderr[name]  # n = 400
