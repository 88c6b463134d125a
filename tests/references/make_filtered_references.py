"""Rates and CVs of the LIF neuron in filtered noise, by runs in NumPy that share nothing with the package.

    tau dV/dt = -(V - mu) + sigma sqrt(tau/tau_s) z,    tau_s dz/dt = -z + sqrt(tau_s) xi,

with mu = 0, sigma = 1, tau = 10 ms, t_ref = 2 ms (0 where told); z goes on while the neuron is refractory. V and z are
stepped exactly; a crossing inside a step is placed by a straight line, and the rest of the step starts at the reset.

python tests/references/make_filtered_references.py        writes filtered.csv beside it, in some minutes
"""

import csv
from pathlib import Path

import numpy as np
from scipy.linalg import expm

TAU = 10.0
# tau_s/tau, v_min, v_max, t_ref, steps in the shorter time constant, steps in thousands.
CASES = [
    (0.02, -0.5, 1.0, 0.0, 40, 400),
    (0.02, -0.5, 1.0, 2.0, 40, 400),
    (0.1, 0.0, 1.0, 2.0, 40, 200),
    (0.1, -1.0, 0.5, 2.0, 40, 200),
    (1.0, 0.0, 1.0, 2.0, 200, 400),
    (1.0, -1.0, 0.5, 2.0, 200, 200),
    (1.0, 0.0, 1.5, 2.0, 200, 800),
    (10.0, -1.0, 0.5, 2.0, 200, 800),
    (10.0, -0.5, 0.3, 2.0, 200, 400),
]
NEURONS = 2_000


def propagator(ratio, dt):
    """Of (V, z) over dt, and the Cholesky factor of what noise adds, by Van Loan's exponential."""
    tau_s = ratio * TAU
    a = np.array([[-1.0 / TAU, np.sqrt(1.0 / ratio) / TAU], [0.0, -1.0 / tau_s]])
    q = np.diag([0.0, 1.0 / tau_s])
    whole = expm(dt * np.block([[-a, q], [np.zeros((2, 2)), a.T]]))
    moves = whole[2:, 2:].T
    return moves, np.linalg.cholesky(moves @ whole[:2, 2:])


def run(ratio, low, top, t_ref, per_constant, thousands, seed):
    """Spikes, time [ms], and the intervals' mean, spread and number after a quarter of the run."""
    rng = np.random.default_rng(seed)
    dt = min(TAU, ratio * TAU) / per_constant
    moves, root = propagator(ratio, dt)
    z = rng.standard_normal(NEURONS) * np.sqrt(0.5)
    v = np.full(NEURONS, low)
    free_at, last = np.zeros(NEURONS), np.full(NEURONS, np.nan)
    steps, spikes, intervals = 1_000 * thousands, 0, []
    for step in range(steps):
        t = step * dt
        noise = rng.standard_normal((2, NEURONS))
        after = moves[0, 0] * v + moves[0, 1] * z + root[0, 0] * noise[0]
        z = moves[1, 1] * z + root[1, 0] * noise[0] + root[1, 1] * noise[1]
        held = free_at > t
        after = np.where(held, low, after)
        fired = after >= top
        if fired.any():
            at = t + dt * np.clip((top - v[fired]) / (after[fired] - v[fired]), 0.0, 1.0)
            after[fired] = low
            free_at[fired] = at + t_ref
            if step > steps // 4:
                spikes += fired.sum()
                gone = at - last[fired]
                intervals.append(gone[np.isfinite(gone)])
            last[fired] = at
        v = after
    gone = np.concatenate(intervals)
    time = NEURONS * dt * (steps - 1 - steps // 4)
    return 1000.0 * spikes / time, gone.std() / gone.mean(), gone.size


if __name__ == "__main__":
    with open(Path(__file__).parent / "filtered.csv", "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["tau_s_over_tau", "v_min", "v_max", "t_ref_ms", "rate_hz", "cv", "n_intervals"])
        for seed, case in enumerate(CASES):
            rate, cv, n = run(*case, seed=seed)
            out.writerow([*case[:4], f"{rate:.5g}", f"{cv:.4f}", n])
            file.flush()
            print(case, rate, cv, n, flush=True)
