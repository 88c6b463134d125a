"""The command `jaxneuro`. Each subcommand is a module of this package with two functions:
`add_arguments(parser)` and `run(options) -> exit code`. The latter imports what it needs when it runs.
"""

import argparse
import contextlib
import difflib
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata

from ._networks import LEFT_OUT
from ._outputs import STANDARD_OUTPUT

# name: (module, one line of help). A new subcommand is a line here and a module.
COMMANDS = {
    "fit": ("._fit", "fit scaling laws to a table of postsynaptic potentials"),
    "theory": ("._theory", "solve the mean field of a named network"),
    "simulate": ("._simulate", "run a named network beside its mean field"),
    "sweep": ("._sweep", "run a named network over a grid of its parameters"),
    "explain": ("._explain", "say what a run of a named network would be, without running it"),
    "completion": ("._completion", "print what a shell needs to complete commands and options"),
}


def build_parser(named: Iterable[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """The parser of all subcommands, of which the `named` have their arguments: these take time to find."""
    parser = argparse.ArgumentParser(prog="jaxneuro", description="Simulation, theory and fitting of neural circuits.")
    parser.add_argument("--version", action="version", version=f"jaxneuro {metadata.version('jaxneuro')}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (module, line) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=line, description=f"{line[0].upper()}{line[1:]}.")
        if name in named:
            command = importlib.import_module(module, __name__)
            command.add_arguments(subparser)
            subparser.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, 1 where a computation failed, 2 for bad input, 130 when interrupted.

    ```python
    >>> import jaxneuro.cli
    >>> jaxneuro.cli.main(["theory", "brunel", "--g", "5", "--quiet"])
    0

    ```
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = build_parser(given[:1])
    _check_names(parser, given)
    options, left = parser.parse_known_args(given)
    if left:
        parser.error(_unknown(left, given))
    options.stdout = sys.stdout
    try:
        # What is asked for on standard output stands there alone, the rest where errors go.
        alone, quiet = vars(options).get("json") == STANDARD_OUTPUT, vars(options).get("quiet", False)
        with contextlib.ExitStack() as stack:
            if quiet:
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
            elif alone:
                stack.enter_context(contextlib.redirect_stdout(sys.stderr))
            return options.run(options)
    except KeyboardInterrupt as error:  # a sweep says what is stored
        print(f"\njaxneuro: {str(error) or 'interrupted; nothing was written.'}", file=sys.stderr)
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


def _check_names(parser: argparse.ArgumentParser, given: list[str]) -> None:
    """Ends where a command or a network is none, with the nearest that there is."""
    for word in given:
        choices = _choices(parser)
        if not choices or word.startswith("-"):
            return
        if word not in choices:
            if word in LEFT_OUT:
                parser.error(f"this is not for {word!r}: {LEFT_OUT[word]}. There are {', '.join(choices)}.")
            near = difflib.get_close_matches(word, choices, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            parser.error(f"there is no {word!r} here; {hint}There are {', '.join(choices)}.")
        parser = choices[word]


def _choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """What may follow a command."""
    for action in parser._actions:
        if isinstance(action.choices, dict):
            return action.choices
    return {}


def _unknown(left: list[str], given: list[str]) -> str:
    """What is said of arguments that are none: the nearest that there is."""
    flags = [text for text in left if text.startswith("-")]
    known = _flags(given)
    near = difflib.get_close_matches(flags[0].partition("=")[0], known, 1) if flags else []
    return f"unrecognized arguments: {' '.join(left)}" + (f"; did you mean {near[0]}?" if near else "")


def _flags(given: list[str]) -> list[str]:
    """The options of the command that was given."""
    parser = build_parser()
    for word in given:
        parser = _choices(parser).get(word, parser)
    return [flag for action in parser._actions for flag in action.option_strings]


def _sentence(error: Exception) -> str:
    """The message on one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return " ".join(str(error).split())
