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


def quantal_mean() -> list[Row]:
    """001, equation (3): the mean of k quanta is xi_0 + k u where the baseline has the mean xi_0.

    Independent: 200,000 sums of a baseline and three quanta, each normal.
    """
    from jaxneuro.quantal import QuantalRelease

    xi_0, u, k, generator = 0.15, 0.4, 3, np.random.default_rng(2)
    sums = generator.normal(xi_0, 0.05, 200_000) + generator.normal(u, 0.1, (k, 200_000)).sum(axis=0)
    # The mixture's mean is xi_0 + m u, of which one component of k quanta is the part at m = k.
    law = QuantalRelease(m=float(k), u=u, xi_0=xi_0, sigma_0=0.05, sigma_1=0.1)
    return [entry("001 (3), mean of three quanta", k * u, float(law.xi_0 + k * law.u), float(sums.mean()), 0.002, "mV")]


def published_v_bar() -> list[Row]:
    """004, Fig. 5: the printed "v = 0.08" is v^2. The amplitude at K = 10,000 is in the text: about 0.7 mV.

    Independent: equation (14), K = tau / (sqrt(a) v) exp(v^2/a), solved for a by bisection.
    """
    from scipy.optimize import brentq

    from jaxneuro.laws import ConductanceScaling

    def amplitude(v: float) -> float:
        tau = 1.0 / (1.0 + 3.4)
        log_k = np.log(10_000.0)
        root = brentq(lambda a: np.log(tau / (np.sqrt(a) * v)) + v**2 / a - log_k, 1e-6, 10.0)
        return 60.0 * float(np.asarray(root))

    ours = float(ConductanceScaling(v_bar=np.sqrt(0.08), g=3.4)(10_000.0))
    return [entry("004 Fig. 5, J_E at K = 10,000", amplitude(0.08), ours, amplitude(np.sqrt(0.08)), 1e-6, "mV")]


def conductance_jump() -> list[Row]:
    """004, below (2): the jump at a spike under an instantaneous conductance is (1 - exp(-a)) (E - V), not a (E - V).

    Independent: `tau dV/dt = -(V - E) g(t)` under a rectangular conductance of area a tau, by Runge-Kutta steps.
    """
    import jax.numpy as jnp

    from jaxneuro.synapses import DeltaConductance

    a, v, reversal, steps = 0.3, -60.0, 0.0, 1_000
    x = v
    for _ in range(steps):
        slopes = [-(x - reversal) * a]
        for weight in (0.5, 0.5, 1.0):
            slopes.append(-(x + weight * slopes[-1] / steps - reversal) * a)
        x += (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3]) / 6 / steps
    one = jnp.ones(1)
    received = DeltaConductance(reversal).step(None, None, one, a * one, v * one)
    jump = float(received.inputs.apply_jumps(v * one)[0]) - v
    return [entry("004 text of (2), jump at a = 0.3", a * (reversal - v), jump, x - v, 1e-5, "mV")]


def integrated_pulse() -> list[Row]:
    """001, after (15): a pulse s_0 delta(t) moves the integrator by e_1 . s_0 / tau, not by e_1 . s_0.

    Independent: Euler steps of tau dv/dt = -v + M v + h with the pulse as a short rectangle of the same area.
    """
    import jaxneuro as jn

    tau, s_0, steps, width = 10.0, np.array([3.0, 1.0]), 20_000, 0.01
    m, e = np.full((2, 2), 0.5), np.ones(2) / np.sqrt(2)
    v = np.zeros(2)
    for _ in range(steps):
        v += width / steps / tau * (m @ v - v + s_0 / width)
    net = jn.RateNetwork(m, h=s_0 / width, tau=tau, transfer=jn.transfer.Linear())
    ours = float(e @ np.asarray(jn.theory.linear_trajectory(net, width)))
    return [entry("001 after (15), jump of the integrator", float(e @ s_0), ours, float(e @ v), 1e-5, "1")]


def slope_of_the_energy() -> list[Row]:
    """001, equation (47): F' stands inside the sum; printed before the norm it is no number (here: its mean).

    Independent: the energy (46) of sigmoid units, by the inverse of F, a short Runge-Kutta step before and after.
    """
    import jax

    import jaxneuro as jn

    generator, tau, h, dt = np.random.default_rng(0), 10.0, 0.3, 1e-3
    m = generator.normal(size=(6, 6))
    m, v = 0.2 * (m + m.T), 2.0 * generator.normal(size=6)

    def rate(x: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-x))

    def energy(v: np.ndarray) -> float:
        s = rate(h + m @ v)
        inverse = s * np.log(s) + (1 - s) * np.log(1 - s)  # the integral of log(y/(1 - y))
        return float(-0.5 * s @ m @ s - h * s.sum() + inverse.sum())

    def moved(step: float) -> np.ndarray:
        half = v + 0.5 * step / tau * (rate(h + m @ v) - v)
        return v + step / tau * (rate(h + m @ half) - half)

    net = jn.RateNetwork(m, h=h, tau=tau, transfer=jn.transfer.Sigmoid())
    at = jax.numpy.asarray(v)
    ours = float(jax.jvp(lambda x: jn.theory.energy(net, x), (at,), (net.vector_field(0.0, at),))[1])
    s, x = rate(h + m @ v), h + m @ v
    printed = float(-np.mean(s * (1 - s)) * np.sum((h + m @ s - x) ** 2) / tau)
    independent = (energy(moved(dt)) - energy(moved(-dt))) / (2 * dt)
    return [entry("001 (47), slope of the energy", printed, ours, independent, 1e-4, "1/ms")]


def jacobian_of_the_pair() -> list[Row]:
    """002: the lower left entry of the Jacobian is M_IE/tau_I, not M_IE/tau_E.

    Independent: a difference of dv_I/dt.
    """
    import jaxneuro as jn

    pair, step = jn.networks.ei_rate(tau_e=10.0, tau_i=40.0), 1e-3

    def slope(v_e: float) -> float:
        return (-50 / 3 + (1.0 * v_e - 10.0)) / 40.0

    ours = float(jn.analysis.jacobian(pair, [80 / 3, 50 / 3])[1, 0])
    difference = (slope(80 / 3 + step) - slope(80 / 3 - step)) / (2 * step)
    return [entry("002, Jacobian of the E/I pair, I from E", 1.0 / 10.0, ours, difference, 1e-6, "1/ms")]


ENTRIES: tuple[Callable[[], list[Row]], ...] = (
    free_membrane,
    interval_variability,
    quantal_mean,
    published_v_bar,
    conductance_jump,
    integrated_pulse,
    slope_of_the_energy,
    jacobian_of_the_pair,
)


def run() -> list[Row]:
    """Every entry, in the order of docs/errata.md."""
    return [row for function in ENTRIES for row in function()]
