"""The named networks of the literature, each a short function that returns a `Network`."""

import math

import jax.numpy as jnp
from jaxtyping import ArrayLike

from ._network import AbstractInitial, Network, PoissonDrive, Population, Projection, UniformDelay
from ._numerics import as_leaf, is_concrete
from .connectivity import FixedInDegree
from .models import LIF
from .synapses import AbstractJump, DeltaConductance, DeltaCurrent


def brunel(
    g: ArrayLike = 5.0,
    nu_ext_over_nu_thr: ArrayLike = 2.0,
    *,
    j: ArrayLike = 0.1,
    n_e: int = 10_000,
    n_i: int = 2_500,
    c_e: ArrayLike = 1_000,
    c_i: ArrayLike = 250,
    delay: float | UniformDelay = 1.5,
    tau_m: ArrayLike = 20.0,
    v_th: ArrayLike = 20.0,
    v_reset: ArrayLike = 10.0,
    t_ref: ArrayLike = 2.0,
    initial: AbstractInitial | None = None,
) -> Network:
    """Brunel's sparse network of excitatory and inhibitory integrate-and-fire neurons, model A.

    Every neuron has `c_e` excitatory synapses of J, `c_i` inhibitory ones of -g J and `c_e` external
    ones of J, independent for each neuron, with rate nu_ext each. The external rate that alone
    brings the mean potential to threshold is

        nu_thr = v_th / (J c_e tau_m)        (10 Hz with the defaults).

    **Arguments:**

    - `g`: relative strength of inhibition; `nu_ext_over_nu_thr`: external rate over nu_thr.
    - `j`: J [mV]; `n_e`, `n_i`: sizes; `c_e`, `c_i`: in-degrees; `delay` [ms].
    - `tau_m`, `t_ref` [ms], `v_th`, `v_reset` [mV, from rest]: of the neurons.
    - `initial`: where the potentials start; at rest by default.

    **Returns:** a `Network` with the populations "E" and "I".

    Raises `ValueError` where an in-degree exceeds its population or a value is out of range.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    >>> round(float(net.drives[0].rate), 6)
    20.0

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, sections 2 and 3.
    """
    lif = LIF(tau_m=tau_m, v_rest=0.0, v_th=v_th, v_reset=v_reset, t_ref=t_ref)
    both, synapse, j = ("E", "I"), DeltaCurrent(), as_leaf(j)
    nu_thr = 1000.0 * lif.v_th / (j * as_leaf(c_e) * lif.tau_m)
    rate = as_leaf(nu_ext_over_nu_thr) * nu_thr
    return Network(
        populations={"E": Population(lif, n_e, initial=initial), "I": Population(lif, n_i, initial=initial)},
        projections=[
            Projection("E", both, synapse, weight=j, connectivity=FixedInDegree(c_e), delay=delay),
            Projection("I", both, synapse, weight=-as_leaf(g) * j, connectivity=FixedInDegree(c_i), delay=delay),
        ],
        drives=[PoissonDrive(both, synapse, weight=j, n_sources=c_e, rate=rate)],
    )


def conductance_based(
    *,
    a: ArrayLike = 0.0016,
    k: ArrayLike = 1_000,
    g: ArrayLike = 20.0,
    gamma: ArrayLike = 0.25,
    nu_x: ArrayLike = 20.0,
    n_e: int | None = None,
    n_i: int | None = None,
    delay: float | UniformDelay = 1.0,
    jump: AbstractJump | None = None,
    initial: AbstractInitial | None = None,
) -> Network:
    """The network of conductance-based integrate-and-fire neurons with identical E and I cells.

    Every neuron has `k` excitatory synapses of efficacy a, `gamma k` inhibitory ones of efficacy
    g a, and `k` external excitatory ones with rate nu_X, independent for each neuron. tau_L = 20 ms,
    threshold -55, reset -65, E_L = -80, E_E = 0, E_I = -75 mV, refractory period 2 ms.

    **Arguments:**

    - `a`: efficacy, dimensionless; `k`: in-degree K; `g`, `gamma`: dimensionless; `nu_x` [Hz].
    - `n_e`, `n_i`: sizes, by default 10 K and 10 gamma K; open where K is traced, which theory allows.
    - `delay`: [ms], not given in the source; `jump`: `ExactJump()` by default, or `FirstOrderJump()`.
    - `initial`: where the potentials start; at rest by default.

    **Returns:** a `Network` with the populations "E" and "I".

    Raises `ValueError` where an in-degree exceeds its population or a value is out of range.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.conductance_based(a=0.0016, k=1_000, g=20.0, gamma=0.25, nu_x=20.0)
    >>> net.populations["I"].n
    2500

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, section II and Fig. 4.
    """
    a, k, g, gamma = as_leaf(a), as_leaf(k), as_leaf(g), as_leaf(gamma)
    lif = LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    both = ("E", "I")
    excitatory = DeltaConductance(reversal=0.0, jump=jump)
    inhibitory = DeltaConductance(reversal=-75.0, jump=jump)
    if n_e is None and is_concrete(k):
        n_e = max(1, math.ceil(10 * float(k)))
    if n_i is None and is_concrete(k, gamma):
        n_i = max(1, math.ceil(10 * float(gamma * k)))
    return Network(
        populations={"E": Population(lif, n_e, initial=initial), "I": Population(lif, n_i, initial=initial)},
        projections=[
            Projection("E", both, excitatory, weight=a, connectivity=FixedInDegree(k), delay=delay),
            Projection(
                "I", both, inhibitory, weight=g * a, connectivity=FixedInDegree(jnp.multiply(gamma, k)), delay=delay
            ),
        ],
        drives=[PoissonDrive(both, excitatory, weight=a, n_sources=k, rate=nu_x)],
    )
