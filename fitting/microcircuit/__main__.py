"""Runs this study alone."""

import argparse
import json

import jax

from jaxneuro.io import replacing

from .._report import add_folder, save_figure
from . import draw, report, run, to_json

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m fitting.microcircuit", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=0.1, help="size of the network that is run (default: %(default)s)"
    )
    parser.add_argument(
        "--duration", type=float, default=1_500.0, help="of the run, ms; 0 for none (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the run (default: %(default)s)")
    parser.add_argument("--published", action="store_true", help="8 Hz for all external rates, and no fit")
    add_folder(parser)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    try:
        study = run(options.scale, options.duration, options.seed, published=options.published)
    except ValueError as error:
        parser.error(str(error))
    print(report(study), end="\n\n")
    path = options.out / "microcircuit.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(to_json(study), indent=1) + "\n")
    print(f"table:  {path.resolve()}")
    save_figure(draw(study), options.out / "microcircuit.png")
