"""10,000 bootstrap refits of the conductance law to 240 amplitudes, against a loop over scipy's least_squares."""

import time
from collections.abc import Callable

import jax
import numpy as np

from ._report import Row, compared

ROUNDS, N_REFITS, N_PEER_REFITS, LIMIT = 5, 10_000, 100, 5.0


def _table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of connections, amplitudes and kinds, as many as in the study."""
    rng = np.random.default_rng(0)
    k = np.rint(np.exp(rng.uniform(np.log(50.0), np.log(1000.0), 240)))
    return k, 20.0 / np.sqrt(k) * np.exp(0.8 * rng.normal(size=240)), rng.random(240) < 0.5


def _ours(k: np.ndarray, psp: np.ndarray, mask: np.ndarray) -> Callable[[], object]:
    import jaxneuro as jn

    data, law = jn.laws.PSPTable(k, psp, mask), jn.laws.ConductanceScaling()
    return lambda: jn.fit(law, data, bootstrap=N_REFITS, progress=False).bootstrap


def _peer(k: np.ndarray, psp: np.ndarray, mask: np.ndarray) -> Callable[[], object]:
    from scipy.optimize import least_squares
    from scipy.special import wrightomega

    def residuals(theta: np.ndarray, rows: np.ndarray) -> np.ndarray:
        g = np.exp(theta[1])
        log_scale = 2 * theta[0] + np.log(k[rows]) + np.log1p(g)
        a = 2 * np.exp(2 * theta[0]) / wrightomega(np.log(2) + 2 * log_scale)
        return np.log(psp[rows]) - np.log(np.where(mask[rows], 20 * g, 60.0) * a)

    def loop() -> None:
        rng = np.random.default_rng(1)
        for _ in range(N_PEER_REFITS):
            rows = rng.integers(0, len(k), len(k))
            least_squares(residuals, np.log([0.283, 3.4]), args=(rows,), method="lm")

    return loop


def _seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def run() -> list[Row]:
    """First call with compilation, then medians without; the peer's loop is timed on 100 refits and scaled."""
    jax.config.update("jax_enable_x64", True)
    table = _table()
    ours, peer = _ours(*table), _peer(*table)
    first = _seconds(ours)
    times: list[float] = []
    peer_times: list[float] = []
    for _ in range(ROUNDS):
        times.append(_seconds(ours))
        peer_times.append(_seconds(peer) * N_REFITS / N_PEER_REFITS)
    note = f"peer: scipy least_squares (lm) in a loop; the limit for ours is {LIMIT:g} s"
    return [
        compared("10,000 bootstrap refits, compiled", "s", times, peer_times, note),
        compared("10,000 bootstrap refits, first call", "s", [first], peer_times, "compilation included"),
    ]
