"""The command `jaxneuro sweep`, as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.cli import build_parser, main

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["sweep", "brunel", "--n-e", "80", "--n-i", "20", "--c-e", "16", "--c-i", "4", "--j", "0.5"]
AXES = ["--over", "g=3:8:3", "--over", "nu-ext-over-nu-thr=0.5:3:2"]


@pytest.mark.usefixtures("as_users_run")
def test_prints_and_writes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = ["--store", "s.zarr", "--json", "s.json", "--figure", "s.png"]
    assert main([*SMALL, *AXES, "--duration", "200", "--seeds", "2", *files, "--progress"]) == 0
    captured = capsys.readouterr()
    assert "brunel: 3 g x 2 nu_ext_over_nu_thr x 2 seed, 200 ms each, one wiring" in captured.out
    assert "rate_E (Hz)" in captured.out
    assert "sweep: 12 of 12 runs" in captured.err
    with jn.open_sweep("s.zarr") as grid:
        assert grid["rate_E"].dims == ("g", "nu_ext_over_nu_thr", "seed")
        assert grid["rate_E"].attrs["units"] == "Hz"
        assert grid.attrs["network"] == "brunel"
        assert grid.attrs["c_e"] == 16
        np.testing.assert_array_equal(grid["g"], np.linspace(3, 8, 3, dtype=jnp.result_type(float)))
        # A drive below threshold is silent; stronger inhibition lowers the rate.
        assert float(grid["rate_E"].sel(nu_ext_over_nu_thr=0.5).max()) == 0.0
        rates = grid["rate_E"].sel(nu_ext_over_nu_thr=3.0).mean("seed")
        assert np.all(np.diff(rates) < 0)
        assert rates[-1] > 10.0
        written = json.loads(Path("s.json").read_text())
        assert written["dims"] == ["g", "nu_ext_over_nu_thr", "seed"]
        np.testing.assert_allclose(written["values"]["rate_E"], grid["rate_E"])
        assert written["values"]["cv_E"][0][0][0] is None
    assert Path("s.png").read_bytes()[:4] == b"\x89PNG"
    assert sorted(os.listdir()) == ["s.json", "s.png", "s.zarr"]


@pytest.mark.usefixtures("as_users_run")
def test_a_network_whose_sizes_follow_from_its_in_degrees(capsys):
    arguments = ["--k", "8", "--a", "0.05", "--nu-x", "400", "--over", "g=5:20:2", "--duration", "50"]
    assert main(["sweep", "conductance_based", *arguments]) == 0
    assert "rate_I (Hz)" in capsys.readouterr().out


BAD = {
    "no such parameter": (["--over", "h=1:2:3"], "brunel has no 'h'; it has g, "),
    "no range": (["--over", "g=1:2"], "it has to read NAME=LOW:HIGH:N"),
    "no name": (["--over", "1:2:3"], "brunel has no '1:2:3'"),
    "descending": (["--over", "g=2:1:3"], "LOW has to be below HIGH"),
    "nan": (["--over", "g=nan:1:3"], "LOW has to be below HIGH, both finite"),
    "one point": (["--over", "g=1:2:1"], "N at least 2"),
    "twice": (["--over", "g=1:2:3", "--over", "g=3:4:3"], "`--over` names g twice"),
    "fixed too": (["--over", "g=1:2:3", "--g", "5"], "g is also fixed by an option of its own"),
    "in-degree": (["--over", "c_i=4:8:2"], "c_i is also fixed"),
    "delay": (["--over", "delay=1:2:2"], "every point would need a wiring of its own"),
    "bad value": (["--over", "tau_m=-1:20:3"], "`tau_m` has to be positive"),
    "seeds": (["--over", "g=1:2:3", "--seeds", "0"], "`seeds` has to be a whole number"),
    "dt": (["--over", "g=1:2:3", "--dt", "nan"], "`--dt` has to be finite"),
    "duration": (["--over", "g=1:2:3", "--duration", "0.05"], "`--duration` has to be a multiple"),
    "no duration": (["--over", "g=1:2:3", "--duration", "inf"], "`--duration` has to be finite; got inf"),
    "seed": (["--over", "g=1:2:3", "--seed", str(2**70)], "`--seed` has to lie between 0 and 4,294,967,295"),
    "start": (["--over", "g=1:2:3", "--start", "2000"], "`start` has to lie before the end"),
    "store": (["--over", "g=1:2:3", "--store", "s.json"], "exists and is no zarr store"),
    "one name": (["--over", "g=1:2:3", "--store", "a.png", "--figure", "a.png"], "give two names"),
    "overwrite": (["--over", "g=1:2:3", "--overwrite"], "`--overwrite` is about a `--store`"),
    "figure": ([*AXES, "--over", "t_ref=1:2:2", "--figure", "a.png"], "draws one or two axes; there are 3"),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=list(BAD))
def test_bad_input_is_one_sentence(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("s.json").write_text("before")
    assert main([*SMALL, *arguments, "--json", "s.json"]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert captured.out == ""
    assert Path("s.json").read_text() == "before"
    assert os.listdir() == ["s.json"]


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("axis", ["n_e=80:100:2", "c_e=16:32:2", "n-i=20:25:2"])
def test_what_changes_the_wiring_is_refused(axis, capsys):
    fixed = {"n_e": "80", "n_i": "20", "c_e": "16", "c_i": "4"}
    del fixed[axis[:3].replace("-", "_")]
    arguments = [text for name, value in fixed.items() for text in (f"--{name.replace('_', '-')}", value)]
    assert main(["sweep", "brunel", *arguments, "--over", axis]) == 2
    assert "every point would need a wiring of its own" in capsys.readouterr().err


@pytest.mark.usefixtures("as_users_run")
def test_a_missing_library_is_one_sentence(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    assert main([*SMALL, *AXES]) == 2
    assert f"{ROOT}[sweep]'" in capsys.readouterr().err


def test_control_c_exits_130_and_keeps_what_is_stored(tmp_path):
    small = "from jaxneuro._sweep import _storing; _storing._SECONDS_A_CHUNK = 1e-9"  # one run a chunk
    code = f"import sys; from jaxneuro.cli import main; {small}; sys.exit(main())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    arguments = [*SMALL, "--over", "g=3:8:9999", "--store", "s.zarr", "--json", "s.json", "--progress"]
    # A shell that starts the tests in the background has them ignore the signal, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    try:
        seen = ""
        while " left" not in seen and process.poll() is None:
            seen += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, rest
    assert re.search(r"interrupted; \d+ of 9999 runs are stored in .*s.zarr, and `resume=True` goes on", rest)
    assert "Traceback" not in rest
    assert os.listdir(tmp_path) == ["s.zarr"]


def no_lines(make, over, progress):
    """What `phase_boundaries` returns of a network that is calm everywhere."""
    assert [(values[0], values[-1]) for values in over.values()] == [(3.75, 6.75), (0.5, 4.25)]
    assert all(len(values) == 3 for values in over.values())
    assert make(g=5.0, nu_ext_over_nu_thr=2.0).populations["E"].n == 400
    one = np.ones((3, 3, 1))
    return jn.theory.PhaseMap(
        over, {"E": one, "I": one}, {"E": one, "I": one}, -one, one, one > 0, one > 0, one[..., 0].astype(int), ()
    )


@pytest.mark.parametrize(
    "lines", [pytest.param(no_lines, marks=pytest.mark.slow), pytest.param(None, marks=pytest.mark.proof)]
)
def test_states_over_two_axes_are_drawn_with_the_lines_of_theory(lines, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("jaxneuro.cli._phase_diagram._FINEST", 3)
    if lines is not None:
        monkeypatch.setattr("jaxneuro.theory.phase_boundaries", lines)
    figure, table = tmp_path / "states.png", tmp_path / "states.json"
    arguments = ["--n-e", "400", "--n-i", "100", "--c-e", "40", "--c-i", "10", "--j", "0.5", "--duration", "500"]
    axes = ["--over", "g=4.5:6:2", "--over", "nu_ext_over_nu_thr=0.5:3:2"]
    files = ["--states", "--figure", str(figure), "--json", str(table)]
    assert main(["sweep", "brunel", *arguments, *axes, *files]) == 0
    assert "state_E" in capsys.readouterr().out
    values = json.loads(table.read_text())["values"]
    states, frequencies = np.asarray(values["state_E"]), np.asarray(values["frequency_E"], float)
    oscillating = np.isin(states, [jn.analysis.State.SR, jn.analysis.State.fast_SI, jn.analysis.State.slow_SI])
    np.testing.assert_array_equal(np.isfinite(frequencies), oscillating)
    assert (states[:, 0] == int(jn.analysis.State.quiescent)).all()
    assert (states[:, 1] != int(jn.analysis.State.quiescent)).all()
    assert figure.stat().st_size > 10_000


def test_a_small_network_keeps_its_input_and_says_so(capsys):
    from jaxneuro.cli._sweep import _keep_the_input

    def taken(*more, axes=("g",)):
        options = build_parser().parse_args(["sweep", "brunel", "--over", "g=3:8:2", *more])
        _keep_the_input(options, dict.fromkeys(axes))
        return getattr(options, "j", None), capsys.readouterr().out

    assert taken("--states", "--c-e", "80") == (
        1.25,
        "J = 1.25 mV keeps C_E J = 100 mV of the network of 1,000 inputs; or give --j\n",
    )
    assert taken("--states", "--c-e", "80", "--j", "0.5") == (0.5, "")
    assert taken("--states", "--c-e", "80", axes=("g", "j")) == (None, "")
    assert taken("--c-e", "80") == (None, "")
    assert taken("--states") == (None, "")
