"""`jaxneuro explain brunel --n-e 1000`: what a run of a named network would be, without running it."""

import argparse
import json
from pathlib import Path
from typing import Any

from ._networks import RUN, add_networks, given_numbers, network_function
from ._outputs import check_outputs, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The networks as subcommands, and what decides a run."""
    for network in add_networks(parser, RUN):
        add = network.parser.add_argument
        add("--duration", type=float, default=1_000.0, help="ms, default 1000")
        add("--dt", type=float, default=0.1, help="step in ms, default 0.1")
        add("--batch", type=int, default=1, metavar="N", help="how many runs go at once, default 1")
        add("--measure", action="store_true", help="also compile and run briefly: what takes how long")
        add("--json", type=Path, metavar="FILE", help="write the tables here; - for standard output")
        add("--quiet", action="store_true", help="print nothing")


def run(options: argparse.Namespace) -> int:
    """Prints the tables, writes what was asked for."""
    check_outputs(json=options.json, figure=None)
    from .._simulate import explain

    net = network_function(options.network)(**given_numbers(options))
    about = explain(net, t1=options.duration, dt=options.dt, batch=options.batch, measure=options.measure)
    print(about)
    write_json(options, json.dumps({"network": options.network, **_plain(vars(about))}, indent=1))
    return 0


def _plain(value: Any) -> Any:
    """Named tuples as dicts of their fields."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple) and type(value) is not tuple:
        return {name: _plain(inner) for name, inner in zip(type(value)._fields, value, strict=True)}  # type: ignore[attr-defined]
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value
