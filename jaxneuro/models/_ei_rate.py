"""The pair of an excitatory and an inhibitory rate."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_finite, check_positive
from ..transfer import AbstractTransfer
from ._ode import AbstractRelaxation
from ._rate import checked_noise, checked_transfer

_WEIGHTS = ("m_ee", "m_ei", "m_ie", "m_ii", "gamma_e", "gamma_i")


class EIRate(AbstractRelaxation):
    """An excitatory and an inhibitory population by their rates.

        tau_E dv_E/dt = -v_E + F(M_EE v_E + M_EI v_I - gamma_E) + sigma sqrt(tau_E) xi_E,
        tau_I dv_I/dt = -v_I + F(M_IE v_E + M_II v_I - gamma_I) + sigma sqrt(tau_I) xi_I,

    with F(x) = [x]_+ by default (the source text leaves the rectification out: corrected).

    **Arguments**, numbers: `m_ee`, `m_ei`, `m_ie`, `m_ii`, weights with their signs, M_EI from I to E; `gamma_e` and
    `gamma_i`, thresholds (negative: input); `tau_e`, `tau_i` [ms]; `transfer`, of `jn.transfer`; `noise`, sigma;
    `start`, (2,), the rates v_E and v_I that a run starts from.

    Raises `ValueError` where a value is not finite or a time constant is not positive.

    Derivatives: forward and reverse mode, in every number.

    ```python
    >>> import jaxneuro as jn
    >>> pair = jn.networks.ei_rate(tau_i=30.0)
    >>> sol = jn.simulate(pair, 0.0, 3_000.0, dt=0.1, record={"rate": jn.record.Trace("rate", every=30_000)})
    >>> [round(float(v), 2) for v in sol["rate"][-1]]
    [26.67, 16.67]

    ```

    Source: source text 002; Dayan and Abbott (2001), Theoretical Neuroscience, section 7.5.
    """

    m_ee: Float[Array, ""]
    m_ei: Float[Array, ""]
    m_ie: Float[Array, ""]
    m_ii: Float[Array, ""]
    gamma_e: Float[Array, ""]
    gamma_i: Float[Array, ""]
    tau_e: Float[Array, ""]
    tau_i: Float[Array, ""]
    noise: Float[Array, ""] | None
    start: Float[Array, "2"]
    transfer: AbstractTransfer

    def __init__(
        self,
        *,
        m_ee: ArrayLike,
        m_ei: ArrayLike,
        m_ie: ArrayLike,
        m_ii: ArrayLike,
        gamma_e: ArrayLike,
        gamma_i: ArrayLike,
        tau_e: ArrayLike,
        tau_i: ArrayLike,
        transfer: AbstractTransfer | None = None,
        noise: ArrayLike | None = None,
        start: Any = (0.0, 0.0),
    ):
        self.m_ee, self.m_ei, self.m_ie, self.m_ii = (
            as_leaf(m_ee, "m_ee"),
            as_leaf(m_ei, "m_ei"),
            as_leaf(m_ie, "m_ie"),
            as_leaf(m_ii, "m_ii"),
        )
        self.gamma_e, self.gamma_i = as_leaf(gamma_e, "gamma_e"), as_leaf(gamma_i, "gamma_i")
        self.tau_e, self.tau_i = as_leaf(tau_e, "tau_e"), as_leaf(tau_i, "tau_i")
        self.transfer, self.noise, self.start = (
            checked_transfer(transfer, 2),
            checked_noise(noise),
            as_leaf(start, "start"),
        )
        for name in (*_WEIGHTS, "tau_e", "tau_i"):
            leaf = getattr(self, name)
            (check_positive if name.startswith("tau") else check_finite)(name, leaf)
            if leaf.ndim:
                raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}: map over it with jax.vmap.")
        check_finite("start", self.start)
        if self.start.shape != (2,):
            raise ValueError(f"`start` has to be the two rates (v_E, v_I); got shape {self.start.shape}.")

    def size(self) -> int:
        """Two: E and I."""
        return 2

    def weights(self) -> Float[Array, "2 2"]:
        """M, rows postsynaptic, E before I."""
        return jnp.stack([jnp.stack([self.m_ee, self.m_ei]), jnp.stack([self.m_ie, self.m_ii])])

    def initial(self) -> Float[Array, "2"]:
        """The rates that a run starts from."""
        return self.start

    def prepared(self) -> "EIRate":
        """Itself."""
        return self

    def time_constants(self) -> Float[Array, "2"]:
        """tau_E, tau_I [ms]."""
        return jnp.stack([self.tau_e, self.tau_i])

    def drive(self, v: Float[Array, "2"], args: Any = None) -> Float[Array, "2"]:
        """The arguments of F at the rates `v`."""
        e = self.m_ee * v[0] + self.m_ei * v[1] - self.gamma_e
        i = self.m_ie * v[0] + self.m_ii * v[1] - self.gamma_i
        total = jnp.stack([e, i])
        return total if args is None else total + args

    def target(self, t: Any, y: Float[Array, "2"], args: Any = None) -> Float[Array, "2"]:
        """F of the inputs."""
        return self.transfer(self.drive(y, args))

    def noise_amplitudes(self) -> Any:
        """sigma of both."""
        return self.noise if self.noise is None else jnp.broadcast_to(self.noise, (2,))

    def observe(self, y: Float[Array, "2"]) -> dict[str, Float[Array, "2"]]:
        """`rate`, of E and I."""
        return {"rate": y}
