"""The state of every population of a run."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._numerics import Shown, is_concrete
from .._simulate import Solution, record
from ._oscillation import oscillation
from ._state import State, Thresholds, as_thresholds, classify

_NEEDED = ("rate", "cv", "spectrum", "synchrony")


def state_recorders(
    *populations: str, start: float = 0.0, segment: float = 200.0, width: float = 0.5
) -> dict[str, record.AbstractRecorder]:
    """The recorders that `classify_state` needs, to pass as `record=`.

    **Arguments:** names of populations, all by default; `start` [ms], to leave the transient out;
    `segment` and `width` [ms], of the spectrum.

    **Returns:** {"rate": `Rate`, "cv": `CV`, "spectrum": `Spectrum`, "synchrony": `Synchrony`, in bins of two widths}.
    Add others with `|`.

    Raises `ValueError` where a name is no string.

    ```python
    >>> import jaxneuro as jn
    >>> list(jn.analysis.state_recorders(start=200.0) | {"spikes": jn.record.Spikes("E")})
    ['rate', 'cv', 'spectrum', 'synchrony', 'spikes']

    ```
    """
    return {
        "rate": record.Rate(*populations, start=start),
        "cv": record.CV(*populations, start=start),
        "spectrum": record.Spectrum(*populations, segment=segment, width=width, start=start),
        "synchrony": record.Synchrony(*populations, width=2.0 * width, start=start),
    }


class Classification(Shown):
    """The state of each population and what it was decided from.

    Every field but `thresholds` is {population: array}, or the array itself for a single population;
    `print` shows them all.

    - `code`: of `State`; `state` gives the names.
    - `rate`: mean over neurons [Hz]; `cv`: mean CV over the `cv_neurons` neurons that have one.
    - `frequency` [Hz], `height`, `sharpness`, `modulation`: of the `Oscillation` of the population rate.
    - `chi`: Golomb and Hansel's measure of synchrony; shown, and not decided from.
    - `thresholds`: what parts the states.
    """

    code: Any
    rate: Any
    cv: Any
    cv_neurons: Any
    frequency: Any
    height: Any
    sharpness: Any
    modulation: Any
    chi: Any
    thresholds: Thresholds

    @property
    def state(self) -> Any:
        """The `State` of each population; an array of them for a batch of runs."""
        if isinstance(self.code, dict):
            return {name: _states(code) for name, code in self.code.items()}
        return _states(self.code)

    def __str__(self) -> str:
        codes = self.code if isinstance(self.code, dict) else {"": self.code}
        if not is_concrete(self.code) or any(np.ndim(code) for code in codes.values()):
            return f"Classification of shape {jnp.shape(next(iter(codes.values())))}"
        lines = []
        for name in codes:

            def value(field: str, of: str = name) -> float:
                values = getattr(self, field)
                return float(values[of] if isinstance(values, dict) else values)

            lines.append(
                f"{name + ': ' if name else ''}{_states(codes[name])}, rate {value('rate'):.4g} Hz, "
                f"CV {value('cv'):.3g} ({value('cv_neurons'):.0f} neurons), peak at {value('frequency'):.3g} Hz, "
                f"{value('height'):.3g} times the level of independent neurons, sharpness {value('sharpness'):.2g}, "
                f"modulation {value('modulation'):.3g}, chi {value('chi'):.3g}"
            )
        return "\n".join([*lines, f"Thresholds: {self.thresholds}."])


def _states(code: Array) -> Any:
    known = np.asarray(code)
    if known.ndim == 0:
        return State(int(known))
    return np.array([State(int(c)) for c in known.ravel()], dtype=object).reshape(known.shape)


def classify_state(sol: Solution, *, thresholds: Thresholds | None = None) -> Classification:
    """Says in which state the populations of a run are: SR, AI, fast SI, slow SI, and a few more.

    Regularity is the mean CV of interspike intervals; synchrony is the modulation of the population
    rate by its strongest oscillation; fast and slow go by the frequency of that. The rule is that of
    `classify`, its thresholds those of `Thresholds`.

    **Arguments:**

    - `sol`: a run with the records of `state_recorders()`, under their names: "rate", "cv", "spectrum", "synchrony".
      Leave the transient out with `start=`, and record ten segments or more.
    - `thresholds`: `Thresholds()` by default.

    **Returns:** a `Classification`. A single neuron is undetermined: it has no synchrony. Works under jit
    and vmap, where `code` holds the codes of `State`; of a batch of runs it holds one code a run.

    Raises `ValueError` where a record is missing or of another kind.

    Derivatives: none through `code`.

    ```python
    >>> import jax, jaxneuro as jn
    >>> sources, record = jn.Population(jn.Poisson(50.0), 500), jn.analysis.state_recorders()
    >>> sol = jn.simulate(sources, 0.0, 1_000.0, dt=0.1, key=jax.random.key(0), record=record)
    >>> print(jn.analysis.classify_state(sol).state)
    AI

    ```

    Source: the states of Brunel (2000), doi:10.1023/A:1008925309027, Figs. 2 and 8.
    """
    if not isinstance(sol, Solution):
        raise ValueError(f"`sol` has to be what `jn.simulate` returns; got {type(sol).__name__}.")
    if any(name not in sol.records for name in _NEEDED) or "spectrum" not in sol.frequencies:
        raise ValueError(
            f"`sol` needs the records {', '.join(_NEEDED)}; it has {', '.join(sol.records) or 'none'}. "
            "Run with `record=jn.analysis.state_recorders()`, and others beside it with `|`."
        )
    limits = as_thresholds(thresholds)
    frequencies = sol.frequencies["spectrum"]
    while frequencies.ndim > 1:  # of a batch of runs, which share them
        frequencies = frequencies[0]
    if not isinstance(sol["spectrum"], dict):
        return Classification(
            **_measured(sol["rate"], sol["cv"], sol["spectrum"], sol["synchrony"].chi, frequencies, limits),
            thresholds=limits,
        )
    found = {
        name: _measured(
            sol["rate"][name], sol["cv"][name], density, sol["synchrony"][name].chi, frequencies, limits
        )
        for name, density in sol["spectrum"].items()
    }  # fmt: skip
    fields = next(iter(found.values()))
    return Classification(**{f: {name: m[f] for name, m in found.items()} for f in fields}, thresholds=limits)


def _measured(rates: Array, cvs: Array, density: Array, chi: Array, frequencies: Array, limits: Thresholds) -> dict:
    """The fields of one population; rates and CVs have the neurons last."""
    rate, known = jnp.mean(rates, axis=-1), ~jnp.isnan(cvs)
    number = jnp.sum(known, axis=-1, dtype=jnp.int32)
    cv = jnp.sum(jnp.where(known, cvs, 0.0), axis=-1) / jnp.maximum(number, 1).astype(cvs.dtype)
    cv = jnp.where(number > 0, cv, jnp.nan)
    peak = oscillation(frequencies, density, rate, n=rates.shape[-1])
    # One neuron is no population: it is neither synchronous nor asynchronous.
    modulation = peak.modulation if rates.shape[-1] > 1 else jnp.full_like(peak.modulation, jnp.nan)
    return {
        "code": classify(rate, cv, peak.frequency, modulation, thresholds=limits),
        "rate": rate,
        "cv": cv,
        "cv_neurons": number,
        "frequency": peak.frequency,
        "height": peak.height,
        "sharpness": peak.sharpness,
        "modulation": modulation,
        "chi": chi,
    }
