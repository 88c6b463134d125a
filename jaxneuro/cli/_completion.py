"""`jaxneuro completion bash`: what a shell completes, made of the parsers themselves."""

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh", "fish")
_BASH = """\
_jaxneuro() {{
    local words
    case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _jaxneuro jaxneuro
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The name of a shell."""
    parser.add_argument("shell", choices=SHELLS, help="put its output where the shell reads completions")


def run(options: argparse.Namespace) -> int:
    """Prints the script of the shell."""
    from . import build_parser

    words = dict(_words(build_parser(), ()))
    print(_fish(words) if options.shell == "fish" else _bash(words, zsh=options.shell == "zsh"), end="")
    return 0


def _words(parser: argparse.ArgumentParser, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """What may follow each command, and each network of a command."""
    found = []
    for action in parser._actions:
        found += action.option_strings
        if isinstance(action.choices, dict):
            found += list(action.choices)
            for name, inner in action.choices.items():
                yield from _words(inner, (*above, name))
        elif not action.option_strings and action.choices:
            found += list(action.choices)
    yield above, found


def _bash(words: dict[tuple[str, ...], list[str]], *, zsh: bool) -> str:
    lines = []
    for above in sorted(words, key=len, reverse=True):  # the most particular first
        pattern = '"' + " ".join(above) + '"' + ("*" if len(above) < 2 else "")
        lines.append(f'        {pattern}) words="{" ".join(words[above])}" ;;')
    start = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" if zsh else ""
    return start + _BASH.format(cases="\n".join(lines))


def _fish(words: dict[tuple[str, ...], list[str]]) -> str:
    lines = ["complete -c jaxneuro -f"]
    for above, own in words.items():
        seen = [f"__fish_seen_subcommand_from {name}" for name in above]
        if len(above) < 2:  # what may come next has not come yet
            following = [path[-1] for path in words if path and path[:-1] == above]
            seen += [f"not __fish_seen_subcommand_from {' '.join(following)}"] if following else []
        condition = f" -n '{'; and '.join(seen)}'" if seen else ""
        flags = " ".join(f"-l {word[2:]}" for word in own if word.startswith("--"))
        names = " ".join(word for word in own if not word.startswith("-"))
        lines += [f"complete -c jaxneuro{condition} {flags}"] if flags else []
        lines += [f"complete -c jaxneuro{condition} -a '{names}'"] if names else []
    return "\n".join(lines) + "\n"
