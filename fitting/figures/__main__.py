"""`python -m fitting.figures` lists the figures; `python -m fitting.figures fig7 --figure fig7.png` makes one."""

import os
import signal
import sys

# The solves of `ShotNoise()` are small: more threads of LAPACK than one wait for each other. Read when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ._command import main

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end, it cleans up as after Ctrl-C
    code = main()
    if (
        code == 130
    ):  # XLA may still be compiling in threads of its own, under which the end of Python crashes (JAX 0.10)
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)
