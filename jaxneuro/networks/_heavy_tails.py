"""Networks whose weights have heavy tails."""

import warnings

from jaxtyping import ArrayLike

from .._network import Network, PoissonDrive, Population, Projection
from .._numerics import as_leaf, check_nonnegative, check_positive
from ..connectivity import FixedInDegree, MatchedWeight, ParetoWeight
from ..laws import OutsideTheoryWarning
from ..models import LIF
from ..synapses import DeltaCurrent


def wardak_gong(
    alpha: ArrayLike = 1.2,
    eta: ArrayLike = 1.0,
    *,
    j: ArrayLike = 0.02,
    g: ArrayLike = 4.0,
    n_e: int = 40_000,
    n_i: int = 10_000,
    c_e: ArrayLike = 4_000,
    c_i: ArrayLike = 1_000,
    delay: float = 1.5,
    tol: ArrayLike = 1e-3,
) -> Network:
    """The balanced network of heavy-tailed weights whose rate has a maximum in their exponent.

    Brunel's neurons; every neuron has `c_e` excitatory and as many external synapses of `ParetoWeight(J, alpha)` and
    `c_i` inhibitory ones of `ParetoWeight(-g J, alpha)`, matched to its excitatory ones (`MatchedWeight`). External
    sources fire at eta v_th/(J c_e tau_m) each, 12.5 Hz at eta = 1. At alpha = 2 all weights are equal.

    **Arguments:**

    - `alpha`: exponent of the tails, 1 < alpha <= 2; `eta`: external rate over that which alone brings V to threshold.
    - `j`: J [mV]; `g`; `n_e`, `n_i`: sizes; `c_e`, `c_i`: in-degrees; `delay` [ms]; `tol`: of the match.

    **Returns:** a `Network` with the populations "E" and "I".

    Raises `ValueError` where an argument is out of range.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.wardak_gong(alpha=1.5)
    >>> f"{float(net.drives[0].rate):g} Hz, {net.projections[1].weight.to}"
    '12.5 Hz, E'

    ```

    Source: Wardak and Gong (2021), doi:10.1103/PhysRevResearch.3.013083.
    """
    eta, j, g, c_e = as_leaf(eta, "eta"), as_leaf(j, "j"), as_leaf(g, "g"), as_leaf(c_e, "c_e")
    check_nonnegative("eta", eta)
    check_positive("j", j)
    check_positive("g", g)
    check_positive("c_e", c_e)
    neuron, both, synapse = LIF(v_rest=0.0, v_th=20.0, v_reset=10.0, t_ref=2.0, tau_m=20.0), ("E", "I"), DeltaCurrent()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTheoryWarning)  # the network is published with weights of either sign
        excitatory, inhibitory = ParetoWeight(j, alpha), ParetoWeight(-g * j, alpha)
    rate = eta * 1000.0 * neuron.v_th / (j * c_e * neuron.tau_m)
    matched = MatchedWeight(inhibitory, to="E", tol=tol)
    return Network(
        {"E": Population(neuron, n_e), "I": Population(neuron, n_i)},
        [
            Projection("E", both, synapse, weight=excitatory, connectivity=FixedInDegree(c_e), delay=delay),
            Projection("I", both, synapse, weight=matched, connectivity=FixedInDegree(c_i), delay=delay),
        ],
        [PoissonDrive(both, synapse, weight=excitatory, n_sources=c_e, rate=rate)],
    )
