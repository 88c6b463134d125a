"""Waves in a sheet of balanced neurons, and the balanced state in space: runs beside published numbers and theory."""

from ._balance import Balance as Balance, balance as balance, report_balance as report_balance
from ._figure import animate as animate, draw as draw, to_json as to_json
from ._gamma import Gamma as Gamma, gamma as gamma, report_gamma as report_gamma
from ._near import Near as Near, report_near as report_near
from ._neurons import draw_neurons as draw_neurons
from ._waves import Waves as Waves, report_waves as report_waves, rhythm as rhythm, waves as waves
