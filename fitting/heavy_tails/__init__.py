"""Heavy-tailed weights, matched inhibition, correlated and tuned inputs: theory beside runs."""

from ._figure import draw_inputs as draw_inputs, draw_tails as draw_tails
from ._pairs import Pairs as Pairs, pairs as pairs, report_pairs as report_pairs
from ._study import Study as Study, check as check, report as report, run as run, to_json as to_json
