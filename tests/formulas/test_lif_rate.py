"""LIF rate, log-rate and CV against references of 30 digits (tests/references/lif.csv), in value and derivative."""

import csv
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.theory import lif_cv, lif_log_rate, lif_rate

FLOAT = jnp.result_type(float)
X64 = jnp.float64 == FLOAT
NAMES = ("mu", "sigma", "tau", "v_th", "v_reset", "t_ref")
STANDARD = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}

# What the project promises. In float32 the exponent b^2 = 90 of a rate of 1e-38 Hz alone costs 90 * 6e-8 * 3 = 2e-5.
RATE = 1e-12 if X64 else 1e-4
SLOPE = 1e-9 if X64 else 1e-3
CV = 1e-8 if X64 else 1e-4


def references() -> dict[str, np.ndarray]:
    path = Path(__file__).resolve().parents[1] / "references" / "lif.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


TABLE = references()


def arguments(table):
    values = [table[name] for name in NAMES]
    return values[:2], dict(zip(NAMES[2:], values[2:], strict=True))


def exact_in_float32():
    """The rows whose limits keep their digits when the parameters are rounded to float32."""
    rounded = {name: TABLE[name].astype(np.float32).astype(np.float64) for name in NAMES}

    def limits(table):
        high = (table["v_th"] - table["mu"]) / table["sigma"]
        return high, (table["v_th"] - table["v_reset"]) / table["sigma"]

    (b, width), (b_rounded, width_rounded) = limits(TABLE), limits(rounded)
    close = (np.abs(b_rounded - b) * (1 + np.abs(b)) < 1e-5) & (np.abs(width_rounded / width - 1) < 1e-6)
    return {name: column[close] for name, column in TABLE.items()}


def kept():
    return TABLE if X64 else exact_in_float32()


def test_the_references_reach_far():
    assert TABLE["log_rate"].min() < -1e4
    assert len(TABLE["mu"]) > 200
    # 1e-41 Hz and below, where a float64 still holds the rate
    assert np.sum((TABLE["log_rate"] < np.log(1e-41)) & (TABLE["log_rate"] > -700)) > 10


@pytest.mark.float32
def test_rate():
    table = kept()
    (mu, sigma), rest = arguments(table)
    rate, wanted = np.asarray(lif_rate(mu, sigma, **rest)), np.exp(table["log_rate"].astype(np.longdouble))
    representable = wanted > float(jnp.finfo(FLOAT).tiny)
    assert representable.sum() > 50
    np.testing.assert_allclose(rate[representable], wanted[representable].astype(float), rtol=RATE)
    assert np.all(rate[~representable] < 2 * float(jnp.finfo(FLOAT).tiny))


@pytest.mark.float32
def test_log_rate():
    table = kept()
    (mu, sigma), rest = arguments(table)
    log_rate = lif_log_rate(mu, sigma, **rest)
    # Relative to the logarithm, which may pass 0 at 1 Hz.
    np.testing.assert_allclose(log_rate, table["log_rate"], rtol=RATE, atol=RATE)


@pytest.mark.float32
@pytest.mark.parametrize("name", NAMES)
def test_first_derivatives_of_the_log_rate(name):
    table = kept()
    values = [jnp.asarray(table[n], FLOAT) for n in NAMES]
    index = NAMES.index(name)

    def of_one(*args):
        return lif_log_rate(*args[:2], **dict(zip(NAMES[2:], args[2:], strict=True)))

    tangents = [jnp.ones_like(v) if i == index else jnp.zeros_like(v) for i, v in enumerate(values)]
    forward = jax.jvp(of_one, values, tangents)[1]
    reverse = jax.grad(lambda *args: of_one(*args).sum(), index)(*values)
    wanted = table[f"dlog_{name}"]
    tiny = float(jnp.finfo(FLOAT).tiny)
    np.testing.assert_allclose(forward, wanted, rtol=SLOPE, atol=tiny)
    np.testing.assert_allclose(reverse, wanted, rtol=SLOPE, atol=tiny)


def test_first_derivatives_of_the_rate():
    (mu, sigma), rest = arguments(TABLE)
    slope = jax.jit(jax.grad(lambda m: lif_rate(m, sigma, **rest).sum()))(jnp.asarray(mu))
    wanted = TABLE["dlog_mu"] * np.exp(TABLE["log_rate"])
    normal = np.abs(wanted) > 1e-290
    np.testing.assert_allclose(slope[normal], wanted[normal], rtol=SLOPE)


