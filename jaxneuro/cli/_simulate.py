"""`jaxneuro simulate brunel --g 5 --duration 1000`: a named network, run and solved."""

import argparse
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path

from ._outputs import check_outputs

# The numbers that each named network takes become options: g is --g, n_e is --n-e.
NETWORKS = ("brunel", "conductance_based")


def _numbers(function: Callable) -> dict[str, int | float]:
    """The parameters of a network function that are numbers, with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if isinstance(p.default, int | float)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The networks as subcommands, and what every run takes."""
    from .. import networks

    chosen = parser.add_subparsers(dest="network", required=True, metavar="network")
    for name in NETWORKS:
        function = getattr(networks, name)
        summary = (inspect.getdoc(function) or "").splitlines()[0]
        network = chosen.add_parser(name, help=summary, description=summary)
        for parameter, default in _numbers(function).items():
            network.add_argument(
                f"--{parameter.replace('_', '-')}", type=type(default), default=default, help=f"default {default}"
            )
        network.add_argument("--duration", type=float, default=1_000.0, help="ms, default 1000")
        network.add_argument("--dt", type=float, default=0.1, help="step in ms, default 0.1")
        network.add_argument("--seed", type=int, default=0, help="default 0")
        network.add_argument("--json", type=Path, metavar="FILE", help="write rates and CVs here")
        network.add_argument("--figure", type=Path, metavar="FILE", help="draw run and mean field over each other")


def run(options: argparse.Namespace) -> int:
    """Runs the network, prints it beside its mean field, writes what was asked for."""
    check_outputs(json=options.json, figure=options.figure)
    import jax

    from .. import networks, plot, theory
    from .._numerics import replacing, write_text
    from .._simulate import record, simulate

    function = getattr(networks, options.network)
    net = function(**{name: getattr(options, name) for name in _numbers(function)})
    recorders = {
        "rate": record.Rate(),
        "cv": record.CV(),
        "spikes": record.Spikes(start=max(0.0, options.duration - 200.0)),
        "population_rate": record.PopulationRate(width=max(1.0, options.dt)),
    }
    mf = theory.mean_field(net, throw=False)
    key = jax.random.key(options.seed)
    sol = simulate(net, 0.0, options.duration, dt=options.dt, key=key, record=recorders, progress=sys.stderr.isatty())
    jax.effects_barrier()
    print(sol)
    print(mf)
    if options.json is not None:
        summary = {name: _summary(sol, mf, name) for name in mf.mu}
        write_text(options.json, json.dumps({"network": options.network, "populations": summary}, indent=1) + "\n")
        print(f"written: {options.json}")
    if options.figure is not None:
        figure = plot.overlay(sol, mf)
        with replacing(options.figure) as temporary:
            figure.savefig(temporary, dpi=150)
        print(f"figure: {options.figure}")
    return 0


def _summary(sol, mf, name: str) -> dict[str, float | int | None]:
    """What was simulated and what theory says; JSON has no NaN, so that a missing value is null."""
    cv = sol.mean("cv")[name]
    values = {
        "rate_hz": sol.mean("rate")[name].value,
        "cv": cv.value,
        "cv_neurons": cv.n,
        "mean_field_rate_hz": float(mf.rate[name]),
        "mean_field_cv": float(mf.cv[name]),
    }
    return {key: value if value == value else None for key, value in values.items()}
