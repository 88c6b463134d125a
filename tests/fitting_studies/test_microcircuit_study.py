"""The study of the microcircuit's external rates."""

import jax
import numpy as np
import pytest
from scipy import integrate, special

import fitting.microcircuit as microcircuit
import jaxneuro as jn

pytestmark = pytest.mark.example


def test_the_table_and_the_numbers_of_a_fit_without_a_run():
    eight = np.arange(1.0, 9.0)
    study = microcircuit.Study(eight, 8.0 * np.ones(8), 0.9 * eight, eight, 0.1 * eight, 0.1, None)
    lines = microcircuit.report(study).splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["L23E", "1.000", "0.900", "8.000", "1.000", "0.10"],
        ["L23I", "2.000", "1.800", "8.000", "2.000", "0.20"],
    ]
    numbers = microcircuit.to_json(study)
    assert numbers["targets"] == eight.tolist()
    assert numbers["run"] == {}
    figure = microcircuit.draw(study)
    assert [bar.get_height() for bar in figure.axes[0].patches] == eight.tolist()


@pytest.mark.parametrize("wrong", [{"duration": np.nan}, {"duration": -5.0}, {"duration": 100.0}, {"scale": 0.0}])
def test_a_wrong_run_is_refused_before_the_fit(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` has to be"):
        microcircuit.run(**wrong, told=lambda _: pytest.fail("it has begun"))


@pytest.mark.proof
def test_the_rates_asked_for_are_those_of_siegert_with_the_fitted_input():
    targets = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
    external = microcircuit.fit_external(targets, told=lambda _: None)
    # Equation (G9) of Sanzeni et al. (2022), corrected, of each population at these rates, by adaptive quadrature.
    net = jn.networks.microcircuit(rate=external)
    rates = dict(zip(net.names, targets, strict=True))
    shift = 1.4603545088095868 / np.sqrt(2.0) * np.sqrt(0.05)
    for name, seen in jn.theory.effective_input(net, rates).items():
        mu, sigma = float(seen.mu), float(seen.sigma)
        limits = -mu / sigma + shift * np.exp(-4.0), (15.0 - mu) / sigma + shift
        time = integrate.quad(lambda x: special.erfcx(-x), *limits, epsabs=0, epsrel=1e-11)[0]
        rate = 1000.0 / (2.0 + 10.0 * np.sqrt(np.pi) * time)
        np.testing.assert_allclose(rate, rates[name], rtol=2e-5 if jax.config.jax_enable_x64 else 1e-3)
