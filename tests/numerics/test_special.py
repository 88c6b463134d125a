"""erfcx, Dawson's integral and the half-line functions against mpmath, in value and derivatives, in both precisions."""

import jax
import jax.numpy as jnp
import jax.test_util
import mpmath as mp
import numpy as np
import pytest

from jaxneuro._numerics import (
    TAIL_AT_ZERO,
    dawson,
    dawson_derivative,
    dawson_difference,
    erfcx,
    exponential,
    exponential_less_one,
    gauss_legendre,
    log_one_plus,
    moment,
    moment_difference,
    moment_integral,
    tail,
    tail_difference,
    tail_integral,
)

FLOAT = jnp.result_type(float)
EPS = float(jnp.finfo(FLOAT).eps)
# A sum of about 50 terms of one size, and a handful of roundings around it.
ROUNDING = 20 * EPS
HALF_LINE = [0.0, 1e-6, 0.3, 0.92, 1.0, 2.4, 3.5, 3.6, 5.0, 9.3, 26.6, 100.0, 3e3, 1e6]
# (x, x - y): from equal sides to a millionth of x
PAIRS = [(1.0, 0.7), (3.0, 1e-3), (0.5, 0.5), (40.0, 1e-4), (1e3, 1e3), (1e3, 1e-3), (0.0, -2.0), (1.5, -30.0)]


# One program for all numbers.
ERFCX = [jax.jit(f) for f in (erfcx, jax.grad(erfcx), jax.grad(jax.grad(erfcx)))]
DAWSON = [jax.jit(f) for f in (dawson, jax.grad(dawson), jax.grad(jax.grad(dawson)))]
MOMENT, MOMENT_SLOPE = (jax.jit(f, static_argnums=0) for f in (moment, jax.grad(moment, 1)))


@jax.jit
def differences(x, y, gap):
    moments = [moment_difference(n, x, y, gap) for n in range(3)]
    return moments, moment_integral(x, y, gap), dawson_difference(x, y, gap)


@jax.jit
def forward_slope(x):
    return jax.jvp(erfcx, (x,), (jnp.ones((), FLOAT),))[1]


def exact(x):
    return mp.mpf(float(FLOAT.type(x)))


def check(got, wanted, tolerance):
    np.testing.assert_allclose(float(got), float(wanted), rtol=tolerance, atol=float(jnp.finfo(FLOAT).tiny))


def mp_moment(n, x):
    with mp.workdps(40):
        return mp.factorial(n) * mp.mpf(2) ** (-n) * mp.hyperu(mp.mpf(n + 1) / 2, mp.mpf(1) / 2, mp.mpf(x) ** 2)


def mp_erfcx(x):
    with mp.workdps(40):
        return mp.exp(x * x) * mp.erfc(x) if x < 0 else mp_moment(0, x) / mp.sqrt(mp.pi)


def mp_dawson(x):
    with mp.workdps(40):
        return x * mp.hyp1f1(1, mp.mpf(3) / 2, -x * x)


def mp_tail(x):
    with mp.workdps(30):
        width = 1 / (1 + mp.mpf(x))
        cuts = [0, width, 3 * width, 10 * width, 30 * width, mp.inf]
        return mp.quad(lambda u: mp.exp(-u * u - 2 * u * x) * mp_erfcx(x + u) ** 2, cuts)


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("x", [-5.0, -1.0, -1e-3, *HALF_LINE, 9.25, 26.55])
def test_erfcx_and_its_derivatives(x):
    x = FLOAT.type(x)
    # exp(x^2) magnifies a rounding of x by 2 x^2.
    tolerance = ROUNDING * (1 + 2 * float(x) ** 2 if x < 0 else 1)
    check(ERFCX[0](x), mp_erfcx(exact(x)), tolerance)
    with mp.workdps(60):
        first = (
            2 * exact(x) * mp_erfcx(exact(x)) - 2 / mp.sqrt(mp.pi)
            if x <= 0
            else -2 * mp_moment(1, exact(x)) / mp.sqrt(mp.pi)
        )
        second = mp_moment(2, exact(x)) * 4 / mp.sqrt(mp.pi)
    check(ERFCX[1](x), first, 2 * tolerance)
    check(forward_slope(x), first, 2 * tolerance)
    if x > 0:
        check(ERFCX[2](x), second, tolerance)


