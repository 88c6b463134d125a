"""Quantiles of Student's t, for intervals that are exact where the problem is linear."""

import math

NORMAL_975 = 1.959963984540054  # the 97.5% quantile of the standard normal


def _central_probability(t: float, dof: int) -> float:
    """P(|T| <= t) for a whole number of degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan2(t, math.sqrt(dof))
    cosine_squared = math.cos(angle) ** 2
    odd = dof % 2
    term = math.cos(angle) if odd else 1.0
    total = term if dof > 1 else 0.0
    for i in range(3 if odd else 2, dof - 1, 2):
        term *= cosine_squared * (i - 1) / i
        total += term
    if odd:
        return 2.0 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total


def student_975(dof: int) -> float:
    """The 97.5% quantile of Student's t with `dof` degrees of freedom."""
    if dof > 10_000:  # the first correction to the normal leaves an error below 1e-8
        return NORMAL_975 + (NORMAL_975**3 + NORMAL_975) / (4.0 * dof)
    low, high = 1.9, 13.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _central_probability(middle, dof) < 0.95 else (low, middle)
    return 0.5 * (low + high)
