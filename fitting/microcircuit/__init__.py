"""The external rates that give the cortical microcircuit the rates one asks for, by gradient through theory."""

from ._figure import draw as draw
from ._study import Study as Study, fit_external as fit_external, report as report, run as run, to_json as to_json
