"""The named networks, and their numbers as options of a command: g is --g, n_e is --n-e."""

import argparse
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._network import Network

# Networks of spiking neurons whose numbers are options; a run of the first two stands beside its mean field.
BESIDE = ("brunel", "conductance_based")
SPIKING = (*BESIDE, "microcircuit", "wardak_gong", "keane_gong", "spatial_balanced")
# What can be run, what has a mean field, and what one wiring serves at every point of a sweep.
RUN = (*SPIKING, "binary", "ei_rate", "ring", "supralinear")
SOLVED = (*BESIDE, "conductance_neuron", "microcircuit", "wardak_gong", "binary")
SWEPT = ("brunel", "conductance_based", "wardak_gong", "keane_gong")
# Why a network of `jn.networks` is left out of a command.
LEFT_OUT = {
    "hopfield": "it is made of patterns, which are no options",
    "memory": "it is made of a decoder, which is no option",
    "conductance_neuron": "it is a neuron without a network, which theory alone is asked of",
    "microcircuit": "its numbers choose its wiring",
    "spatial_balanced": "its numbers choose its wiring",
    "keane_gong": "its theory is that of its space, `jn.theory.field_instability`",
    "binary": "it has no spikes",
    "ei_rate": "it has no spikes",
    "ring": "it has no spikes",
    "supralinear": "it has no spikes",
}
# An option of the command, and of networks whose delays are whole steps.
_OF_THE_RUN = ("dt",)
_NAMES = re.compile(r"((?:`\w+`(?:, | and )?)+)\s*(\[[^\]]*\])?,?\s*")


@dataclass(frozen=True)
class NetworkParser:
    """The parser of one network, to which a command adds what is its own."""

    name: str
    parser: argparse.ArgumentParser


def network_function(name: str) -> Callable:
    """The function of `jn.networks` that makes the network of that name."""
    from .. import networks

    return getattr(networks, name)


def numbers(function: Callable) -> dict[str, int | float]:
    """The parameters of a network function that are numbers, with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if isinstance(p.default, int | float)}


def about(function: Callable) -> dict[str, str]:
    """What the docstring of a function says of each of its arguments, with the unit."""
    section = (inspect.getdoc(function) or "").partition("**Arguments:**")[2].partition("**Returns:**")[0]
    said: dict[str, str] = {}
    for item in re.split(r"^- ", section, flags=re.MULTILINE)[1:]:
        for part in " ".join(item.split()).split("; "):
            units, at = {}, 0
            while (found := _NAMES.match(part, at)) is not None:
                units |= dict.fromkeys(re.findall(r"\w+", found[1]), found[2])
                at = found.end()
            text = part[at:].removeprefix(":").strip().rstrip(".")
            said |= {name: f"{text} {unit or ''}".strip() for name, unit in units.items()}
    return said


def add_networks(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> Iterator[NetworkParser]:
    """Adds each network as a subcommand with its numbers as options, and yields its parser."""
    chosen = parser.add_subparsers(dest="network", required=True, metavar="network")
    for name in names:
        function = network_function(name)
        summary = (inspect.getdoc(function) or "").splitlines()[0]
        network = chosen.add_parser(name, help=summary, description=summary)
        said = about(function)
        for parameter, default in numbers(function).items():
            if parameter in _OF_THE_RUN:
                continue
            flag = f"--{parameter.replace('_', '-')}"
            line = f"{said.get(parameter, '')} (default {default})".strip().replace("%", "%%")
            network.add_argument(flag, type=type(default), default=argparse.SUPPRESS, help=line)
        yield NetworkParser(name, network)


def given_numbers(options: argparse.Namespace) -> dict[str, int | float]:
    """The numbers that were given; the network has defaults for the others."""
    return {name: vars(options)[name] for name in numbers(network_function(options.network)) if name in vars(options)}


def sizes(function: Callable, net: "Network") -> dict[str, int]:
    """The sizes of a network as arguments of its function (n_e is that of E), which a traced in-degree leaves open."""
    named = {f"n_{name.lower()}": population.n for name, population in net.populations.items()}
    return {name: n for name, n in named.items() if n is not None and name in inspect.signature(function).parameters}
