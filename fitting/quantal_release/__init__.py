"""Quantal release by maximum likelihood, on real data: Boyd & Martin (1956), Paulsen & Heggelund (1994)."""

from ._figure import draw as draw
from ._study import Study as Study, report as report, run as run
