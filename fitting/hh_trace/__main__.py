"""Runs this study alone; `--coverage N` measures instead how often its intervals hold, over N draws of the noise."""

import argparse
from pathlib import Path

import jax

from .._report import save_figure, save_fits
from . import coverage, coverage_report, draw, report, run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fitting.hh_trace", description=__doc__)
    parser.add_argument("--coverage", type=int, metavar="N", help="fit the trace under N draws of the noise")
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    if options.coverage is not None:
        if options.coverage < 2:
            parser.error("`--coverage` takes at least 2 draws.")
        print(coverage_report(coverage(options.coverage)))
        return
    study = run()
    print(report(study), end="\n\n")
    save_fits(study.fits, Path("fit.json"))
    save_figure(draw(study), Path("hh_trace.png"))


if __name__ == "__main__":
    main()
