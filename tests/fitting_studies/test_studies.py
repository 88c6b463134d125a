"""The studies reproduce what was published, from the data that ship."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from fitting import psp_scaling, quantal_release
from fitting.psp_scaling._study import FREE_TAU_BAR, PUBLISHED, TABLE, figures_of
from fitting.quantal_release._study import BOYD_MARTIN, PAULSEN, REFERENCE

pytestmark = [pytest.mark.example, pytest.mark.filterwarnings("error")]


@pytest.fixture(scope="module")
def scaling():
    return psp_scaling.run()


@pytest.fixture(scope="module")
def release():
    return quantal_release.run()


def test_every_published_figure_holds_after_rounding(scaling):
    assert figures_of(scaling.fits) == PUBLISHED


def test_the_table_says_that_it_is_synthetic(scaling):
    lines = TABLE.read_text().splitlines()
    assert "SYNTHETIC" in TABLE.name
    assert all(line.endswith(",synthetic") for line in lines[1:])
    assert "SYNTHETIC" in psp_scaling.report(scaling)


def test_the_table_is_what_the_script_makes():
    from fitting.psp_scaling.make_reconstruction import draw_table
    from jaxneuro.io import read_psp_csv

    made, shipped = draw_table(2335), read_psp_csv(TABLE)
    np.testing.assert_allclose(made.psp, shipped.psp, rtol=1e-12)
    np.testing.assert_array_equal(made.n_connections, shipped.n_connections)


def test_predictions_at_ten_thousand(scaling):
    assert 0.17 < float(scaling.fits["current"].predictions[0, -1]) < 0.24
    assert 0.65 <= float(scaling.fits["conductance"].predictions[0, -1]) <= 0.7
    assert scaling.fits[FREE_TAU_BAR].params["tau_bar"] > 1.0
    assert scaling.fits["conductance"].aicc > scaling.fits["current"].aicc


def test_boyd_and_martin(release):
    fit = release.fits[BOYD_MARTIN]
    for name, digits in (("m", 3), ("u", 4), ("sigma_1", 4)):
        assert round(fit.params[name], digits) == REFERENCE[name]
    assert round(-fit.log_likelihood, 2) == 592.07
    assert round(release.end_plate.direct, 3) == 2.355
    assert round(release.end_plate.from_failures, 3) == 2.398
    assert release.end_plate.n_trials == 198


def test_paulsen_and_heggelund(release):
    assert len(release.currents) == 346
    # The histogram has its first mode at 7-8 pA and a second at twice that.
    assert 7.0 < release.fits[PAULSEN].params["u"] < 8.0


def test_reports_and_figures_are_made(scaling, release):
    for study, made in ((psp_scaling, scaling), (quantal_release, release)):
        assert "AICc" in study.report(made)
        figure = study.draw(made)
        for axes in figure.axes:
            assert "(" in axes.get_xlabel() or "K" in axes.get_xlabel()  # a unit, or a pure number
        plt.close(figure)
