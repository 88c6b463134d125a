"""Writes jaxneuro/_numerics/_polynomials.py: `python tests/references/make_polynomials.py` (mpmath, a minute).

Each function of the half line x >= 0 is a prefactor times a polynomial in t, a Cayley map of
[0, inf) onto [-1, 1). The polynomial is the Chebyshev interpolant, computed with 40 digits
and rewritten in powers of t; it is cut where the dropped coefficients fall below 1e-17 of the largest.
"""

from pathlib import Path

import mpmath as mp

mp.mp.dps = 40
K = mp.mpf(3)  # t = (x - K) / (x + K)
KD = mp.mpf(30)  # t = (x^2 - KD) / (x^2 + KD), for Dawson's integral
FAR = mp.mpf(7) / 2  # from here 1 - 2 x D(x) has its own table, in t = 2 (FAR / x)^2 - 1
POINTS = 64
TARGET = Path(__file__).resolve().parents[2] / "jaxneuro" / "_numerics" / "_polynomials.py"


def x_of(t):
    return K * (1 + t) / (1 - t)


def moment(n, x):
    """2 int_0^inf u^n exp(-u^2 - 2 x u) du, by Tricomi's function."""
    return mp.factorial(n) * mp.mpf(2) ** (-n) * mp.hyperu(mp.mpf(n + 1) / 2, mp.mpf(1) / 2, x * x)


def dawson(x):
    return x * mp.hyp1f1(1, mp.mpf(3) / 2, -x * x)


def tail(x):
    """exp(x^2) int_x^inf exp(-u^2) erfcx(u)^2 du."""
    width = 1 / (1 + x)
    pieces = [0, width, 3 * width, 10 * width, 30 * width, mp.inf]
    return mp.quad(lambda u: mp.exp(-u * u - 2 * u * x) * moment(0, x + u) ** 2 / mp.pi, pieces)


def chebyshev(f):
    """Coefficients of the interpolant in the Chebyshev points of the first kind."""
    angles = [mp.pi * (2 * j + 1) / (2 * POINTS) for j in range(POINTS)]
    values = [f(mp.cos(angle)) for angle in angles]
    sums = [2 * mp.fdot(values, [mp.cos(k * angle) for angle in angles]) / POINTS for k in range(POINTS)]
    return [sums[0] / 2, *sums[1:]]


def cut(c):
    eps = mp.mpf("1e-17")
    largest = max(abs(x) for x in c)
    degree = next(k for k in range(len(c)) if mp.fsum(abs(x) for x in c[k + 1 :]) < eps * largest)
    return c[: degree + 1]


def integral(c):
    """An antiderivative of a Chebyshev series."""
    c = [*c, mp.mpf(0), mp.mpf(0)]
    rest = [(c[k - 1] - c[k + 1]) / (2 * k) for k in range(2, len(c) - 1)]
    return [mp.mpf(0), c[0] - c[2] / 2, *rest]


def powers(c):
    """The same polynomial in powers of t, lowest first."""
    before, now = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    total = [mp.mpf(0)] * len(c)
    for k, weight in enumerate(c):
        basis = before if k == 0 else now
        if k > 1:
            twice = [mp.mpf(0), *(2 * x for x in now)]
            padded = before + [mp.mpf(0)] * (len(twice) - len(before))
            before, now = now, [x - y for x, y in zip(twice, padded, strict=True)]
            basis = now
        for i, x in enumerate(basis):
            total[i] += weight * x
    return total


def evaluate(c, t):
    """Clenshaw's sum."""
    first = second = mp.mpf(0)
    for x in reversed(c[1:]):
        first, second = 2 * t * first - second + x, first
    return t * first - second + c[0]


def tables():
    def s(t):
        return (1 - t) / 2  # K / (x + K)

    for n in range(3):
        yield (
            f"MOMENT_{n}",
            f"m_{n}(x) = s^{n + 1} p(t)",
            cut(chebyshev(lambda t, n=n: moment(n, x_of(t)) / s(t) ** (n + 1))),
        )
    slope = cut(chebyshev(lambda t: (moment(0, x_of(t)) - 1 / (x_of(t) + K)) * (x_of(t) + K) ** 2 / (2 * K)))
    yield "PRIMITIVE", "int_0^x m_0 = log(1 + x / k) + p(t) + constant", cut(integral(slope))

    def root(t):
        return mp.sqrt(KD * (1 + t) / (1 - t))

    yield (
        "DAWSON_0",
        "D(x) = x p(t) / (1 + 2 x^2)",
        cut(chebyshev(lambda t: dawson(root(t)) * (1 + 2 * root(t) ** 2) / root(t))),
    )

    def far(t):
        x = FAR / mp.sqrt((1 + t) / 2)
        return (1 - 2 * x * dawson(x)) * x * x

    yield "DAWSON_SLOPE", "D'(x) = p(2 (x_far / x)^2 - 1) / x^2 for x > x_far", cut(chebyshev(far))
    tails = chebyshev(lambda t: tail(x_of(t)) / s(t) ** 3)
    yield "TAIL", "k(x) = exp(x^2) int_x^inf exp(-u^2) erfcx(u)^2 du = s^3 p(t)", cut(tails)
    whole = integral(chebyshev(lambda t: evaluate(tails, t) * s(t) * K / 2))
    end = evaluate(whole, mp.mpf(1))
    yield "TAIL_INTEGRAL", "int_x^inf k = s^2 p(t)", cut(chebyshev(lambda t: (end - evaluate(whole, t)) / s(t) ** 2))


def near_zero():
    """Polynomials in x itself, by the half width of their range, every which power they have, and their series."""
    half = mp.log(2) / 2
    rise = cut(chebyshev(lambda t: (mp.expm1(half * t) - half * t) / (half * t) ** 2))
    yield "RISE", "exp(x) = 1 + x + x^2 p(x) for |x| <= log(2)/2", half, 1, rise
    most = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
    arc = cut(chebyshev(lambda t: (mp.atanh(most * t) - most * t) / (most * t) ** 3))
    yield "ARC", "atanh(x) = x + x^3 p(x^2) for |x| <= tanh(log(2)/4)", most, 2, arc


def main():
    lines = [
        '"""Polynomials of the half-line functions, lowest power first. By tests/references/make_polynomials.py."""',
        "",
        "# s = k / (x + k), t = 1 - 2 s; for Dawson's integral t = 1 - 2 k_d / (x^2 + k_d).",
        f"K = {float(K)}",
        f"K_DAWSON = {float(KD)}",
        f"X_FAR = {float(FAR)}",
        f"TAIL_AT_ZERO = {float(tail(mp.mpf(0)))!r}",
    ]
    for name, meaning, c in tables():
        p = powers(c)
        print(f"{name}: degree {len(c) - 1}, sum of sizes {mp.nstr(mp.fsum(abs(x) for x in p), 4)}")
        lines += ["", f"# {meaning}", f"{name} = (", *(f"    {float(x)!r}," for x in p), ")"]
    for name, meaning, half, stride, c in near_zero():
        p = [x / half**i for i, x in enumerate(powers(c))][::stride]
        lines += ["", f"# {meaning}", f"{name} = (", *(f"    {float(x)!r}," for x in p), ")"]
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
