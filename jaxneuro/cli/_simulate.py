"""`jaxneuro simulate brunel --g 5 --duration 1000`: a named network, run and solved."""

import argparse
import json
import sys
from pathlib import Path

from ._clock import check_clock, key_of
from ._networks import add_networks, given_numbers, network_function
from ._outputs import check_outputs, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The networks as subcommands, and what every run takes."""
    for network in add_networks(parser):
        add = network.parser.add_argument
        add("--duration", type=float, default=1_000.0, help="ms, default 1000")
        add("--dt", type=float, default=0.1, help="step in ms, default 0.1")
        add("--seed", type=int, default=0, help="default 0")
        add("--json", type=Path, metavar="FILE", help="write rates and CVs here; - for standard output")
        add("--figure", type=Path, metavar="FILE", help="draw run and mean field over each other")


def run(options: argparse.Namespace) -> int:
    """Runs the network, prints it beside its mean field, writes what was asked for."""
    check_clock(options)
    check_outputs(json=options.json, figure=options.figure)
    import jax

    from .. import plot, theory
    from .._numerics import replacing
    from .._simulate import record, simulate

    net = network_function(options.network)(**given_numbers(options))
    recorders = {
        "rate": record.Rate(),
        "cv": record.CV(),
        "spikes": record.Spikes(start=max(0.0, options.duration - 200.0)),
        "population_rate": record.PopulationRate(width=max(1.0, options.dt)),
    }
    mf = theory.mean_field(net, throw=False)
    key = key_of(options)
    sol = simulate(net, 0.0, options.duration, dt=options.dt, key=key, record=recorders, progress=sys.stderr.isatty())
    jax.effects_barrier()
    print(sol)
    print(mf)
    summary = {name: _summary(sol, mf, name) for name in mf.mu}
    write_json(options, json.dumps({"network": options.network, "populations": summary}, indent=1))
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
