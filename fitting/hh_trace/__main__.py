"""Runs this study alone."""

from pathlib import Path

import jax

from .._report import save_figure, save_fits
from . import draw, report, run

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    study = run()
    print(report(study), end="\n\n")
    save_fits(study.fits, Path("fit.json"))
    save_figure(draw(study), Path("hh_trace.png"))
