"""The study of heavy tails, matched inhibition, correlated and tuned inputs."""

import json
import runpy
import sys

import jax
import numpy as np
import pytest
from scipy import optimize, stats

import fitting.heavy_tails as study
import jaxneuro as jn
from fitting.figures._figure import NotShown
from fitting.heavy_tails import _inputs as inputs, _rates as rates
from fitting.heavy_tails._study import FULL

pytestmark = pytest.mark.example

ALPHAS = np.array([1.1, 1.5, 2.0])


def made_up(**changed):
    """A study as it is computed, with numbers that were not."""
    theory = rates.Theory(
        ALPHAS,
        np.array([9.0, 7.27, 6.0]),
        np.array([7.0, 5.84, 6.0]),
        np.array([54.0, 37.0, 17.8]),
        np.array([80.0, 45.0, 33.0]),
        (1.174, 55.7),
    )
    size = rates.Size((2.0, 1.5, 1.2), 400, 80)
    tails = np.array([np.nan, 1.5, 1.2])
    runs = rates.Runs(
        size, np.array([33.0, 45.0, 70.0]), np.array([33.5, 47.2, 83.0]), tails + 1.0, np.array([0.4, 0.9, 1.4]), tails
    )
    runs.sd[0] = 1.0
    runs.sd[1:] = [20.0, 66.0]
    excitation = np.array([0.5, 1.0, 2.0, -0.1])
    currents = {
        "drawn alone": np.array([excitation, [1.0, 0.4, 1.1, 0.5]]),
        "matched": np.array([excitation, excitation + 5e-4]),
    }
    v = 10.0 + np.zeros((30, 2))
    skewness = {"c = 0": 0.22, "c = 0.05": 0.57, "c = 0.2, 10 Hz": 1.1, "c = 0, 40 Hz": 0.1}
    potentials = {name: inputs.Potential(value, 1.0, v) for name, value in skewness.items()}
    g = {"E": np.array([0.1, 0.5, 0.2]), "I": np.array([0.1, 0.3, 0.4])}
    lag = inputs.Lagging(np.array([2.0, 3.0, 4.0]), np.arange(-1.0, 2.0), np.ones(3), np.arange(-1.0, 2.0), g)
    whole = dict(theory=theory, runs=runs, currents=currents, potentials=potentials, lagging=lag)
    return study.Study(**(whole | changed))


def test_a_report_has_the_claims_the_table_and_the_gaps():
    text = study.report(made_up())
    assert "gap    rates of runs against theory of that network: +1.5% at alpha 2, +4.9% at alpha 1.5" in text
    assert "left out, since a current is near 0: 1 neurons drawn alone, 1 matched, of 4" in text
    assert "half width 23.548 deg" in text
    assert "g_I follows g_E by 3.0 ms" in text
    assert [len(draw(made_up()).axes) for draw in (study.draw_tails, study.draw_inputs)] == [6, 6]


def test_the_numbers_of_a_study_are_written():
    table = study.to_json(made_up())
    assert table["runs"]["hill"] == [None, 1.5, 1.2]
    assert (table["theory"]["top"], table["lag"]) == ([1.174, 55.7], 3.0)
    assert json.loads(json.dumps(table, allow_nan=False)) == table


def test_correlations_of_pairs_are_told():
    told = study.report_pairs(study.Pairs({500: 2.3, 2_000: 2.5}))
    assert told.splitlines()[1:] == ["  N =   500: 2.30", "  N = 2,000: 2.50", "  mean 2.40, asked 2.1 +- 20%: met"]
    assert "MISSED" in study.report_pairs(study.Pairs({500: 3.0}))


def test_what_does_not_hold_is_not_claimed():
    wrong = made_up()
    wrong.lagging.lag[:] = -1.0
    with pytest.raises(NotShown, match="it is not so that g_I follows g_E"):
        study.check(wrong)
    loose = made_up()
    loose.currents["matched"] = loose.currents["drawn alone"]
    with pytest.raises(NotShown, match="drawn alone"):
        study.check(loose)


