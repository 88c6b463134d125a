"""The cortical microcircuit: one square millimetre of early sensory cortex, four layers of E and I."""

import math
import numbers

import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._network import Network, PoissonDrive, Population, Projection, UniformPotential
from .._numerics import as_leaf, check_finite, check_nonnegative, told, violates
from ..connectivity import FixedTotalNumber, NormalDelay, NormalWeight
from ..models import LIF
from ..synapses import ExponentialCurrent

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20_683, 5_834, 21_915, 5_479, 4_850, 1_065, 14_395, 2_948])
# Probability that a pair has a synapse at least, row the target, column the source.
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
EXTERNAL = (1_600, 1_500, 2_100, 1_900, 2_000, 1_900, 2_900, 2_100)
# Rates [Hz] of the network of full size, from which a smaller one keeps its mean input.
FULL_RATES = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)
_TAU_M, _CAPACITANCE = 10.0, 250.0
_LONGEST_DELAY = 6.0  # six standard deviations above the mean, ms


def synapse_numbers() -> Float[np.ndarray, "8 8"]:
    """Synapses of each projection at full size: so many draws with repetition give the probabilities."""
    pairs = np.outer(SIZES, SIZES).astype(float)
    return np.round(np.log(1.0 - PROBABILITIES) / np.log(1.0 - 1.0 / pairs))


def microcircuit(
    scale: float = 1.0,
    k_scale: float = 1.0,
    *,
    rate: ArrayLike = 8.0,
    current: ArrayLike = 87.8,
    g: ArrayLike = 4.0,
    weight_cv: ArrayLike = 0.1,
    tau_s: ArrayLike = 0.5,
    dt: float = 0.1,
) -> Network:
    """The cortical microcircuit of Potjans and Diesmann: 77,169 neurons and 0.3 billion synapses at full size.

    The populations "L23E", "L23I", "L4E", ..., "L6I" of LIF neurons (tau_m 10 ms, threshold 15 mV above rest, to which
    they are reset, t_ref 2 ms) with exponential currents. A projection has

        S = log(1 - p) / log(1 - 1/(N_post N_pre))

    synapses, drawn with repetition. Weights scatter by `weight_cv` and keep their signs; L4E onto L23E is double.
    Delays are normal, 1.5 +- 0.75 ms from E and 0.75 +- 0.375 ms from I, at least one step.

    A network of fewer neurons (`scale`) or synapses a neuron (`k_scale`) keeps the variance of its input by weights of
    w/sqrt(k_scale), and its mean by a constant current, which moves the resting potential to

        (1 - sqrt(k_scale)) sum of K w tau_s nu,     nu the rates of the full network.

    Correlations between neurons grow as either falls.

    **Arguments:**

    - `scale`, `k_scale`: of the numbers of neurons, and of synapses onto a neuron.
    - `rate`: of an external source [Hz], one number or one a population, (8,).
    - `current`: peak of an excitatory synapse [pA]; an inhibitory one has -`g` times that.
    - `weight_cv`: standard deviation over mean of weights of one kind; 0 for weights that are all alike.
    - `tau_s`: of synapses [ms].
    - `dt`: the step of runs [ms], no delay is shorter.

    **Returns:** a `Network`.

    Raises `ValueError` where a value is out of range or has another shape, and where `scale` leaves a population empty.

    Derivatives: of theory by `rate`, `current`, `g`, `weight_cv` and `tau_s`, in both modes.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.microcircuit()
    >>> sum(population.n for population in net.populations.values())
    77169
    >>> f"{sum(projection.connectivity.number for projection in net.projections):,.0f}"
    '298,880,968'

    ```

    Sources: Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358, tables 4 and 5; van Albada, Helias and Diesmann
    (2015), doi:10.1371/journal.pcbi.1004490, for smaller networks.
    """
    sizes, root = _sizes(scale), math.sqrt(_positive("k_scale", k_scale))
    rates, peak = as_leaf(rate, "rate"), as_leaf(current, "current")
    ratio, spread, synapse = as_leaf(g, "g"), as_leaf(weight_cv, "weight_cv"), ExponentialCurrent(tau_s)
    if rates.shape not in ((), (8,)):
        raise ValueError(f"`rate` has to be one number, or one for each of the 8 populations; got shape {rates.shape}.")
    for name, value in (("rate", rates), ("current", peak), ("weight_cv", spread)):
        check_nonnegative(name, value)
    check_finite("g", ratio)
    full = peak * _TAU_M / _CAPACITANCE  # the current as the shift of the potential that it would hold, mV
    in_degrees = synapse_numbers() / SIZES[:, None]
    populations, projections, drives = {}, [], []
    for i, (post, n) in enumerate(zip(NAMES, sizes, strict=True)):
        outside = rates if rates.ndim == 0 else rates[i]
        arriving = float(EXTERNAL[i]) * outside  # in all, each spike by its strength
        for j, pre in enumerate(NAMES):
            strength = -ratio if j % 2 else as_leaf(2.0 if (post, pre) == ("L23E", "L4E") else 1.0)
            arriving = arriving + float(in_degrees[i, j]) * FULL_RATES[j] * strength
            number = round(root**2 * in_degrees[i, j] * n)
            if number:
                weight = _law(strength * full / root, spread)
                rule, delay = FixedTotalNumber(number), _delay(0.75 if j % 2 else 1.5, dt)
                projections.append(Projection(pre, post, synapse, weight=weight, connectivity=rule, delay=delay))
        rest = (1.0 - root) * 1e-3 * synapse.tau * full * arriving
        lif = LIF(tau_m=_TAU_M, v_rest=rest, v_th=15.0, v_reset=0.0, t_ref=2.0)
        populations[post] = Population(lif, n, initial=UniformPotential(-10.0, 15.0))
        n_sources = round(root**2 * EXTERNAL[i])
        drives.append(PoissonDrive(post, synapse, weight=full / root, n_sources=n_sources, rate=outside))
    return Network(populations, projections, drives)


def _positive(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0.0 < value < math.inf:
        raise ValueError(f"`{name}` has to be a positive number that is known before the run; got {told(value)}.")
    return float(value)


def _sizes(scale: float) -> list[int]:
    known = _positive("scale", scale)
    sizes = [round(known * n) for n in SIZES.tolist()]
    empty = [name for name, n in zip(NAMES, sizes, strict=True) if not n]
    if empty:
        raise ValueError(f"`scale` of {known:g} leaves {', '.join(empty)} empty: take a larger one.")
    return sizes


def _law(weight: Array, spread: Array) -> Array | NormalWeight:
    """Weights that scatter, or one number where they do not: then spikes are counted, which is quicker."""
    return weight if violates(lambda s: s > 0.0, spread) else NormalWeight(weight, cv=spread)


def _delay(mean: float, dt: float) -> NormalDelay:
    step = _positive("dt", dt)
    return NormalDelay(mean, 0.5 * mean, low=step, high=_LONGEST_DELAY, grid=step)
