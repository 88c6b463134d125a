"""The neuron and the network with conductances, at any strength of coupling."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from .._network import AbstractInitial, Network, PoissonDrive, Population, Projection, warn_of_negative
from .._numerics import as_leaf, check_nonnegative, check_positive, is_concrete, told, where_defined
from ..connectivity import AbstractConnectivity, AbstractDelayLaw, FixedInDegree, GaussianInDegree
from ..models import LIF, Poisson
from ..synapses import AbstractJump, AbstractSynapse, DeltaConductance, ExactJump, ExponentialConductance

_EXCITATORY, _INHIBITORY = 0.0, -75.0  # reversal potentials [mV]
Leaves = dict[str, Float[Array, "*pair"]]


def conductance_neuron(
    *,
    a: ArrayLike = 0.01,
    k: ArrayLike = 1_000,
    g: ArrayLike = 12.0,
    eta: ArrayLike = 1.8,
    gamma: ArrayLike = 0.25,
    nu_x: ArrayLike = 20.0,
    n: int | None = 1,
    jump: AbstractJump | None = None,
    tau_s: ArrayLike | None = None,
    initial: AbstractInitial | None = None,
) -> Network:
    """Independent integrate-and-fire neurons with conductances, each with Poisson input of its own.

    A neuron has `k` excitatory inputs of efficacy a at nu_X, and `gamma k` inhibitory ones of efficacy g a at
    eta nu_X. tau_L = 20 ms, threshold -55, reset -65, E_L = -80, E_E = 0, E_I = -75 mV, refractory period 2 ms.

    **Arguments:**

    - `a`: efficacy; `k`: in-degree; `g`, `eta`, `gamma`: ratios, dimensionless; `nu_x` [Hz].
    - `n`: number of neurons; `jump`: `ExactJump()` by default, or `FirstOrderJump()`; `initial`: at rest by default.
    - `tau_s`: [ms], of synapses with a time course, of efficacy a tau_L/tau_s; at once by default.

    **Returns:** a `Network` with the population "E".

    Raises `ValueError` where a number is negative, not finite or no number, or an efficacy is too large for `jump`.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = jn.networks.conductance_neuron(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25, nu_x=20.0)
    >>> f"{float(jn.theory.mean_field(neuron).rate['E']):.4f} Hz"
    '16.3400 Hz'

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, sections II and III, Fig. 2.
    """
    leaves = _checked(jump, a=a, k=k, g=g, gamma=gamma, nu_x=nu_x, eta=eta)
    for name, leaf in leaves.items():
        if leaf.ndim:
            raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}.")
    neuron, excitatory, inhibitory, scale = _parts(as_leaf(20.0), jump, tau_s)
    a, k, g, rate = (leaves[name] for name in ("a", "k", "g", "nu_x"))
    drives = [
        PoissonDrive("E", excitatory, weight=scale * a, n_sources=k, rate=rate),
        PoissonDrive("E", inhibitory, weight=scale * (g * a), n_sources=leaves["gamma"] * k, rate=leaves["eta"] * rate),
    ]
    return Network({"E": Population(neuron, n, initial=initial)}, drives=drives)


def conductance_based(
    *,
    a: ArrayLike | tuple[ArrayLike, ArrayLike] = 0.0016,
    k: ArrayLike | tuple[ArrayLike, ArrayLike] = 1_000,
    g: ArrayLike | tuple[ArrayLike, ArrayLike] = 20.0,
    gamma: ArrayLike | tuple[ArrayLike, ArrayLike] = 0.25,
    nu_x: ArrayLike | tuple[ArrayLike, ArrayLike] = 20.0,
    tau_m: ArrayLike | tuple[ArrayLike, ArrayLike] = 20.0,
    cv_k: ArrayLike | None = None,
    tau_s: ArrayLike | None = None,
    n_e: int | None = None,
    n_i: int | None = None,
    n_x: int | None = None,
    delay: float | AbstractDelayLaw = 1.0,
    jump: AbstractJump | None = None,
    initial: AbstractInitial | None = None,
) -> Network:
    """The network of conductance-based integrate-and-fire neurons, models A and B.

    Every neuron has `k` excitatory synapses of efficacy a, `gamma k` inhibitory ones of efficacy
    g a, and `k` external excitatory ones with rate nu_X. Threshold -55, reset -65, E_L = -80, E_E = 0,
    E_I = -75 mV, refractory period 2 ms.

    In model A all neurons are alike. In model B any of `a`, `k`, `g`, `gamma`, `nu_x` and `tau_m` is a pair (value of
    E neurons, value of I neurons), of the synapses that they receive.

    **Arguments:**

    - `a`: efficacy, dimensionless; `k`: in-degree K; `g`, `gamma`: dimensionless; `nu_x` [Hz]; `tau_m`: tau_L [ms].
    - `cv_k`: CV_K, standard deviation over mean of every in-degree, which is drawn; all are equal by default.
    - `tau_s`: [ms], of synapses with a time course, of efficacy a tau_L/tau_s; at once by default.
    - `n_e`, `n_i`: sizes, by default 10 K and 10 gamma K; open where K is traced, which theory allows.
    - `n_x`: size of an external Poisson population "X" ("X_E" and "X_I" where `nu_x` is a pair), of which every neuron
      draws its K sources, so that neurons share some; with `cv_k` 10 K by default. Without, each neuron has its own.
    - `delay`: [ms], not given in the source; `jump`: `ExactJump()` by default, or `FirstOrderJump()`.
    - `initial`: where the potentials start; at rest by default.

    **Returns:** a `Network` with the populations "E" and "I".

    Raises `ValueError` where an in-degree exceeds its population or a value is out of range; values that only a
    transformation knows are then NaN. Warns where `cv_k` makes over 1% of the in-degrees negative.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.conductance_based(a=0.0016, k=1_000, g=20.0, gamma=0.25, nu_x=20.0)
    >>> net.populations["I"].n
    2500
    >>> b = jn.networks.conductance_based(g=(20.0, 19.0), n_x=20_000)
    >>> b.names
    ('E', 'I', 'X')

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, section II, Fig. 4, (D14)-(D17).
    """
    leaves = _checked(jump, a=a, k=k, g=g, gamma=gamma, nu_x=nu_x, tau_m=tau_m)
    alike = all(leaf.ndim == 0 for leaf in leaves.values())
    rule = _rule(cv_k)
    k, gamma = leaves["k"], leaves["gamma"]
    if n_e is None and is_concrete(k):
        n_e = max(1, math.ceil(10 * float(np.max(np.asarray(k)))))
    if n_i is None and is_concrete(k, gamma):
        # a product in the leaves' own dtype
        n_i = max(1, math.ceil(10 * float(np.max(np.asarray(gamma) * np.asarray(k)))))
    shared = n_x is not None or cv_k is not None
    for name, size in (("n_e", n_e), ("n_i", n_i), ("n_x", n_x)):
        if size is not None and (isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1):
            raise ValueError(f"`{name}` has to be a positive integer, the number of neurons; got {told(size)}.")
    if n_x is None and is_concrete(k):
        n_x = max(1, math.ceil(10 * float(np.max(np.asarray(k)))))
    populations, projections, drives = {}, [], []
    for i, (name, n) in enumerate((("E", n_e), ("I", n_i))):
        if alike and i:
            # One projection and one drive serve both; one neuron too, which is how theory inside a jit tells that they
            # are equal.
            populations[name] = Population(populations["E"].model, n, initial=initial)
            continue
        own = {key: leaf if leaf.ndim == 0 else leaf[i] for key, leaf in leaves.items()}
        neuron, excitatory, inhibitory, scale = _parts(own["tau_m"], jump, tau_s)
        populations[name] = Population(neuron, n, initial=initial)
        targets = ("E", "I") if alike else (name,)
        a_e, a_i = scale * own["a"], scale * (own["g"] * own["a"])
        many, few = rule(own["k"]), rule(own["gamma"] * own["k"])
        projections += [
            Projection("E", targets, excitatory, weight=a_e, connectivity=many, delay=delay),
            Projection("I", targets, inhibitory, weight=a_i, connectivity=few, delay=delay),
        ]
        if not shared:
            drives.append(PoissonDrive(targets, excitatory, weight=a_e, n_sources=own["k"], rate=own["nu_x"]))
            continue
        source = "X" if leaves["nu_x"].ndim == 0 else f"X_{name}"
        populations[source] = Population(Poisson(own["nu_x"]), n_x)
        projections.append(Projection(source, targets, excitatory, weight=a_e, connectivity=many, delay=delay))
    ordered = {name: populations.pop(name) for name in ("E", "I")} | populations
    return Network(ordered, projections, drives)


def _checked(jump: AbstractJump | None, **values: Any) -> Leaves:
    """The numbers as leaves, one or a pair each, in range where they are known, and NaN where they are not."""
    if jump is not None and not isinstance(jump, AbstractJump):
        raise ValueError(f"`jump` has to be `ExactJump()` or `FirstOrderJump()`; got {told(jump)}.")
    leaves = {name: as_leaf(value, name) for name, value in values.items()}
    for name, leaf in leaves.items():
        if leaf.shape not in ((), (2,)):
            raise ValueError(f"`{name}` has to be a number or a pair (of E, of I); got shape {leaf.shape}.")
        check = check_positive if name == "tau_m" else check_nonnegative
        check(name, leaf)
    jump = ExactJump() if jump is None else jump
    largest = leaves["g"] * leaves["a"]
    jump.check("a", leaves["a"])
    jump.check("g a", largest)
    leaves = {name: _defined(leaf, positive=name == "tau_m") for name, leaf in leaves.items()}
    if not is_concrete(largest):
        allowed = jnp.isfinite(jump.exponent(leaves["a"])) & jnp.isfinite(jump.exponent(leaves["g"] * leaves["a"]))
        leaves["a"] = where_defined(allowed if allowed.ndim == leaves["a"].ndim else jnp.all(allowed), leaves["a"])
    return leaves


def _defined(leaf: Float[Array, "*pair"], positive: bool) -> Float[Array, "*pair"]:
    """The leaf, NaN where a value that only a transformation knows is out of range."""
    if is_concrete(leaf):
        return leaf
    valid: Bool[Array, "*pair"] = jnp.isfinite(leaf) & ((leaf > 0.0) if positive else (leaf >= 0.0))
    return where_defined(valid, leaf)


def _parts(
    tau_m: Float[Array, ""], jump: AbstractJump | None, tau_s: ArrayLike | None
) -> tuple[LIF, AbstractSynapse, AbstractSynapse, Float[Array, ""]]:
    """The neuron, its excitatory and inhibitory synapses, and the weight of an efficacy of 1."""
    neuron = LIF(tau_m=tau_m, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    if tau_s is None:
        excitatory, inhibitory = (DeltaConductance(reversal=e, jump=jump) for e in (_EXCITATORY, _INHIBITORY))
        return neuron, excitatory, inhibitory, as_leaf(1.0)
    if jump is not None:
        raise ValueError("`jump` is of synapses that act at once: leave it out where `tau_s` is given.")
    time = as_leaf(tau_s, "tau_s")
    if time.ndim:
        raise ValueError(f"`tau_s` has to be one number, of E and I synapses; got shape {time.shape}.")
    check_positive("tau_s", time)
    time = _defined(time, positive=True)
    slow = [ExponentialConductance(tau=time, reversal=e) for e in (_EXCITATORY, _INHIBITORY)]
    return neuron, slow[0], slow[1], tau_m / time


def _rule(cv_k: ArrayLike | None) -> Any:
    """The rule of an in-degree."""
    if cv_k is None:
        return FixedInDegree
    cv = as_leaf(cv_k, "cv_k")
    if cv.ndim:
        raise ValueError(f"`cv_k` has to be one number; got shape {cv.shape}.")
    check_nonnegative("cv_k", cv)
    warn_of_negative("cv_k", cv, stacklevel=3)
    defined = _defined(cv, positive=False)

    def gaussian(k: Float[Array, ""]) -> AbstractConnectivity:
        return GaussianInDegree(k, cv=defined)

    return gaussian
