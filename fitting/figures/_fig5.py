"""Fig. 5: scaling laws fitted to amplitudes of cultures: the figure of the study `fitting.psp_scaling`."""

from .. import psp_scaling
from ..psp_scaling._study import PUBLISHED, Study, figures_of
from ._figure import Cost, Figure, Findings


def compute(size: None) -> Study:
    """The fits."""
    return psp_scaling.run()


def check(data: Study) -> Findings:
    """What section VII says."""
    found = Findings()
    found.claim(figures_of(data.fits) == PUBLISHED, "every published figure of the fits holds after rounding")
    conductance, current = data.fits["conductance"], data.fits["current"]
    at = [float(fit.predictions[0, -1]) for fit in (current, conductance)]
    found.claim(
        abs(at[0] - 0.2) < 0.05 and abs(at[1] - 0.7) < 0.06,
        f"J_E at K = 10,000 is {at[0]:.2f} mV by currents and {at[1]:.2f} mV by conductances",
    )
    law = conductance.model
    distances = [float(law.distance_to_threshold(k)) for k in (1e3, 1e4)]
    found.claim(
        2.0 < distances[0] < distances[1] < 3.0, f"v/sqrt(a) is {distances[0]:.1f} to {distances[1]:.1f} in vivo"
    )
    found.gap('the printed "v = 0.08" is v^2: only then do the other numbers of the section hold together')
    found.gap(f"the data favour currents: AICc lower by {conductance.aicc - current.aicc:.1f}, not 'similar'")
    found.gap("the amplitudes are a SYNTHETIC reconstruction: the raw table is not public")
    return found


FIGURE = Figure("scaling laws of cultures", compute, check, psp_scaling.draw, None, None, lambda size: Cost(40.0, 0.9))
