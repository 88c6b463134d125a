"""How much of the package is entered while `simulate` of Brunel's network is traced.

A run is traced once before it is compiled. `sys.setprofile` counts how often a function of the package is entered
meanwhile, and how many functions these are: what a reader has to follow, and what a first run waits for.
"""

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import equinox as eqx
import jax

import jaxneuro as jn

from ._report import Row, compared

PACKAGE = str(Path(jn.__file__).parent)


def entered() -> Counter[str]:
    """{function: times entered} while a run of Brunel's network with the default recorder is traced."""
    net = jn.networks.brunel(n_e=400, n_i=100, c_e=40, c_i=10)
    key = jax.random.key(0)
    wiring = jn.wire(net, key=key)
    counts: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            counts[f"{frame.f_code.co_filename[len(PACKAGE) + 1 :]}:{frame.f_code.co_qualname}"] += 1

    def run() -> jn.Solution:
        return jn.simulate(net, 0.0, 100.0, dt=0.1, key=key, wiring=wiring, throw=False)

    sys.setprofile(count)
    try:
        eqx.filter_eval_shape(run)
    finally:
        sys.setprofile(None)
    return counts


def run() -> list[Row]:
    counts = entered()
    return [
        compared("functions of the package entered, each time counted", "1", [float(counts.total())], None),
        compared("functions of the package entered, each counted once", "1", [float(len(counts))], None),
    ]
