"""What learning needs around a run: encoders of values as spikes, decoders of spikes and potentials, losses."""

from ._decoders import (
    first_spike_times as first_spike_times,
    max_potential as max_potential,
    mean_potential as mean_potential,
    spike_counts as spike_counts,
)
from ._encoders import (
    latency_spikes as latency_spikes,
    poisson_spikes as poisson_spikes,
    population_rates as population_rates,
)
from ._losses import (
    accuracy as accuracy,
    cross_entropy as cross_entropy,
    interval_cv as interval_cv,
    rate_bounds as rate_bounds,
    squared_error as squared_error,
    van_rossum as van_rossum,
)
from ._tasks import (
    Trials as Trials,
    cue_accumulation as cue_accumulation,
    delayed_xor as delayed_xor,
    pattern as pattern,
    randman as randman,
)