@pytest.mark.float32
@pytest.mark.bits
def test_erfcx_where_jax_returns_zero():
    x = jnp.linspace(5.0, 30.0, 20_001, dtype=FLOAT)
    value, slope = erfcx(x), jax.vmap(jax.grad(erfcx))(x)
    assert bool(jnp.all(jnp.diff(value) < 0.0))
    assert bool(jnp.all((value > 0.0) & (slope < 0.0)))


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("x", [-2.0, *HALF_LINE])
def test_dawson_and_its_derivatives(x):
    x = FLOAT.type(x)
    value = mp_dawson(exact(x))
    check(DAWSON[0](x), value, ROUNDING)
    with mp.workdps(40):
        first = 1 - 2 * exact(x) * value
        second = -2 * value - 2 * exact(x) * first
    # 1 - 2 x D passes 0 at x = 0.924, and cancels up to x = 3.5, where it is 0.045.
    np.testing.assert_allclose(float(DAWSON[1](x)), float(first), rtol=3 * ROUNDING, atol=4 * EPS)
    np.testing.assert_allclose(
        float(DAWSON[2](x)), float(second), rtol=ROUNDING, atol=20 * EPS * min(1.0, 1 / max(x, 1e-9))
    )


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize("x", HALF_LINE)
def test_moments(n, x):
    x = FLOAT.type(x)
    check(MOMENT(n, x), mp_moment(n, exact(x)), ROUNDING)
    if x <= 5.0:  # the recursion for m_3 cancels beyond
        check(MOMENT_SLOPE(n, x), -2 * mp_moment(n + 1, exact(x)), 1e4 * EPS)


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize(("x", "gap"), PAIRS)
def test_differences_do_not_cancel(x, gap):
    x, gap = (jnp.asarray(v, FLOAT) for v in (x, gap))
    y = x - gap
    moments, integral, of_dawson = differences(x, y, gap)
    with mp.workdps(60):
        big, low = exact(x), exact(x) - exact(gap)

        def difference(function):
            with mp.workdps(60):
                return function(big) - function(low)

        # y is rounded, gap is not: what the rounding of y does to a slope is what is lost.
        tolerance = 2 * ROUNDING
        for n in range(3):
            check(moments[n], difference(lambda v, n=n: mp_moment(n, v)), tolerance)
        with mp.workdps(25):
            wanted = mp.quad(lambda v: mp_moment(0, v), mp.linspace(low, big, 9))
        check(integral, wanted, tolerance)
        # D' passes 0 near 0.924, so the scale is the slope's, not the difference's.
        wanted = float(difference(mp_dawson))
        scale = min(abs(float(gap)), 1.0) / (1 + float(min(x, y)) ** 2)
        np.testing.assert_allclose(float(of_dawson), wanted, rtol=ROUNDING, atol=ROUNDING * scale)


@pytest.mark.parametrize("x", [0.0, 0.5, 3.0, 30.0, 1e3])
def test_tail(x):
    check(tail(jnp.asarray(x)), mp_tail(mp.mpf(x)), ROUNDING)
    check(jax.grad(tail)(jnp.asarray(x)), mp.diff(mp_tail, mp.mpf(x), h=mp.mpf("1e-9"), direction=1), 1e-6)


def test_tail_integral_and_difference():
    x, y, gap = (jnp.asarray(v) for v in (3.0, 1.5, 1.5))
    rule = gauss_legendre(20)  # k itself is checked above
    check(tail_integral(x, y, gap), gap * jnp.sum(rule.weights * tail(y + gap * rule.nodes)), ROUNDING)
    check(tail_difference(x, y, gap), mp_tail(mp.mpf(3)) - mp_tail(mp.mpf("1.5")), ROUNDING)
    check(TAIL_AT_ZERO, mp_tail(mp.mpf(0)), EPS)
    check(tail_integral(jnp.asarray(1e6), jnp.asarray(1e6 - 1.0), jnp.asarray(1.0)), 1 / (2 * np.pi * 1e18), 1e-5)


