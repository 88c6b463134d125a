"""The study of scaling laws: laws, derivatives by differences, and that fits through the mean field find the law."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fitting import network_scaling
from fitting.network_scaling import _recover as recover, _simulated as simulated
from fitting.network_scaling._laws import GainScaling, PowerScaling, Recordings
from jaxneuro.theory import EffectiveNoise

pytestmark = pytest.mark.example


def test_both_laws_start_from_the_same_efficacy():
    k = jnp.array([1_000.0, 4_000.0])
    np.testing.assert_allclose(PowerScaling(0.0016, 0.5).efficacy(k), [0.0016, 0.0008], rtol=1e-12)
    kept = np.asarray(GainScaling(0.0016).efficacy(k))
    np.testing.assert_allclose(kept[0], 0.0016, rtol=1e-10)
    # (D10): exp(E/a)/(sqrt(a) K) stays, with one exponent E for all K, found here from the two efficacies.
    exponent = np.log(4.0 * np.sqrt(kept[1] / kept[0])) / (1.0 / kept[1] - 1.0 / kept[0])
    third = float(GainScaling(0.0016).efficacy(jnp.array([16_000.0]))[0])
    left = exponent / third - 0.5 * np.log(third) - np.log(16_000.0)
    np.testing.assert_allclose(left, exponent / 0.0016 - 0.5 * np.log(0.0016) - np.log(1_000.0), rtol=1e-8)


def test_differences_are_exact_for_a_parabola():
    by = simulated.by_differences(lambda x: jnp.stack([x[0] ** 2, x[0] * x[1], 3.0 * x[1]]), 0.1)
    x = jnp.array([2.0, -1.0])
    expected = [[4.0, 0.0], [-1.0, 2.0], [0.0, 3.0]]
    np.testing.assert_allclose(jax.jacfwd(by)(x), expected, atol=1e-12)
    np.testing.assert_allclose(jax.jacrev(by)(x), expected, atol=1e-12)


class Saturating:
    """Stands in for runs: rates that saturate with the efficacy, and wirings that differ a little."""

    keys = (0, 1, 2)
    log_k = jnp.log(jnp.array([0.5, 0.5, 2.0, 2.0]))

    def __init__(self, seed):
        self.off = 0.002 * jax.random.normal(jax.random.key(seed), (3, 4))
        self.log_rate = lambda x: jnp.mean(self.each(x), axis=0)

    def each(self, x):
        strength = x[0] - x[1] * self.log_k
        return 4.0 * jnp.tanh(0.6 * strength + 0.1 * strength**3) + self.off


def test_a_search_from_afar_ends_at_the_alpha_of_the_data():
    rows = Saturating(0).each(jnp.array([0.3, 0.5]))
    rates = jnp.exp(jnp.mean(rows, axis=0)).reshape(-1, 2)
    data = Recordings(jnp.ones(2), jnp.ones(2), rates, None)
    _, log_a, alpha, error = simulated._by_runs(Saturating(1), data, rows, np.exp(0.9), -0.2)
    assert error < 0.005
    assert abs(alpha - 0.5) < 4.0 * error
    assert log_a == pytest.approx(0.3, abs=0.01)


@pytest.fixture(scope="module")
def small():
    """Two sets of each law by the noise that compiles soonest."""
    return {name: recover.recover(name, 2, noise=EffectiveNoise()) for name in recover.TRUE}


@pytest.mark.parametrize("name", list(recover.TRUE))
def test_fits_through_the_mean_field_find_the_law(small, name):
    found = small[name]
    assert found.named == 2
    assert np.all(np.abs(found.errors) < 4.0)
    assert found.least_margin > 10.0


def test_a_report_without_runs_says_what_was_found(small):
    study = network_scaling.Study(small, None, 1.0)
    text = network_scaling.report(study)
    assert text.count("2 of 2") >= 2
    assert set(network_scaling.to_json(study)["theory"]) == set(recover.TRUE)


@pytest.mark.parametrize("how", [{"sets": 0}, {"seeds": 1}])
def test_sizes_out_of_range_are_refused(how):
    with pytest.raises(ValueError, match="`sets` has to be at least 1, and `seeds` 0 or at least 2"):
        network_scaling.run(**how)


@pytest.mark.proof
def test_intervals_hold_and_aicc_names_the_law_in_a_hundred_sets():
    # python -m fitting.network_scaling --sets 100 --no-runs
    study = network_scaling.run(sets=100, seeds=0)
    for found in study.recovered.values():
        assert found.held >= 88
        assert found.named >= 95


@pytest.mark.proof
def test_runs_find_the_alpha_of_runs():
    # python -m fitting.network_scaling
    found = simulated.refit(in_degrees=(252.0, 500.0), seeds=6, duration=400.0)
    assert abs(found.z) < 4.0


@pytest.mark.slow
def test_the_command_refuses_no_sets():
    done = subprocess.run(
        [sys.executable, "-m", "fitting.network_scaling", "--sets", "0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "`--sets` takes at least 1 data set; got 0." in done.stderr
