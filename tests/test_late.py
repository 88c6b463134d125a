"""Names that come when they are first asked for: all of them come, and a session loads no more than it uses."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"jaxneuro": "jaxneuro/__init__.py", "jaxneuro.theory": "jaxneuro/theory/__init__.py"}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_comes_is_what_the_type_checker_sees(package):
    module = import_module(package)
    tree = ast.parse((ROOT / PACKAGES[package]).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    lines = [line for line in block.body if isinstance(line, ast.ImportFrom)]
    seen = [(line, alias) for line in lines for alias in line.names]
    assert len(seen) > 60
    for line, alias in seen:
        home = import_module("." * line.level + (line.module or alias.name), package)
        assert getattr(module, str(alias.asname)) is (getattr(home, alias.name) if line.module else home), alias.asname
        assert alias.asname in dir(module)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import jaxneuro, jaxneuro.theory", "jaxneuro._numerics"),
        ("from jaxneuro.theory import lif_rate", "scipy jaxneuro.models jaxneuro._network jaxneuro._simulate"),
        ("import jaxneuro as jn; jn.networks.brunel, jn.simulate, jn.record.Rate", "optax optimistix scipy xarray"),
        ("import jaxneuro as jn; jn.fit, jn.laws.PowerLaw", "jaxneuro.models jaxneuro.theory jaxneuro._simulate"),
    ],
)
def test_a_session_loads_what_it_uses(code, absent):
    check = f"{code}; import sys; assert not (found := {set(absent.split())} & set(sys.modules)), found"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=ROOT)


def test_what_comes_inside_jit_holds_nothing_traced():
    code = """
import sys, jax
from jaxneuro._late import load_all

def late(x):
    load_all("jaxneuro")
    return x

jax.jit(late)(1.0)
loaded = {name: module for name, module in sys.modules.items() if name.startswith("jaxneuro.")}
assert "jaxneuro.theory._shot_noise" in loaded and len(loaded) > 300
for name, module in loaded.items():
    held = [leaf for thing in vars(module).values() if not callable(thing) for leaf in jax.tree.leaves(thing)]
    assert not any(isinstance(leaf, jax.Array) for leaf in held), name
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_names_come_in_several_threads_at_once():
    code = """
import threading
import jaxneuro as jn

names = [name for name in dir(jn) if not name.startswith("_")]
came = [[] for _ in range(6)]

def ask(k):
    for name in names[k::2] + names:
        came[k].append(getattr(jn, name))

threads = [threading.Thread(target=ask, args=(k,)) for k in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert all(len(found) == len(names[k::2]) + len(names) for k, found in enumerate(came))
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
