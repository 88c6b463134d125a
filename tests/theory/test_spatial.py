"""The balanced sheet: its limit, where it exists, and the covariance of its counts, against NumPy mode by mode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

X64 = jnp.result_type(float) == jnp.float64
NET = jn.networks.spatial_balanced()
GAIN = {"E": 0.0122, "I": 0.0174}


def by_hand(side=200):
    """N_b/N times j and probability, with the published numbers."""
    n = np.array([side**2, (side // 2) ** 2])
    w = 0.05 * np.array([[40.0, -400.0], [120.0, -400.0]]) * n / n.sum()
    n_f = (3 * side // 8) ** 2
    return w, 120.0 * np.array([0.25, 0.08]) * n_f / n.sum(), n.sum(), n_f


@pytest.mark.float32
def test_limit_and_modes():
    w, w_f, _, _ = by_hand()
    limit = np.linalg.solve(w, -5.0 * w_f)
    np.testing.assert_allclose(limit, [3.58594, 5.65313], atol=1e-5)
    found = jn.theory.spatial_balance(NET)
    close = 1e-9 if X64 else 1e-5
    np.testing.assert_allclose([found.rate["E"], found.rate["I"]], limit, rtol=close)
    assert bool(found.exists)
    assert found.reason == ""
    assert float(jnp.abs(found.modes[1:]).max()) == 0.0
    s, narrow = 0.25, jn.networks.spatial_balanced(0.2, 0.1, side=40)
    w, w_f, _, _ = by_hand(40)
    found = jn.theory.spatial_balance(narrow, s)
    for n, m in ((0, 0), (1, 0), (1, 2)):
        wave = -2.0 * np.pi**2 * (n * n + m * m)
        r = np.linalg.solve(w * np.exp(wave * 0.2**2), -5.0 * w_f * np.exp(wave * (0.1**2 + s**2)))
        np.testing.assert_allclose(found.modes[n, m], r, rtol=100 * close)
    np.testing.assert_allclose(found.variance, s**2 + 0.1**2 - 0.2**2, rtol=1e-6)


def test_what_does_not_exist_says_why():
    lost = jn.theory.spatial_balance(NET, 0.2)
    assert not bool(lost.exists)
    assert "recurrent input is wider" in lost.reason
    with pytest.raises(ValueError, match="There is no balanced state"):
        lost.rate  # noqa: B018
    edge = np.sqrt(0.25**2 - 0.1**2)
    assert bool(jn.theory.spatial_balance(NET, edge + 1e-4).exists)
    assert not bool(jn.theory.spatial_balance(NET, edge - 1e-4).exists)
    inside = jax.jit(lambda s: jn.theory.spatial_balance(NET, s).rate["E"])
    assert np.isnan(inside(0.2))
    assert np.isfinite(inside(0.3))


@pytest.mark.float32
def test_count_correlation_is_the_sum_over_modes():
    w, w_f, n, n_f = by_hand()
    distances, root = np.array([0.0, 0.3]), np.sqrt(n)
    total = np.zeros((2, 2, 2))
    for a in range(-12, 13):
        for b in range(-12, 13):
            square = a * a + b * b
            inverse = np.linalg.inv(
                np.diag([1.0 / 0.0122, 1.0 / 0.0174]) - root * w * np.exp(-2.0 * np.pi**2 * 0.25**2 * square)
            )
            f = n_f / n * 120.0**2 * np.outer([0.25, 0.08], [0.25, 0.08]) * 5e-3
            s = inverse @ (f * np.exp(-4.0 * np.pi**2 * 0.1**2 * square)) @ inverse.T
            total += np.cos(2.0 * np.pi * distances / np.sqrt(2.0) * (a + b))[:, None, None] * s
    total /= 1e-3 * np.linalg.solve(w, -5.0 * w_f)[0]
    found = jn.theory.count_correlation(NET, distances, gain=GAIN)
    np.testing.assert_allclose(found, total, rtol=1e-9 if X64 else 2e-3, atol=1e-5)
    np.testing.assert_allclose(found[:, 0, 0], [0.070911, -0.016604], atol=1e-6 if X64 else 1e-4)


def test_derivatives_in_widths():
    def both(width):
        net = jn.networks.spatial_balanced(width[0], width[1], side=20)
        balance = jn.theory.spatial_balance(net, 0.3, modes=2).modes[1, 1, 0]
        return jnp.stack([balance, jn.theory.count_correlation(net, 0.1, gain=GAIN, modes=20)[0, 0]])

    program = jax.jit(lambda at, along: jax.jvp(both, (at,), (along,)))
    at = jnp.asarray([0.25, 0.1])
    for along in (jnp.asarray([1.0, 0.0]), jnp.asarray([0.0, 1.0])):
        slopes = program(at, along)[1]
        ahead, behind = (program(at + step * along, along)[0] for step in (1e-5, -1e-5))
        np.testing.assert_allclose(slopes, (ahead - behind) / 2e-5, rtol=1e-4)


def changed(**projection):
    """The sheet with another first projection."""
    old = NET.projections[0]
    given = dict(weight=old.weight, connectivity=old.connectivity, delay=0.1) | projection
    synapse = given.pop("synapse", old.synapse)
    first = jn.Projection("E", "E", synapse, **given)
    return jn.Network(NET.populations, [first, *NET.projections[1:]])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: jn.networks.spatial_balanced(side=21), "`side` has to be an even number"),
        (lambda: jn.networks.spatial_balanced(width_rec=0.0), "`width_rec` has to be above 0 and at most 1"),
        (lambda: jn.networks.spatial_balanced(width_ffwd=1.1), "`width_ffwd` has to be above 0 and at most 1"),
        (lambda: jn.theory.spatial_balance(jn.networks.brunel()), "`net` has to have one population of sources"),
        (lambda: jn.theory.spatial_balance(1.0), "`net` has to be a network"),
        (lambda: jn.theory.spatial_balance(NET, 0.0), "`input_width`"),
        (lambda: jn.theory.spatial_balance(NET, [0.1, 0.2]), "`input_width` has to be one number"),
        (lambda: jn.theory.count_correlation(NET, -0.1, gain=GAIN), "`distance`"),
        (lambda: jn.theory.count_correlation(NET, 0.1, gain={"E": 1.0}), "`gain`"),
        (lambda: jn.theory.count_correlation(NET, 0.1, gain={"E": 1.0, "I": 0.0}), "gain"),
        (lambda: jn.theory.count_correlation(NET, 0.1, gain=GAIN, modes=5), "too few for a feedforward width"),
        (
            lambda: jn.theory.spatial_balance(changed(connectivity=jn.SpatialRandom(out_degree=10, width=0.1))),
            "one recurrent and one feedforward width",
        ),
        (lambda: jn.theory.spatial_balance(changed(connectivity=jn.FixedInDegree(10))), "have to be `SpatialRandom`"),
        (lambda: jn.theory.mean_field(NET), "floor `v_floor`"),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_refusals(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_the_sheet_has_the_numbers_of_its_authors_and_runs():
    net = jn.networks.spatial_balanced(side=16)
    e, i = (net.populations[name].model for name in ("E", "I"))
    numbers = (e.tau_m, e.t_ref, e.v_floor, e.v_peak, i.curve.delta_t)
    assert [float(x) for x in numbers] == [15.0, 1.5, -100.0, -10.0, 0.5]
    for projection, j in zip(net.projections, (40.0, -400.0, 120.0, -400.0, 120.0, 120.0), strict=True):
        post = net.populations[projection.post[0]].model
        moved = projection.synapse.spike_effect(projection.weight, post.tau_m).jump
        np.testing.assert_allclose(moved, j / np.sqrt(16**2 + 8**2), rtol=1e-5)
    record = {"rate": jn.record.Rate(start=50.0), "v": jn.record.Trace("E.v")}
    sol = jn.simulate(net, 0.0, 100.0, dt=0.1, key=jax.random.key(0), record=record)
    assert 0.0 < float(sol["rate"]["E"].mean()) < 50.0
    assert float(sol["v"].min()) >= -100.0
