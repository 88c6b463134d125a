"""Runs this study alone; `--coverage N` measures instead how often its intervals hold, over N draws of the noise."""

import argparse

import jax

from .._report import add_folder, save_figure, save_fits
from . import coverage, coverage_report, draw, report, run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fitting.hh_trace", description=__doc__)
    parser.add_argument("--coverage", type=int, metavar="N", help="fit the trace under N draws of the noise")
    add_folder(parser)
    options = parser.parse_args()
    folder = options.out
    jax.config.update("jax_enable_x64", True)
    if options.coverage is not None:
        if options.coverage < 2:
            parser.error("`--coverage` takes at least 2 draws.")
        print(coverage_report(coverage(options.coverage)))
        return
    study = run()
    print(report(study), end="\n\n")
    save_fits(study.fits, folder / "hh_trace.json")
    save_figure(draw(study), folder / "hh_trace.png")


if __name__ == "__main__":
    main()
