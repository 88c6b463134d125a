"""The machinery behind `jaxneuro.fit`."""

from ._bootstrap import Bootstrap as Bootstrap
from ._compare import (
    Comparison as Comparison,
    LeaveOneOut as LeaveOneOut,
    compare as compare,
    leave_one_out as leave_one_out,
)
from ._fit import fit as fit
from ._gauss_newton import GaussNewton as GaussNewton
from ._loss import (
    AbstractLeastSquares as AbstractLeastSquares,
    AbstractLikelihood as AbstractLikelihood,
    AbstractLoss as AbstractLoss,
    LeastSquares as LeastSquares,
    Likelihood as Likelihood,
    LogNormalScatter as LogNormalScatter,
)
from ._optimiser import (
    AbstractOptimiser as AbstractOptimiser,
    LevenbergMarquardt as LevenbergMarquardt,
    Optax as Optax,
    QuasiNewton as QuasiNewton,
)
from ._plot import plot_laws as plot_laws, plot_table as plot_table
from ._predict import Prediction as Prediction
from ._profile import IdentifiabilityWarning as IdentifiabilityWarning, Profile as Profile
from ._result import FitCode as FitCode, FitResult as FitResult
from ._table import text_table as text_table
