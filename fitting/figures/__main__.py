"""`python -m fitting.figures` lists the figures; `python -m fitting.figures fig7 --figure fig7.png` makes one."""

import os
import sys

# The solves of `ShotNoise()` are small: more threads of LAPACK than one wait for each other. Read when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ._command import main

if __name__ == "__main__":
    sys.exit(main())
