"""Scaling laws against the equations they solve, published numbers and finite differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.laws import ConductanceScaling, CurrentScaling, OutsideTheoryWarning, PowerLaw, PSPTable

LAWS = [PowerLaw(), CurrentScaling(), ConductanceScaling(), ConductanceScaling(tau_bar=0.2)]
K = np.array([50.0, 100.0, 317.0, 1000.0, 1e4, 1e6])


@pytest.mark.parametrize("k", K)
@pytest.mark.parametrize("v_bar", [0.25, 0.283, 0.6])
def test_efficacy_solves_equation_14(k, v_bar):
    law = ConductanceScaling(v_bar=v_bar, g=3.4)
    with mpmath.workdps(30):
        a = mpmath.mpf(float(law.efficacy(k)))
        v, tau = mpmath.mpf(v_bar), 1 / (1 + mpmath.mpf(3.4))
        back = tau / (mpmath.sqrt(a) * v) * mpmath.exp(v**2 / a)
    np.testing.assert_allclose(float(back), k, rtol=1e-13)


@pytest.mark.float32
def test_current_and_power_laws_are_the_formulas():
    rtol = 1e-13 if jnp.result_type(float) == jnp.float64 else 3e-6  # one power of K
    np.testing.assert_allclose(CurrentScaling(j0=20.0, g=1.1)(K), 20.0 / np.sqrt(K), rtol=rtol)
    np.testing.assert_allclose(PowerLaw(j0=7.0, beta=0.4, g=1.3).inhibitory(K), 1.3 * 7.0 * K**-0.4, rtol=rtol)


def test_published_numbers():
    law = ConductanceScaling(v_bar=np.sqrt(0.08), g=3.4)
    assert 0.65 < law(10_000) < 0.7
    assert 2.0 < law.distance_to_threshold(1e3) < law.distance_to_threshold(1e4) < 3.0
    np.testing.assert_allclose(CurrentScaling(j0=20.0)(10_000), 0.2, rtol=1e-13)
    total = law.conductance_ratio(jnp.array([1e3, 1e4]), rate=jnp.array([1.0, 5.0])) * (1 + law.g)
    np.testing.assert_allclose(total, [1.4, 49.0], rtol=0.01)  # "from about 2 to 50" in the text
    np.testing.assert_allclose(law.effective_time_constant_ratio(1e4, rate=5.0), 1 / 51, rtol=0.05)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_mask_chooses_the_synapse(law):
    mask = np.array([True, False, True, False, True, False])
    expected = np.where(mask, law.inhibitory(K), law.excitatory(K))
    np.testing.assert_array_equal(law(K, inhibitory=mask), expected)
    np.testing.assert_array_equal(law(K, inhibitory=True), law.inhibitory(K))
    compiled = eqx.filter_jit(lambda law, k, mask: law(k, inhibitory=mask))
    np.testing.assert_allclose(compiled(law, K, mask), expected, rtol=1e-13)  # fused arithmetic rounds otherwise


@pytest.mark.parametrize("mode", [jax.jacfwd, jax.jacrev], ids=["forward", "reverse"])
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_gradients_equal_finite_differences(law, mode):
    leaves, tree = jax.tree.flatten(law)
    vector = jnp.stack(leaves)

    @jax.jit
    def amplitude(vector, k):
        return jnp.log(jax.tree.unflatten(tree, list(vector))(k, inhibitory=True))

    exact = mode(amplitude)(vector, 317.0)
    for i in range(len(leaves)):
        step = 1e-5 * max(1.0, abs(float(vector[i])))
        up, down = vector.at[i].add(step), vector.at[i].add(-step)
        np.testing.assert_allclose(
            exact[i], (amplitude(up, 317.0) - amplitude(down, 317.0)) / (2 * step), rtol=1e-7, atol=1e-9
        )
    slope = jax.grad(lambda k: amplitude(vector, k))(317.0)
    np.testing.assert_allclose(slope, (amplitude(vector, 317.001) - amplitude(vector, 316.999)) / 0.002, rtol=1e-7)


def test_logarithmic_slope_of_the_conductance_law():
    # a = 2 v^2 / W(x), d log W / d log x = 1 / (1 + W), x ~ K^2: the slope is -2 / (1 + W), W = 2 v^2 / a.
    law = ConductanceScaling()
    k = jnp.asarray(300.0)
    slope = k * jax.grad(law)(k) / law(k)
    np.testing.assert_allclose(slope, -2 / (1 + 2 * law.v_bar**2 / law.efficacy(k)), rtol=1e-12)


@pytest.mark.float32
def test_huge_in_degrees_do_not_overflow():
    k = jnp.asarray([1e10, 1e20, 1e30])
    law = ConductanceScaling()
    assert np.all(np.isfinite(law(k)))
    assert np.all(np.isfinite(jax.vmap(jax.grad(law))(k)))
    assert np.all(np.diff(law(k)) < 0)


@pytest.mark.filterwarnings("default")
def test_outside_the_theory_it_warns_once():
    law = ConductanceScaling(v_bar=0.1)
    with pytest.warns(OutsideTheoryWarning, match=r"v_bar / sqrt\(a\) falls to 0\.\d\d") as record:
        law(np.array([1.0, 2.0, 5.0]))
    assert len(record) == 1
    with pytest.warns(OutsideTheoryWarning, match=r"outside \(0, 1\]"):
        ConductanceScaling(tau_bar=1.4)(1e4)


def test_a_new_value_never_recompiles():
    traces = 0

    @eqx.filter_jit
    def run(law, k):
        nonlocal traces
        traces += 1
        return law(k)

    for v in (0.28, np.float32(0.3), jnp.asarray(0.29), 1):
        run(ConductanceScaling(v_bar=v), jnp.asarray(100.0))
    assert traces == 1


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: PowerLaw(j0=-1.0), "`j0` has to be positive"),
        (lambda: PowerLaw(beta=np.nan), "`beta` has to be finite"),
        (lambda: CurrentScaling(g=0.0), "`g` has to be positive"),
        (lambda: ConductanceScaling(v_rest=10.0), "`v_rest` is 10.0 mV and has to lie below 0.0 mV"),
        (lambda: ConductanceScaling(tau_bar=-0.2), "`tau_bar` has to be positive"),
        (lambda: CurrentScaling()(0.0), "`k` has to be positive"),
        (lambda: PSPTable([50.0, -1.0], [1.0, 1.0], [True, False]), "`n_connections`.*row 1 holds -1.0"),
        (lambda: PSPTable([50.0, 60.0], [np.nan, 1.0], [True, False]), "`psp`.*row 0 holds nan"),
        (lambda: PSPTable([50.0, 60.0], [1.0], [True, False]), "as long as each other"),
        (lambda: PSPTable([50.0], [1.0], [2]), "`inhibitory` has to hold true and false"),
    ],
)
def test_wrong_values_are_named(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_namespace():
    assert jn.laws.PowerLaw is PowerLaw