@pytest.mark.parametrize(("sd_i", "asked"), [(20.0, 23.548), (40.0, 10.407)])
def test_half_widths_are_roots_of_the_tuning(sd_i, asked):
    root = optimize.brentq(lambda x: inputs.tuned(x, sd_i) - 0.1, 1.0, 60.0, xtol=1e-12)
    np.testing.assert_allclose(inputs.half_width(sd_i), root, rtol=1e-9)
    assert abs(inputs.half_width(sd_i) - asked) < 1e-3


@pytest.mark.parametrize(("c", "asked"), [(0.0, 0.210819), (0.05, 0.582548)])
def test_skewness_is_that_of_binomial_kicks(c, asked):
    found = inputs.skewness_of_shots(10.0, c)
    assert abs(found - asked) < 1e-6
    if c > 0.0:
        second, third = (stats.binom(100, c).moment(k) for k in (2, 3))
        mothers = 10.0 / c * 0.02
        np.testing.assert_allclose(found, mothers * third / 3.0 / (mothers * second / 2.0) ** 1.5, rtol=1e-12)


@pytest.mark.parametrize("alpha", [1.2, 1.8])
def test_the_hill_exponent_of_a_power_law(alpha):
    # Quantiles, without chance: the mean of log(x/x_k) of the k largest is 1/alpha, but for ends of the sum.
    values = ((np.arange(100_000) + 0.5) / 100_000) ** (-1.0 / alpha)
    np.testing.assert_allclose(rates.hill(np.random.default_rng(0).permutation(values), 0.01), alpha, rtol=0.005)


def test_tuned_weights_go_around():
    matrix = inputs._over_angles(6, 12, 20.0)
    assert matrix.shape == (6, 12)
    np.testing.assert_allclose(matrix[0, [0, 1, 11]], np.exp(-0.5 * np.array([0.0, 0.75, 0.75]) ** 2))


def test_a_folder_that_is_none_is_refused_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["heavy_tails", "--out", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_module("fitting.heavy_tails", run_name="__main__")
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.slow
def test_inhibition_follows_and_matching_narrows():
    found = inputs.lagging(n=40, rounds=2)
    assert np.nanpercentile(found.lag, 5) > 0.0
    spreads = [inputs.log_spread(inputs.matching(160, 80, matched=m))[0] for m in (False, True)]
    assert spreads[0] > 10.0 * spreads[1]


@pytest.mark.proof
def test_rates_by_newton_are_those_of_the_mean_field():
    for alpha in (1.2, 1.5):
        found, slope = rates.field(alpha)
        solved = jn.theory.mean_field(jn.networks.wardak_gong(alpha=alpha)).rate["E"]
        np.testing.assert_allclose(found, solved, rtol=1e-6 if jax.config.jax_enable_x64 else 1e-3)
        rise = (rates.field(alpha + 1e-4)[0] - rates.field(alpha - 1e-4)[0]) / 2e-4
        np.testing.assert_allclose(slope, rise, rtol=1e-3)


@pytest.mark.proof
def test_the_small_study_shows_what_it_claims():
    study.check(study.run())


@pytest.mark.proof
@pytest.mark.parametrize(("alpha", "rate", "cv"), [(2.0, 18.7, 0.15), (1.2, 49.8, 1.13)])
def test_runs_of_the_published_size(alpha, rate, cv):
    """One wiring has 17.9 Hz at 2 (CV 0.173) and 52.6 Hz at 1.2 (1.140): up to 6% and 16% from what was asked."""
    found = rates.runs(rates.Size((alpha,), FULL.c_e, FULL.n_e, 10))
    np.testing.assert_allclose(found.rate, rate, rtol=0.08)
    np.testing.assert_allclose(found.cv, cv, rtol=0.2)
