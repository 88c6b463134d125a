"""What an installation holds, and what it says of that which it does not."""

import argparse
import ast
import tomllib
from pathlib import Path

import pytest

import jaxneuro
from fitting._report import read_folder
from jaxneuro._numerics import install

ROOT = Path(jaxneuro.__file__).parents[1]
STUDIES = sorted(path for path in (ROOT / "fitting").glob("*/__main__.py") if path.parent.name != "figures")


def test_the_wheel_holds_the_package_alone_and_its_types():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["jaxneuro"]
    assert (ROOT / "jaxneuro" / "py.typed").read_bytes() == b""


def test_every_extra_that_an_error_names_exists():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set()
    for path in (ROOT / "jaxneuro").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "install":
                named.add(ast.literal_eval(node.args[0]))
    assert {"native", "plot", "sweep"} <= named <= set(extras)
    assert install("sweep") == f"pip install -e '{ROOT}[sweep]'"


@pytest.mark.parametrize("path", STUDIES, ids=[path.parent.name for path in STUDIES])
def test_a_study_writes_files_of_its_own_name_into_a_folder_that_is_told(path):
    tree = ast.parse(path.read_text())
    folders = ("folder", "options.out")
    written = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and ast.unparse(node.left) in folders]
    own, names = path.parent.name, {ast.literal_eval(node.right) for node in written}
    assert f"{own}.png" in names
    assert all(name.startswith((f"{own}.", f"{own}_")) for name in names), names
    assert "Path(" not in path.read_text()


def test_a_folder_that_is_missing_is_named(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["study", "--out", str(tmp_path)])
    assert read_folder(argparse.ArgumentParser()) == tmp_path
    monkeypatch.setattr("sys.argv", ["study", "--out", "nowhere"])
    with pytest.raises(SystemExit):
        read_folder(argparse.ArgumentParser())
    assert "the folder nowhere does not exist; make it first." in capsys.readouterr().err
