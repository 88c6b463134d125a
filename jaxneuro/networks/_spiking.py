"""Named networks of spiking neurons and of binary units."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._network import (
    AbstractInitial,
    BinaryNetwork,
    BinaryProjection,
    Network,
    PoissonDrive,
    Population,
    Projection,
)
from .._numerics import as_leaf, check_nonnegative, check_positive, is_concrete, kept_known, told, violates
from ..connectivity import AbstractConnectivity, AbstractDelayLaw, Bernoulli, FixedInDegree
from ..models import LIF, Binary
from ..synapses import DeltaCurrent


def brunel(
    g: ArrayLike | tuple[ArrayLike, ArrayLike] = 5.0,
    nu_ext_over_nu_thr: ArrayLike | tuple[ArrayLike, ArrayLike] = 2.0,
    *,
    j: ArrayLike | tuple[ArrayLike, ArrayLike] = 0.1,
    n_e: int = 10_000,
    n_i: int = 2_500,
    c_e: ArrayLike = 1_000,
    c_i: ArrayLike = 250,
    delay: float | AbstractDelayLaw | tuple[tuple[Any, Any], tuple[Any, Any]] = 1.5,
    tau_m: ArrayLike | tuple[ArrayLike, ArrayLike] = 20.0,
    v_th: ArrayLike | tuple[ArrayLike, ArrayLike] = 20.0,
    v_reset: ArrayLike | tuple[ArrayLike, ArrayLike] = 10.0,
    t_ref: ArrayLike | tuple[ArrayLike, ArrayLike] = 2.0,
    initial: AbstractInitial | None = None,
) -> Network:
    """Brunel's sparse network of excitatory and inhibitory integrate-and-fire neurons, models A and B.

    Every neuron has `c_e` excitatory synapses of J, `c_i` inhibitory ones of -g J and `c_e` external
    ones of J, independent for each neuron, with rate nu_ext each. The external rate that alone
    brings the mean potential to threshold is

        nu_thr = v_th / (J c_e tau_m)        (10 Hz with the defaults).

    In model A all neurons are alike. In model B those of E and I differ: any of `g`,
    `nu_ext_over_nu_thr`, `j`, `tau_m`, `v_th`, `v_reset` and `t_ref` may be a pair (value of E
    neurons, value of I neurons); `j` and `g` are then those of the synapses that they receive.

    **Arguments:**

    - `g`: relative strength of inhibition; `nu_ext_over_nu_thr`: external rate over nu_thr.
    - `j`: J [mV]; `n_e`, `n_i`: sizes; `c_e`, `c_i`: in-degrees.
    - `delay`: [ms], a number, `UniformDelay(low, high)`, or ((onto E from E, onto E from I), (onto I
      from E, onto I from I)) of either.
    - `tau_m`, `t_ref` [ms], `v_th`, `v_reset` [mV, from rest]: of the neurons.
    - `initial`: where the potentials start; at rest by default.

    **Returns:** a `Network` with the populations "E" and "I".

    Raises `ValueError` where an in-degree exceeds its population, a value is out of range, or an
    argument is neither a number nor a pair.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    >>> round(float(net.drives[0].rate), 6)
    20.0
    >>> b = jn.networks.brunel(g=(5.0, 4.5), tau_m=(20.0, 10.0), delay=((1.5, 0.8), (1.5, 0.8)))
    >>> float(b.populations["I"].model.tau_m)
    10.0

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, sections 2, 3 (model A) and 5 (model B).
    """
    values = {
        "g": g, "nu_ext_over_nu_thr": nu_ext_over_nu_thr, "j": j,
        "tau_m": tau_m, "v_th": v_th, "v_reset": v_reset, "t_ref": t_ref,
    }  # fmt: skip
    leaves = {name: _number_or_pair(name, value) for name, value in values.items()}
    check_positive("j", leaves["j"])
    c_e, c_i = as_leaf(c_e, "c_e"), as_leaf(c_i, "c_i")
    check_positive("c_e", c_e)
    check_positive("v_th", leaves["v_th"])
    check_nonnegative("nu_ext_over_nu_thr", leaves["nu_ext_over_nu_thr"])
    check_nonnegative("g", leaves["g"])
    alike = all(leaf.ndim == 0 for leaf in leaves.values()) and not isinstance(delay, tuple)
    delays = delay if isinstance(delay, tuple) else ((delay, delay), (delay, delay))
    if len(delays) != 2 or any(not isinstance(row, tuple) or len(row) != 2 for row in delays):
        raise ValueError(
            f"`delay` has to be one delay or ((E from E, E from I), (I from E, I from I)); got {told(delay)}."
        )
    populations, projections, drives = {}, [], []
    rest = as_leaf(0.0)  # one array, so that equal neurons are known to be equal inside `jax.jit` too
    for i, (name, n) in enumerate((("E", n_e), ("I", n_i))):
        own = {key: leaf if leaf.ndim == 0 else leaf[i] for key, leaf in leaves.items()}
        neuron: dict[str, Any] = {key: own[key] for key in ("tau_m", "v_th", "v_reset", "t_ref")}
        lif = LIF(v_rest=rest, **neuron)
        populations[name] = Population(lif, n, initial=initial)
        if alike and i:
            continue  # one projection and one drive serve both
        targets, synapse = ("E", "I") if alike else (name,), DeltaCurrent()
        with kept_known(c_e, *map(own.__getitem__, ("j", "tau_m", "v_th", "nu_ext_over_nu_thr"))):
            rate = own["nu_ext_over_nu_thr"] * (1000.0 * lif.v_th / (own["j"] * c_e * lif.tau_m))
        for pre, weight, k, d in (("E", own["j"], c_e, delays[i][0]), ("I", -own["g"] * own["j"], c_i, delays[i][1])):
            rule = FixedInDegree(k)
            projections.append(Projection(pre, targets, synapse, weight=weight, connectivity=rule, delay=d))
        drives.append(PoissonDrive(targets, synapse, weight=own["j"], n_sources=c_e, rate=rate))
    return Network(populations, projections, drives)


def _number_or_pair(name: str, value: Any) -> Float[Array, "*pair"]:
    leaf = as_leaf(value, name)
    if leaf.shape not in ((), (2,)):
        raise ValueError(f"`{name}` has to be a number or a pair (of E, of I); got shape {leaf.shape}.")
    return leaf


def binary(
    k: ArrayLike = 1_000,
    *,
    n_e: int = 20_000,
    n_i: int = 20_000,
    j_ee: ArrayLike = 1.0,
    j_ie: ArrayLike = 1.0,
    j_ei: ArrayLike = -2.0,
    j_ii: ArrayLike = -1.8,
    e: ArrayLike = 1.0,
    i: ArrayLike = 0.8,
    theta_e: ArrayLike = 1.0,
    theta_i: ArrayLike = 0.7,
    m0: ArrayLike = 0.1,
    tau_e: ArrayLike = 10.0,
    tau_i: ArrayLike = 10.0,
    temperature: ArrayLike = 0.0,
    initial: ArrayLike | None = None,
    connectivity: AbstractConnectivity | None = None,
    external: Bernoulli | None = None,
    n_x: int | None = None,
) -> BinaryNetwork:
    """The balanced network of binary units with strong, sparse, random connections.

    Each pair is connected with probability K / N, with the efficacy J_kl / sqrt(K) onto population k
    from population l. The field of a unit i of E is

        u_i = J_EE / sqrt(K) n_E + J_EI / sqrt(K) n_I + sqrt(K) E m_0,

    with n_E and n_I the numbers of its active inputs, and the unit is active where u_i exceeds
    theta_E; I likewise, with sqrt(K) I m_0 from outside. For large K the activities are linear in
    m_0: J_EE m_E + J_EI m_I + E m_0 = 0 and J_IE m_E + J_II m_I + I m_0 = 0.

    **Arguments:**

    - `k`: K, mean number of connections from each population; a leaf.
    - `n_e`, `n_i`: sizes; the mean field is for N >> K.
    - `j_ee`, `j_ie`, `j_ei`, `j_ii`: J_kl onto k from l; `e`, `i`: E and I; `theta_e`, `theta_i`.
    - `m0`: activity of the external units, whose input is constant unless `external` is given.
    - `external`: `jn.Bernoulli(p)`: a population "X" of `n_x` units, each active with probability m_0 after its updates
      (every 10 ms in the mean), that connects to E and I at random. Its weights sqrt(K) E / (p n_x) keep the mean; with
      p = K / n_x they are E / sqrt(K). Its mean field is that of `GaussianField()`.
    - `tau_e`, `tau_i`: mean time between updates [ms]; `temperature`: of `Binary`.
    - `initial`: probability that a unit starts active, m_0 by default.
    - `connectivity`: another rule for all four projections, such as `FixedInDegree(k)`; its mean in-degree should be K.

    **Returns:** a `BinaryNetwork` with the populations "E" and "I".

    Raises `ValueError` where K exceeds a population or a value is out of range.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.binary(k=1_000, m0=0.1)
    >>> balance = jn.theory.mean_field(net, field=jn.theory.GaussianField()).balance
    >>> [round(float(balance[name]), 6) for name in ("E", "I")]
    [0.1, 0.1]

    ```

    Source: van Vreeswijk and Sompolinsky (1996), doi:10.1126/science.274.5293.1724; (1998),
    doi:10.1162/089976698300017214, section 2.
    """
    k, m0, e, i = as_leaf(k, "k"), as_leaf(m0, "m0"), as_leaf(e, "e"), as_leaf(i, "i")
    check_positive("k", k)
    for name, value in (("k", k), ("m0", m0)):
        if value.ndim:
            raise ValueError(f"`{name}` has to be one number; got shape {value.shape}: map over it with jax.vmap.")
    if violates(lambda m: (m >= 0) & (m <= 1), m0):
        raise ValueError(f"`m0` is an activity and has to lie in [0, 1]; got {float(m0):g}.")
    for name, n in (("n_e", n_e), ("n_i", n_i)):
        if is_concrete(k) and float(k) > n:
            raise ValueError(f"`k` = {float(k):g} exceeds `{name}` = {n}: a unit has K inputs from each population.")
    if (external is None) != (n_x is None):
        raise ValueError("`external` and `n_x` belong together: the rule and the size of the external population.")
    root = jnp.sqrt(k)
    start = m0 if initial is None else as_leaf(initial, "initial")

    def projection(pre: str, post: str, j: ArrayLike) -> BinaryProjection:
        probability = k / {"E": n_e, "I": n_i}[pre]
        weight = as_leaf(j, f"j_{post}{pre}".lower()) / root
        rule = Bernoulli(probability, autapses=True) if connectivity is None else connectivity
        return BinaryProjection(pre, post, weight=weight, connectivity=rule)

    populations = {
        "E": Population(Binary(theta_e, tau=tau_e, temperature=temperature), n_e),
        "I": Population(Binary(theta_i, tau=tau_i, temperature=temperature), n_i),
    }
    projections = [
        projection("E", "E", j_ee),
        projection("E", "I", j_ie),
        projection("I", "E", j_ei),
        projection("I", "I", j_ii),
    ]
    if external is None or n_x is None:
        drives = {"E": root * e * m0, "I": root * i * m0}
        return BinaryNetwork(populations, projections, drives, initial={"E": start, "I": start})
    if not isinstance(external, Bernoulli):
        raise ValueError(f"`external` has to be a rule such as `jn.Bernoulli(0.05)`; got {told(external)}.")
    if violates(lambda m, p: (m > 0) & (m < 1) & (p > 0), m0, external.p):
        raise ValueError("With `external`, `m0` has to lie between 0 and 1, and its probability above 0.")
    # At temperature 1 a unit without input is active with probability m_0 if its threshold is log((1 - m_0) / m_0).
    populations["X"] = Population(Binary(jnp.log1p(-m0) - jnp.log(m0), tau=10.0, temperature=1.0), n_x)
    for post, strength in (("E", e), ("I", i)):
        weight = root * strength / (external.p * n_x)
        projections.append(BinaryProjection("X", post, weight=weight, connectivity=external))
    return BinaryNetwork(populations, projections, initial={"E": start, "I": start, "X": m0})
