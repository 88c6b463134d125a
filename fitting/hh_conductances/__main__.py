"""Runs this study alone, on points that the package makes or on digitised ones in a folder."""

import argparse
from pathlib import Path

import jax

from .._report import add_folder, save_figure, save_fits
from . import draw, read, report, run

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    parser = argparse.ArgumentParser(prog="python -m fitting.hh_conductances", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="with the digitised points of 1952")
    add_folder(parser)
    options = parser.parse_args()
    data, folder = options.data, options.out
    study = run(None if data is None else read(data))
    print(report(study), end="\n\n")
    save_fits(study.fits, folder / "hh_conductances.json")
    save_figure(draw(study), folder / "hh_conductances.png")
