"""`jaxneuro theory brunel --g 5`: the mean field of a named network, without a run."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from ._networks import SOLVED, add_networks, given_numbers, network_function
from ._outputs import check_outputs, write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The networks as subcommands, and where to write."""
    for network in add_networks(parser, SOLVED):
        add = network.parser.add_argument
        add("--json", type=Path, metavar="FILE", help="write rates and CVs here; - for standard output")
        add("--quiet", action="store_true", help="print nothing")


def run(options: argparse.Namespace) -> int:
    """Solves the network, prints its mean field, writes what was asked for; 1 where there is no solution."""
    check_outputs(json=options.json, figure=None)
    from .. import theory
    from .._numerics import Result

    mf: Any = theory.mean_field(network_function(options.network)(**given_numbers(options)), throw=False)
    print(mf)
    if options.network == "binary":
        values = {name: {"activity": float(rate), "q": float(mf.q[name])} for name, rate in mf.rate.items()}
    else:
        values = {
            name: {"rate_hz": float(mf.rate[name]), "cv": float(mf.cv.get(name, math.nan)), "mu": float(mf.mu[name])}
            for name in mf.mu
        }
    plain = {name: {k: v if math.isfinite(v) else None for k, v in of.items()} for name, of in values.items()}
    write_json(options, json.dumps({"network": options.network, "populations": plain}, indent=1))
    return 0 if bool(mf.result == Result.successful) else 1
