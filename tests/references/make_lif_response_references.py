"""Writes lif_response.csv: `python tests/references/make_lif_response_references.py` (mpmath and numpy, two minutes).

Linear response of the LIF neuron in white noise over its rate, to the mean and to the squared noise, from the closed
form in parabolic cylinder functions (Brunel, Chance, Fourcaud, Abbott 2001; Lindner, Schimansky-Geier 2001), with the
refractory period and at complex frequency, by mpmath's `pcfd` with 40 digits. Parameters are float64 numbers, taken
exactly. Nothing here is shared with the package's own method.
"""

import csv
from pathlib import Path

import mpmath as mp
import numpy as np

mp.mp.dps = 40
TARGET = Path(__file__).with_name("lif_response.csv")
NAMES = ("omega_real", "omega_imag", "mu", "sigma", "tau", "v_th", "v_reset", "t_ref")


def row(values):
    real, imag, mu, sigma, tau, v_th, v_reset, t_ref = (mp.mpf(float(v)) for v in values)
    growth = mp.mpc(-imag, real) / 1000
    z, a, b = growth * tau, (v_reset - mu) / sigma, (v_th - mu) / sigma

    def u(x, n=0):
        """The n-th derivative of exp(x^2/2) D_(-z)(-sqrt(2) x)."""
        factor = (mp.mpf(1), mp.sqrt(2) * z, 2 * z * (z + 1))[n]
        return factor * mp.exp(x * x / 2) * mp.pcfd(-z - n, -mp.sqrt(2) * x)

    denominator = u(b) - mp.exp(-growth * t_ref) * u(a)
    mean = (u(b, 1) - u(a, 1)) / denominator / sigma / (1 + z)
    variance = (u(b, 2) - u(a, 2)) / denominator / (2 * sigma**2) / (2 + z)
    results = (mean.real, mean.imag, variance.real, variance.imag)
    return [repr(float(v)) for v in values] + [mp.nstr(x, 20) for x in results]


def standard():
    """Brunel's neurons, from far below to far above threshold, from slow to 2 kHz."""
    for mu, sigma in ((2.0, 0.45), (10.0, 1.0), (15.0, 5.0), (20.0, 7.0), (30.0, 1.4), (203.0, 14.7), (1040.0, 10.2)):
        for frequency, growth in ((0.001, 0.0), (3.0, 0.0), (20.0, -3.0), (180.0, 0.0), (180.0, 300.0), (2000.0, 0.0)):
            yield 2.0 * np.pi * frequency, -growth, mu, sigma, 20.0, 20.0, 10.0, 2.0
        yield 0.0, -500.0, mu, sigma, 20.0, 20.0, 10.0, 2.0


def random(n, rng):
    """Limits of either sign; frequencies of either sign; growth and slow decay."""
    for _ in range(n):
        sigma, tau, v_th = 10 ** rng.uniform(-1, 1.5), 10 ** rng.uniform(0, 2), rng.uniform(-60, 40)
        b = rng.choice([-1, 1]) * 10 ** rng.uniform(-2, 1.2)
        width = 10 ** rng.uniform(-2, 1)
        z = complex(rng.choice([-0.2, 0.0, 1.0, 5.0]), rng.choice([-1, 1]) * 10 ** rng.uniform(-2, 2.3))
        omega = -1j * z * 1000.0 / tau
        t_ref = rng.choice([0.0, 10 ** rng.uniform(-1, 1)])
        yield omega.real, omega.imag, v_th - sigma * b, sigma, tau, v_th, v_th - sigma * width, t_ref


def main():
    rng = np.random.default_rng(2001)
    points = [*standard(), *random(80, rng)]
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*NAMES, "mu_real", "mu_imag", "variance_real", "variance_imag"])
        writer.writerows(row(point) for point in points)
    print(f"{len(points)} rows, mpmath {mp.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
