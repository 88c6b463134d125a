"""The figures of the conductance paper: what each asserts at small sizes, and what the command refuses."""

import dataclasses

import pytest

from fitting import figures
from fitting.figures import NAMES, Cost, Findings, NotShown, _command, load

# Each figure at a size that takes seconds.
TINY = {"fig7": 501}


@pytest.mark.parametrize("name", TINY)
def test_a_figure_shows_what_it_claims(name):
    figure = load(name)
    data = figure.compute(TINY[name])
    found = figure.check(data)
    assert any(line.startswith("holds") for line in found.lines)
    from fitting.figures._style import style

    with style():
        drawn = figure.draw(data)
    labelled = [axes for axes in drawn.axes if axes.get_xlabel() or axes.get_ylabel()]
    assert labelled
    import matplotlib.pyplot as plt

    plt.close(drawn)


def fake(monkeypatch, **changes):
    """Stands in for fig7: nothing is computed, and what is drawn is empty."""
    figure = load("fig7")
    parts = dict(compute=lambda size: size, check=lambda data: Findings(["holds  it"]), float64=True)
    made = dataclasses.replace(figure, **parts | changes)
    monkeypatch.setattr(_command, "load", lambda name: made)


def empty(data):
    from fitting.figures._style import panels

    return panels(1, 1)[0]


def run(tmp_path, *arguments, name="f.png"):
    return _command.main([*arguments, "--figure", str(tmp_path / name)])


def test_a_figure_is_written_and_says_what_it_takes(tmp_path, monkeypatch, capsys):
    fake(monkeypatch, draw=empty, small=1, paper=2, cost=lambda size: Cost(600.0 * size, 0.1 * size), not_run="all.")
    assert run(tmp_path, "fig7", "--paper") == 0
    assert (tmp_path / "f.png").stat().st_size > 0
    printed = capsys.readouterr().out
    assert "about 20 min on two idle cores and 0.2 GB" in printed
    assert "Not run at the paper's size so far: all." in printed
    assert "holds  it" in printed


def interrupt(data):
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["compute", "draw"])
def test_an_interrupted_command_leaves_the_old_file(tmp_path, monkeypatch, capsys, where):
    (tmp_path / "f.png").write_text("old")
    fake(monkeypatch, **{"draw": empty} | {where: interrupt})
    assert run(tmp_path, "fig7") == 130
    assert (tmp_path / "f.png").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["f.png"]
    assert "interrupted" in capsys.readouterr().err


def test_a_claim_that_does_not_hold_leaves_the_old_file(tmp_path, monkeypatch, capsys):
    def wrong(data):
        Findings().claim(1 > 2, "one is more than two")

    (tmp_path / "f.png").write_text("old")
    fake(monkeypatch, check=wrong, draw=empty)
    assert run(tmp_path, "fig7") == 1
    assert (tmp_path / "f.png").read_text() == "old"
    assert "fig7 does not show what it claims: it is not so that one is more than two" in capsys.readouterr().err
    with pytest.raises(NotShown):
        wrong(None)


def test_refusals(tmp_path, monkeypatch, capsys):
    def says(*arguments, name="f.png"):
        assert run(tmp_path, *arguments, name=name) == 2
        printed = capsys.readouterr().err
        assert len(printed.splitlines()) == 1
        return printed

    assert "there is no figure 'fig77'; did you mean fig7?" in says("fig77")
    assert "there is no figure 'x'; without a name" in says("x")
    assert "does not exist; make it first" in says("fig7", name="nowhere/f.png")
    assert "has to end in .png, .pdf or .svg; got" in says("fig7", name="f.txt")
    assert "`--figure` of `all` has to be a folder" in says("all")
    monkeypatch.setattr(_command.os, "access", lambda folder, how: False)
    assert "is not writable: give another file with `--figure`" in says("fig7")


def test_too_little_memory_is_said_before_it_starts(tmp_path, monkeypatch, capsys):
    fake(monkeypatch, compute=interrupt, small=1, paper=2, cost=lambda size: Cost(60.0, 5e6 * size))
    assert run(tmp_path, "fig7", "--paper") == 2
    printed = capsys.readouterr().err
    assert "fig7 needs about 10000000.0 GB of memory and" in printed
    assert "leave `--paper` out, or run it where there is more" in printed
    assert run(tmp_path, "fig7") == 2
    assert "--paper" not in capsys.readouterr().err


def test_without_a_name_figures_are_listed(capsys):
    assert _command.main([]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(NAMES)
    assert figures.__doc__
