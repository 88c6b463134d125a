"""Recovery on data of theory, then on data of runs."""

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxneuro._fit import text_table

from ._laws import NU_X, A, G
from ._recover import ERROR, IN_DEGREES, TRUE, Recovered, recover
from ._simulated import DT, Refitted, refit

# Of 250 excitatory synapses and a quarter as many inhibitory ones no network can be drawn.
SMALL: dict[str, Any] = dict(sets=10, in_degrees=(252.0, 500.0), seeds=6, duration=400.0)
FULL: dict[str, Any] = dict(sets=100, in_degrees=(252.0, 500.0, 1_000.0, 2_000.0), seeds=3, duration=300.0)


@dataclass(frozen=True)
class Study:
    """Data sets of each law with the fits of both, and, where there are any, fits of runs."""

    recovered: dict[str, Recovered]
    refitted: Refitted | None
    seconds: float


def run(
    *,
    sets: int = SMALL["sets"],
    in_degrees: tuple[float, ...] = SMALL["in_degrees"],
    seeds: int = SMALL["seeds"],
    duration: float = SMALL["duration"],
    seed: int = 0,
) -> Study:
    """`sets` data sets of each law; runs of `duration` [ms] at `in_degrees`, none where `seeds` is 0."""
    if sets < 1 or seeds == 1 or seeds < 0:
        raise ValueError(
            f"`sets` has to be at least 1, and `seeds` 0 or at least 2, whose scatter gives the error; "
            f"got {sets}, {seeds}."
        )
    begin = time.perf_counter()
    recovered = {name: recover(name, sets, seed) for name in TRUE}
    seconds = time.perf_counter() - begin
    return Study(recovered, refit(in_degrees, seeds, duration, seed) if seeds else None, seconds)


def report(study: Study) -> str:
    """Everything as text."""
    rows = []
    for name, found in study.recovered.items():
        n = len(found.fits)
        fitted = [fits[name].params[found.parameter] for fits in found.fits]
        rows.append(
            [
                name, f"{found.parameter} = {found.true:g}", f"{np.mean(fitted):.5g} +- {np.std(fitted):.2g}",
                f"{found.held} of {n}", f"{np.std(found.errors):.2f}", f"{found.named} of {n}",
                f"{found.least_margin:.0f}",
            ]
        )  # fmt: skip
    heads = ["made by", "truth", "fitted (SD)", "95% interval holds it", "SD of error, SE", "AICc names it", "least by"]
    k = ", ".join(f"{x:g}" for x in IN_DEGREES)
    parts = [
        f"A NETWORK AT SEVERAL IN-DEGREES: which law do its efficacies follow from a = {A:g} at K = 1000 (g = {G:g})?",
        f"Data of the mean field with ItoNoise: rates and CVs of E and I at K = {k} and nu_X = "
        f"{' and '.join(f'{x:g}' for x in NU_X)} Hz, each with\n{100 * ERROR:g}% of error; fitted by the gradient "
        f"through the mean field, a at K = 1000 and, in the power law, alpha:",
        text_table(heads, rows),
        f"Both laws on all data sets: {study.seconds:.0f} s, compilation included.",
    ]
    return "\n\n".join(parts + ([] if study.refitted is None else [_of_runs(study.refitted)]))


def _of_runs(found: Refitted) -> str:
    theory, runs = found.by_theory, found.by_runs
    expected = np.asarray(found.true.solve(found.data.k, found.data.nu_x)[0])
    networks = zip(*(np.asarray(x) for x in (found.data.k, found.data.nu_x, found.data.rate)), expected, strict=True)
    rows = [
        [
            f"K = {k:g}, nu_X = {nu:g} Hz", *(f"{x:.2f}" for x in (*seen, said[0])),
            f"{100 * (said[0] / seen[0] - 1):+.1f}%",
        ]
        for k, nu, seen, said in networks
    ]  # fmt: skip
    true = float(found.true.alpha)
    fits = [
        ["theory", f"{theory.params['a']:.6f}", f"{theory.params['alpha']:.4f}", f"{theory.stderr['alpha']:.4f}",
         f"{found.bias:+.4f}", ""],
        ["other runs", f"{found.a:.6f}", f"{found.alpha:.4f}", f"{found.error:.4f}",
         f"{found.alpha - true:+.4f}", f"{found.z:+.2f}"],
    ]  # fmt: skip
    return "\n\n".join(
        [
            f"Data of runs with a ~ K^-{true:g}: {found.seeds} wirings of {found.duration:g} ms in steps of {DT:g} ms, "
            "10 K + 2.5 K neurons",
            text_table(["network", "E, Hz", "I, Hz", "theory, Hz", "theory is off by"], rows),
            "Alpha by theory, which is biased; then by Gauss-Newton with rates of other wirings and noise, the same at "
            "every step,\nand differences of them for derivatives. Its error is from the scatter of wirings:",
            text_table(["fitted with", "a at K = 1000", "alpha", "error", "off by", "z"], fits),
            f"{found.seconds:.0f} s." + ("" if runs.converged else " The fit with other runs did not converge."),
        ]
    )


def to_json(study: Study) -> dict[str, Any]:
    """Everything that the report says, as numbers."""
    out: dict[str, Any] = {"theory": {}, "seconds": study.seconds}
    for name, found in study.recovered.items():
        out["theory"][name] = {
            "sets": len(found.fits), "parameter": found.parameter, "true": found.true, "held": found.held,
            "named": found.named, "least_margin": found.least_margin, "errors": found.errors.tolist(),
            "fits": [{law: fit.params | {"aicc": fit.aicc} for law, fit in fits.items()} for fits in found.fits],
        }  # fmt: skip
    if study.refitted is not None:
        found = study.refitted
        out["runs"] = {
            "k": np.asarray(found.data.k).tolist(), "nu_x": np.asarray(found.data.nu_x).tolist(),
            "rate": np.asarray(found.data.rate).tolist(), "true": float(found.true.alpha),
            "by_theory": found.by_theory.params, "by_runs": {"a": found.a, "alpha": found.alpha}, "bias": found.bias,
            "error": found.error, "z": found.z, "seeds": found.seeds, "duration": found.duration,
            "seconds": found.seconds,
        }  # fmt: skip
    return json.loads(json.dumps(out, default=float))
