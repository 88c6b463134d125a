"""The command `jaxneuro`. Each subcommand is a module of this package with two functions:
`add_arguments(parser)` and `run(options) -> exit code`. The latter imports what it needs when it runs.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

# name: (module, one line of help). A new subcommand is a line here and a module.
COMMANDS = {
    "fit": ("._fit", "fit scaling laws to a table of postsynaptic potentials"),
    "simulate": ("._simulate", "run a named network beside its mean field"),
    "sweep": ("._sweep", "run a named network over a grid of its parameters"),
}


def build_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands."""
    parser = argparse.ArgumentParser(prog="jaxneuro", description="Simulation, theory and fitting of neural circuits.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (module, line) in COMMANDS.items():
        command = importlib.import_module(module, __name__)
        subparser = subparsers.add_parser(name, help=line, description=f"{line[0].upper()}{line[1:]}.")
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, 1 where a computation failed, 2 for bad input, 130 when interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("\njaxneuro: interrupted; nothing was written.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `jaxneuro fit t.csv | head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (for the interpreter's own last flush)
        return 1
    except (ValueError, OSError) as error:
        print(f"jaxneuro: {_sentence(error)}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"jaxneuro: {_sentence(error)}", file=sys.stderr)
        return 1


def _sentence(error: Exception) -> str:
    """The message on one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return " ".join(str(error).split())
