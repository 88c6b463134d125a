"""Reading a table: every fault is one sentence with its line; writing is whole or not at all."""

import json
import os

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.io import read_psp_csv, replacing, write_text

HEAD = "n_connections,psp_mv,synapse\n"
GOOD = HEAD + "50,2.5,E\n100,2.0,I\n400,1.1,E\n"


def write(tmp_path, text):
    path = tmp_path / "psp.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace(",", "\t"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", " , ") + "\n\n",
        GOOD.replace(",E", ",excitatory").replace(",I", ",i"),
    ],
    ids=["plain", "bom", "semicolon", "tab", "crlf", "blanks", "labels"],
)
def test_tables_that_are_good(tmp_path, text):
    data = read_psp_csv(write(tmp_path, text))
    np.testing.assert_array_equal(data.n_connections, [50.0, 100.0, 400.0])
    np.testing.assert_array_equal(data.psp, np.asarray([2.5, 2.0, 1.1], dtype=data.psp.dtype))
    np.testing.assert_array_equal(data.inhibitory, [False, True, False])


def test_column_names_can_be_given(tmp_path):
    path = write(tmp_path, "who,k,amplitude,kind\na,50,2.5,E\nb,60,2.0,I\n")
    assert len(read_psp_csv(path, n_connections="k", psp="amplitude", synapse="kind")) == 2


FAULTS = [
    (
        "missing column",
        "n_connections,synapse\n50,E\n",
        r"line 1: there is no column `psp_mv`; the columns are: n_conn",
    ),
    ("double column", "n_connections,psp_mv,psp_mv,synapse\n1,1,1,E\n", "line 1: there is more than one column"),
    ("unknown label", GOOD + "60,1.0,X\n", "line 5: `synapse` is 'X'; it has to be E or I"),
    ("empty label", GOOD + "60,1.0,\n", "line 5: `synapse` is empty"),
    ("K zero", HEAD + "0,1.0,E\n60,1.0,E\n", "line 2: `n_connections` is 0; it has to be finite and above 0"),
    ("K negative", HEAD + "-5,1.0,E\n", "line 2: `n_connections` is -5"),
    ("negative", GOOD + "\n60,-1.0,E\n", "line 6: `psp_mv` is -1.0"),
    ("zero", GOOD + "60,0.0,E\n", "line 5: `psp_mv` is 0.0"),
    ("empty", GOOD + "60,,E\n", "line 5: `psp_mv` is empty"),
    ("nan", GOOD + "60,nan,E\n", "line 5: `psp_mv` is nan; it has to be finite"),
    ("inf", GOOD + "inf,1.0,E\n", "line 5: `n_connections` is inf"),
    ("no number", GOOD + "60,many,E\n", "line 5: `psp_mv` is 'many', which is no number"),
    ("narrow row", GOOD + "60,1.0\n", "line 5: 2 fields where line 1 names 3"),
    ("all K equal", HEAD + "50,1.0,E\n50,2.0,I\n", "lines 2 to 3: every `n_connections` is 50"),
    ("empty file", "", "line 1: the file is empty"),
    ("only a head", HEAD, "line 1: the table has column names and no rows"),
    ("binary", b"\x89PNG\r\n\x1a\n\x00\xff\xfe", "line 1: this is no text"),
    ("zeros", b"n_connections\n\x00\x00", "line 2: a binary file is no CSV file"),
    ("prose", "It was a dark night.\n", "line 1: there is no column `n_connections`"),
    ("open quote", GOOD + '60,"1.0,E\n', "line 5: this is no CSV"),
]


@pytest.mark.parametrize(("text", "match"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_faults_are_one_sentence_with_the_line(tmp_path, text, match):
    with pytest.raises(ValueError, match=match) as caught:
        read_psp_csv(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "psp.csv" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_psp_csv(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_psp_csv(tmp_path)


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "fit.json"
    write_text(path, "old")

    def interrupted():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["fit.json"]


def test_fits_are_written_one_object_a_law(tmp_path):
    loss = jn.loss.LeastSquares(lambda model, data: data - model["a"])
    fit = jn.fit({"a": jnp.asarray(0.0)}, jnp.asarray([1.0, 2.0, 6.0]), loss=loss)
    jn.io.write_fits(tmp_path / "fit.json", {"one": fit, "other": fit})
    written = json.loads((tmp_path / "fit.json").read_text())
    assert set(written) == {"one", "other"}
    assert written["one"]["params"] == {"a": pytest.approx(3.0)}
