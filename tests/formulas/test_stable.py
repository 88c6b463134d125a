"""The LIF neuron in stable noise: against white noise, runs of the process, another method, and differences."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import integrate, special

from jaxneuro._formulas._leapover import _leapovers
from jaxneuro._numerics import log_gamma
from jaxneuro.theory import Leapover, lif_density, lif_rate, stable_lif_density, stable_lif_rate

X64 = jax.config.jax_enable_x64
NEURON = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)


@jax.jit
def rates(mu, sigma, alpha, beta):
    """One program for every test."""
    return jax.vmap(lambda m, s, a, b: stable_lif_rate(m, s, alpha=a, beta=b, **NEURON))(mu, sigma, alpha, beta)


def rates_of(rows):
    """Rates of at most eight neurons (mu, sigma, alpha, beta)."""
    filled = np.array(rows + [rows[0]] * (8 - len(rows)), float)
    return np.asarray(rates(*jnp.asarray(filled.T)), float)[: len(rows)]


@pytest.mark.float32
def test_log_gamma():
    z = np.array([0.05 + 0.0j, 0.3 + 4.0j, 1.7 - 2.0j, 2.0 + 15.0j])
    np.testing.assert_allclose(np.exp(log_gamma(jnp.asarray(z))), special.gamma(z), rtol=1e-11 if X64 else 1e-4)


@pytest.mark.float32
def test_white_noise_at_two_and_its_neighbourhood():
    rows = [(15.0, 5.0, 2.0, 0.0), (22.0, 1.0, 2.0, 0.7), (15.0, 5.0, 2.0 - 1e-6, 0.3), (22.0, 1.0, 2.0 - 1e-6, -1.0)]
    white = np.array([lif_rate(m, s, **NEURON) for m, s, _, _ in rows])
    found = rates_of(rows) / white - 1.0
    assert np.max(np.abs(found[:2])) < 1e-6
    # By the equation, whose slope in alpha is about the rate itself.
    assert np.max(np.abs(found[2:])) < (4e-6 if X64 else 1e-3)


@pytest.mark.float32
def test_against_runs_and_without_noise():
    rows = [(15.0, 5.0, 1.5, 0.0), (20.0, 10.0, 1.2, 0.0), (30.0, 0.0, 1.5, 0.0), (15.0, 0.0, 1.5, 0.5)]
    found = rates_of(rows)
    # A solution of the equation by finite differences; a run of the process extrapolated in the step has 7.23 +- 0.07.
    np.testing.assert_allclose(found[:2], [7.285, 25.75], rtol=5e-3)
    np.testing.assert_allclose(found[2:], [1000.0 / (2.0 + 20.0 * np.log(2.0)), 0.0], rtol=1e-5)


def run_in_steps(dt, mu, sigma, alpha, n=6_000, until=2_000.0, seed=0):
    """The rate [Hz] of neurons in symmetric noise by hand; V moves exactly over a step and is looked at at its end."""
    rng, warm_up, held = np.random.default_rng(seed), 200.0, round(2.0 / dt)
    decay = np.exp(-dt / 20.0)
    scale = sigma * ((1.0 - decay**alpha) / (2.0 * alpha)) ** (1.0 / alpha)
    v, left, fired = np.full(n, 10.0), np.zeros(n, int), 0
    for k in range(round((warm_up + until) / dt)):
        angle, size = np.pi * (rng.random(n) - 0.5), rng.standard_exponential(n)
        moved = np.sin(alpha * angle) / np.cos(angle) ** (1.0 / alpha)
        moved *= (np.cos((1.0 - alpha) * angle) / size) ** ((1.0 - alpha) / alpha)
        v = np.where(left > 0, 10.0, mu + (v - mu) * decay + scale * moved)
        fires = (left == 0) & (v >= 20.0)
        v[fires] = 10.0
        left = np.where(fires, held, np.maximum(left - 1, 0))
        fired += np.sum(fires) if (k + 1) * dt > warm_up else 0
    return 1_000.0 * fired / n / until


@pytest.mark.proof
def test_runs_extrapolated_in_the_step():
    """Between looks V may have been above: what a run misses goes as dt^(1/alpha), by which steps are extrapolated."""
    alpha = 1.5
    long, short = (run_in_steps(dt, 15.0, 5.0, alpha) for dt in (0.2, 0.1))
    extrapolated = short + (short - long) / (2.0 ** (1.0 / alpha) - 1.0)
    # 85,000 spikes each have an error of 0.025 Hz, which extrapolation makes 0.08.
    np.testing.assert_allclose(extrapolated, rates_of([(15.0, 5.0, alpha, 0.0)])[0], atol=0.2)
    assert long < short < extrapolated


def without_upward_jumps(mu, sigma, alpha):
    """At beta = -1 V reaches the threshold without a jump, and the mean time is an integral (Novikov 2003):

    T/tau = int_0^inf (exp(b u) - exp(r u)) exp(-u^alpha/(alpha |cos(pi alpha/2)|)) du/u,  b and r in units of s.
    """
    s = sigma / 2 ** (1.0 / alpha)
    b, r, k = (20.0 - mu) / s, (10.0 - mu) / s, alpha * abs(np.cos(0.5 * np.pi * alpha))
    bounds = ((0.0, 1.0), (1.0, np.inf))
    time = sum(integrate.quad(lambda u: (np.exp(b * u - u**alpha / k) - np.exp(r * u - u**alpha / k)) / u, *ends)[0]
               for ends in bounds)  # fmt: skip
    return 1000.0 / (2.0 + 20.0 * time)


@pytest.mark.float32
def test_the_closed_form_without_upward_jumps():
    rows = [(15.0, 5.0, 1.6, -1.0), (15.0, 5.0, 1.3, -1.0), (22.0, 3.0, 1.8, -1.0), (20.0, 10.0, 1.2, -1.0)]
    exact = [without_upward_jumps(*row[:3]) for row in rows]
    np.testing.assert_allclose(rates_of(rows), exact, rtol=1e-5 if X64 else 2e-3)


def by_finite_volumes(mu, sigma, alpha, beta, n=1_500, depth=300.0):
    """The rate by another method, in NumPy: T on a grid of the distance z to threshold, graded at both ends, its jumps
    integrated exactly for a T that is linear between points, the part below the last point held constant.
    """
    s = sigma / 2 ** (1.0 / alpha)
    b, reset = (20.0 - mu) / s, 10.0 / s
    edges = np.concatenate([[0.0], np.geomspace(1e-7, depth, n)])
    z = 0.5 * (edges[1:] + edges[:-1])
    front = 1.0 / (-special.gamma(-alpha) * np.cos(0.5 * np.pi * alpha))
    up, down = 0.5 * (1.0 + beta) * front, 0.5 * (1.0 - beta) * front
    # Rates of jumps from z to each cell by the antiderivative of the density; one cell to either side is the diffusion
    # that has its second moment.
    far = z[:, None] - edges[None, :]
    with np.errstate(divide="ignore"):
        table = np.where(far > 0, up, -down) * np.abs(far) ** -alpha / alpha
    matrix = table[:, 1:] - table[:, :-1]
    k = np.arange(n)
    for shift in (-1, 0, 1):
        inside = (k + shift >= 0) & (k + shift < n)
        matrix[k[inside], k[inside] + shift] = 0.0
    low, high = edges[np.maximum(k - 1, 0)], edges[np.minimum(k + 2, n)]
    over, beyond = up * z**-alpha / alpha, down * np.maximum(edges[-1] - z, 1e-300) ** -alpha / alpha
    beyond[-2:] = 0.0
    over[:2] = up * (z[:2] - edges[0]) ** -alpha / alpha
    matrix[k, -1] += beyond
    below, above = z - low, high - z
    spread = 0.5 * (up * below ** (2.0 - alpha) + down * above ** (2.0 - alpha)) / (2.0 - alpha)
    # The mean of jumps is 0: what the jumps that are counted would drift is taken out.
    drift = b - z + (up * below ** (1.0 - alpha) - down * above ** (1.0 - alpha)) / (alpha - 1.0)
    gap_low, gap_high = np.diff(np.concatenate([[0.0], z])), np.diff(np.concatenate([z, [2.0 * z[-1] - z[-2]]]))
    to_low = 2.0 * spread / (gap_low * (gap_low + gap_high)) + np.maximum(-drift, 0.0) / gap_low
    to_high = 2.0 * spread / (gap_high * (gap_low + gap_high)) + np.maximum(drift, 0.0) / gap_high
    to_high[-1] = 0.0
    matrix[k[1:], k[1:] - 1] += to_low[1:]
    matrix[k[:-1], k[:-1] + 1] += to_high[:-1]
    off = matrix.sum(axis=1)
    leave = np.where(k == 0, to_low, 0.0) + over
    system = matrix.copy()
    system[k, k] -= off + leave
    time = np.linalg.solve(system, -np.ones(n))
    return 1000.0 / (2.0 + 20.0 * np.interp(reset, z, time))


@pytest.mark.proof
@pytest.mark.parametrize("neuron", [(15.0, 5.0, 1.5, 0.0), (20.0, 10.0, 1.2, 0.0)])
def test_another_method(neuron):
    found = by_finite_volumes(*neuron, n=1_000), by_finite_volumes(*neuron, n=2_000)
    # Upwind differences are of first order in the ratio of cells; of skewed jumps they converge too slowly.
    assert abs((2.0 * found[1] - found[0]) / rates_of([neuron])[0] - 1.0) < 5e-3


@pytest.mark.float32
def test_derivatives_in_both_modes():
    at = (18.0, 6.0, 1.4, 0.3)
    rate = jax.jit(lambda x: stable_lif_rate(x[0], x[1], alpha=x[2], beta=x[3], **NEURON))
    forward = jax.jit(jax.jacfwd(rate))(jnp.asarray(at))
    reverse = jax.jit(jax.grad(rate))(jnp.asarray(at))
    assert np.all(np.isfinite(forward))
    np.testing.assert_allclose(forward, reverse, rtol=1e-8 if X64 else 2e-2)
    if X64:
        steps = 1e-4 * np.eye(4)
        moved = rates_of([tuple(np.array(at) + d) for d in (*steps, *-steps)])
        np.testing.assert_allclose(forward, (moved[:4] - moved[4:]) / 2e-4, rtol=1e-4)


@pytest.mark.parametrize("a", [0.3, 0.75, 0.95])
def test_the_law_of_leapovers(a):
    v, theta, log_reset = jnp.asarray([-3.0, -2.85, -2.7]), jnp.asarray(0.4), jnp.asarray(1.0)
    found = np.asarray(_leapovers(v, log_reset, theta, jnp.asarray(a)))
    for at in (990, 1_001):  # of a table that ends at the last v
        z = -1j * mpmath.exp(-2.7 + 1.0 - 0.15 * (1_001 - at) - 0.4j)
        exact = mpmath.exp(z) * mpmath.gammainc(a, z) / mpmath.gamma(a)
        assert abs(complex(found[at]) - complex(exact)) < 1e-8


@jax.jit
def closed(x):
    return stable_lif_rate(x[0], x[1], alpha=x[2], beta=x[3], **NEURON, boundary=Leapover())


@pytest.mark.float32
def test_the_closure():
    # The published condition with its tail; at 2 there are no leapovers.
    np.testing.assert_allclose(closed(jnp.array([15.0, 5.0, 1.5, 0.0])), 5.844, rtol=1e-4 if X64 else 2e-3)
    near = closed(jnp.array([22.0, 5.0, 2.0 - 1e-6, 0.0]))
    np.testing.assert_allclose(near, lif_rate(22.0, 5.0, **NEURON), rtol=1e-5 if X64 else 1e-3)
    assert np.isnan(closed(jnp.array([25.0, 5.0, 1.5, 0.3])))


@pytest.mark.proof
def test_derivatives_of_the_closure():
    at, step = jnp.array([15.0, 5.0, 1.5, 0.1]), 1e-4
    slopes = [(closed(at.at[i].add(step)) - closed(at.at[i].add(-step))) / (2.0 * step) for i in range(4)]
    np.testing.assert_allclose(jax.jacfwd(closed)(at), slopes, rtol=1e-4)
    np.testing.assert_allclose(jax.grad(closed)(at), slopes, rtol=1e-4)


@jax.jit
def densities(v, x):
    return stable_lif_density(v, x[0], x[1], alpha=x[2], beta=x[3], **NEURON)


def test_density():
    v = 20.0 - np.geomspace(1e-5, 1e4, 600)[::-1]
    white = np.asarray(lif_density(v, 15.0, 5.0, **NEURON))
    np.testing.assert_allclose(densities(v, jnp.array([15.0, 5.0, 2.0, 0.3])), white, rtol=1e-4, atol=1e-12)
    near = np.asarray(densities(v, jnp.array([15.0, 5.0, 2.0 - 1e-5, 0.3])))
    # The kink at the reset is rounded over a grid point.
    assert np.max(np.abs(near - white)) < 0.025 * white.max()
    assert np.max(np.abs(near - white)[(v < 8.0) | (v > 12.0)]) < 0.005 * white.max()
    for neuron in ((15.0, 5.0, 1.5, 0.0), (20.0, 10.0, 1.2, 0.4)):
        found = np.asarray(densities(v, jnp.array(neuron)), float)
        assert abs(np.trapezoid(found, v) - 1.0 + 2e-3 * rates_of([neuron])[0]) < 5e-3
    assert densities(np.array([20.0, 21.0]), jnp.array(neuron)).tolist() == [0.0, 0.0]


def test_a_rate_too_low_is_not_a_number():
    assert np.isnan(rates_of([(-40.0, 0.3, 1.5, -1.0)])[0])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (dict(alpha=1.0), r"`alpha` has to lie in \(1, 2\], where the noise has a mean; got 1.0"),
        (dict(alpha=2.1), r"`alpha` has to lie in \(1, 2\]"),
        (dict(beta=-1.2), "`beta` is a skewness between -1 and 1; got -1.2"),
        (dict(boundary=3), "`boundary` has to be `JumpsOver"),
        (dict(alpha=np.full(2, 1.5), beta=np.zeros(3)), "The lengths do not fit"),
    ],
)
def test_bad_arguments(more, message):
    with pytest.raises(ValueError, match=message):
        stable_lif_rate(15.0, 5.0, **NEURON | dict(alpha=1.5, beta=0.0) | more)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (dict(boundary=Leapover()), "Leapover has no density of the potential: take `JumpsOver"),
        (dict(mu=np.ones(2)), "A density is of one neuron"),
        (dict(sigma=0.0), "`sigma` has to be positive"),
        (dict(v=np.nan), "`v` has to be finite"),
    ],
)
def test_bad_arguments_of_a_density(more, message):
    with pytest.raises(ValueError, match=message):
        stable_lif_density(**NEURON | dict(v=10.0, mu=15.0, sigma=5.0, alpha=1.5, beta=0.0) | more)
