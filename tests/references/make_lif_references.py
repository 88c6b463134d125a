"""Writes lif.csv: `python tests/references/make_lif_references.py` (mpmath and numpy, half an hour).

Rate, log-rate, its six first derivatives and the CV of the LIF neuron in white noise, from equations (10) and (15) of
Sanzeni, Histed, Brunel (2022), by quadrature of the printed integrands with 45 digits. Parameters are float64 numbers,
taken exactly. Nothing here is shared with the package's own method.
"""

import csv
from pathlib import Path

import mpmath as mp
import numpy as np

mp.mp.dps = 45
TARGET = Path(__file__).with_name("lif.csv")
NAMES = ("mu", "sigma", "tau", "v_th", "v_reset", "t_ref")


def f(x):
    """sqrt(pi) exp(x^2) (1 + erf x)."""
    return mp.sqrt(mp.pi) * mp.exp(x * x) * mp.erfc(-x)


def edges(a, b):
    """Cuts of [a, b] between which exp(x^2) and 1/|x| change by moderate factors."""
    cuts = {a, b}
    if b > 0:
        low, x = max(a, mp.mpf(0)), b
        cuts.add(low)
        while x > low and b * b - x * x < 150:
            cuts.add(x)
            x -= 4 / (1 + b)
        cuts.add(max(low, min(x, b)))
    if a < 0:
        low, x = min(b, mp.mpf(0)), a
        cuts.add(low)
        while x < low - mp.mpf("0.5"):
            cuts.add(x)
            x = x / 3
    return sorted(cuts)


def passage(a, b):
    return mp.quad(f, edges(a, b))


def variance_integral(a, b):
    """int_a^b exp(x^2) int_-inf^x exp(y^2) (1 + erf y)^2 dy dx, with the order of integration exchanged."""

    def integrand(y):
        below = y if y > a else a
        return mp.exp(y * y) * mp.erfc(-y) ** 2 * (mp.erfi(b) - mp.erfi(below))

    scale = 1 / (1 + abs(a))
    outer = [-mp.inf, a - 40 * scale, a - 10 * scale, a - 3 * scale, a - scale]
    return mp.sqrt(mp.pi) / 2 * mp.quad(integrand, [*outer, *edges(a, b)])


def row(values):
    mu, sigma, tau, v_th, v_reset, t_ref = (mp.mpf(float(v)) for v in values)
    b, a = (v_th - mu) / sigma, (v_reset - mu) / sigma
    # The antiderivatives cancel by exp(a^2 - b^2) and by the width: work with the digits that takes.
    mp.mp.dps = 45 + int(abs(mp.log10((b - a) / (1 + abs(b)))))
    integral = passage(a, b)
    interval = t_ref + tau * integral
    slopes = {
        "mu": tau * (f(b) - f(a)) / sigma,
        "sigma": tau * (b * f(b) - a * f(a)) / sigma,
        "tau": -integral,
        "v_th": -tau * f(b) / sigma,
        "v_reset": tau * f(a) / sigma,
        "t_ref": mp.mpf(-1),
    }
    cv = mp.sqrt(2 * mp.pi * variance_integral(a, b)) * tau / interval
    results = [mp.log(1000 / interval), *(slopes[name] / interval for name in NAMES), cv]
    mp.mp.dps = 45
    return [repr(float(v)) for v in values] + [mp.nstr(x, 30) for x in results]


def standard():
    for sigma in (0.01, 0.1, 1.0, 3.0, 5.0, 20.0, 300.0):
        for mu in (-1e4, -300.0, -50.0, 0.0, 10.0, 15.0, 19.9, 20.0, 20.1, 25.0, 60.0, 1e3, 1e6):
            if abs(mu - 20.0) / sigma < 1e5:
                yield mu, sigma, 20.0, 20.0, 10.0, 2.0


def random(n, rng):
    """Limits of either sign and any distance."""
    for _ in range(n):
        sigma = 10 ** rng.uniform(-3, 3)
        b = rng.choice([-1, 1]) * 10 ** rng.uniform(-3, 2.3)
        width = 10 ** rng.uniform(-4, 3)
        v_th = rng.uniform(-60, 40)
        t_ref = rng.choice([0.0, 10 ** rng.uniform(-1, 1)])
        yield v_th - sigma * b, sigma, 10 ** rng.uniform(-1, 2), v_th, v_th - sigma * width, t_ref


def rates(n, rng):
    """Rates from 1e-300 Hz to saturation at ordinary parameters."""
    for b in np.linspace(-8, 26, n):
        sigma = rng.uniform(0.5, 10)
        yield 20.0 - sigma * b, sigma, rng.uniform(5, 30), 20.0, rng.uniform(0, 15), rng.choice([0.0, 2.0, 5.0])


def main():
    rng = np.random.default_rng(20221)
    points = [*standard(), *random(90, rng), *rates(40, rng)]
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*NAMES, "log_rate", *(f"dlog_{name}" for name in NAMES), "cv"])
        writer.writerows(row(point) for point in points)
    print(f"{len(points)} rows, mpmath {mp.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
