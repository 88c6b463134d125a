"""Scaling laws: how the size of a postsynaptic potential falls with the number of connections."""

import warnings
from abc import abstractmethod
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, PyTree

from ._numerics import (
    AbstractBijection,
    OutsideTheoryWarning as OutsideTheoryWarning,
    Positive,
    Shown,
    Unbounded,
    as_leaf,
    check_finite,
    check_nonnegative,
    check_positive,
    is_concrete,
    read_labels,
    violates,
    wright_omega,
)

IS_INHIBITORY = {
    **dict.fromkeys(("e", "exc", "excitatory", "epsp"), False),
    **dict.fromkeys(("i", "inh", "inhibitory", "ipsp"), True),
}
"""The labels of a kind of synapse, in capitals or not."""


def as_inhibitory(value: Any) -> Bool[Array, "..."]:
    """True where a synapse is inhibitory: as given, or from labels.

    ```python
    >>> import jaxneuro as jn
    >>> jn.laws.as_inhibitory(["E", "I"]).tolist()
    [False, True]

    ```
    """
    return jnp.asarray(read_labels(value, "inhibitory", IS_INHIBITORY), dtype=bool)


class PSPTable(Shown):
    """Amplitudes of postsynaptic potentials, one a row, with the number of connections they were seen at.

    **Arguments:** `n_connections` (n,) the in-degree K; `psp` (n,) [mV] the amplitude, positive for both
    kinds; `inhibitory` (n,) true where the synapse is inhibitory, or labels E and I; lists,
    arrays or columns of a table.

    Raises `ValueError`, naming the first row at fault, where a number is not finite or not positive, a label
    is unknown or missing, or a column has a unit or masked values.

    ```python
    >>> import jaxneuro as jn
    >>> len(jn.laws.PSPTable([50, 500], [2.0, 0.7], [False, True]))
    2

    ```

    Source: the columns of Barral and Reyes (2016), doi:10.1038/nn.4415.
    """

    n_connections: Float[Array, " n"] = eqx.field(converter=partial(as_leaf, name="n_connections"))
    psp: Float[Array, " n"] = eqx.field(converter=partial(as_leaf, name="psp"))
    inhibitory: Bool[Array, " n"] = eqx.field(converter=as_inhibitory)

    def __check_init__(self):
        shapes = {"n_connections": self.n_connections.shape, "psp": self.psp.shape, "inhibitory": self.inhibitory.shape}
        if len(set(shapes.values())) > 1 or self.psp.ndim != 1:
            raise ValueError(f"`n_connections`, `psp` and `inhibitory` have to be as long as each other; got {shapes}.")
        if self.psp.size == 0:
            raise ValueError("`psp` is empty: a table needs at least one amplitude.")
        for name in ("n_connections", "psp"):
            column = getattr(self, name)
            if not is_concrete(column):
                continue
            wrong = ~(np.isfinite(column) & (np.asarray(column) > 0))
            if wrong.any():
                row = int(np.argmax(wrong))
                raise ValueError(f"`{name}` has to be finite and positive; row {row} holds {float(column[row])}.")

    def __len__(self) -> int:
        return self.psp.shape[0]


class AbstractLaw(Shown):
    """A scaling law K -> amplitude, one for excitatory and one for inhibitory synapses."""

    @abstractmethod
    def excitatory(self, k: ArrayLike) -> Float[Array, "..."]:
        """The amplitude J_E [mV] at `k` connections."""

    @abstractmethod
    def inhibitory(self, k: ArrayLike) -> Float[Array, "..."]:
        """The amplitude J_I [mV] at `k` connections, as a positive number."""

    @abstractmethod
    def free_parameters(self) -> dict[str, AbstractBijection]:
        """The parameters a fit moves unless told otherwise, each with the bijection that bounds it."""

    def concerns(self, k: ArrayLike) -> tuple[str, ...]:
        """Sentences on why the theory does not hold at `k`; empty where it does, and by default."""
        return ()

    def fit_concerns(self, data: PyTree) -> tuple[str, ...]:
        """The same at the numbers of connections of a table, which a fit warns of."""
        return self.concerns(data.n_connections) if isinstance(data, PSPTable) else ()

    def __call__(self, k: ArrayLike, *, inhibitory: ArrayLike = False) -> Float[Array, "..."]:
        """The amplitude [mV] at `k` connections: J_E, or J_I where `inhibitory` is true; shapes broadcast.

        Warns once where the theory behind the law does not hold at the given values.
        """
        mask, k = as_inhibitory(inhibitory), as_leaf(k, "k")
        if is_concrete(self, k):
            check_positive("k", k)
            with jax.ensure_compile_time_eval():  # known values stay known inside a user's jit
                concerns = self.concerns(k)
            for sentence in concerns:
                warnings.warn(sentence, OutsideTheoryWarning, stacklevel=2)
        if is_concrete(mask) and mask.ndim == 0:  # one kind of synapse: the other is not computed
            return self.inhibitory(k) if bool(mask) else self.excitatory(k)
        return jnp.where(mask, self.inhibitory(k), self.excitatory(k))

    def residuals(self, data: PSPTable) -> Float[Array, " n"]:
        """Natural logarithm of measured over predicted amplitude, the distance a fit makes small."""
        return jnp.log(data.psp) - jnp.log(self(data.n_connections, inhibitory=data.inhibitory))

    def misfit(self, data: PSPTable) -> Float[Array, " n"]:
        """Measured minus predicted amplitude [mV]; its root mean square is what papers print."""
        return data.psp - self(data.n_connections, inhibitory=data.inhibitory)


