"""Files that are replaced keep who may read them; what is read-only stays; killed runs leave nothing for ever."""

import os
import signal
import stat
import subprocess
import sys

import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._numerics import replacing, write_text

KILLED = """
import os, signal, sys
from jaxneuro._numerics import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_keeps_its_mode_and_a_new_one_has_that_of_the_umask(tmp_path):
    path = tmp_path / "out.json"
    old = os.umask(0o027)
    try:
        write_text(path, "a")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o600)
    write_text(path, "b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="is read-only and is not replaced"):
        write_text(path, "c")
    assert path.read_text() == "b"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*no does not exist; make it first"):
        write_text(tmp_path / "no" / "out.json", "a")


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    path = tmp_path / "out.json"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    with replacing(path) as mine:  # one that is being written is left alone
        mine.write_text("whole")
        with replacing(path) as other:
            other.write_text("other")
        assert mine.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]
    assert path.read_text() == "whole"


def table(path, *rows, header="n_connections;psp_mv;synapse"):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_thousands_are_not_ones(tmp_path):
    path = tmp_path / "psp.csv"
    for degree in ("1.000", "12.500", "1.000.000"):
        with pytest.raises(ValueError, match=f"`n_connections` is {degree}, which may be"):
            jn.io.read_psp_csv(table(path, f"{degree};2.0;E", "50;1.0;I"))
    read = jn.io.read_psp_csv(table(path, "1000;2.000;E", "50.5;1.250;I"))  # amplitudes are read as they stand
    assert read.n_connections.tolist() == [1000.0, 50.5]
    assert read.psp.tolist() == [2.0, 1.25]
    comma = table(path, "1.000,2.0,E", "50,1.0,I", header="n_connections,psp_mv,synapse")
    assert jn.io.read_psp_csv(comma).n_connections.tolist() == [1.0, 50.0]


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85"])
def test_only_line_ends_end_lines(tmp_path, mark):
    rows = [f"100;2.0;E;a{mark}b", "400;1.0;I;c"]
    read = jn.io.read_psp_csv(table(tmp_path / "psp.csv", *rows, header=f"n_connections;psp_mv;synapse;no{mark}te"))
    assert np.asarray(read.inhibitory).tolist() == [False, True]
    with pytest.raises(ValueError, match="line 3: `psp_mv`"):
        jn.io.read_psp_csv(
            table(tmp_path / "psp.csv", rows[0], "400;0;I;c", header="n_connections;psp_mv;synapse;note")
        )