@pytest.mark.float32
def test_cv():
    table = kept()
    (mu, sigma), rest = arguments(table)
    np.testing.assert_allclose(lif_cv(mu, sigma, **rest), table["cv"], rtol=CV)


@pytest.mark.parametrize(
    "function",
    [pytest.param(lif_log_rate, id="log_rate"), pytest.param(lif_cv, id="cv", marks=pytest.mark.proof)],
)
def test_both_modes_and_the_hessian_against_finite_differences(function):
    def of_six(x):
        return function(x[0], x[1], tau=x[2], v_th=x[3], v_reset=x[4], t_ref=x[5])

    def batched(f):
        return jax.jit(jax.vmap(f))

    mu = jnp.asarray([5.0, 19.9, 20.1, 60.0])
    x = jnp.stack([mu, *(jnp.full_like(mu, v) for v in (4.0, 20.0, 20.0, 10.0, 2.0))], axis=-1)
    reverse, curvature = batched(jax.grad(of_six)), batched(jax.hessian(of_six))(x)
    # Deep below threshold the slope of the CV is what remains of terms of size one.
    np.testing.assert_allclose(batched(jax.jacfwd(of_six))(x), reverse(x), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(curvature, jnp.swapaxes(curvature, -1, -2), rtol=1e-9, atol=1e-12)
    step = 1e-5  # central differences: step^2 from the third derivative, 1e-16 / step from rounding
    value = batched(of_six)
    for i in range(6):
        shift = step * jnp.eye(6)[i]
        slope = (value(x + shift) - value(x - shift)) / (2 * step)
        np.testing.assert_allclose(reverse(x)[:, i], slope, rtol=1e-7, atol=1e-7)
        second = (reverse(x + shift) - reverse(x - shift)) / (2 * step)
        np.testing.assert_allclose(curvature[:, i], second, rtol=1e-7, atol=1e-7)


def test_both_modes_of_the_cv_against_finite_differences():
    def of_six(x):
        return lif_cv(x[0], x[1], tau=x[2], v_th=x[3], v_reset=x[4], t_ref=x[5])

    x = jnp.asarray([[mu, 4.0, 20.0, 20.0, 10.0, 2.0] for mu in (5.0, 19.9, 20.1, 60.0)])
    forward = jax.jit(jax.vmap(jax.jacfwd(lambda y: (of_six(y),) * 2, has_aux=True)))
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(of_six)))(x), forward(x)[0], rtol=1e-12, atol=1e-14)
    for i, shift in enumerate(1e-5 * np.eye(6)):
        slope = (forward(x + shift)[1] - forward(x - shift)[1]) / 2e-5
        np.testing.assert_allclose(forward(x)[0][:, i], slope, rtol=1e-7, atol=1e-7)


def hessian(mu, sigma, tau, v_th, v_reset, t_ref, function=lif_log_rate):
    def of_six(x):
        return function(x[0], x[1], tau=x[2], v_th=x[3], v_reset=x[4], t_ref=x[5])

    return jax.hessian(of_six)(jnp.stack([mu, sigma, tau, v_th, v_reset, t_ref]))


@pytest.mark.float32
@pytest.mark.parametrize("function", [lif_log_rate, lif_rate, lif_cv], ids=lambda f: f.__name__)
def test_no_nan_on_a_wide_grid(function):
    """mu from far below to far above, at the threshold, at the reset; noise from none to very strong."""
    mu = np.concatenate([[10.0, 20.0, 19.999999, 20.000001], *([20 - d, 20 + d] for d in np.logspace(-5, 5, 21))])
    sigma = np.concatenate([[0.0], np.logspace(-8, 4, 13)])
    grid = [jnp.asarray(x.ravel(), FLOAT) for x in np.meshgrid(mu, sigma, [0.0, 2.0], indexing="ij")]
    n = grid[0].shape

    @jax.jit
    @jax.vmap
    def both(mu, sigma, t_ref):
        args = (mu, sigma, jnp.full_like(mu, 20.0), jnp.full_like(mu, 20.0), jnp.full_like(mu, 10.0), t_ref)

        def of_six(x):
            return function(x[0], x[1], tau=x[2], v_th=x[3], v_reset=x[4], t_ref=x[5])

        x = jnp.stack(args)
        # The Hessian is promised of the log-rate alone: that of the CV underflows at the far corners in float32.
        return of_six(x), jax.grad(of_six)(x), jax.hessian(of_six)(x) if function is lif_log_rate else x

    value, gradient, curvature = both(*grid)
    assert value.shape == n
    silent = (grid[1] == 0.0) & (grid[0] <= 20.0)
    assert bool(jnp.all(jnp.isfinite(value) | silent))
    assert bool(jnp.all(jnp.isfinite(gradient)))
    assert bool(jnp.all(~jnp.isnan(curvature)))