class PowerLaw(AbstractLaw):
    """A power of the number of connections: J_E = j0 K^(-beta), J_I = g J_E.

    **Arguments:** `j0` [mV] the amplitude at K = 1; `beta` the exponent; `g` the ratio of inhibition to
    excitation. Scalars, or arrays that broadcast against K.

    Raises `ValueError` where `j0` or `g` is not positive.

    Derivatives: forward and reverse, every order, in K and in the parameters.

    ```python
    >>> import jaxneuro as jn
    >>> print(f"{jn.laws.PowerLaw(j0=20.0, beta=0.5)(100):.3f} mV")
    2.000 mV

    ```

    Source: Barral and Reyes (2016), doi:10.1038/nn.4415; defaults from Sanzeni, Histed and Brunel (2022),
    doi:10.1103/PhysRevX.12.011044, section VII.
    """

    j0: Float[Array, "..."]
    beta: Float[Array, "..."]
    g: Float[Array, "..."]

    def __init__(self, j0: ArrayLike = 20.0, beta: ArrayLike = 0.59, g: ArrayLike = 1.1):
        self.j0, self.beta, self.g = as_leaf(j0, "j0"), as_leaf(beta, "beta"), as_leaf(g, "g")

    def __check_init__(self):
        check_positive("j0", self.j0)
        check_finite("beta", self.beta)
        check_positive("g", self.g)

    def excitatory(self, k: ArrayLike) -> Float[Array, "..."]:
        return self.j0 * as_leaf(k, "k") ** (-self.beta)

    def inhibitory(self, k: ArrayLike) -> Float[Array, "..."]:
        return self.g * self.excitatory(k)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"j0": Positive(), "beta": Unbounded(), "g": Positive()}


class CurrentScaling(AbstractLaw):
    """The scaling that balances current-based networks: J_E = j0 / sqrt(K), J_I = g J_E.

    **Arguments:** `j0` [mV] the amplitude at K = 1; `g` the ratio of inhibition to excitation. Scalars, or
    arrays that broadcast against K.

    Raises `ValueError` where one is not positive.

    Derivatives: forward and reverse, every order, in K and in the parameters.

    ```python
    >>> import jaxneuro as jn
    >>> print(f"{jn.laws.CurrentScaling(j0=20.0)(10_000):.3f} mV")
    0.200 mV

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, section VII.
    """

    j0: Float[Array, "..."]
    g: Float[Array, "..."]

    def __init__(self, j0: ArrayLike = 20.0, g: ArrayLike = 1.1):
        self.j0, self.g = as_leaf(j0, "j0"), as_leaf(g, "g")

    def __check_init__(self):
        check_positive("j0", self.j0)
        check_positive("g", self.g)

    def excitatory(self, k: ArrayLike) -> Float[Array, "..."]:
        return self.j0 / jnp.sqrt(as_leaf(k, "k"))

    def inhibitory(self, k: ArrayLike) -> Float[Array, "..."]:
        return self.g * self.excitatory(k)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"j0": Positive(), "g": Positive()}