FUNCTIONS = [moment_integral, dawson_difference, tail_integral]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_difference_rules_agree_with_their_ends(function):
    """Both modes against central differences, moving x and y by way of the gap."""

    def of_ends(x, y):
        return function(jnp.asarray(x), jnp.asarray(y), jnp.asarray(x - y))

    x, y = jnp.asarray(2.3), jnp.asarray(1.1)
    jax.test_util.check_grads(of_ends, (x, y), order=2, modes=("fwd", "rev"), atol=1e-6, rtol=1e-6)


def test_third_derivatives():
    check(jax.grad(jax.grad(jax.grad(erfcx)))(0.7), -8 * mp_moment(3, 0.7) / mp.sqrt(mp.pi), 50 * ROUNDING)
    value = mp_dawson(mp.mpf(0.7))
    first = 1 - 2 * mp.mpf(0.7) * value
    second = -2 * value - 2 * mp.mpf(0.7) * first
    check(dawson_derivative(3, jnp.asarray(0.7)), -4 * first - 2 * mp.mpf(0.7) * second, 50 * ROUNDING)


@pytest.mark.float32
@pytest.mark.bits
def test_gauss_legendre_is_exact_for_polynomials():
    rule = gauss_legendre(5)
    for power in range(10):
        check(jnp.sum(rule.weights * rule.nodes**power), 1 / (power + 1), ROUNDING)
    assert gauss_legendre(3, jnp.float32).nodes.dtype == jnp.float32
    with pytest.raises(ValueError, match="`n`"):
        gauss_legendre(0)


NEAR_0 = [sign * x for x in np.geomspace(1e-300, 0.7, 60) for sign in (-1.0, 1.0)]
FAR = list(np.linspace(-86.0, 86.0, 173)) if FLOAT.itemsize == 4 else list(np.linspace(-707.9, 708.9, 1_001))
ABOVE_MINUS_1 = [
    *(x for x in NEAR_0 if x > -1.0),
    *(np.geomspace(1e-15, 1.0, 40) - 1.0)[:-1],
    *np.geomspace(0.4, 1e30, 90),
]
ELEMENTARY = [
    (exponential, np.exp, [*NEAR_0, *FAR], np.exp),
    (exponential_less_one, np.expm1, [*NEAR_0, *FAR], np.exp),
    (log_one_plus, np.log1p, [x for x in ABOVE_MINUS_1 if FLOAT.type(x) > -1.0], lambda x: 1.0 / (1.0 + x)),
]


@pytest.mark.float32
@pytest.mark.bits
@pytest.mark.parametrize(
    ("function", "wanted", "places", "slope"), ELEMENTARY, ids=lambda f: getattr(f, "__name__", "")
)
def test_exponentials_and_a_logarithm(function, wanted, places, slope):
    """Beside the library of C, whose errors are below one rounding."""
    x = np.asarray(places, FLOAT)
    true = x.astype(float)
    value, tangent = jax.jit(lambda x: jax.jvp(function, (x,), (jnp.ones_like(x),)))(x)
    tiny = float(jnp.finfo(FLOAT).tiny)
    np.testing.assert_allclose(value, wanted(true), rtol=4 * EPS, atol=tiny)
    np.testing.assert_allclose(tangent, slope(true), rtol=4 * EPS, atol=tiny)
    check(
        jax.jit(jax.grad(jax.grad(function)))(FLOAT.type(0.25)), mp.diff(getattr(mp, wanted.__name__), 0.25, 2), 4 * EPS
    )


@pytest.mark.float32
def test_exponentials_and_a_logarithm_at_their_ends():
    ends = jnp.asarray([-jnp.inf, -1e4, 0.0, 1e4, jnp.inf, jnp.nan], FLOAT)
    np.testing.assert_array_equal(exponential(ends), [0.0, 0.0, 1.0, np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(exponential_less_one(ends), [-1.0, -1.0, 0.0, np.inf, np.inf, np.nan])
    ends = jnp.asarray([-jnp.inf, -2.0, -1.0, 0.0, jnp.inf, jnp.nan], FLOAT)
    np.testing.assert_array_equal(log_one_plus(ends), [np.nan, np.nan, -np.inf, 0.0, np.inf, np.nan])
