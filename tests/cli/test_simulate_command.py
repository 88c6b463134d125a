"""The command `jaxneuro simulate`, as a user runs it."""

import json

import pytest

from jaxneuro.cli import main

SMALL = ["simulate", "brunel", "--n-e", "80", "--n-i", "20", "--c-e", "16", "--c-i", "4", "--j", "0.5"]


@pytest.mark.usefixtures("as_users_run")
def test_prints_and_writes(tmp_path, capsys):
    table, figure = tmp_path / "s.json", tmp_path / "s.png"
    assert main([*SMALL, "--duration", "300", "--json", str(table), "--figure", str(figure)]) == 0
    shown = capsys.readouterr().out
    assert "Mean field: Successful. Stable." in shown
    assert "rate E:" in shown
    values = json.loads(table.read_text())["populations"]["E"]
    assert 0.5 < values["rate_hz"] / values["mean_field_rate_hz"] < 2
    assert figure.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--c-e", "100"], "in-degree of 100 exceeds"),
        (["--duration", "0.05"], "`--duration` has to be a multiple"),
        (["--duration", "inf"], "`--duration` has to be finite; got inf"),
        (["--duration", "nan"], "`--duration` has to be finite; got nan"),
        (["--duration", "0"], "`--duration` has to be a positive number of ms; got 0."),
        (["--duration", "-1"], "`--duration` has to be a positive number of ms; got -1."),
        (["--seed", str(2**70)], "`--seed` has to lie between 0 and 4,294,967,295"),
        (["--seed", "-1"], "`--seed` has to lie between 0 and 4,294,967,295; got -1"),
        (["--dt", "2"], "has to be at least dt"),
        (["--dt", "nan"], "`--dt` has to be finite"),
    ],
    ids=lambda given: "".join(given) if isinstance(given, list) else "",
)
def test_bad_input_is_one_sentence(arguments, message, tmp_path, capsys):
    table = tmp_path / "s.json"
    table.write_text("before")
    assert main([*SMALL, *arguments, "--json", str(table)]) == 2
    captured = capsys.readouterr().err.strip()
    assert message in captured
    assert len(captured.splitlines()) == 1
    assert table.read_text() == "before"
