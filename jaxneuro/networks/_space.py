"""Named networks of neurons that have a place."""

import math

import jax.numpy as jnp
from jaxtyping import ArrayLike

from .._network import ConstantConductance, Network, Population, Projection, UniformPotential
from .._numerics import as_leaf, check_count, check_finite, check_nonnegative, check_positive, violates
from ..connectivity import FlatKernel, GaussianKernel, Lattice, SpatialRandom
from ..models import LIF, ExponentialCurve, IntegrateAndFire, Poisson
from ..synapses import AtStepStart, ExponentialCurrent, RiseDecayConductance

_TAU_M = {"E": 15.0, "I": 10.0}
_TAU_SYNAPSE = {"E": 6.0, "I": 5.0, "X": 6.0}
# Potentials move by j/sqrt(N) mV at a spike of the second population onto the first.
_J = {
    ("E", "E"): 40.0, ("E", "I"): -400.0, ("I", "E"): 120.0, ("I", "I"): -400.0, ("E", "X"): 120.0, ("I", "X"): 120.0,
}  # fmt: skip
# Out-degrees over the number of targets.
_SHARE = {("E", "X"): 0.25, ("I", "X"): 0.08}


def spatial_balanced(
    width_rec: ArrayLike = 0.25, width_ffwd: ArrayLike = 0.1, *, side: int = 200, rate: ArrayLike = 5.0
) -> Network:
    """The balanced network of exponential integrate-and-fire neurons on the unit torus.

    side^2 neurons E and (side/2)^2 I on lattices are driven by floor(3 side/8)^2 Poisson cells X. Every source has
    `SpatialRandom` synapses onto 0.05 of each target population, and from X onto 0.25 of E and 0.08 of I. A spike moves
    the potential of a target by j/sqrt(N) mV in all, N the number of E and I: j_EE, j_EI, j_IE, j_II 40, -400, 120,
    -400, and 120 from X.

    **Arguments:**

    - `width_rec`, `width_ffwd`: standard deviations of the places of targets around a source in E and I, and in X, in
      sides of the torus, above 0 and at most 1.
    - `side`: neurons E along a side, even and at least 4; at 200 the wiring has 156 million synapses.
    - `rate`: of the Poisson cells [Hz].

    **Returns:** a `Network` with the populations "E", "I" and "X".

    Raises `ValueError` where an argument is out of range.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.spatial_balanced(side=20)
    >>> {name: population.n for name, population in net.populations.items()}
    {'E': 400, 'I': 100, 'X': 49}

    ```

    Source: Rosenbaum et al. (2017), doi:10.1038/nn.4433, methods, and the authors' public code, which has the floor of
    the potential.
    """
    if check_count("side", side, "an even number of at least 4", least=4) % 2:
        raise ValueError(f"`side` has to be an even number of at least 4; got {side}.")
    widths = {"width_rec": as_leaf(width_rec, "width_rec"), "width_ffwd": as_leaf(width_ffwd, "width_ffwd")}
    for name, width in widths.items():
        check_finite(name, width)
        if violates(lambda w: (w > 0.0) & (w <= 1.0), width):
            raise ValueError(f"`{name}` has to be above 0 and at most 1, the side of the torus; got {width}.")
    lattices = {
        name: Lattice(rows, rows, spacing=1.0 / rows)
        for name, rows in (("E", side), ("I", side // 2), ("X", 3 * side // 8))
    }
    start = UniformPotential(-65.0, -50.0)
    models = {
        name: IntegrateAndFire(
            ExponentialCurve(v_rest=-60.0, v_t=-50.0, delta_t=delta_t), tau_m=_TAU_M[name], v_peak=-10.0, v_reset=-65.0,
            t_ref=t_ref, v_floor=-100.0,
        )
        for name, delta_t, t_ref in (("E", 2.0, 1.5), ("I", 0.5, 0.5))
    }  # fmt: skip
    populations = {name: Population(model, positions=lattices[name], initial=start) for name, model in models.items()}
    populations["X"] = Population(Poisson(rate), positions=lattices["X"])
    n = lattices["E"].n + lattices["I"].n
    projections = []
    for (post, pre), j in _J.items():
        # The integral of a current of peak w over C is w tau_s/tau_m.
        weight = j / jnp.sqrt(as_leaf(float(n))) * (_TAU_M[post] / _TAU_SYNAPSE[pre])
        rule = SpatialRandom(
            out_degree=round(_SHARE.get((post, pre), 0.05) * lattices[post].n),
            width=widths["width_ffwd" if pre == "X" else "width_rec"],
        )
        synapse = ExponentialCurrent(_TAU_SYNAPSE[pre])
        projections.append(Projection(pre, post, synapse, weight=weight, connectivity=rule, delay=0.1))
    return Network(populations, projections)


def keane_gong(side: int = 150, inhibition: ArrayLike = 1.0, cutoff_e: ArrayLike = 15.0) -> Network:
    """The sheet of leaky integrate-and-fire neurons in which waves propagate, on a torus and without noise.

    A neuron E is on every site and one I on each second one both ways. A spike opens conductances in all neurons at a
    distance 0 < r <= cutoff, W (exp(-t/D) - exp(-t/R))/(D - R) with R 0.5 ms, onto E and I alike:

        E: W = 0.23 exp(-r^2/12) uS, D = 2 ms, reversal 0 mV, r <= cutoff_e,
        I: W = 0.30 inhibition uS, D = 7 ms, reversal -80 mV, r <= 15.

    The leak is 0.05 uS, so that peaks are 1.44891 exp(-r^2/12) and 0.69966 of it. Constant conductances of 0.015 and
    0.002 uS with these reversals drive every neuron. tau_m 20 ms, rest and reset -70, threshold -55 mV, t_ref 5 ms.

    **Arguments:** `side`, sites along a side, even and at least 30; `inhibition`, a factor of W_I; `cutoff_e`, of E, in
    sites, at most half the side. The step is 0.05 ms, that of the authors, and a spike opens conductances at the end of
    the step in which it is fired, as in their loop: with a delay of 0.05 ms after it speed and rates of waves differ.

    **Returns:** a `Network` with the populations "E" and "I"; potentials start uniformly between -70 and -55 mV.

    Raises `ValueError` where an argument is out of range.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.keane_gong(side=30)
    >>> [f"{float(projection.weight):.5f}" for projection in net.projections]
    ['1.44891', '0.69966']

    ```

    Source: Keane and Gong (2015), doi:10.1523/JNEUROSCI.1669-14.2015, with the numbers of the authors' public code.
    """
    if check_count("side", side, "an even number of at least 30, twice the reach of I", least=30) % 2:
        raise ValueError(f"`side` has to be an even number of at least 30; got {side}.")
    factor, reach, both = as_leaf(inhibition, "inhibition"), as_leaf(cutoff_e, "cutoff_e"), ("E", "I")
    check_nonnegative("inhibition", factor)
    check_positive("cutoff_e", reach)
    neuron = LIF(tau_m=20.0, v_rest=-70.0, v_reset=-70.0, v_th=-55.0, t_ref=5.0)
    start, half = UniformPotential(-70.0, -55.0), side // 2
    populations = {
        "E": Population(neuron, positions=Lattice(side, side), initial=start),
        "I": Population(neuron, positions=Lattice(half, half, spacing=2.0), initial=start),
    }
    excitation, inhibition_at = GaussianKernel(math.sqrt(6.0), reach), FlatKernel(15.0)
    projections = [
        Projection(
            pre, both, AtStepStart(RiseDecayConductance(tau_rise=0.5, tau_decay=decay, reversal=reversal)),
            weight=strength / 0.05 * _peak(0.5, decay), connectivity=kernel, delay=0.05,
        )
        for pre, decay, reversal, strength, kernel in (
            ("E", 2.0, 0.0, as_leaf(0.23), excitation), ("I", 7.0, -80.0, 0.30 * factor, inhibition_at),
        )
    ]  # fmt: skip
    drives = [
        ConstantConductance(both, g=0.015 / 0.05, reversal=0.0),
        ConstantConductance(both, g=0.002 / 0.05, reversal=-80.0),
    ]
    return Network(populations, projections, drives)


def _peak(rise: float, decay: float) -> float:
    """The largest value of (exp(-t/decay) - exp(-t/rise))/(decay - rise) [1/ms]."""
    t = math.log(decay / rise) * rise * decay / (decay - rise)
    return (math.exp(-t / decay) - math.exp(-t / rise)) / (decay - rise)
