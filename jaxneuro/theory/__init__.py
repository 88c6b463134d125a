"""What the equations say of a neuron or a network, without simulating it."""

from typing import TYPE_CHECKING

from .._late import late as _late

if TYPE_CHECKING:
    from .._formulas import (
        AbstractBoundary as AbstractBoundary,
        AbstractConvention as AbstractConvention,
        AbstractRegime as AbstractRegime,
        Crossings as Crossings,
        DiffusionResponse as DiffusionResponse,
        Ito as Ito,
        JumpsOver as JumpsOver,
        Leapover as Leapover,
        LifResponse as LifResponse,
        LongFilter as LongFilter,
        OUMoments as OUMoments,
        PoissonInput as PoissonInput,
        ShortFilter as ShortFilter,
        Stratonovich as Stratonovich,
        diffusion_cv as diffusion_cv,
        diffusion_density as diffusion_density,
        diffusion_rate as diffusion_rate,
        diffusion_response as diffusion_response,
        escape_rate as escape_rate,
        kramers_rate as kramers_rate,
        lif_cv as lif_cv,
        lif_density as lif_density,
        lif_log_rate as lif_log_rate,
        lif_rate as lif_rate,
        lif_rate_filtered as lif_rate_filtered,
        lif_response as lif_response,
        ou_moments as ou_moments,
        poisson_input as poisson_input,
        stable_lif_density as stable_lif_density,
        stable_lif_rate as stable_lif_rate,
    )
    from ._afferents import Afferents as Afferents, afferents as afferents
    from ._balance import BalancedInput as BalancedInput
    from ._binary import BinaryMeanField as BinaryMeanField
    from ._binary_field import (
        AbstractField as AbstractField,
        GaussianField as GaussianField,
        PoissonField as PoissonField,
    )
    from ._cable import PassiveCable as PassiveCable
    from ._conductance import (
        conductance_cv as conductance_cv,
        conductance_density as conductance_density,
        conductance_rate as conductance_rate,
    )
    from ._critical_heterogeneity import (
        CriticalHeterogeneity as CriticalHeterogeneity,
        critical_heterogeneity as critical_heterogeneity,
    )
    from ._effective_input import effective_input as effective_input
    from ._effective_noise import EffectiveNoise as EffectiveNoise
    from ._energy import energy as energy
    from ._fi_curve import fi_curve as fi_curve
    from ._field import (
        FieldGrowth as FieldGrowth,
        FieldInstability as FieldInstability,
        field_growth as field_growth,
        field_instability as field_instability,
    )
    from ._hopfield import HopfieldRecall as HopfieldRecall, hopfield_recall as hopfield_recall
    from ._ito_noise import ItoNoise as ItoNoise
    from ._linear_network import (
        LinearModes as LinearModes,
        linear_modes as linear_modes,
        linear_steady_state as linear_steady_state,
        linear_trajectory as linear_trajectory,
        transient_amplification as transient_amplification,
    )
    from ._mean_field import MeanField as MeanField, mean_field as mean_field
    from ._network_gain import NetworkGain as NetworkGain, linear_gain as linear_gain, network_gain as network_gain
    from ._noise import AbstractNoise as AbstractNoise, EffectiveInput as EffectiveInput
    from ._phase_map import Boundary as Boundary, PhaseMap as PhaseMap, phase_boundaries as phase_boundaries
    from ._rate_distribution import (
        NeuronSample as NeuronSample,
        RateDistribution as RateDistribution,
        rate_distribution as rate_distribution,
    )
    from ._ring import (
        RingBump as RingBump,
        RingRegime as RingRegime,
        RingTuning as RingTuning,
        ring_bump as ring_bump,
        ring_growth as ring_growth,
        ring_regime as ring_regime,
        ring_tuning as ring_tuning,
    )
    from ._ring_motion import (
        BumpMotion as BumpMotion,
        RingTracking as RingTracking,
        bump_motion as bump_motion,
        ring_tracking as ring_tracking,
    )
    from ._scale_efficacy import (
        AbstractPreserved as AbstractPreserved,
        FullResponse as FullResponse,
        StrongCoupling as StrongCoupling,
        scale_efficacy as scale_efficacy,
    )
    from ._shot_noise import ShotNoise as ShotNoise
    from ._spatial import (
        SpatialBalance as SpatialBalance,
        count_correlation as count_correlation,
        spatial_balance as spatial_balance,
    )
    from ._stability import Modes as Modes, Stability as Stability, brunel_stability as brunel_stability
    from ._stable_noise import StableNoise as StableNoise
    from ._stratonovich_noise import StratonovichNoise as StratonovichNoise
    from ._strong_coupling import StronglyCoupled as StronglyCoupled, strong_coupling as strong_coupling
else:
    __getattr__, __dir__ = _late(__name__)
