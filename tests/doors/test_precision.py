"""jax set to float64 after something was made in float32: one sentence."""

import jax
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def early():
    """What was made in float32."""
    lif = jn.LIF()
    with jax.enable_x64(False):
        return {
            "population": jn.Population(jn.LIF(), 2),
            "network": jn.Network({"E": jn.Population(lif, 2)}, drives=[jn.WhiteNoiseDrive("E", mu=15.0, sigma=1.0)]),
            "rates": jn.networks.ei_rate(),
            "binary": jn.networks.binary(k=2, n_e=5, n_i=5),
            "law": jn.laws.CurrentScaling(),
            "data": jn.laws.PSPTable([10.0, 20.0, 50.0, 100.0], [2.0, 1.5, 1.0, 0.6], [False] * 4),
            "neuron": jn.HodgkinHuxley(),
            "sheet": jn.networks.spatial_balanced(side=16),
            "fitted": jn.fit(
                jn.laws.PowerLaw(),
                jn.laws.PSPTable([10.0, 20.0, 50.0, 90.0, 99.0], [2.0, 1.4, 1.0, 0.7, 0.6], list("EEIIE")),
            ),
            "conductances": jn.networks.conductance_based(a=0.0016, k=1000.0, g=20.0, nu_x=25.0, cv_k=0.05),
        }


CALLS = {
    "simulate, population": lambda m: jn.simulate(m["population"], 0.0, 1.0, dt=0.1, key=KEY, stimulus=5.0),
    "simulate, network": lambda m: jn.simulate(m["network"], 0.0, 1.0, dt=0.1, key=KEY),
    "simulate, rates": lambda m: jn.simulate(m["rates"], 0.0, 1.0, dt=0.1, stimulus=1.0),
    "simulate, binary": lambda m: jn.simulate(m["binary"], 0.0, 1.0, dt=0.1, key=KEY),
    "simulate_events": lambda m: jn.simulate_events(m["network"], 1.0, spikes={}, most=1),
    "damage": lambda m: jn.analysis.damage(m["binary"], 0.0, 1.0, dt=0.1, key=KEY),
    "mean_field": lambda m: jn.theory.mean_field(m["network"]),
    "mean_field, binary": lambda m: jn.theory.mean_field(m["binary"]),
    "afferents": lambda m: jn.theory.afferents(m["network"], {"E": 5.0}),
    "brunel_stability": lambda m: jn.theory.brunel_stability(m["network"]),
    "fit": lambda m: jn.fit(m["law"], m["data"]),
    "compare": lambda m: jn.compare({"a": m["fitted"]}),
    "leave_one_out": lambda m: jn.leave_one_out(m["fitted"]),
    "profile": lambda m: m["fitted"].profile("beta"),
    "spatial_balance": lambda m: jn.theory.spatial_balance(m["sheet"]),
    "count_correlation": lambda m: jn.theory.count_correlation(m["sheet"], 0.1, gain={"E": 0.01, "I": 0.02}),
    "rate_distribution": lambda m: jn.theory.rate_distribution(m["conductances"]),
    "critical_heterogeneity": lambda m: jn.theory.critical_heterogeneity(m["conductances"]),
    "scale_efficacy": lambda m: jn.theory.scale_efficacy(1e4, like=m["conductances"]),
    "fixed_points": lambda m: jn.analysis.fixed_points(m["rates"]),
    "rheobase": lambda m: jn.analysis.rheobase(m["neuron"]),
    "fi_curve": lambda m: jn.analysis.fi_curve(m["neuron"], [10.0]),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("name", list(CALLS))
def test_what_was_made_before_is_refused(name, early):
    with (
        jax.enable_x64(True),
        pytest.raises(ValueError, match=r"`\w+` was made in float32, and jax is set to") as caught,
    ):
        CALLS[name](early)
    assert "\n" not in str(caught.value)
