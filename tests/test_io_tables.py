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


AS_WRITTEN = {
    "decimal comma": ("n_connections;psp_mv;synapse\n50;2,5;E\n400;1,25;I\n", {}),
    "tabs and a comma": ("n_connections\tpsp_mv\tsynapse\n50\t2,5\tE\n400\t1,25\tI\n", {}),
    "capitals": ("N_Connections,PSP_mV,Synapse\n50,2.5,E\n400,1.25,I\n", {}),
    "exc and inh": ("n_connections,psp_mv,synapse\n50,2.5,exc\n400,1.25,Inh\n", {}),
    "EPSP and IPSP": ("n_connections,psp_mv,synapse\n50,2.5,EPSP\n400,-1.25,IPSP\n", {}),
    "microvolts": ("n_connections,psp_mv,synapse\n50,2500,E\n400,1250,I\n", {"unit": "uV"}),
    "a row of units": ("n_connections,psp_mv,synapse\n,[uV],\n50,2500,E\n400,1250,I\n", {}),
    "carriage returns": ("n_connections,psp_mv,synapse\r\n50,2.5,E\r\n400,1.25,I\r\n", {}),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize("case", AS_WRITTEN)
def test_tables_are_read_as_programs_write_them(case, encoding, tmp_path):
    text, more = AS_WRITTEN[case]
    head, _, rows = text.partition("\n")
    separator = next(mark for mark in ";\t," if mark in head)
    path = tmp_path / "psp.csv"
    lines = [line + separator + "Zürich" if line.strip() else line for line in [head.rstrip("\r"), *rows.splitlines()]]
    path.write_bytes("\n".join(lines).encode(encoding))
    data = jn.io.read_psp_csv(path, **more)
    np.testing.assert_allclose(data.n_connections, [50, 400])
    np.testing.assert_allclose(data.psp, [2.5, 1.25], rtol=1e-6)
    assert data.inhibitory.tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        ("n_connections;psp_mv;synapse\n1,000;2,5;E\n", {}, "which may be 1 or 1000: write it without a comma"),
        (GOOD, {"unit": "Hz"}, "`unit` has to be one of a potential, such as 'mV' or 'uV'; got 'Hz'"),
        ("n_connections,psp_mv,synapse\n,uV,\n50,2500,E\n", {"unit": "mV"}, "the row of units says uV"),
        ("n_connections,psp_mv,synapse\n50,-2.5,E\n", {}, "`psp_mv` is -2.5; it has to be finite and above 0"),
        ("n_connections,psp_mv,PSP_MV,synapse\n50,2.5,1,E\n400,1,2,E\n", {"psp": "Psp_mv"}, "more than one column"),
    ],
)
def test_what_could_be_meant_otherwise_is_refused(text, more, sentence, tmp_path):
    path = tmp_path / "psp.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        jn.io.read_psp_csv(path, **more)


def test_amplitudes_that_are_too_large_are_warned_of(tmp_path):
    path = tmp_path / "psp.csv"
    path.write_text("n_connections,psp_mv,synapse\n50,2500,E\n400,1250,I\n")
    with pytest.warns(UserWarning, match=r"the median of `psp_mv` is 1875 mV; if it is in another unit, give it"):
        jn.io.read_psp_csv(path)
