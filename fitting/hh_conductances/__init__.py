"""Conductances against time under voltage clamp, as Hodgkin and Huxley fitted them in 1952."""

from ._figure import draw as draw
from ._study import Study as Study, made as made, read as read, report as report, run as run
