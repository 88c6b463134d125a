"""Rates on a torus: the uniform state and the growth of patterns against NumPy's, and where they first grow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import fsolve

import jaxneuro as jn

X64 = jnp.result_type(float) == jnp.float64
J, X = np.array([[80.0, -160.0], [120.0, -200.0]]), np.array([0.48, 0.32])


def field(widths=0.1, tau=(5.0, 10.0), **changed):
    return jn.theory.field_growth(**{**dict(j=J, widths=widths, tau=tau, input=X), **changed})


@pytest.mark.float32
def test_uniform_state_and_growth_are_those_of_numpy():
    widths, tau = np.array([0.1, 0.13]), np.array([5.0, 8.0])
    found = field(widths, tau)
    r = fsolve(lambda r: np.maximum(J @ r + X, 0.0) ** 2 - r, [0.0117, 0.008])
    close = 1e-9 if X64 else 1e-4
    np.testing.assert_allclose(found.rate, 1000.0 * r, rtol=close)
    np.testing.assert_allclose(found.rate, [11.7519, 8.1984], atol=1e-4 if X64 else 2e-3)
    for n, m in ((0, 0), (1, 0), (3, 1), (2, 5)):
        spread = np.exp(-2.0 * np.pi**2 * (n * n + m * m) * widths**2)
        a = (2.0 * np.sqrt(r)[:, None] * J * spread - np.eye(2)) / tau[:, None]
        values = np.linalg.eigvals(a)
        fastest = values[np.argmax(values.real)]
        np.testing.assert_allclose(found.growth[n, m], fastest.real, rtol=close, atol=close)
        np.testing.assert_allclose(found.frequency[n, m], 1000.0 * abs(fastest.imag) / (2.0 * np.pi), rtol=100 * close)


def test_first_hopf_and_turing_points():
    hopf = jn.theory.field_instability(lambda tau_i: field(tau=(5.0, tau_i)), 5.0, 20.0)
    assert hopf.hopf
    assert hopf.mode == (0, 0)
    assert hopf.value == pytest.approx(11.3852, abs=1e-4)
    assert hopf.frequency == pytest.approx(254.458, abs=1e-3)
    turing = jn.theory.field_instability(lambda width_i: field(widths=(0.1, width_i), tau=5.0), 0.1, 0.2)
    assert not turing.hopf
    assert turing.mode == (3, 1)
    assert turing.value == pytest.approx(0.135790, abs=1e-6)
    assert "Turing point" in str(turing)
    assert "254.5 Hz" in str(hopf)


@pytest.mark.float32
def test_derivatives_are_those_of_differences_and_finite():
    def growth(x):
        return field(x[:2], x[2:4], input=x[4:], modes=3).growth[3, 1]

    gradient = jax.grad(growth)
    both = jax.jit(lambda x: (growth(x), gradient(x), jax.jvp(gradient, (x,), (x,))[1]))
    at = jnp.asarray([0.1, 0.13, 5.0, 6.0, 0.48, 0.32])
    _, slope, second = both(at)
    assert bool(jnp.all(jnp.isfinite(slope)) & jnp.all(jnp.isfinite(second)))
    if X64:
        ahead, behind = both(at * (1.0 + 1e-5)), both(at * (1.0 - 1e-5))
        np.testing.assert_allclose(slope @ at, (ahead[0] - behind[0]) / 2e-5, rtol=1e-4)
        np.testing.assert_allclose(second, (ahead[1] - behind[1]) / 2e-5, rtol=1e-4, atol=1e-6)


def test_a_silent_field_decays_and_a_runaway_has_no_state():
    np.testing.assert_allclose(field(input=-1.0).growth, -0.1)
    with pytest.raises(RuntimeError, match="No uniform state"):
        field(j=[[80.0, 0.0], [0.0, 0.0]])
    lost = field(j=[[80.0, 0.0], [0.0, 0.0]], throw=False)
    assert lost.result == jn.Result.no_fixed_point
    assert bool(jnp.all(jnp.isnan(lost.growth)))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"widths": 0.0}, "`widths` has to be above 0 and at most 1"),
        ({"widths": (0.1, 1.5)}, "`widths` has to be above 0 and at most 1"),
        ({"widths": (0.1, 0.1, 0.1)}, "`widths` has to be a number or a pair"),
        ({"tau": 0.0}, "`tau`"),
        ({"input": float("nan")}, "`input`"),
        ({"j": [[1.0, 1.0], [1.0, -1.0]]}, "at most 0 from I"),
        ({"j": 1.0}, "`j` has to be"),
        ({"modes": 0}, "`modes`"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("as_users_run")
def test_refusals(changed, said):
    with pytest.raises(ValueError, match=said):
        jn.theory.field_growth(**{**dict(j=J, widths=0.1, tau=5.0, input=X), **changed})


def test_refusals_of_the_search():
    with pytest.raises(ValueError, match="two different finite numbers"):
        jn.theory.field_instability(field, 1.0, 1.0)
    with pytest.raises(ValueError, match="unstable at 20 already"):
        jn.theory.field_instability(lambda tau_i: field(tau=(5.0, tau_i)), 20.0, 5.0)
    with pytest.raises(RuntimeError, match="No pattern grows"):
        jn.theory.field_instability(lambda tau_i: field(tau=(5.0, tau_i)), 5.0, 6.0)
