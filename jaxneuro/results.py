"""What calls return, for annotations and comparisons, and the warnings that they give.

`jn.Solution`, `jn.Wiring`, `jn.Result` and `jn.FitResult` are also to be had without this module.
"""

from ._exchange import Recording as Recording, Signal as Signal
from ._fit import FitCode as FitCode, FitResult as FitResult, IdentifiabilityWarning as IdentifiabilityWarning
from ._numerics import Result as Result
from ._simulate import (
    Explanation as Explanation,
    ShortRunWarning as ShortRunWarning,
    Solution as Solution,
    SpikeEvents as SpikeEvents,
    Wiring as Wiring,
)
from ._sweep import SweepWarning as SweepWarning
from ._train import GradientAudit as GradientAudit, Trained as Trained, TrainingWarning as TrainingWarning
