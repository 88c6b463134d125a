"""Runs this study alone, on points that the package makes or on digitised ones in a folder."""

import argparse
from pathlib import Path

import jax

from .._report import save_figure, save_fits
from . import draw, read, report, run

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    parser = argparse.ArgumentParser(prog="python -m fitting.hh_conductances", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="with the digitised points of 1952")
    folder = parser.parse_args().data
    study = run(None if folder is None else read(folder))
    print(report(study), end="\n\n")
    save_fits(study.fits, Path("fit.json"))
    save_figure(draw(study), Path("hh_conductances.png"))
