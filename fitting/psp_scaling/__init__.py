"""How the size of a synapse falls with the number of connections: three laws held against one data set.

The raw table of Barral & Reyes (2016) is not public. The data here are a SYNTHETIC reconstruction that gives
every published figure; `make_reconstruction` made them. Nothing found here is evidence about cultures.
"""

from ._figure import draw as draw
from ._study import Study as Study, report as report, run as run
