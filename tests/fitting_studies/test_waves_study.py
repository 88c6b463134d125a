"""The study of waves and of the balanced state in space."""

import subprocess
import sys

import numpy as np
import pytest

import fitting.waves as study
from fitting.waves._waves import ASKED

pytestmark = pytest.mark.example


def near():
    return study.Near(
        0.5, {2.0: 0.1, 10.0: 0.2}, {2.0: 1.0, 10.0: 1.5}, np.arange(40.0), np.full((40, 2), [-60.0, -62.0])
    )


def test_a_table_says_what_is_missed():
    measures = {name: np.array([asked, asked]) for name, (asked, _, _) in ASKED.items()}
    measures["CV"] = np.array([0.5, 0.7])
    found = study.Waves(60, measures, np.zeros((20, 60, 60)), near())
    lines = study.report_waves(found).splitlines()
    assert [line.split()[0] for line in lines if line.endswith("MISSED")] == ["CV"]
    assert "0.600 (0.100)" in lines[-1]
    assert len(study.draw(found).axes) >= 7
    assert study.to_json(found)["measures"]["CV"] == [0.5, 0.7]
    assert study.to_json(None) == {"balance": None}


def test_near_neurons_and_a_rhythm_are_told_and_drawn():
    told = study.report_near(near())
    assert "correlation of V 0.500, of spike counts 0.100 in 2 ms, 0.200 in 10 ms" in told
    assert "1.00 in 2 ms" in told
    beat = np.sin(2.0 * np.pi * np.arange(400) / 100.0)
    found = study.Gamma(
        np.arange(400) * 0.25, {"E": beat + 1.0, "I": beat + 2.0}, np.arange(-2.0, 3.0), np.ones(5), 2.0, 40.0
    )
    assert study.report_gamma(found) == "gamma rhythm of 40 Hz (E 1.0 Hz, I 2.0 Hz): I follows E by 2 ms"
    assert len(study.draw_neurons(near(), found).axes) == 5


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"measured": np.nan}, {"measured": 10.0}, {"side": 31}])
def test_a_wrong_run_is_refused(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`") as caught:
        study.waves(**{"seeds": 1, "side": 30, **wrong})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("measured", [499.0, np.nan, np.inf])
def test_too_short_a_balanced_sheet_is_refused(measured):
    with pytest.raises(ValueError, match="`measured` has to be at least 500 ms"):
        study.balance(20, measured=measured)


def test_a_wrong_size_is_one_sentence_and_nothing_is_written(tmp_path):
    command = [sys.executable, "-m", "fitting.waves", "--side", "31", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: `side` has to be an even number" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_small_balanced_sheet_lies_above_its_limit():
    found = study.balance(50, measured=1_000.0)
    # Closer to the limit for more neurons: 42% above it here, 20% at four times as many.
    assert 0.2 < found.rate["E"] / found.limit["E"] - 1.0 < 0.6
    assert found.covariance[0] > 0.03 > 0.02 > found.covariance[1]
    assert "Fano factor of E" in study.report_balance(found)


@pytest.mark.proof
def test_waves_of_the_published_size():
    found = study.waves(5, 150)
    for name, (asked, margin, _) in ASKED.items():
        mean = found.measures[name].mean()
        assert abs(mean - asked) < margin, (name, found.measures[name])


@pytest.mark.proof
def test_with_half_the_inhibition_there_is_one_rhythm():
    assert study.rhythm(0.5)[0, 1] < 0.01


@pytest.mark.proof
def test_the_balanced_sheet_of_side_100():
    found = study.balance(100)
    np.testing.assert_allclose(found.rate["E"] / found.limit["E"] - 1.0, 0.20, atol=0.05)
    assert 0.03 < found.covariance[0] < 0.08
    assert found.covariance[1] < 0.0
