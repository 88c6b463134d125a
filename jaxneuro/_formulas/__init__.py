"""Functions of numbers only, shared by laws, models and theory."""

from ._convention import AbstractConvention as AbstractConvention, Ito as Ito, Stratonovich as Stratonovich
from ._density import lif_density as lif_density
from ._diffusion import (
    diffusion_cv as diffusion_cv,
    diffusion_density as diffusion_density,
    diffusion_rate as diffusion_rate,
)
from ._diffusion_response import DiffusionResponse as DiffusionResponse, diffusion_response as diffusion_response
from ._escape import escape_rate as escape_rate
from ._filtered import (
    AbstractRegime as AbstractRegime,
    Crossings as Crossings,
    FilteredNeuron as FilteredNeuron,
    LongFilter as LongFilter,
    ShortFilter as ShortFilter,
    checked_regime as checked_regime,
    lif_rate_filtered as lif_rate_filtered,
)
from ._from_passage import log_rate_of as log_rate_of
from ._input import (
    OUMoments as OUMoments,
    PoissonInput as PoissonInput,
    ou_moments as ou_moments,
    poisson_input as poisson_input,
)
from ._kramers import kramers_rate as kramers_rate
from ._leapover import Leapover as Leapover
from ._line import Equation as Equation, lowest as lowest
from ._membrane_input import DecayingCurrent as DecayingCurrent, Input as Input
from ._multiplicative import (
    QuadraticDiffusion as QuadraticDiffusion,
    diffusion_equation as diffusion_equation,
    log_passage as log_passage,
    quadratic_diffusion as quadratic_diffusion,
)
from ._passages import log_flux_density as log_flux_density, occupancy as occupancy, passages as passages
from ._rate import lif_log_rate as lif_log_rate, lif_rate as lif_rate
from ._response import LifResponse as LifResponse, lif_response as lif_response, response_kernel as response_kernel
from ._shot import (
    ShotInput as ShotInput,
    shot_exponent as shot_exponent,
    shot_log_time as shot_log_time,
    shot_passage as shot_passage,
)
from ._shot_density import shot_density as shot_density
from ._stable import (
    AbstractBoundary as AbstractBoundary,
    JumpsOver as JumpsOver,
    StableNeuron as StableNeuron,
    check_exponent as check_exponent,
    checked_boundary as checked_boundary,
    stable_density as stable_density,
    stable_lif_density as stable_lif_density,
    stable_lif_rate as stable_lif_rate,
    stable_log_rate as stable_log_rate,
)
from ._variability import lif_cv as lif_cv
from ._within_step import MembraneStep as MembraneStep, current_in as current_in
