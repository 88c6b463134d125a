"""The figures of Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, each from computation.

`python -m fitting.figures fig7` makes one: it computes, asserts what the figure claims where that is true, prints how
far off it is where it is not, and draws. A module a figure; each ends with its `FIGURE`.
"""

import importlib

from ._figure import Cost as Cost, Figure as Figure, Findings as Findings, NotShown as NotShown

# What can be asked for, in the order of `all`.
NAMES = (*(f"fig{i}" for i in range(1, 16)), "table1", "predictions")


def load(name: str) -> Figure:
    """The figure of that name."""
    return importlib.import_module(f"._{name}", __name__).FIGURE
