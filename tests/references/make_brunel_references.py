"""Writes brunel_nest.json and brunel_brian2.json: `python -m tests.references.make_brunel_references nest brian2`.

Brunel's network of 10,000 + 2,500 neurons in other simulators, 1 s from rest, measured from 200 ms on; sources with
repetition and without autapses; everything below with numpy, and nothing of the package. It needs the peers'
environments (`python -m benchmarks.peers nest brian2`) and takes about half an hour. The spectrum is the
two-sided density of the rate of E, in Hz: bins of 1 ms, segments of 200 ms that overlap by half, each without its mean
and times a Hann taper; then averaged over bands of frequencies.
"""

import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._worker import Worker

N_E, N_I = 10_000, 2_500
T0, T1 = 200.0, 1_000.0
WIDTH, SEGMENT = 1.0, 200
# Hz; each band begins with its lower edge and ends below its upper. The first bin, 5 Hz, suffers from the taper.
BANDS = (10, 30, 60, 100, 150, 200, 300, 400, 500)
# (g, ratio): numbers of wirings.
POINTS = {(5.0, 2.0): 12, (6.0, 4.0): 12}
COLUMNS = [
    "rate_e",
    "rate_i",
    "cv_e",
    "cv_i",
    *(f"s_{low}_{high}" for low, high in pairwise(BANDS)),
]


def mean_cv(senders: np.ndarray, times: np.ndarray) -> float:
    """Mean CV over the neurons with at least 4 spikes."""
    order = np.lexsort((times, senders))
    senders, times = senders[order], times[order]
    trains = np.split(times, np.flatnonzero(np.diff(senders)) + 1)
    return float(np.mean([np.diff(t).std() / np.diff(t).mean() for t in trains if t.size >= 4]))


def spectrum(times: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies [Hz] and two-sided density [Hz] of the rate of n neurons."""
    # A spike at the end of a step belongs to the bin in which the step lies: half a step back.
    counts = np.histogram(times - 0.05, np.arange(T0, T1 + WIDTH / 2, WIDTH))[0]
    rate = counts / n / WIDTH * 1000.0
    taper = np.sin(np.pi * np.arange(SEGMENT) / SEGMENT) ** 2
    power = []
    for begin in range(0, rate.size - SEGMENT + 1, SEGMENT // 2):
        piece = rate[begin : begin + SEGMENT]
        power.append(np.abs(np.fft.rfft((piece - piece.mean()) * taper)) ** 2)
    density = np.mean(power, axis=0) * WIDTH / 1000.0 / np.sum(taper**2)
    return np.arange(density.size) * 1000.0 / (SEGMENT * WIDTH), density


def measures(senders: np.ndarray, times: np.ndarray) -> list[float]:
    """The columns of one run."""
    kept = times > T0 + 0.05
    senders, times = senders[kept], times[kept]
    seconds, e = (T1 - T0) / 1000.0, senders < N_E
    rates = [e.sum() / N_E / seconds, (~e).sum() / N_I / seconds]
    frequencies, density = spectrum(times[e], N_E)
    bands = [density[(frequencies >= low) & (frequencies < high)].mean() for low, high in pairwise(BANDS)]
    return [*rates, mean_cv(senders[e], times[e]), mean_cv(senders[~e], times[~e]), *bands]


def runs(peer: str) -> dict[str, Any]:
    """All runs in one simulator."""
    worker = Worker("brunel", peer)
    own = {"nest": dict(multapses=True, threads=1), "brian2": dict(task="spikes")}[peer]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "spikes.npz")
        for (g, ratio), wirings in POINTS.items():
            for seed in range(1, wirings + 1):
                worker.ask(seed=seed, g=g, ratio=ratio, duration=T1, file=file, **own)
                with np.load(file) as found:
                    values = measures(found["senders"], found["times"])
                rows.append([g, ratio, seed, *(float(f"{v:.6g}") for v in values)])
                print(peer, rows[-1][:7], flush=True)
    worker.close()
    return {
        "command": f"python -m tests.references.make_brunel_references {peer}",
        "versions": {**worker.ready, "numpy": np.__version__},
        "measured": f"from {T0:g} to {T1:g} ms; rates and densities in Hz, bands in Hz",
        "columns": ["g", "ratio", "seed", *COLUMNS],
        "rows": rows,
    }


def main() -> None:
    for peer in sys.argv[1:] or ("nest", "brian2"):
        report = runs(peer)
        head = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in report.items() if k != "rows"]
        body = ",\n".join(f"  {json.dumps(row)}" for row in report["rows"])
        target = Path(__file__).with_name(f"brunel_{peer}.json")
        target.write_text("{" + ",\n".join(head) + ',\n"rows": [\n' + body + "\n]}\n")


if __name__ == "__main__":
    main()
