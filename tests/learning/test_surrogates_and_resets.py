"""Surrogate derivatives against their printed formulas, and what a reset does to a potential and to its derivative."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

import jaxneuro as jn
from jaxneuro.surrogate import spike

W = 0.7

# Surrogate, its formula written again, and its area.
CASES = [
    (jn.surrogate.Triangular(W, scale=0.3), lambda x: 0.3 / W * np.clip(1 - np.abs(x) / W, 0, None), 0.3),
    (jn.surrogate.Boxcar(W), lambda x: 0.5 / W * (np.abs(x) < W), 1.0),
    (jn.surrogate.FastSigmoid(W), lambda x: 0.5 / W / (1 + np.abs(x) / W) ** 2, 1.0),
    (jn.surrogate.SuperSpike(W, scale=2.0), lambda x: 2.0 / (1 + np.abs(x) / W) ** 2, 4.0 * W),
    (jn.surrogate.ArcTan(W), lambda x: stats.cauchy.pdf(x, scale=W), 1.0),
    (jn.surrogate.Exponential(W), lambda x: stats.laplace.pdf(x, scale=W), 1.0),
    (
        jn.surrogate.MultiGaussian(W),
        lambda x: (
            1.15 * stats.norm.pdf(x, 0, W) - 0.15 * stats.norm.pdf(x, W, 6 * W) - 0.15 * stats.norm.pdf(x, -W, 6 * W)
        ),
        0.85,
    ),
    (jn.surrogate.StraightThrough(scale=0.4), lambda x: 0.4 + 0 * x, None),
    (jn.surrogate.Zero(), lambda x: 0 * x, 0.0),
]


@pytest.mark.parametrize(("surrogate", "formula", "area"), CASES, ids=lambda c: type(c).__name__)
def test_formula_area_and_both_modes(surrogate, formula, area):
    x = np.linspace(-3.0, 3.0, 37)
    found = surrogate.derivative(jnp.asarray(x))
    np.testing.assert_allclose(found, formula(x), rtol=1e-12)
    np.testing.assert_array_equal(surrogate.reaches(jnp.asarray(x)) | (found == 0), True)
    assert bool(surrogate.valid())
    if area is not None:
        pieces = [0.0, W, 5.0, 50.0, 1e3, 1e7]
        halves = [integrate.quad(formula, a, b, limit=200)[0] for a, b in itertools.pairwise(pieces)]
        assert 2 * sum(halves) == pytest.approx(area, rel=1e-6)
    value, tangent = jax.jvp(lambda v: spike(surrogate, v), (jnp.asarray(x),), (jnp.ones_like(x),))
    np.testing.assert_array_equal(value, x >= 0)
    np.testing.assert_array_equal(tangent, found)
    np.testing.assert_array_equal(jax.vjp(lambda v: spike(surrogate, v), jnp.asarray(x))[1](jnp.ones(37))[0], found)


def test_numbers_that_are_not_allowed(as_users_run):
    for name in ("Triangular", "Boxcar", "FastSigmoid", "SuperSpike", "ArcTan", "Exponential", "MultiGaussian"):
        with pytest.raises(ValueError, match="`width` has to be positive"):
            getattr(jn.surrogate, name)(0.0)
        with pytest.raises(ValueError, match="`width` has to be one number"):
            getattr(jn.surrogate, name)([0.5, 1.0])
    with pytest.raises(ValueError, match="`scale` must not be negative"):
        jn.surrogate.StraightThrough(scale=-1.0)
    with pytest.raises(ValueError, match="`detached` has to be True or False"):
        jn.reset.Hard(detached=1)
    with pytest.raises(ValueError, match="`reset` has to be"):
        jn.LIF(reset="soft")


@pytest.mark.parametrize("detached", [True, False])
@pytest.mark.parametrize("rule", [jn.reset.Hard, jn.reset.Soft])
def test_reset_and_its_derivative(rule, detached):
    reset, surrogate = rule(detached=detached), jn.surrogate.ArcTan(W)
    v, v_th, v_reset = jnp.asarray([0.4, 1.3]), jnp.asarray(1.0), jnp.asarray(-0.2)

    def after(v, v_th, v_reset):
        return reset.after(v, v_th, v_reset, v >= v_th, spike(surrogate, v - v_th))

    fired = np.array([0.0, 1.0])
    s = 0.0 if detached else stats.cauchy.pdf(np.asarray(v) - 1.0, scale=W)
    if rule is jn.reset.Hard:
        expected, jump = [0.4, -0.2], -0.2 - np.asarray(v)
        slopes = (1 - fired + s * jump, -s * jump, fired)
    else:
        expected, jump = [0.4, 0.1], -1.2
        slopes = (1 + s * jump, -fired - s * jump, fired)
    np.testing.assert_allclose(after(v, v_th, v_reset), expected, rtol=1e-12)
    for jacobian in (jax.jacfwd(after, (0, 1, 2)), jax.jacrev(after, (0, 1, 2))):
        by_v, by_th, by_reset = jacobian(v, v_th, v_reset)
        np.testing.assert_allclose(np.diag(by_v), slopes[0], rtol=1e-12)
        np.testing.assert_allclose(by_th, slopes[1], rtol=1e-12)
        np.testing.assert_allclose(by_reset, slopes[2], rtol=1e-12)


def test_soft_reset_keeps_the_overshoot_and_holds_it():
    lif = jn.LIF(tau_m=20.0, v_th=1.0, v_reset=0.0, t_ref=2.0, reset=jn.reset.Soft())
    run = {"v": jn.record.Trace("v")}
    sol = jn.simulate(jn.Population(lif, 1), 0.0, 5.0, dt=1.0, key=jax.random.key(0), record=run, stimulus=26.0)
    first = 26.0 * (1 - np.exp(-0.05)) - 1.0
    assert first > 0
    np.testing.assert_allclose(sol["v"][:3, 0], first, rtol=1e-12)
    np.testing.assert_allclose(sol["v"][3, 0], first * np.exp(-0.05) + first + 1.0 - 1.0, rtol=1e-12)


def test_theory_refuses_a_soft_reset():
    lif = jn.LIF(reset=jn.reset.Soft())
    net = jn.Network({"E": jn.Population(lif)}, drives=[jn.WhiteNoiseDrive("E", mu=15.0, sigma=5.0)])
    with pytest.raises(ValueError, match=r"with `jn\.reset\.Hard"):
        jn.theory.mean_field(net)
