"""Runs this study alone; `--seeds 0` leaves out the waves, so that the balanced sheet can be run alone."""

import argparse
import json
from pathlib import Path

from jaxneuro.io import replacing

from .._report import add_folder, save_figure
from . import (
    Waves,
    animate,
    balance,
    draw,
    draw_neurons,
    gamma,
    report_balance,
    report_gamma,
    report_near,
    report_waves,
    rhythm,
    to_json,
    waves,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fitting.waves", description=__doc__)
    parser.add_argument("--side", type=int, default=150, help="sites along a side of the sheet (default: %(default)s)")
    parser.add_argument(
        "--seeds", type=int, default=5, help="runs of the sheet; 0 for the balanced sheet alone (default: %(default)s)"
    )
    parser.add_argument("--measured", type=float, default=1_500.0, help="ms of each after 500 (default: %(default)s)")
    parser.add_argument(
        "--balance", type=int, default=100, metavar="SIDE", help="balanced sheet; 0 for none (default: %(default)s)"
    )
    parser.add_argument(
        "--counted", type=float, default=3_000.0, help="ms of the balanced sheet after 300 (default: %(default)s)"
    )
    add_folder(parser)
    options = parser.parse_args()
    if options.seeds == 0 and not options.balance:
        parser.error("nothing is left to run: `--seeds` and `--balance` are both 0.")
    try:
        found = None if options.seeds == 0 else _of_waves(options)
        balanced = balance(options.balance, options.counted) if options.balance else None
    except ValueError as error:
        parser.error(str(error))
    if balanced is not None:
        print(report_balance(balanced))
    path = options.out / "waves.json"
    if found is None:
        path = options.out / "waves_balance.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(to_json(found, balanced), indent=1) + "\n")
    print(f"table:  {path.resolve()}")
    if found is not None:
        save_figure(draw(found, balanced), options.out / "waves.png")
        _of_neurons(found, options.out)


def _of_waves(options: argparse.Namespace) -> Waves:
    found = waves(options.seeds, options.side, options.measured)
    print(report_waves(found))
    print(report_near(found.near))
    for inhibition, seeds in ((0.5, 1), (0.75, 2)):
        rows = "; ".join(f"{rate:.1f} Hz, CV {cv:.4f}" for rate, cv in rhythm(inhibition, seeds))
        print(f"side 100, inhibition {inhibition:g} of it: {rows}")
    return found


def _of_neurons(found: Waves, folder: Path) -> None:
    rhythmic = gamma()
    print(report_gamma(rhythmic))
    save_figure(draw_neurons(found.near, rhythmic), folder / "waves_neurons.png")
    path = folder / "waves.gif"
    with replacing(path) as temporary:
        animate(found, temporary)
    print(f"animation: {path.resolve()}")


if __name__ == "__main__":
    main()
