"""Runs this study alone; `--full` with the network of the published size, 50,000 neurons, and longer runs."""

import argparse

import jax

from .._report import add_folder, save_figure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fitting.heavy_tails", description=__doc__)
    parser.add_argument("--full", action="store_true", help="50,000 neurons; minutes for each of six exponents, 4 GB")
    add_folder(parser)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    from . import draw_inputs, draw_tails, report, run

    study = run(options.full, print)
    print(report(study), end="\n\n")
    save_figure(draw_tails(study), options.out / "heavy_tails.png")
    save_figure(draw_inputs(study), options.out / "heavy_tails_inputs.png")


if __name__ == "__main__":
    main()
