"""The cortical microcircuit: its numbers, and what a smaller one keeps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
# Rates of the network of full size by NEST, Potjans and Diesmann (2014).
RATES = dict(zip(NAMES, (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829), strict=True))


def test_neurons_and_synapses_of_the_full_network():
    net = jn.networks.microcircuit()
    assert net.names == NAMES
    assert sum(population.n for population in net.populations.values()) == 77_169
    assert sum(projection.connectivity.number for projection in net.projections) == 298_880_968
    # Nine of the 64 pairs of populations have no synapses.
    assert len(net.projections) == 55
    of = {(p.pre, p.post[0]): p for p in net.projections}
    # From L4E onto L23E, by log(1 - p)/log(1 - 1/(N N')) in decimal arithmetic of 30 digits.
    assert of["L4E", "L23E"].connectivity.number == 20_253_647
    # 87.8 pA over 250 pF times 10 ms.
    np.testing.assert_allclose(float(of["L4E", "L23E"].weight.mean), 2 * 3.512, rtol=1e-6)
    np.testing.assert_allclose(float(of["L4I", "L23E"].weight.mean), -4 * 3.512, rtol=1e-6)


def test_a_spike_lifts_the_potential_by_its_published_peak():
    net = jn.networks.microcircuit()
    weight, tau_s, tau_m = float(net.drives[0].weight), float(net.drives[0].synapse.tau), 10.0
    peak_at = np.log(tau_m / tau_s) * tau_m * tau_s / (tau_m - tau_s)
    peak = weight * tau_s / (tau_m - tau_s) * (np.exp(-peak_at / tau_m) - np.exp(-peak_at / tau_s))
    np.testing.assert_allclose(peak, 0.15, rtol=2e-3)


def test_a_smaller_network_keeps_mean_and_variance():
    full = jn.theory.effective_input(jn.networks.microcircuit(), RATES)
    small = jn.theory.effective_input(jn.networks.microcircuit(0.1, 0.3), RATES)
    for name in NAMES:
        np.testing.assert_allclose(float(small[name].mu), float(full[name].mu), atol=0.02)
        np.testing.assert_allclose(float(small[name].sigma), float(full[name].sigma), rtol=3e-3)


def test_rates_have_derivatives_by_external_rates():
    @jax.jit
    def mu(rate):
        seen = jn.theory.effective_input(jn.networks.microcircuit(rate=rate), RATES)
        return jnp.stack([seen[name].mu for name in NAMES])

    slopes = jax.jacfwd(mu)(jnp.full(8, 8.0))
    external = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
    np.testing.assert_allclose(slopes, np.diag(external * 3.512 * 0.5e-3), rtol=1e-5, atol=1e-9)


def test_synapses_of_a_total_number():
    rule = jn.FixedTotalNumber(40_000)
    pre, post = jn.Population(jn.LIF(), 300), jn.Population(jn.LIF(), 200)
    target, source = rule.draw(np.random.default_rng(0), pre, post, False)
    assert target.size == 40_000
    # Pearson's chi square of uniform sources and targets, and of pairs of tens; its standard deviation is sqrt(2 f).
    tens = np.ravel_multi_index((target // 10, source // 10), (20, 30))
    for drawn, n in ((target, 200), (source, 300), (tens, 600)):
        expected = 40_000 / n
        chi = np.sum((np.bincount(drawn, minlength=n) - expected) ** 2) / expected
        assert abs(chi - (n - 1)) / np.sqrt(2 * (n - 1)) < 4
    moments = rule.in_degree(pre, post, False)
    np.testing.assert_allclose([moments.mean, moments.variance], [200.0, 200.0 * (1 - 1 / 200)], rtol=1e-6)


def test_without_autapses_no_neuron_is_its_own_source():
    rule = jn.FixedTotalNumber(5_000, autapses=False)
    group = jn.Population(jn.LIF(), 20)
    target, source = rule.draw(np.random.default_rng(0), group, group, True)
    counts = np.histogram2d(target, source, bins=np.arange(21))[0]
    assert not np.diag(counts).any()
    # All other pairs alike, by Pearson's chi square.
    chi = np.sum((counts[~np.eye(20, dtype=bool)] - 5_000 / 380) ** 2) / (5_000 / 380)
    assert abs(chi - 379) / np.sqrt(2 * 379) < 4


def test_a_small_one_is_wired():
    net = jn.networks.microcircuit(0.01, 0.01, weight_cv=0.0)
    wiring = jn.wire(net, key=jax.random.key(0))
    assert wiring.nnz == sum(projection.connectivity.number for projection in net.projections)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"scale": 1e-4}, "`scale` of 0.0001 leaves L5E, L5I, L6I empty"),
        ({"scale": 0.0}, "`scale` has to be a positive number"),
        ({"scale": float("nan")}, "`scale` has to be a positive number"),
        ({"k_scale": -1.0}, "`k_scale` has to be a positive number"),
        ({"k_scale": "1"}, "`k_scale` has to be a positive number"),
        ({"rate": np.ones(3)}, "`rate` has to be one number, or one for each of the 8 populations"),
        ({"rate": -1.0}, "`rate`"),
        ({"current": float("nan")}, "`current`"),
        ({"weight_cv": -0.1}, "`weight_cv`"),
        ({"g": float("inf")}, "`g`"),
        ({"dt": 0.0}, "`dt` has to be a positive number"),
        ({"tau_s": -1.0}, "`tau`"),
    ],
)
def test_wrong_values_are_named(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        jn.networks.microcircuit(**given)


@pytest.mark.usefixtures("as_users_run")
def test_a_wrong_total_number_is_named():
    three = jn.Population(jn.LIF(), 3)
    with pytest.raises(ValueError, match="`n`"):
        jn.FixedTotalNumber(-1)
    half = jn.FixedTotalNumber(1.5)
    with pytest.raises(ValueError, match=r"`FixedTotalNumber\(n\)` has to be an integer to be wired"):
        half.draw(np.random.default_rng(0), three, three, False)
    with pytest.raises(ValueError, match="give them their `n`"):
        jn.FixedTotalNumber(3).in_degree(three, jn.Population(jn.LIF()), False)
    lonely = jn.Projection(
        "E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=jn.FixedTotalNumber(2, autapses=False), delay=1.0
    )
    with pytest.raises(ValueError, match="one neuron without autapses has no source"):
        jn.Network({"E": jn.Population(jn.LIF(), 1)}, [lonely])
