"""Runs this study alone."""

import argparse
import json

from jaxneuro.io import replacing

from .._report import add_folder, save_figure
from . import animate, balance, draw, report_balance, report_waves, rhythm, to_json, waves

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m fitting.waves", description=__doc__)
    parser.add_argument("--side", type=int, default=150, help="sites along a side of the sheet (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="runs of the sheet (default: %(default)s)")
    parser.add_argument("--measured", type=float, default=1_500.0, help="ms of each after 500 (default: %(default)s)")
    parser.add_argument(
        "--balance", type=int, default=100, metavar="SIDE", help="balanced sheet; 0 for none (default: %(default)s)"
    )
    add_folder(parser)
    options = parser.parse_args()
    try:
        found = waves(options.seeds, options.side, options.measured)
        print(report_waves(found))
        for inhibition, seeds in ((0.5, 1), (0.75, 2)):
            rows = "; ".join(f"{rate:.1f} Hz, CV {cv:.4f}" for rate, cv in rhythm(inhibition, seeds))
            print(f"side 100, inhibition {inhibition:g} of it: {rows}")
        balanced = balance(options.balance) if options.balance else None
    except ValueError as error:
        parser.error(str(error))
    if balanced is not None:
        print(report_balance(balanced))
    path = options.out / "waves.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(to_json(found, balanced), indent=1) + "\n")
    print(f"table:  {path.resolve()}")
    save_figure(draw(found, balanced), options.out / "waves.png")
    path = options.out / "waves.gif"
    with replacing(path) as temporary:
        animate(found, temporary)
    print(f"animation: {path.resolve()}")