_HESSIAN = jax.jit(hessian)


@hypothesis.settings(max_examples=200, deadline=None, derandomize=True)
@hypothesis.given(
    b=st.floats(-1e5, 1e5),
    log_sigma=st.floats(-6, 6),
    log_width=st.floats(-4, 5),
    tau=st.floats(1e-2, 1e3),
    v_th=st.floats(-100, 100),
    t_ref=st.floats(0, 100),
)
def test_no_nan_anywhere(b, log_sigma, log_width, tau, v_th, t_ref):
    sigma = 10**log_sigma
    mu = v_th - sigma * b
    v_reset = v_th - max(sigma * 10**log_width, 1e-9 * abs(v_th))
    hypothesis.assume(v_reset < v_th)
    args = [jnp.asarray(x, FLOAT) for x in (mu, sigma, tau, v_th, v_reset, t_ref)]
    assert bool(jnp.isfinite(lif_log_rate(*args[:2], **dict(zip(NAMES[2:], args[2:], strict=True)))))
    assert bool(jnp.all(jnp.isfinite(_HESSIAN(*args))))


@pytest.mark.float32
def test_rate_without_noise():
    mu = jnp.asarray([-5.0, 20.0, 20.5, 60.0, 1e4], FLOAT)
    wanted = [0.0, 0.0, *(1000.0 / (2.0 + 20.0 * np.log((m - 10.0) / (m - 20.0))) for m in (20.5, 60.0, 1e4))]
    np.testing.assert_allclose(lif_rate(mu, 0.0, **STANDARD), wanted, rtol=RATE)
    assert np.isneginf(lif_log_rate(mu, 0.0, **STANDARD)[:2]).all()
    np.testing.assert_allclose(lif_cv(mu, 0.0, **STANDARD), [1.0, 1.0, 0.0, 0.0, 0.0])
    slope = jax.vmap(jax.grad(lambda m: lif_rate(m, 0.0, **STANDARD)))(mu)
    np.testing.assert_allclose(slope[:2], 0.0)
    passage = 2.0 + 20.0 * np.log(50.0 / 40.0)
    np.testing.assert_allclose(slope[3], 1000.0 * 20.0 * (1 / 40.0 - 1 / 50.0) / passage**2, rtol=1e-5)


@pytest.mark.float32
def test_broadcast_jit_and_vmap_agree():
    mu, sigma = np.linspace(0.0, 30.0, 5), np.array([[1.0], [5.0]])
    table = lif_rate(mu, sigma, **STANDARD)
    assert table.shape == (2, 5)
    assert table.dtype == FLOAT
    # jit and vmap compile other programs: a few roundings, magnified by b^2 = 400.
    tolerance = 1000 * float(jnp.finfo(FLOAT).eps)
    np.testing.assert_allclose(jax.jit(lambda m, s: lif_rate(m, s, **STANDARD))(mu, sigma), table, rtol=tolerance)
    mapped = jax.vmap(jax.vmap(lambda m, s: lif_rate(m, s, **STANDARD), (0, None)), (None, 0))(mu, sigma[:, 0])
    np.testing.assert_allclose(mapped, table, rtol=tolerance)


BAD = [
    ("sigma", {"sigma": -1.0}),
    ("mu", {"mu": np.nan}),
    ("tau", {"tau": 0.0}),
    ("v_reset", {"v_reset": 20.0}),
    ("t_ref", {"t_ref": -1.0}),
    ("v_th", {"v_th": np.inf}),
]


@pytest.mark.parametrize(("name", "change"), BAD, ids=[name for name, _ in BAD])
def test_invalid_arguments_raise_and_give_nan_under_jit(name, change):
    arguments = {"mu": 18.0, "sigma": 5.0, **STANDARD, **change}
    for function in (lif_rate, lif_log_rate, lif_cv):
        with pytest.raises(ValueError, match=f"`{name}`"):
            function(**arguments)
        assert np.isnan(jax.jit(lambda x, f=function: f(**x))(arguments))
