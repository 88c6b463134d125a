"""Runs this study alone; `--full` at full size; `--sets N` and `--no-runs` for the theory part alone."""

import argparse
import json

import jax

from jaxneuro.io import replacing

from .._report import add_folder, save_figure


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fitting.network_scaling", description=__doc__)
    parser.add_argument("--full", action="store_true", help="100 data sets of each law, runs to K = 2000")
    parser.add_argument("--sets", type=int, metavar="N", help="data sets of each law")
    parser.add_argument("--no-runs", action="store_true", help="fit data of theory alone")
    add_folder(parser)
    options = parser.parse_args()
    folder = options.out
    if options.sets is not None and options.sets < 1:
        parser.error(f"`--sets` takes at least 1 data set; got {options.sets}.")
    jax.config.update("jax_enable_x64", True)  # before the laws, whose numbers are float64 then
    from . import draw, report, run, to_json
    from ._study import FULL, SMALL

    size = dict(FULL if options.full else SMALL)
    size |= {"sets": options.sets} if options.sets is not None else {}
    size |= {"seeds": 0} if options.no_runs else {}
    study = run(**size)
    print(report(study), end="\n\n")
    path = folder / "network_scaling.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(to_json(study), indent=1) + "\n")
    print(f"table:  {path.resolve()}")
    save_figure(draw(study), folder / "network_scaling.png")


if __name__ == "__main__":
    main()