class ConductanceScaling(AbstractLaw):
    """The scaling that keeps conductance-based networks irregular: the efficacy a falls as 1/log(K).

    J_E = (E_E - V) a(K) and J_I = g (V - E_I) a(K), where a(K) solves
    K = tau_bar / (sqrt(a) v_bar) exp(v_bar^2 / a), in closed form
    a(K) = 2 v_bar^2 / W0(2 (v_bar^2 K / tau_bar)^2).

    **Arguments:** `v_bar` the distance to threshold in units of the noise at a = 1 (the source prints 0.08,
    which is v_bar^2; corrected here); `g` the ratio of inhibitory to excitatory conductance; `gamma_eta`
    the ratio of inhibitory to excitatory input (number times rate); `tau_bar` the time constant over
    1 / (a K rate), 1 / (1 + g gamma_eta) unless given; `v_rest`, `e_e`, `e_i` [mV] the membrane potential
    V and the reversal potentials. Scalars, or arrays that broadcast against K.

    Raises `ValueError` where a parameter is not positive or the potentials are not e_i < v_rest < e_e.
    Warns where v_bar / sqrt(a) is not above 1: the escape from a deep well, from which the law follows,
    means nothing there.

    Derivatives: forward and reverse, every order, in K and in the parameters.

    ```python
    >>> import jaxneuro as jn
    >>> print(f"{jn.laws.ConductanceScaling()(10_000):.3f} mV")
    0.669 mV

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations 13 and 14 and
    section VII, corrected.
    """

    v_bar: Float[Array, "..."]
    g: Float[Array, "..."]
    gamma_eta: Float[Array, "..."]
    tau_bar: Float[Array, "..."] | None
    v_rest: Float[Array, "..."]
    e_e: Float[Array, "..."]
    e_i: Float[Array, "..."]

    def __init__(
        self,
        v_bar: ArrayLike = 0.283,
        g: ArrayLike = 3.4,
        gamma_eta: ArrayLike = 1.0,
        *,
        tau_bar: ArrayLike | None = None,
        v_rest: ArrayLike = -60.0,
        e_e: ArrayLike = 0.0,
        e_i: ArrayLike = -80.0,
    ):
        self.v_bar, self.g, self.gamma_eta = as_leaf(v_bar, "v_bar"), as_leaf(g, "g"), as_leaf(gamma_eta, "gamma_eta")
        self.tau_bar = None if tau_bar is None else as_leaf(tau_bar, "tau_bar")
        self.v_rest, self.e_e, self.e_i = as_leaf(v_rest, "v_rest"), as_leaf(e_e, "e_e"), as_leaf(e_i, "e_i")

    def __check_init__(self):
        check_positive("v_bar", self.v_bar)
        check_positive("g", self.g)
        check_nonnegative("gamma_eta", self.gamma_eta)
        if self.tau_bar is not None:
            check_positive("tau_bar", self.tau_bar)
        for name, below, above in (("v_rest", self.v_rest, self.e_e), ("e_i", self.e_i, self.v_rest)):
            if violates(lambda below, above: below < above, below, above):
                raise ValueError(
                    f"`{name}` is {below} mV and has to lie below {above} mV: the potentials are e_i < v_rest < e_e."
                )

    def time_constant_ratio(self) -> Float[Array, "..."]:
        """tau_bar: as given, or 1 / (1 + g gamma_eta) of equation 13."""
        return 1.0 / (1.0 + self.g * self.gamma_eta) if self.tau_bar is None else self.tau_bar

    def _omega(self, k: ArrayLike) -> Float[Array, "..."]:
        # W0(exp(z)) with z = log(2 (v_bar^2 K / tau_bar)^2), which overflows for no K.
        log_scale = 2.0 * jnp.log(self.v_bar) + jnp.log(as_leaf(k, "k")) - jnp.log(self.time_constant_ratio())
        return wright_omega(jnp.log(as_leaf(2.0)) + 2.0 * log_scale)

    def efficacy(self, k: ArrayLike) -> Float[Array, "..."]:
        """a(K), the conductance of a spike relative to the leak times its duration; dimensionless."""
        return 2.0 * self.v_bar**2 / self._omega(k)

    def distance_to_threshold(self, k: ArrayLike) -> Float[Array, "..."]:
        """v_bar / sqrt(a): threshold minus mean potential in units of its fluctuation (Fig. 5B)."""
        return jnp.sqrt(self._omega(k) / 2.0)

    def conductance_ratio(self, k: ArrayLike, *, rate: ArrayLike, tau_leak: ArrayLike = 20.0) -> Float[Array, "..."]:
        """Excitatory over leak conductance, a K tau_L r_E, at a `rate` r_E [Hz] and `tau_leak` [ms] (equation 3)."""
        return self.efficacy(k) * as_leaf(k, "k") * as_leaf(rate, "rate") * as_leaf(tau_leak, "tau_leak") / 1000.0

    def effective_time_constant_ratio(
        self, k: ArrayLike, *, rate: ArrayLike, tau_leak: ArrayLike = 20.0
    ) -> Float[Array, "..."]:
        """tau / tau_L = 1 / (1 + (g_E + g_I) / g_L), where g_I / g_E = g gamma_eta (equation 5, Fig. 5D)."""
        return 1.0 / (1.0 + self.conductance_ratio(k, rate=rate, tau_leak=tau_leak) * (1.0 + self.g * self.gamma_eta))

    def excitatory(self, k: ArrayLike) -> Float[Array, "..."]:
        return (self.e_e - self.v_rest) * self.efficacy(k)

    def inhibitory(self, k: ArrayLike) -> Float[Array, "..."]:
        return self.g * (self.v_rest - self.e_i) * self.efficacy(k)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"v_bar": Positive(), "g": Positive()}

    def concerns(self, k: ArrayLike) -> tuple[str, ...]:
        found = []
        smallest = float(jnp.min(self.distance_to_threshold(k)))
        if not smallest > 1.0:
            found.append(
                f"v_bar / sqrt(a) falls to {smallest:.2f}, and equation 14 holds only where it is above 1: "
                "use larger `k` or `v_bar`, or read the amplitude as an extrapolation."
            )
        if not bool(jnp.all(self.time_constant_ratio() <= 1.0)):
            found.append(
                f"`tau_bar` is {float(jnp.max(self.time_constant_ratio())):.3g}, outside (0, 1]: "
                "1 / (1 + g gamma_eta) cannot take this value."
            )
        return tuple(found)
