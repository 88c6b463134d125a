"""Linear response of the LIF neuron against its closed form, slopes, threshold integration and a Fokker-Planck run."""

import csv
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro._formulas import response_kernel
from jaxneuro.theory import lif_density, lif_rate, lif_response

FLOAT = jnp.result_type(float)
X64 = jnp.float64 == FLOAT
STANDARD = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}
NAMES = ("mu", "sigma", "tau", "v_th", "v_reset", "t_ref")
# Promised are 1e-6 in float64; in float32 limits a and b of 10 cost some hundred rounding units.
RESPONSE = 1e-9 if X64 else 2e-3


def references() -> dict[str, np.ndarray]:
    path = Path(__file__).resolve().parents[1] / "references" / "lif_response.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


TABLE = references()


@pytest.mark.float32
def test_against_the_closed_form():
    table = TABLE
    if not X64:  # the rows whose rate a float32 holds and whose limits keep their digits
        b = (table["v_th"] - table["mu"]) / table["sigma"]
        width = (table["v_th"] - table["v_reset"]) / table["sigma"]
        kept = (b < 8) & (b > -20) & (np.abs(table["mu"]) < 100 * table["sigma"]) & (width > 0.1)
        table = {name: column[kept] for name, column in table.items()}
    mean, noise, neuron = table["mu"], table["sigma"], {name: table[name] for name in NAMES[2:]}
    seen = lif_response(table["omega_real"] + 1j * table["omega_imag"], mean, noise, **neuron)
    rate = lif_rate(mean, noise, **neuron)
    kept = np.asarray(rate) > 1e-30
    assert kept.sum() > (100 if X64 else 40)
    for field in ("mu", "variance"):
        expected = table[f"{field}_real"] + 1j * table[f"{field}_imag"]
        ratio = np.asarray(getattr(seen, field))[kept] / np.asarray(rate)[kept] / expected[kept]
        np.testing.assert_allclose(ratio, 1.0, atol=RESPONSE, rtol=0)


@pytest.mark.float32
@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 3.0), (15.0, 5.0), (20.0, 5.0), (60.0, 5.0), (203.0, 14.7)])
def test_at_frequency_zero_it_is_the_slope_of_the_rate(mu, sigma):
    def rate(mean, variance):
        return lif_rate(mean, jnp.sqrt(variance), **STANDARD)

    slopes = jax.grad(rate, (0, 1))(jnp.asarray(mu), jnp.asarray(sigma**2))
    seen = lif_response(0.0, mu, sigma, **STANDARD)
    np.testing.assert_allclose([seen.mu, seen.variance], slopes, rtol=1e-11 if X64 else 2e-3)
    # Without the silence after the spike they would be those of t_ref = 0 at the same rate.
    silent = lif_response(0.0, mu, sigma, **(STANDARD | {"t_ref": 0.0}))
    share = rate(mu, sigma**2) / lif_rate(mu, sigma, **(STANDARD | {"t_ref": 0.0}))
    np.testing.assert_allclose(seen.mu / silent.mu, share**2, rtol=1e-10 if X64 else 2e-3)


@pytest.mark.parametrize(("mu", "sigma"), [(15.0, 5.0), (60.0, 5.0), (0.0, 2.0)])
def test_high_frequencies(mu, sigma):
    rate = float(lif_rate(mu, sigma, **STANDARD))
    omega = np.array([1e7, 1e9])
    seen = lif_response(omega, mu, sigma, **STANDARD)
    z = 1j * omega * 20e-3
    # The next order is 1/sqrt(z), with a factor (v_th - mu)/sigma.
    slack = 20.0 / np.sqrt(np.abs(z))
    assert np.all(np.abs(np.asarray(seen.mu) / (rate / (sigma * np.sqrt(z / 2))) - 1) < slack)
    assert np.all(np.abs(np.asarray(seen.variance) / (rate / sigma**2) - 1) < slack)
    np.testing.assert_allclose(np.angle(seen.mu[1]), -np.pi / 4, atol=1e-2)


