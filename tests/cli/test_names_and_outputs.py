"""What all commands share: names and their nearest, help out of docstrings, standard output alone, axes."""

import argparse
import json
from importlib import metadata

import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.cli import build_parser, main
from jaxneuro.cli._networks import about
from jaxneuro.cli._sweep import read_axis


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"jaxneuro {metadata.version('jaxneuro')}\n"


MISTYPED = {
    "command": (["simulat", "brunel"], "there is no 'simulat' here; did you mean simulate? There are fit, theory,"),
    "network": (["sweep", "brunnel"], "there is no 'brunnel' here; did you mean brunel? There are brunel, conductance"),
    "no such": (["simulate", "zzz"], "there is no 'zzz' here; There are brunel, conductance_based, microcircuit,"),
    "option": (["theory", "brunel", "--tau-n", "3"], "unrecognized arguments: --tau-n 3; did you mean --tau-m?"),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISTYPED.values(), ids=list(MISTYPED))
def test_a_mistyped_name_suggests_the_nearest(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_help_and_units_are_those_of_the_docstring(capsys):
    said = about(jn.networks.brunel)
    assert said["j"] == "J [mV]"
    assert said["t_ref"] == "of the neurons [ms]"
    assert said["v_th"] == "of the neurons [mV, from rest]"
    assert said["n_i"] == "sizes"
    with pytest.raises(SystemExit):
        build_parser().parse_args(["theory", "brunel", "--help"])
    assert "relative strength of inhibition (default 5.0)" in " ".join(capsys.readouterr().out.split())


def test_json_on_standard_output_stands_there_alone(capsys):
    assert main(["theory", "conductance_neuron", "--json", "-"]) == 0
    captured = capsys.readouterr()
    values = json.loads(captured.out)
    assert values["network"] == "conductance_neuron"
    assert "Mean field" in captured.err
    rate = jn.theory.mean_field(jn.networks.conductance_neuron()).rate
    assert {name: of["rate_hz"] for name, of in values["populations"].items()} == {n: float(r) for n, r in rate.items()}


def test_axes_are_ranges_logarithms_and_lists():
    np.testing.assert_allclose(read_axis("g=3:8:6", "3:8:6"), [3, 4, 5, 6, 7, 8])
    np.testing.assert_allclose(read_axis("g=1:100:3:log", "1:100:3:log"), [1, 10, 100], rtol=1e-14)
    np.testing.assert_allclose(read_axis("g=3,5,4", "3,5,4"), [3, 5, 4])
    for values, sentence in (
        ("0:1:3:log", "with :log both ends have to be positive"),
        ("1:2:3:lin", "after N there may stand :log and nothing else"),
        ("3,x", "it has to read NAME=LOW:HIGH:N, such as g=3:8:51, or a list"),
    ):
        with pytest.raises(ValueError, match=sentence):
            read_axis(f"g={values}", values)


def test_every_command_says_what_its_options_are():
    for parser in every_parser(build_parser()):
        for action in parser._actions:
            assert action.help or isinstance(action.choices, dict), (parser.prog, action.option_strings or action.dest)


def every_parser(parser: argparse.ArgumentParser):
    yield parser
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for inner in action.choices.values():
                yield from every_parser(inner)
