"""Runs this study alone."""

import argparse

import jax

from .._report import read_folder, save_figure, save_fits
from . import draw, report, run

if __name__ == "__main__":
    folder = read_folder(argparse.ArgumentParser(prog="python -m fitting.quantal_release", description=__doc__))
    jax.config.update("jax_enable_x64", True)
    study = run()
    print(report(study), end="\n\n")
    save_fits(study.fits, folder / "quantal_release.json")
    save_figure(draw(study), folder / "quantal_release.png")
