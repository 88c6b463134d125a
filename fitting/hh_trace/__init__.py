"""Conductances of a Hodgkin-Huxley neuron from one noisy voltage trace, and when a trace cannot tell them."""

from ._coverage import Coverage as Coverage, coverage as coverage, coverage_report as coverage_report
from ._figure import draw as draw
from ._study import Study as Study, make_trace as make_trace, report as report, run as run
