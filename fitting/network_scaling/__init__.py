"""Rates of a network at several in-degrees: do they tell how its efficacies scale? By theory, then by runs."""

from ._figure import draw as draw
from ._study import Study as Study, report as report, run as run, to_json as to_json
