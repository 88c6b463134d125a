"""Integrate-and-fire neurons fitted to a table of firing rates against current."""

from ._figure import draw as draw
from ._study import Study as Study, Table as Table, make_table as make_table, report as report, run as run
