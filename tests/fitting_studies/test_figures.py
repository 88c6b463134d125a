"""The figures of the conductance paper: what each asserts at small sizes, and what the command refuses."""

import dataclasses
import runpy
import signal

import numpy as np
import pytest

import jaxneuro as jn
from fitting import figures
from fitting.figures import NAMES, Cost, Findings, NotShown, _command, load

# Figures at the smallest size that shows what they claim; runs of networks are a proof.
TINY = {"fig2": 50, "fig3": 13, "fig7": 501, "fig8": 12, "fig9": 121, "fig10": 40, "fig11": 12, "fig12": 8}
TINY["predictions"] = 48
PROOF = ("fig1", "fig4", "fig6", "fig13", "fig14", "fig15", "table1")
EXAMPLE = ("fig8", "fig10", "fig11", "fig12")  # the dearest of theory
SIZES = [
    *(pytest.param(name, size, marks=pytest.mark.example if name in EXAMPLE else []) for name, size in TINY.items()),
    *(pytest.param(name, load(name).small, marks=pytest.mark.proof) for name in PROOF),
]


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_figure_shows_what_it_claims(name, size):
    figure = load(name)
    data = figure.compute(size)
    found = figure.check(data)
    assert any(line.startswith("holds") for line in found.lines)
    from fitting.figures._style import style

    with style():
        drawn = figure.draw(data)
    labelled = [axes for axes in drawn.axes if axes.get_xlabel() or axes.get_ylabel()]
    assert labelled
    for axes in labelled:
        assert all(not text or "(" in text for text in (axes.get_xlabel(), axes.get_ylabel()))  # a unit
    import matplotlib.pyplot as plt

    plt.close(drawn)


def test_rates_over_inputs_are_those_of_the_mean_field():
    from fitting.figures._curves import network_cv, network_rates

    inputs, network = np.array([10.0, 20.0, 30.0]), dict(a=0.0016, k=1_000.0, g=20.0)
    rates = network_rates(inputs, **network)
    mf = jn.theory.mean_field(jn.networks.conductance_based(nu_x=20.0, **network))
    assert rates[1] == pytest.approx(float(mf.rate["E"]), rel=1e-6)
    assert network_cv(inputs, rates, **network)[1] == pytest.approx(float(mf.cv["E"]), rel=1e-6)
    assert rates[0] == 0.0
    assert network_rates(inputs, a=0.01, k=1e10, g=30.0)[2] == pytest.approx(500.0, rel=1e-4)


def test_few_points_find_the_root_and_parts_are_the_whole():
    from fitting.figures import _curves as curves

    inputs = np.array([1e-3, 1.0, 90.0])
    # nu (1 + nu/50) = nu_X is a quadratic equation.
    roots = 25.0 * (np.sqrt(1.0 + inputs / 12.5) - 1.0)
    found = curves.self_consistent(inputs, lambda x, nu: x / (1.0 + nu / 50.0), (16, 8, 8))
    np.testing.assert_allclose(found, roots, rtol=1e-4)
    nu, network = np.geomspace(1.0, 80.0, 51).reshape(3, 17), dict(a=np.full((3, 1), 0.0016), k=1e3, g=20.0)
    noise = jn.theory.EffectiveNoise()
    whole = jn.theory.conductance_rate(**curves.seen_by(inputs[:, None], nu), **network, gamma=0.25, noise=noise)
    parts = curves.in_parts(network, 0.25, noise, inputs[:, None], nu)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


@pytest.mark.proof
def test_rates_by_spikes_are_those_of_the_mean_field():
    from fitting.figures._curves import network_rates

    network, noise = dict(a=0.0016, k=1_000.0, g=20.0), jn.theory.ShotNoise()
    mf = jn.theory.mean_field(jn.networks.conductance_based(nu_x=20.0, **network), noise=noise)
    assert network_rates([20.0], noise=noise, **network)[0] == pytest.approx(float(mf.rate["E"]), rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_papers_size_takes_is_known_before(name):
    figure = load(name)
    small, paper = figure.cost(figure.small), figure.cost(figure.paper)
    assert 0.0 < small.seconds <= 180.0
    assert small.gigabytes <= 2.0
    assert paper.seconds >= small.seconds
    assert (figure.small == figure.paper) or figure.not_run


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


def test_asked_to_end_the_command_is_interrupted(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setattr(_command, "main", lambda: signal.raise_signal(signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt):
            runpy.run_module("fitting.figures", run_name="__main__")
    finally:
        signal.signal(signal.SIGTERM, before)


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
    assert "there is no figure 'FIG7'; did you mean fig7?" in says("FIG7")

    def full(dir):
        raise OSError("No space left on device")

    monkeypatch.setattr(_command.tempfile, "TemporaryFile", full)
    assert "is not writable: give another file with `--figure`" in says("fig7")


def test_too_little_memory_is_said_before_it_starts(tmp_path, monkeypatch, capsys):
    fake(monkeypatch, compute=interrupt, small=1, paper=2, cost=lambda size: Cost(60.0, 5e6 * size))
    assert run(tmp_path, "fig7", "--paper") == 2
    printed = capsys.readouterr().err
    assert "fig7 needs about 10000000.0 GB of memory and" in printed
    assert "leave `--paper` out, or run it where there is more" in printed
    assert run(tmp_path, "fig7") == 2
    assert "--paper" not in capsys.readouterr().err


def test_all_says_what_it_takes_and_goes_on_after_a_claim_that_does_not_hold(tmp_path, monkeypatch, capsys):
    checked = []

    def fails_once(data):
        checked.append(data)
        return Findings() if len(checked) > 1 else Findings().claim(False, "the first is shown")

    fake(monkeypatch, draw=empty, check=fails_once, small=1, cost=lambda size: Cost(60.0, 0.1))
    monkeypatch.setattr(_command, "NAMES", ("fig1", "fig2"))
    assert _command.main(["all", "--figure", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("2 figures take about 2 min on two idle cores and 0.1 GB at most.")
    assert "fig1 does not show what it claims" in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["fig2.png"]


def test_all_is_refused_before_the_first_where_memory_does_not_hold_one(tmp_path, monkeypatch, capsys):
    costs = iter([Cost(60.0, 0.1), Cost(60.0, 5e6)])
    fake(monkeypatch, compute=interrupt, small=1, paper=2, cost=lambda size: next(costs))
    monkeypatch.setattr(_command, "NAMES", ("fig1", "fig2"))
    assert _command.main(["all", "--figure", str(tmp_path)]) == 2
    assert "fig2 needs about 5000000.0 GB of memory" in capsys.readouterr().err


def test_an_accelerator_is_named(tmp_path, monkeypatch, capsys):
    import jax

    fake(monkeypatch, draw=empty, small=1)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert run(tmp_path, "fig7") == 0
    assert f"It runs on {jax.devices()[0].device_kind}, which was not measured." in capsys.readouterr().out


def test_long_times_are_said_in_hours():
    assert str(Cost(7200.0 * 4.0, 1.0)) == "about 8 h on two idle cores and 1.0 GB"


def test_without_a_name_figures_are_listed(capsys):
    assert _command.main([]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(NAMES)
    assert figures.__doc__
