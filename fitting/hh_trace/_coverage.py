"""How often the intervals of the study hold the truth, over many draws of the noise."""

import warnings
from dataclasses import dataclass

import numpy as np

import jaxneuro as jn
from jaxneuro._fit import text_table
from jaxneuro.recordings import TracedNeuron

from ._study import NOISE, TRUE, make_trace, noise_of


@dataclass(frozen=True)
class Coverage:
    """For each draw of the noise and each parameter, the noise last: the error in standard errors, and whether the 95%
    interval holds the truth."""

    names: tuple[str, ...]
    errors: np.ndarray
    held: np.ndarray


def coverage(draws: int, seed: int = 0) -> Coverage:
    """Fits the trace with spikes of the study again and again under other noise.

    Every fit starts at the truth: it is the interval that is measured, not the search.
    """
    errors, held = [], []
    for draw in range(draws):
        data = make_trace(9.0, seed, noise_seed=draw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            fit = jn.fit(TracedNeuron(jn.HodgkinHuxley()), data, starts=1)
        sd, low, high = noise_of(fit, data)
        relative = np.log(high / low) / (2 * 1.96)
        of = [(fit.params[k] - true) / fit.stderr[k] for k, true in TRUE.items()]
        errors.append([*of, np.log(sd / NOISE) / relative])
        held.append([fit.ci95[k][0] <= true <= fit.ci95[k][1] for k, true in TRUE.items()] + [low <= NOISE <= high])
    names = (*(key.removeprefix("neuron.") for key in TRUE), "noise")
    return Coverage(names, np.array(errors), np.array(held))


def coverage_report(found: Coverage) -> str:
    """Everything as text."""
    draws = len(found.held)
    sd = np.std(found.errors, axis=0, ddof=1)
    rows = [
        [name, f"{found.held[:, i].mean():.3f}", f"{found.errors[:, i].mean():+.2f}", f"{sd[i]:.2f}"]
        for i, name in enumerate(found.names)
    ]
    table = text_table(["parameter", "intervals that hold", "mean error, SE", "SD of error, SE"], rows)
    one, whole = (np.sqrt(0.95 * 0.05 / n) for n in (draws, found.held.size))
    return (
        f"INTERVALS OF 95% OVER {draws} DRAWS OF THE NOISE\n{table}\n"
        f"All together: {found.held.mean():.3f} of {found.held.size}. Of 0.95, chance alone moves a row by {one:.3f} "
        f"(one SD), all together by at least {whole:.3f}; a mean by {1 / np.sqrt(draws):.2f}."
    )
