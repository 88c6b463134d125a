"""Tuning J, g and the drive of a balanced network to a rate and a CV: by theory, by surrogate gradients, by both."""

from ._figure import draw as draw
from ._study import Study as Study, report as report, run as run, to_json as to_json
