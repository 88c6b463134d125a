"""Models held against each other: AICc and leave-one-out."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from .._numerics import ProgressLine, check_precision, told
from ._result import FitResult
from ._solve import solve_weightings, terms_of
from ._table import text_table


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """The log density of each observation under the fit to all others: `pointwise` (n,), and its sum."""

    pointwise: np.ndarray

    @property
    def total(self) -> float:
        return float(np.sum(self.pointwise))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Fits to the same data, best AICc first; prints as a table.

    `delta_aicc` is the distance to the best, `weight` the Akaike weight, `loo` the leave-one-out log
    density; `delta_loo` its distance to that of the best AICc with a standard error `delta_loo_se`.
    Where a leave-one-out score cannot be had it is NaN, printed as "-", and `notes` says why.
    """

    names: tuple[str, ...]
    n_parameters: tuple[int, ...]
    log_likelihood: np.ndarray
    aicc: np.ndarray
    delta_aicc: np.ndarray
    weight: np.ndarray
    loo: np.ndarray
    delta_loo: np.ndarray
    delta_loo_se: np.ndarray
    rms: np.ndarray
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        header = ["model", "k", "log L", "AICc", "dAICc", "weight", "LOO", "dLOO", "se", "rms"]
        rows = []
        for i, name in enumerate(self.names):
            cells = (self.log_likelihood, self.aicc, self.delta_aicc, self.weight, self.loo, self.delta_loo)
            numbers = [_cell(column[i], 3 if column is self.weight else 2) for column in cells]
            rows.append(
                [name, str(self.n_parameters[i]), *numbers, _cell(self.delta_loo_se[i], 2), f"{self.rms[i]:.3g}"]
            )
        return "\n".join([text_table(header, rows), *self.notes])


def _cell(value: float, digits: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{digits}f}"


def leave_one_out(result: FitResult, *, progress: bool | None = None) -> LeaveOneOut:
    """Refits without each observation in turn, all in one `vmap`, and scores the one left out.

    For least squares the score is the Gaussian log density of the residual with the scatter of the others.
    Raises `RuntimeError` where a refit does not converge or would have no observation to spare.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> k = np.array([50.0, 100.0, 200.0, 400.0, 800.0])
    >>> table = jn.laws.PSPTable(k, np.array([2.6, 2.2, 1.3, 1.1, 0.7]), np.array([False, True, False, True, False]))
    >>> jn.leave_one_out(jn.fit(jn.laws.CurrentScaling(), table)).pointwise.shape
    (5,)

    ```
    """
    if not isinstance(result, FitResult):
        raise ValueError(f"`result` has to be what `jn.fit` returned; got {told(result)}.")
    check_precision("result", result.model)
    counts = result.counts
    rows = np.nonzero(counts > 0)[0]
    if result.n_observations - 1 <= result.n_parameters:
        raise RuntimeError(
            f"leave-one-out needs {result.n_parameters + 2} observations for {result.n_parameters} parameters; "
            f"there are {result.n_observations}."
        )
    weights = np.repeat(counts[None], len(rows), axis=0)
    weights[np.arange(len(rows)), rows] -= 1.0
    refits = solve_weightings(
        result.problem,
        result.optimiser,
        jnp.asarray(weights),
        jnp.asarray(result.theta),
        ProgressLine("compare", "leave-one-out refits", len(rows), progress),
    )
    if not refits.succeeded.all():
        raise RuntimeError(f"{int(np.sum(~refits.succeeded))} leave-one-out refits did not converge.")
    terms = np.asarray(terms_of(result.problem, result.optimiser, jnp.asarray(refits.theta)), dtype=np.float64)
    own = terms[np.arange(len(rows)), rows]
    if result.problem.is_least_squares:
        variance = np.sum(weights * terms**2, axis=1) / np.sum(weights, axis=1)
        own = -0.5 * own**2 / variance - 0.5 * np.log(2.0 * np.pi * variance)
    return LeaveOneOut(np.repeat(own, np.round(counts[rows]).astype(int)))


def compare(results: Mapping[str, FitResult], *, refit: bool = True, progress: bool | None = None) -> Comparison:
    """Compares fits of different models to the same data by AICc and leave-one-out.

    **Arguments:** `results` by name; `refit`, whether each observation is left out in turn, as many fits as there are
    observations: without it there is AICc alone; `progress` shows a line on standard error (by default on a terminal).

    **Returns:** a `Comparison`, best AICc first.

    Raises `ValueError` where the fits use different losses or numbers of observations, whose likelihoods
    mean nothing beside each other.

    ```python
    >>> import numpy as np, jaxneuro as jn
    >>> k = np.geomspace(50.0, 1000.0, 12)
    >>> scatter = np.exp(0.1 * np.cos(7.0 * np.arange(12.0)))
    >>> data = jn.laws.PSPTable(k, 20.0 / np.sqrt(k) * scatter, np.arange(12) % 2 == 0)
    >>> fits = {law.__name__: jn.fit(law(), data) for law in (jn.laws.PowerLaw, jn.laws.CurrentScaling)}
    >>> jn.compare(fits).names[0]
    'CurrentScaling'

    ```

    Source: Burnham and Anderson (2002), doi:10.1007/b97636; Vehtari, Gelman and Gabry (2017),
    doi:10.1007/s11222-016-9696-4, for the standard error of the difference.
    """
    if not isinstance(results, Mapping) or not all(isinstance(r, FitResult) for r in results.values()):
        raise ValueError(f"`results` has to be a dict of {{name: FitResult}}; got {type(results).__name__}.")
    if not results:
        raise ValueError("`results` is empty: give at least one fit.")
    if refit:
        check_precision("results", [result.model for result in results.values()])
    kinds = {(type(r.loss).__name__, r.n_observations) for r in results.values()}
    if len(kinds) > 1:
        raise ValueError(f"`results` differ in their loss or number of observations ({sorted(kinds)}): refit alike.")
    names = sorted(results, key=lambda name: results[name].aicc)
    ordered = [results[name] for name in names]
    scores, notes = [], []
    for name, result in zip(names, ordered, strict=True):
        if not refit:
            scores.append(LeaveOneOut(np.full(result.n_observations, np.nan)))
            continue
        try:
            scores.append(leave_one_out(result, progress=progress))
        except RuntimeError as error:
            scores.append(LeaveOneOut(np.full(result.n_observations, np.nan)))
            notes.append(f"Note: no leave-one-out score of {name}: {error}")
    if not refit:
        notes.append("Note: no leave-one-out scores, for `refit` is False.")
    aicc = np.array([r.aicc for r in ordered])
    relative = np.exp(-0.5 * (aicc - aicc[0]))
    differences = [score.pointwise - scores[0].pointwise for score in scores]
    return Comparison(
        names=tuple(names),
        n_parameters=tuple(r.n_parameters for r in ordered),
        log_likelihood=np.array([r.log_likelihood for r in ordered]),
        aicc=aicc,
        delta_aicc=aicc - aicc[0],
        weight=relative / relative.sum(),
        loo=np.array([s.total for s in scores]),
        delta_loo=np.array([d.sum() for d in differences]),
        delta_loo_se=np.array([np.sqrt(len(d) * d.var(ddof=1)) for d in differences]),
        rms=np.array([r.rms for r in ordered]),
        notes=tuple(notes),
    )
