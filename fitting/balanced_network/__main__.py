"""Runs this study alone."""

import json
from pathlib import Path

import jax

from jaxneuro.io import replacing

from .._report import save_figure
from . import draw, report, run, to_json

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)  # an uncut gradient overflows float32
    study = run()
    print(report(study), end="\n\n")
    path = Path("balanced_network.json")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(to_json(study), indent=1) + "\n")
    print(f"table:  {path.resolve()}")
    save_figure(draw(study), Path("balanced_network.png"))
