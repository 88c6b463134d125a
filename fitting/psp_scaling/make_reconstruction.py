"""Makes the synthetic table that stands in for the raw data of Barral & Reyes (2016), which are not public.

n = 240 amplitudes; excitatory or inhibitory at random; whole numbers of connections K, log-uniform on 50 to 1000;
log J = c_s - 0.5853 log K + e, where e is Gaussian, made orthogonal to (1, log K, kind of synapse) and scaled to a
standard deviation of 0.80, and c_s such that the current-based law has J0 = 20.2 mV and a ratio I/E of 1.09. The
fitted exponent and those two are then as published whatever the draw; the rest depends on it, and seeds are tried
in turn until every published figure holds at once.

    python -m fitting.psp_scaling.make_reconstruction
"""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.io import write_text

from ._study import PUBLISHED, TABLE, figures_of

N, EXPONENT, SPREAD, J0, RATIO = 240, 0.5853, 0.80, 20.2, 1.09
MAX_SEEDS = 20_000


def draw_table(seed: int) -> jn.laws.PSPTable:
    """The table of one seed, with the digits it will be written with."""
    rng = np.random.default_rng(seed)
    inhibitory = rng.random(N) < 0.5
    k = np.rint(np.exp(rng.uniform(np.log(50.0), np.log(1000.0), N)))
    design = np.stack([np.ones(N), np.log(k), inhibitory], axis=1)
    noise = rng.normal(size=N)
    noise -= design @ np.linalg.lstsq(design, noise, rcond=None)[0]
    noise *= SPREAD / noise.std()
    log_psp = -EXPONENT * np.log(k) + noise
    kinds = design[:, [0, 2]]
    offset = np.linalg.lstsq(kinds, log_psp + 0.5 * np.log(k), rcond=None)[0]
    log_psp += kinds @ (np.array([np.log(J0), np.log(RATIO)]) - offset)
    return jn.laws.PSPTable(k, np.round(np.exp(log_psp), 3), inhibitory)


def holds(data: jn.laws.PSPTable) -> bool:
    """Whether every published figure holds after rounding."""
    fits = {name: jn.fit(law, data, starts=1) for name, law in _laws().items()}
    return figures_of(fits) == PUBLISHED


def _laws() -> dict[str, jn.laws.AbstractLaw]:
    # The law most often at odds comes with its own cheap test first, in `main`.
    return {
        "power": jn.laws.PowerLaw(),
        "current": jn.laws.CurrentScaling(),
        "conductance": jn.laws.ConductanceScaling(),
    }


def _current_rms(data: jn.laws.PSPTable) -> float:
    law = jn.laws.CurrentScaling(jnp.asarray(J0), jnp.asarray(RATIO))  # the fit, but for the rounding of the table
    return float(np.sqrt(np.mean(np.asarray(law.misfit(data)) ** 2)))


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    for seed in range(MAX_SEEDS):
        data = draw_table(seed)
        if abs(_current_rms(data) - 2.2) < 0.06 and holds(data):
            break
    else:
        raise SystemExit(f"None of {MAX_SEEDS} seeds gives every published figure.")
    assert holds(data)
    columns = zip(*map(np.asarray, (data.n_connections, data.psp, data.inhibitory)), strict=True)
    rows = [f"{k:.0f},{psp:.3f},{'I' if inhibitory else 'E'},synthetic" for k, psp, inhibitory in columns]
    write_text(TABLE, "\n".join(["n_connections,psp_mv,synapse,origin", *rows]) + "\n")
    print(f"tried {seed + 1} seeds; seed {seed} gives every published figure; wrote {TABLE.name}")


if __name__ == "__main__":
    main()
