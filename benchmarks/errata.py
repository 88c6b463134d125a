"""Evidence for docs/errata.md: what is printed, what is corrected, and an independent computation of each.

An entry is a function in ENTRIES that returns one row or more; `ours` is the corrected form, `peer` the independent
computation, and the printed form is in the note. The command raises where the two differ by more than the tolerance.
"""

from collections.abc import Callable

import numpy as np

from ._report import Row


def entry(what: str, printed: float | None, corrected: float, independent: float, tolerance: float, unit: str) -> Row:
    """A row; raises `ValueError` where the correction is not what the independent computation gives."""
    if not abs(corrected - independent) <= tolerance * abs(independent):
        raise ValueError(f"{what}: the corrected form gives {corrected}, the independent computation {independent}.")
    off = "not printed" if printed is None else f"printed {printed:.6g}: off by {abs(printed / independent - 1):.1%}"
    note = f"{off}; corrected within {tolerance:.1%}"
    return Row(what=what, ours=corrected, peer=independent, ratio=independent / corrected, unit=unit, note=note)


def free_membrane() -> list[Row]:
    """000, equation (3) drops the E_l of equation (2). The variance is question 9, whose answer is not printed.

    Independent: 50,000 paths of `tau dV/dt = E_l - V + mu + sigma sqrt(tau) xi` in 2,000 Euler-Maruyama steps.
    """
    from jaxneuro.theory import ou_moments

    mu, sigma, tau, e_l, v_0, t = 15.0, 5.0, 20.0, -65.0, -70.0, 15.0
    n, steps = 50_000, 2_000
    generator, dt = np.random.default_rng(0), t / steps
    v = np.full(n, v_0)
    for _ in range(steps):
        v += dt / tau * (e_l - v + mu) + sigma * np.sqrt(dt / tau) * generator.standard_normal(n)
    ours = ou_moments(t, mu=mu, sigma=sigma, tau=tau, v_0=v_0, e_l=e_l)
    decay = np.exp(-t / tau)
    printed = v_0 * decay + mu * (1 - decay)
    # Standard errors: 0.02% of the mean and 0.6% of the variance.
    return [
        entry("000 (3), mean of V(15 ms)", printed, float(ours.mean), float(v.mean()), 0.001, "mV"),
        entry("000 question 9, variance of V(15 ms)", None, float(ours.variance), float(v.var()), 0.025, "mV^2"),
    ]


def interval_variability() -> list[Row]:
    """004, equation (A7): CV^2 = R / T_1^2 lacks the refractory period, which (15) has by way of the rate.

    Independent: 5,000 first passages in steps of 0.01 ms, with the chance of a crossing unseen between two steps.
    """
    from jaxneuro.theory import lif_cv, lif_rate

    mu, sigma, tau, v_th, v_reset, t_ref = 40.0, 10.0, 20.0, 20.0, 10.0, 2.0
    n, dt, generator = 5_000, 0.01, np.random.default_rng(1)
    decay = np.exp(-dt / tau)
    v, first = np.full(n, v_reset), np.zeros(n)
    for step in range(1, 100_000):
        waiting = first == 0.0
        if not waiting.any():
            break
        new = mu + (v - mu) * decay + sigma * np.sqrt(0.5 * (1 - decay**2)) * generator.standard_normal(n)
        distances = np.maximum(v_th - v, 0.0) * np.maximum(v_th - new, 0.0)
        unseen = generator.random(n) < np.exp(-2.0 * distances / (sigma**2 * dt / tau))
        first[waiting & ((new >= v_th) | unseen)] = (step - 0.5) * dt
        v = new
    intervals = first + t_ref
    arguments = {"tau": tau, "v_th": v_th, "v_reset": v_reset, "t_ref": t_ref}
    cv, interval = float(lif_cv(mu, sigma, **arguments)), 1000.0 / float(lif_rate(mu, sigma, **arguments))
    printed = cv * interval / (interval - t_ref)
    # Standard error of a CV from 5,000 intervals: about 1.2%.
    return [entry("004 (A7), CV of the intervals", printed, cv, float(intervals.std() / intervals.mean()), 0.04, "1")]


# Others append here: laws (004, Fig. 5), quantal release (001, equation 3).
ENTRIES: tuple[Callable[[], list[Row]], ...] = (free_membrane, interval_variability)


def run() -> list[Row]:
    """Every entry, in the order of docs/errata.md."""
    return [row for function in ENTRIES for row in function()]