def threshold_integration(omega, mu, sigma, n, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0, low=-60.0):
    """Richardson's scheme with n intervals above the reset: flux and density from the threshold down, in 1/ms."""
    h = (v_th - v_reset) / n
    v = v_th - h * (np.arange(round((v_th - low) / h)) + 0.5)  # midpoints
    growth, half = 1j * omega, sigma**2 / 2
    at_reset = n - 1

    def integrate(flux, source, drop):
        """tau-scaled: half dP/dV = (mu - V) P - tau J + source, dJ/dV = -growth P; J falls by `drop` at the reset."""
        density, densities = 0.0, []
        for i, x in enumerate(v):
            slope = (mu - x) / half
            decay = np.exp(-slope * h)
            part = h if abs(slope * h) < 1e-12 else (1 - decay) / slope
            middle = flux + growth * h / 2 * density
            new = density * decay + part * (tau * middle - source[i]) / half
            densities.append(0.5 * (density + new))
            flux = flux + growth * h * densities[-1]
            density = new
            if i == at_reset:
                flux = flux - drop
        return flux, np.array(densities)

    zero = np.zeros(v.size)
    growth, keep = 0.0, growth
    _, steady = integrate(1.0, zero, 1.0)
    steady = steady.real
    rate = 1.0 / (h * steady.sum() + t_ref)
    steady = rate * steady
    growth = keep
    # d/dV of the steady density from its own equation: half P' = (mu - V) P - tau nu above the reset, 0 below.
    slope0 = ((mu - v) * steady - tau * rate * (np.arange(v.size) <= at_reset)) / half
    back = integrate(1.0, zero, np.exp(-1j * omega * t_ref))[0]
    mean = integrate(0.0, steady, 0.0)[0]
    # tau J1 = (mu - V) P1 - half P1' + dmu P0 - dvar/2 P0'
    variance = integrate(0.0, -0.5 * slope0, 0.0)[0]
    return np.array([-mean / back, -variance / back]) * 1000.0


@pytest.mark.parametrize(("mu", "sigma", "frequency"), [(15.0, 5.0, 60.0), (25.0, 4.0, 150.0)])
def test_threshold_integration_converges_to_it(mu, sigma, frequency):
    omega = 2e-3 * np.pi * frequency
    seen = lif_response(1e3 * omega, mu, sigma, **STANDARD)
    exact = np.array([seen.mu, seen.variance])
    errors = [np.abs(threshold_integration(omega, mu, sigma, n) / exact - 1) for n in (100, 200, 400)]
    assert np.all(errors[-1] < 1e-3)
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 1.8), orders


def test_direct_fokker_planck_run():
    # A finite-volume run under mu + eps cos(omega t), with a queue of neurons in refractoriness.
    mu, sigma, frequency, eps = 24.0, 4.0, 50.0, 0.1
    low, n, dt = -10.0, 300, 0.02
    h = (20.0 - low) / n
    edges = low + h * np.arange(n + 1)

    def operator(mean):
        # Exponentially fitted fluxes at the edges: flux = into[i] p[i-1] - back[i] p[i]; p = 0 at the threshold.
        half = sigma**2 / 2 / 20.0
        drift = (mean - edges) / 20.0
        x = drift * h / half
        bern = np.where(np.abs(x) < 1e-9, 1.0, x / np.expm1(np.where(np.abs(x) < 1e-9, 1.0, x)))
        into, back = half / h**2 * (bern + x), half / h**2 * bern
        # the threshold is half a cell from the last midpoint
        x = drift[-1] * h / 2 / half
        into[-1] = half / (h * h / 2) * (x / np.expm1(x) + x)
        matrix = np.zeros((n, n))
        i = np.arange(1, n)
        matrix[i, i - 1] += into[1:-1]
        matrix[i - 1, i - 1] -= into[1:-1]
        matrix[i - 1, i] += back[1:-1]
        matrix[i, i] -= back[1:-1]
        matrix[-1, -1] -= into[-1]
        return matrix, into[-1]

    base, out = operator(mu)
    ahead, out_ahead = operator(mu + 1e-3)
    slope, out_slope = (ahead - base) / 1e-3, (out_ahead - out) / 1e-3
    step = np.linalg.inv(np.eye(n) - dt / 2 * base)
    reset, waiting = round((10.0 - low) / h), round(2.0 / dt)
    rate = float(lif_rate(mu, sigma, **STANDARD)) / 1000
    density = np.asarray(lif_density(edges[:-1] + h / 2, mu, sigma, **STANDARD)) * h
    queue, omega = np.full(waiting, rate * dt), 2e-3 * np.pi * frequency
    periods = round(5 * 20.0 / dt)
    rates = []
    for k in range(periods):
        push = eps * np.cos(omega * (k + 0.5) * dt)
        right = density + dt / 2 * (base @ density) + dt * push * (slope @ density)
        # what returns enters at the edge of two cells
        right[reset - 1 : reset + 1] += 0.5 * queue[k % waiting]
        new = step @ right
        fired = (out + push * out_slope) * 0.5 * (density[-1] + new[-1])
        queue[k % waiting] = fired * dt
        density = new
        rates.append(fired)
    last = round(40.0 / dt)
    times = (np.arange(periods) + 0.5)[-last:] * dt
    found = 2 * np.mean(np.array(rates)[-last:] * np.exp(-1j * omega * times)) / eps * 1000
    exact = complex(lif_response(1e3 * omega, mu, sigma, **STANDARD).mu)
    assert abs(found / exact - 1) < 0.01
    # The run tells the silence after a spike, which enters as exp(-i omega t_ref).
    other = complex(lif_response(1e3 * omega, mu, sigma, **(STANDARD | {"t_ref": 0.0})).mu)
    other *= rate * 1000 / float(lif_rate(mu, sigma, **(STANDARD | {"t_ref": 0.0})))
    assert abs(found / other - 1) > 0.04


