"""Runs the studies of synapses; writes `fit.json`, `fit.png` and `quantal_release.png` into this folder or `--out`."""

import argparse
import os
import time

# Nearly all of the time is compilation of small programs, which run no slower without LLVM's optimisation.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import jax

from ._report import read_folder, save_figure, save_fits


def main() -> None:
    folder = read_folder(argparse.ArgumentParser(prog="python -m fitting", description=__doc__))
    jax.config.update("jax_enable_x64", True)
    from . import psp_scaling, quantal_release

    begin = time.perf_counter()
    scaling = psp_scaling.run()
    release = quantal_release.run()
    seconds = time.perf_counter() - begin
    print(psp_scaling.report(scaling), end="\n\n")
    print(quantal_release.report(release), end="\n\n")
    print(f"All fits took {seconds:.1f} s, compilation included.")
    save_fits({**scaling.fits, **release.fits}, folder / "fit.json")
    save_figure(psp_scaling.draw(scaling), folder / "fit.png")
    save_figure(quantal_release.draw(release), folder / "quantal_release.png")


if __name__ == "__main__":
    main()
