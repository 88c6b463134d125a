"""The command `jaxneuro fit`: exit codes, sentences, files whole or untouched."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxneuro.cli import main

ROOT = Path(__file__).resolve().parents[2]
HEAD = "n_connections,psp_mv,synapse\n"
GOOD = HEAD + "".join(
    f"{k},{20 / k**0.5 * (1 + 0.2 * (-1) ** (k // 30)):.4f},{'EI'[k % 2]}\n" for k in range(50, 900, 35)
)


def command(*arguments, **keywords):
    code = "import sys; from jaxneuro.cli import main; sys.exit(main())"
    # Warnings of Python itself would be words a user cannot read.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "JAX_PLATFORMS": "cpu"}
    return [sys.executable, "-c", code, *map(str, arguments)], {"env": environment, "text": True, **keywords}


def run(*arguments, cwd):
    line, keywords = command(*arguments, cwd=cwd)
    return subprocess.run(line, capture_output=True, check=False, **keywords)


def test_a_good_table_is_fitted(tmp_path):
    (tmp_path / "psp.csv").write_text(GOOD)
    done = run("fit", "psp.csv", "--json", "fit.json", "--figure", "fit.png", "--progress", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "fit.json").read_text())
    assert list(written) == ["power", "current", "conductance"]
    for law in written.values():
        assert set(law) >= {"params", "stderr", "ci95", "rms", "aicc", "predictions"}
        assert set(law["params"]) == set(law["stderr"]) == set(law["ci95"])
    assert (tmp_path / "fit.png").read_bytes()[:4] == b"\x89PNG"
    assert "fit PowerLaw" in done.stderr
    assert "dAICc" in done.stdout
    assert sorted(os.listdir(tmp_path)) == ["fit.json", "fit.png", "psp.csv"]


BAD_TABLES = {
    "missing column": ("n_connections,synapse\n50,E\n", "line 1: there is no column `psp_mv`"),
    "unknown label": (GOOD + "60,1.0,X\n", "`synapse` is 'X'"),
    "K zero": (HEAD + "0,1.0,E\n", "line 2: `n_connections` is 0"),
    "negative amplitude": (HEAD + "50,-1.0,E\n", "line 2: `psp_mv` is -1.0"),
    "empty amplitude": (HEAD + "50,,E\n", "line 2: `psp_mv` is empty"),
    "nan": (HEAD + "50,nan,E\n", "line 2: `psp_mv` is nan"),
    "no CSV": (b"\x89PNG\x00\xff", "line 1: this is no text"),
    "few points": (HEAD + "50,1.0,E\n60,2.0,I\n", "line 3: the table ends after 2 potentials, and the power law"),
    "all K equal": (HEAD + "50,1.0,E\n50,2.0,I\n", "lines 2 to 3: every `n_connections` is 50"),
    "empty file": ("", "line 1: the file is empty"),
}


@pytest.mark.parametrize(("text", "sentence"), BAD_TABLES.values(), ids=list(BAD_TABLES))
def test_a_bad_table_is_refused_and_nothing_is_touched(tmp_path, text, sentence, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("psp.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    Path("fit.json").write_text("old")
    assert main(["fit", "psp.csv", "--json", "fit.json", "--figure", "fit.png"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.startswith("jaxneuro: ")
    assert error.count("\n") == 1
    assert Path("fit.json").read_text() == "old"
    assert sorted(os.listdir()) == ["fit.json", "psp.csv"]


BAD_CALLS = {
    "missing table": (["none.csv"], "none.csv does not exist"),
    "folder": (["."], "is a folder"),
    "figure format": (["psp.csv", "--figure", "fit.xyz"], "the name has to end in one of .png"),
    "no such folder": (["psp.csv", "--json", "nowhere/fit.json"], "the folder nowhere does not exist"),
    "overwrites table": (["psp.csv", "--json", "psp.csv"], "would overwrite the table"),
    "one name for two": (["psp.csv", "--json", "a.png", "--figure", "a.png"], "give two names"),
    "bootstrap": (["psp.csv", "--bootstrap", "1"], "`--bootstrap` is 1"),
    "column name": (["psp.csv", "--psp", "amplitude"], "no column `amplitude`; the columns are: n_connections"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD_CALLS.values(), ids=list(BAD_CALLS))
def test_a_bad_call_is_refused(tmp_path, arguments, sentence, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("psp.csv").write_text(GOOD)
    assert main(["fit", *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert Path("psp.csv").read_text() == GOOD
    assert os.listdir() == ["psp.csv"]


def test_a_bad_table_by_the_real_command(tmp_path):
    (tmp_path / "psp.csv").write_text(HEAD + "50,nan,E\n")
    done = run("fit", "psp.csv", "--json", "fit.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "jaxneuro: psp.csv, line 2: `psp_mv` is nan; it has to be finite and above 0.\n"
    assert done.stdout == ""


def test_an_unknown_law_is_refused_by_the_parser(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["fit", "psp.csv", "--law", "cubic"])
    assert caught.value.code == 2
    assert "invalid choice: 'cubic'" in capsys.readouterr().err


def test_control_c_exits_130_and_writes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{k:.0f},{rng.lognormal():.3f},{'EI'[i % 2]}\n" for i, k in enumerate(rng.uniform(50, 900, 300))]
    (tmp_path / "psp.csv").write_text(HEAD + "".join(rows))
    (tmp_path / "fit.json").write_text("old")
    line, keywords = command(
        "fit", "psp.csv", "--law", "current", "--json", "fit.json", "--bootstrap", "400000", "--progress", cwd=tmp_path
    )
    # A shell that starts the tests in the background has them ignore the signal, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords)
    signal.signal(signal.SIGINT, before)
    try:
        seen = ""
        deadline = time.monotonic() + 120.0
        while " 0 of" not in seen and time.monotonic() < deadline:
            seen += process.stderr.read(1)
        assert " 0 of" in seen, seen
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, rest
    assert "interrupted; nothing was written" in rest
    assert (tmp_path / "fit.json").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["fit.json", "psp.csv"]


@pytest.mark.usefixtures("as_users_run")
def test_one_kind_of_synapse_holds_g(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.csv").write_text(GOOD.replace(",I\n", ",E\n"))
    assert main(["fit", "e.csv", "--law", "all", "--json", "e.json"]) == 0
    written = json.loads((tmp_path / "e.json").read_text())
    assert list(written) == ["power", "current", "conductance"]
    assert all("g" not in law["params"] for law in written.values())
    assert all("inhibitory_mv" not in law["predictions"] for law in written.values())
    assert "All amplitudes are excitatory: the data cannot tell `g`" in capsys.readouterr().err


@pytest.mark.usefixtures("as_users_run")
def test_few_rows_have_no_leave_one_out(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "five.csv").write_text("".join(GOOD.splitlines(keepends=True)[:6]))
    assert main(["fit", "five.csv", "--law", "all"]) == 0
    shown = capsys.readouterr().out
    assert "no leave-one-out score of power: leave-one-out needs 6 observations for 4 parameters; there are 5" in shown


@pytest.mark.usefixtures("as_users_run")
def test_outputs_that_cannot_be_written_are_found_first(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "psp.csv").write_text(GOOD)
    os.mkfifo(tmp_path / "pipe.json")
    assert main(["fit", "psp.csv", "--json", "pipe.json"]) == 2
    assert "is a device or a pipe" in capsys.readouterr().err
    (tmp_path / "target.json").write_text("before")
    (tmp_path / "link.json").symlink_to("target.json")
    assert main(["fit", "psp.csv", "--law", "power", "--json", "link.json"]) == 0
    assert (tmp_path / "link.json").is_symlink()
    assert "params" in (tmp_path / "target.json").read_text()