def test_order_of_the_steps():
    arguments = [jnp.asarray(x) for x in (8.0, 2.0, 20.0, 20.0, 10.0, 2.0)]
    growth = jnp.asarray(0.5j)

    def response(steps):
        return complex(response_kernel(growth, *arguments, steps=steps).mu)

    errors = [abs(response(n) / response(48) - 1) for n in (4, 6)]
    # Each step is a series of 28 terms.
    assert errors[0] < 1e-2
    order = np.log(errors[0] / errors[1]) / np.log(1.5)
    assert order > 15  # 27 once the terms fall from the first on
    assert abs(response(24) / response(48) - 1) < 1e-11


POINTS = [
    (600.0, 15.0, 5.0, 20.0, 20.0, 10.0, 2.0),
    (0.0, 20.0, 5.0, 20.0, 20.0, 10.0, 2.0),  # the reset where the method of solution changes
    (3000.0, 60.0, 5.0, 10.0, 20.0, 10.0, 0.5),
    (900.0, 5.0, 3.0, 20.0, 20.0, -5.0, 0.0),
]


def parts(x):
    seen = lif_response(x[0], x[1], x[2], tau=x[3], v_th=x[4], v_reset=x[5], t_ref=x[6])
    return jnp.stack([seen.mu.real, seen.mu.imag, seen.variance.real, seen.variance.imag])


@jax.jit
def values_and_slopes(points):
    """Of several points at once the parts, and their slopes in both modes."""
    forward = jax.jacfwd(lambda x: (parts(x),) * 2, has_aux=True)
    return jax.vmap(lambda x: (*forward(x)[::-1], jax.jacrev(parts)(x)))(points)


@pytest.mark.parametrize("point", POINTS)
def test_derivatives(point):
    steps = np.array([1e-2, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4])
    above, below = np.asarray(point) + np.diag(steps), np.asarray(point) - np.diag(steps)
    below[6, 6] = max(below[6, 6], 0.0)  # a refractory period is not negative
    values, forward, reverse = (np.asarray(x) for x in values_and_slopes(jnp.asarray(np.vstack([point, above, below]))))
    np.testing.assert_allclose(forward[0], reverse[0], rtol=1e-9, atol=1e-12)
    differences = ((values[1:8] - values[8:]) / np.diag(above - below)[:, None]).T
    np.testing.assert_allclose(forward[0], differences, rtol=1e-5 if point[6] else 1e-3, atol=1e-7)


@pytest.mark.float32
def test_finite_everywhere():
    mu = jnp.linspace(-20.0, 300.0, 9)[:, None, None]
    sigma = jnp.asarray([0.5, 3.0, 30.0])[:, None]
    omega = jnp.asarray([0.0, 10.0, 1e3, 2e4])

    @jax.jit
    @partial(jax.grad, argnums=(0, 1), has_aux=True)
    def slopes_and_values(m, s):
        seen = lif_response(omega, m, s, **STANDARD)
        return jnp.sum(jnp.abs(seen.mu) + jnp.abs(seen.variance)), seen

    slopes, seen = slopes_and_values(mu, sigma)
    assert seen.mu.shape == (9, 3, 4)
    assert seen.mu.dtype == jnp.result_type(complex)
    assert np.all(np.isfinite(seen.mu) & np.isfinite(seen.variance))
    assert all(np.all(np.isfinite(slope)) for slope in slopes)


@pytest.mark.usefixtures("as_users_run")
def test_errors_and_no_new_compilation():
    from jaxneuro._formulas import _response

    for change, message in [
        ({"sigma": 0.0}, "`sigma` has to be positive"),
        ({"omega": np.inf}, "`omega` has to be finite"),
        ({"omega": "fast"}, "`omega` has to be a real or complex number"),
        ({"tau": -1.0}, "`tau` has to be positive"),
    ]:
        arguments = {"omega": 100.0, "mu": 15.0, "sigma": 5.0, **STANDARD} | change
        with pytest.raises(ValueError, match=message):
            lif_response(**arguments)
    bad = jax.jit(lambda s: lif_response(100.0, 15.0, s, **STANDARD).mu)(0.0)
    assert np.isnan(bad)
    lif_response(100.0, 15.0, 5.0, **STANDARD)
    compiled = _response._response._cache_size()
    for omega in (3, 3.0, 3j, np.float32(3.0), np.complex64(3.0), jnp.asarray(2.0), jnp.asarray(2j)):
        lif_response(omega, np.float32(14.0), 5, **STANDARD)
    assert _response._response._cache_size() == compiled
