"""Runs this study alone; `--full` with the network of the published size, 50,000 neurons, and longer runs."""

import argparse
import json

import jax

from jaxneuro.io import replacing

from .._report import add_folder, save_figure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fitting.heavy_tails", description=__doc__)
    parser.add_argument("--full", action="store_true", help="50,000 neurons; minutes for each of six exponents, 4 GB")
    parser.add_argument(
        "--pairs", action="store_true", help="the correlations of dense binary networks of 500 to 2,000 neurons alone"
    )
    add_folder(parser)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    from . import draw_inputs, draw_tails, pairs, report, report_pairs, run, to_json

    if options.pairs:
        print(report_pairs(pairs()))
        return
    study = run(options.full, print)
    print(report(study), end="\n\n")
    path = options.out / "heavy_tails.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(to_json(study), indent=1) + "\n")
    print(f"table:  {path.resolve()}")
    save_figure(draw_tails(study), options.out / "heavy_tails.png")
    save_figure(draw_inputs(study), options.out / "heavy_tails_inputs.png")


if __name__ == "__main__":
    main()
