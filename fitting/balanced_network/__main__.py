"""Runs this study alone."""

import argparse
import json

import jax

from jaxneuro.io import replacing

from .._report import read_folder, save_figure
from . import draw, report, run, to_json

if __name__ == "__main__":
    folder = read_folder(argparse.ArgumentParser(prog="python -m fitting.balanced_network", description=__doc__))
    jax.config.update("jax_enable_x64", True)  # an uncut gradient overflows float32
    study = run()
    print(report(study), end="\n\n")
    path = folder / "balanced_network.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(to_json(study), indent=1) + "\n")
    print(f"table:  {path.resolve()}")
    save_figure(draw(study), folder / "balanced_network.png")
