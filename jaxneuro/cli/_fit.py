"""`jaxneuro fit`: amplitudes in, fitted scaling laws with errors out."""

import argparse
import contextlib
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._outputs import STANDARD_OUTPUT, check_outputs, write_json

if TYPE_CHECKING:
    from .._fit import FitResult
    from ..laws import AbstractLaw, PSPTable

LAWS = ("power", "current", "conductance")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("table", type=Path, help="CSV file with one potential a row")
    parser.add_argument("--law", choices=("all", *LAWS), default="all", help="which law to fit (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the fits here; - for standard output")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the data and the fitted laws here")
    parser.add_argument("--n-connections", default="n_connections", metavar="COLUMN", help="name of the column")
    parser.add_argument("--psp", default="psp_mv", metavar="COLUMN", help="name of the column, in mV")
    parser.add_argument("--synapse", default="synapse", metavar="COLUMN", help="name of the column, holding E or I")
    parser.add_argument("--bootstrap", type=int, default=0, metavar="N", help="also refit to N resampled tables")
    parser.add_argument("--quiet", action="store_true", help="print nothing, and show no progress")
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="show a progress line on standard error (default: on a terminal)",
    )


def run(options: argparse.Namespace) -> int:
    """Reads, fits, prints and writes."""
    check_outputs(json=options.json, figure=options.figure, table=options.table)
    options.progress = False if options.quiet else options.progress
    if options.bootstrap < 0 or options.bootstrap == 1:
        raise ValueError(f"`--bootstrap` is {options.bootstrap}; it has to be 0, or 2 and more.")
    if options.bootstrap == 0:  # then the time is compilation, which is shorter without LLVM's optimisation
        os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    import jax

    jax.config.update("jax_enable_x64", True)  # an application, not the library: fits deserve every digit
    from ..io import read_psp_csv

    data = read_psp_csv(options.table, n_connections=options.n_connections, psp=options.psp, synapse=options.synapse)
    names = LAWS if options.law == "all" else (options.law,)
    laws = {name: _start(name) for name in names}
    _check_rows(options.table, data, laws)
    results = _fit_all(options, data, laws)
    if not results:
        return 1
    print("\n\n".join(f"{name} law: {result!r}" for name, result in results.items()))
    if len(results) > 1:
        from .._fit import compare

        print(f"\n{compare(results, progress=options.progress)!r}")
    _print_predictions(results)
    _write(options, results)
    return 0


def _start(name: str) -> "AbstractLaw":
    from ..laws import ConductanceScaling, CurrentScaling, PowerLaw

    return {"power": PowerLaw, "current": CurrentScaling, "conductance": ConductanceScaling}[name]()


def _check_rows(table: Path, data: "PSPTable", laws: "dict[str, AbstractLaw]") -> None:
    for name, law in laws.items():
        needed = len(law.free_parameters()) + 1
        if len(data) < needed:
            raise ValueError(
                f"{table}, line {len(data) + 1}: the table ends after {len(data)} potentials, and the {name} law, "
                f"with {needed - 1} parameters and their errors, needs at least {needed}."
            )


def _fit_all(options: argparse.Namespace, data: "PSPTable", laws: "dict[str, AbstractLaw]") -> "dict[str, FitResult]":
    """Fits every law; one that fails is reported, and the others stay."""
    import numpy as np

    from .._fit import fit

    kinds = np.unique(np.asarray(data.inhibitory))
    if len(kinds) == 1:
        only = "inhibitory" if kinds[0] else "excitatory"
        print(f"All amplitudes are {only}: the data cannot tell `g`, which is held at its start.", file=sys.stderr)
    results = {}
    for name, law in laws.items():
        free = [p for p in law.free_parameters() if len(kinds) > 1 or p != "g"]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # the table of each result says the same
                results[name] = fit(law, data, free=free, bootstrap=options.bootstrap, progress=options.progress)
        except RuntimeError as error:
            print(f"jaxneuro: the {name} law was not fitted: {error}", file=sys.stderr)
    return results


def _print_predictions(results: "dict[str, FitResult]") -> None:
    print("\nPredicted amplitudes at K = 10,000 (mV, 95% band):")
    for name, result in results.items():
        kinds = "   ".join(f"{'EI'[row]} {result.predictions[row, -1]!r}" for row in result.kinds)
        print(f"  {name:12s} {kinds}")


def _write(options: argparse.Namespace, results: "dict[str, FitResult]") -> None:
    """Both files are complete before either takes its name."""
    from ..io import fits_as_json, replacing

    is_file = options.json and options.json != STANDARD_OUTPUT
    with contextlib.ExitStack() as stack:
        if is_file:
            temporary = stack.enter_context(replacing(options.json))
            temporary.write_text(fits_as_json(results), encoding="utf-8")
        if options.figure:
            _draw(stack.enter_context(replacing(options.figure)), results)
    if not is_file:
        write_json(options, fits_as_json(results).rstrip("\n"))
    for path in (options.json if is_file else None, options.figure):
        if path:
            print(f"wrote {path}")


def _draw(path: Path, results: "dict[str, FitResult]") -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from .._fit import plot_laws
    from ..plot import style

    own: Any = style()  # some versions of matplotlib list the names that there are
    with plt.rc_context(own):
        figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    plot_laws(results, axes)
    figure.legend(frameon=False, fontsize=8, loc="outside right upper")
    figure.savefig(path, dpi=200)
    plt.close(figure)
