"""`python -m fitting.figures` lists the figures; `python -m fitting.figures fig7 --figure fig7.png` makes one."""

import sys

from ._command import main

if __name__ == "__main__":
    sys.exit(main())
