"""`jaxneuro simulate brunel --g 5 --duration 1000`: a named network, run and solved."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._clock import check_clock, key_of
from ._networks import BESIDE, RUN, SPIKING, add_networks, given_numbers, network_function
from ._outputs import check_outputs, write_json

if TYPE_CHECKING:
    from .._simulate import Solution


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The networks as subcommands, and what every run takes."""
    for network in add_networks(parser, RUN):
        add = network.parser.add_argument
        add("--duration", type=float, default=1_000.0, help="ms, default 1000")
        add("--dt", type=float, default=0.1, help="step in ms, default 0.1")
        add("--seed", type=int, default=0, help="default 0")
        add("--json", type=Path, metavar="FILE", help="write rates and CVs here; - for standard output")
        if network.name in BESIDE:
            add("--figure", type=Path, metavar="FILE", help="draw run and mean field over each other")
        elif network.name in SPIKING:
            add("--figure", type=Path, metavar="FILE", help="draw the spikes of the last 200 ms")
        add("--quiet", action="store_true", help="print nothing")


def run(options: argparse.Namespace) -> int:
    """Runs the network, prints it beside its mean field, writes what was asked for."""
    check_clock(options)
    figure = getattr(options, "figure", None)
    check_outputs(json=options.json, figure=figure)
    import jax

    from .. import theory
    from .._simulate import simulate

    net = network_function(options.network)(**given_numbers(options))
    mf = theory.mean_field(net, throw=False) if options.network in BESIDE else None
    progress = sys.stderr.isatty() and not options.quiet
    sol = simulate(
        net, 0.0, options.duration, dt=options.dt, key=key_of(options), record=_recorders(options), progress=progress
    )
    jax.effects_barrier()
    print(sol)
    if mf is not None:
        print(mf)
    write_json(options, json.dumps({"network": options.network, **_summary(sol, mf)}, indent=1))
    if figure is not None:
        _draw(figure, sol, mf)
        print(f"figure: {figure}")
    return 0


def _recorders(options: argparse.Namespace) -> dict[str, Any] | None:
    """What is recorded of spikes; of other networks what they record by themselves."""
    from .._simulate import record

    if options.network not in SPIKING:
        return None
    return {
        "rate": record.Rate(),
        "cv": record.CV(),
        "spikes": record.Spikes(start=max(0.0, options.duration - 200.0)),
        "population_rate": record.PopulationRate(width=max(1.0, options.dt)),
    }


def _draw(path: Path, sol: "Solution", mf: Any) -> None:
    from .. import plot
    from .._numerics import replacing

    figure: Any = plot.raster(sol["spikes"]).figure if mf is None else plot.overlay(sol, mf)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _summary(sol: "Solution", mf: Any) -> dict[str, Any]:
    """What was simulated and what theory says; JSON has no NaN, so that a missing value is null."""
    if "cv" in sol.records:
        return {"populations": {name: _spiking(sol, mf, name) for name in sol["rate"]}}
    if "activity" in sol.records:
        return {"populations": {name: {"activity": value.value} for name, value in sol.mean("activity").items()}}
    return {"at_the_end": {name: values[-1].tolist() for name, values in sol.records.items()}}


def _spiking(sol: "Solution", mf: Any, name: str) -> dict[str, float | int | None]:
    cv = sol.mean("cv")[name]
    values = {"rate_hz": sol.mean("rate")[name].value, "cv": cv.value, "cv_neurons": cv.n}
    if mf is not None:
        values |= {"mean_field_rate_hz": float(mf.rate[name]), "mean_field_cv": float(mf.cv[name])}
    return {key: value if value == value else None for key, value in values.items()}
