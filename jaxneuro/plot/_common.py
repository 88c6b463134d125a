"""What all figures share. matplotlib is loaded when a figure is asked for."""

from typing import Any

COLOURS = ("#0b5fa5", "#c4442b", "#3a7d44", "#7b5aa6", "#8a6d3b")
# The recorder that makes each record a figure may need.
RECORDERS = {
    "rate": "Rate()",
    "cv": "CV()",
    "spikes": 'Spikes("E")',
    "population_rate": "PopulationRate()",
}


def pyplot() -> Any:
    """matplotlib.pyplot, or a sentence that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("Figures need matplotlib: pip install 'jaxneuro[plot]'.") from error
    return plt
