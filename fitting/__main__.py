"""Runs every study and writes `fit.json` and the figures into the current folder."""

import os
import time
from pathlib import Path

# Nearly all of the time is compilation of small programs, which run no slower without LLVM's optimisation.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import jax

from ._report import save_figure, save_fits


def main() -> None:
    jax.config.update("jax_enable_x64", True)
    from . import fi_curve, hh_conductances, hh_trace, psp_scaling, quantal_release

    begin = time.perf_counter()
    scaling = psp_scaling.run()
    release = quantal_release.run()
    clamp, table, trace = hh_conductances.run(), fi_curve.run(), hh_trace.run()
    seconds = time.perf_counter() - begin
    print(psp_scaling.report(scaling), end="\n\n")
    print(quantal_release.report(release), end="\n\n")
    for study, module in ((clamp, hh_conductances), (table, fi_curve), (trace, hh_trace)):
        print(module.report(study), end="\n\n")
    print(f"All fits took {seconds:.1f} s, compilation included.")
    save_fits({**scaling.fits, **release.fits, **clamp.fits, **table.fits, **trace.fits}, Path("fit.json"))
    save_figure(psp_scaling.draw(scaling), Path("fit.png"))
    save_figure(quantal_release.draw(release), Path("quantal_release.png"))
    save_figure(hh_conductances.draw(clamp), Path("hh_conductances.png"))
    save_figure(fi_curve.draw(table), Path("fi_curve.png"))
    save_figure(hh_trace.draw(trace), Path("hh_trace.png"))


if __name__ == "__main__":
    main()
