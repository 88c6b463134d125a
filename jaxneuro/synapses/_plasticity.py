"""Transmission that depends on what the presynaptic neuron did before, and transmission by chance."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PRNGKeyArray, Shaped

from .._numerics import (
    as_leaf,
    check_count,
    check_finite,
    check_nonnegative,
    check_positive,
    in_a_line,
    step_keys,
    violates,
)
from ._effect import Released, SpikeEffect
from ._synapse import AbstractSynapse, Received

# Theory follows the number of quanta by its probabilities up to here.
_MOST_SITES = 100


class Resources(eqx.Module):
    """Of each presynaptic neuron: the share 1 - x of resources that is missing, and the share u a spike would use.

    Both decay to 0. What is missing keeps its digits there, where x, which is nearly 1, would stand still in float32.
    """

    missing: Float[Array, "n_pre"]
    u: Float[Array, "n_pre"]


class ShortTermPlasticity(AbstractSynapse):
    """A synapse whose strength depresses and facilitates with the spikes of its presynaptic neuron.

        dx/dt = (1 - x)/tau_rec,   du/dt = -u/tau_facil;
        at a spike u = u + u_0 (1 - u), the weight acts u x times, and then x = x - u x.

    Without `tau_facil` u is u_0 at every spike and the synapse depresses only. A run starts with x = 1 and u = 0.

    **Arguments:**

    - `synapse`: what is modulated, such as `ExponentialCurrent(5.0)`; the weight of the projection is its amplitude
      at u x = 1.
    - `u_0`: share of the resources that a spike of a rested synapse uses, 0 to 1.
    - `tau_rec`, `tau_facil` [ms]: recovery, and decay of facilitation; `tau_facil=None` for none.

    Raises `ValueError` where an argument is not as above.

    Derivatives: forward and reverse mode in u_0 and the time constants, between spikes.

    ```python
    >>> import jaxneuro as jn
    >>> depressing = jn.ShortTermPlasticity(jn.ExponentialCurrent(3.0), u_0=0.5, tau_rec=800.0)
    >>> [round(float(a), 4) for a in depressing.steady_amplitude([1.0, 10.0, 100.0])]
    [0.4164, 0.1051, 0.0123]

    ```

    Source: Tsodyks and Markram (1997), doi:10.1073/pnas.94.2.719; Tsodyks, Pawelzik and Markram (1998),
    doi:10.1162/089976698300017502.
    """

    synapse: AbstractSynapse
    u_0: Float[Array, ""]
    tau_rec: Float[Array, ""]
    tau_facil: Float[Array, ""] | None

    def __init__(
        self, synapse: AbstractSynapse, *, u_0: ArrayLike, tau_rec: ArrayLike, tau_facil: ArrayLike | None = None
    ):
        self.synapse = checked_inner(synapse)
        self.u_0, self.tau_rec = as_leaf(u_0, "u_0"), as_leaf(tau_rec, "tau_rec")
        self.tau_facil = None if tau_facil is None else as_leaf(tau_facil, "tau_facil")
        for name, leaf in (("u_0", self.u_0), ("tau_rec", self.tau_rec), ("tau_facil", self.tau_facil)):
            _check_one(name, leaf)
        check_finite("u_0", self.u_0)
        if violates(lambda u: (u > 0) & (u <= 1), self.u_0):
            raise ValueError(f"`u_0` has to lie above 0 and be at most 1; got {self.u_0}.")
        check_positive("tau_rec", self.tau_rec)
        if self.tau_facil is not None:
            check_positive("tau_facil", self.tau_facil)

    def init(self, n: int) -> Any:
        return self.synapse.init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        return self.synapse.prepare(dt, tau_m)

    def step(
        self, constants: Any, state: Any, counts: Float[Array, "n"], weight: Float[Array, "*n"], v: Any
    ) -> Received:
        return self.synapse.step(constants, state, counts, weight, v)

    def gives(self) -> tuple[str, ...]:
        return self.synapse.gives()

    def check_weight(self, name: str, weight: Float[Array, "..."], summed: bool) -> None:
        self.synapse.check_weight(name, weight, summed)

    def is_signed(self) -> bool:
        return self.synapse.is_signed()

    def is_linear(self) -> bool:
        return self.synapse.is_linear()

    def is_plain(self) -> bool:
        return False

    def counts_as(self, amplitude: Float[Array, "time n_pre"], weight: Float[Array, ""]) -> Float[Array, "time n_pre"]:
        return self.synapse.counts_as(amplitude, weight)

    def presynaptic(self, n_pre: int) -> Resources:
        """The resources of `n_pre` neurons that have long been silent."""
        return Resources(jnp.zeros(n_pre, self.u_0.dtype), jnp.zeros(n_pre, self.u_0.dtype))

    def release(
        self, memory: Resources, spikes: Bool[Array, "time n_pre"], dt: float
    ) -> tuple[Resources, Float[Array, "time n_pre"]]:
        """The resources after a block of steps, and u x of each spike, 0 elsewhere."""
        recovery = jnp.expm1(-dt / self.tau_rec)
        forget = None if self.tau_facil is None else jnp.expm1(-dt / self.tau_facil)

        def step(now: Resources, fired: Bool[Array, "n_pre"]) -> tuple[Resources, Float[Array, "n_pre"]]:
            missing, u = now.missing + now.missing * recovery, jnp.zeros_like(now.u)
            if forget is not None:
                u = now.u + now.u * forget
            u = jnp.where(fired, u + self.u_0 * (1.0 - u), u)
            used = jnp.where(fired, u * (1.0 - missing), 0.0)
            return Resources(missing + used, u), used

        return lax.scan(step, memory, spikes)

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """That of the synapse inside, at the weight times u x, as a spike acts also where a jump is of first order; by
        what the weight is multiplied, `released` says."""
        return self.synapse.spike_effect(weight, tau_m)

    def released(self, rate: Float[Array, ""]) -> Released:
        """The mean u x of the spikes of a Poisson train, in closed form: exact without facilitation.

            u = u_- + u_0 (1 - u_-),   u_- = u_0 r tau_facil/(1 + u_0 r tau_facil),   x = 1/(1 + u r tau_rec)

        With facilitation u and x are taken as independent. What u x does from spike to spike is left out.

        Source: Tsodyks, Pawelzik and Markram (1998), doi:10.1162/089976698300017502, equations (2.9), (2.10).
        """
        per_ms = rate / 1000.0
        u = self.u_0
        if self.tau_facil is not None:
            used = self.u_0 * per_ms * self.tau_facil
            before = used / (1.0 + used)
            u = before + self.u_0 * (1.0 - before)
        mean = u / (1.0 + u * per_ms * self.tau_rec)
        return Released(mean[None], jnp.ones(1, mean.dtype))

    def steady_amplitude(self, rate: Any) -> Float[Array, "..."]:
        """u x of the spikes of a regular train of `rate` [Hz] after a long time, in closed form."""
        gap = 1000.0 / as_leaf(rate, "rate")
        u = self.u_0
        if self.tau_facil is not None:
            left = jnp.exp(-gap / self.tau_facil)
            u = u / (1.0 - (1.0 - u) * left)
        kept = jnp.exp(-gap / self.tau_rec)
        return u * (1.0 - kept) / (1.0 - (1.0 - u) * kept)


class StochasticRelease(AbstractSynapse):
    """A synapse of `n_sites` release sites, each of which releases one quantum at a spike with probability `p`.

    Quanta per spike are binomial, independent from synapse to synapse and from spike to spike: mean n p, variance
    n p (1 - p). A target draws the quanta of all spikes that arrive in a step at once, which is the same law.

    **Arguments:**

    - `synapse`: what a quantum does, such as `ExponentialCurrent(5.0)`; the weight is that of one quantum.
    - `n_sites`: at each synapse, a positive integer; `p`: release probability.

    Raises `ValueError` where an argument is not as above.

    Derivatives: in the weight and the kinetics, at the quanta drawn; none in `p`.

    ```python
    >>> import jaxneuro as jn
    >>> synapse = jn.StochasticRelease(jn.ExponentialCurrent(5.0), n_sites=5, p=0.3)

    ```

    Source: del Castillo and Katz (1954), doi:10.1113/jphysiol.1954.sp005129; source text 001.
    """

    synapse: AbstractSynapse
    n_sites: int = eqx.field(static=True)
    p: Float[Array, ""]

    def __init__(self, synapse: AbstractSynapse, *, n_sites: int, p: ArrayLike):
        self.synapse, self.p = checked_inner(synapse), as_leaf(p, "p")
        self.n_sites = check_count("n_sites", n_sites, "a positive integer")
        _check_one("p", self.p)
        check_nonnegative("p", self.p)
        if violates(lambda p: p <= 1, self.p):
            raise ValueError(f"`p` has to be a probability; got {self.p}.")

    def init(self, n: int) -> Any:
        return self.synapse.init(n)

    def prepare(self, dt: float, tau_m: Float[Array, "*n"] | None) -> Any:
        return self.synapse.prepare(dt, tau_m)

    def step(
        self, constants: Any, state: Any, counts: Float[Array, "n"], weight: Float[Array, "*n"], v: Any
    ) -> Received:
        return self.synapse.step(constants, state, counts, weight, v)

    def gives(self) -> tuple[str, ...]:
        return self.synapse.gives()

    def check_weight(self, name: str, weight: Float[Array, "..."], summed: bool) -> None:
        self.synapse.check_weight(name, weight, summed)

    def is_signed(self) -> bool:
        return self.synapse.is_signed()

    def is_linear(self) -> bool:
        return False

    def is_plain(self) -> bool:
        return False

    def takes_amplitudes(self) -> bool:
        """False: a spike of an amplitude has no number of quanta."""
        return False

    def chance(self, key: PRNGKeyArray, steps: Int[Array, "time"], n_post: int) -> Float[Array, "time n_post"]:
        """One uniform number a step and target."""
        return jax.vmap(lambda k: jax.random.uniform(k, (n_post,), jnp.result_type(float)))(step_keys(key, steps))

    def spike_effect(self, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
        """That of one quantum; how many there are, `released` says."""
        return inner_effect(self.synapse, weight, tau_m)

    def released(self, rate: Float[Array, ""]) -> Released:
        """The numbers of quanta and their binomial probabilities; of over 100 sites two numbers of the same moments."""
        n = self.n_sites
        if n > _MOST_SITES:
            sd = jnp.sqrt(n * self.p * (1.0 - self.p))
            return Released(n * self.p + jnp.stack([-sd, sd]), jnp.full(2, 0.5, self.p.dtype))
        quanta = np.arange(n + 1)
        ways = as_leaf(np.array([float(math.comb(n, k)) for k in quanta]))
        powers = [x ** jnp.asarray(k, self.p.dtype) for x, k in ((self.p, quanta), (1.0 - self.p, n - quanta))]
        return Released(as_leaf(quanta.astype(float)), ways * powers[0] * powers[1])

    def transmitted(self, counts: Shaped[Array, "n"], numbers: Float[Array, "n"]) -> Float[Array, "n"]:
        """Quanta released by `counts` spikes, by the inverse of the binomial distribution at the uniform `numbers`."""
        uniform = numbers
        p = jnp.minimum(lax.stop_gradient(self.p), 1.0 - jnp.finfo(uniform.dtype).eps)
        sites = lax.stop_gradient(counts).astype(uniform.dtype) * self.n_sites
        odds = p / (1.0 - p)

        def short(carry: tuple[Array, ...]) -> Bool[Array, ""]:
            k, _, below, quanta = carry
            return jnp.any((quanta == k) & (uniform >= below) & (k < sites))

        def more(carry: tuple[Array, ...]) -> tuple[Array, ...]:
            k, mass, below, quanta = carry
            quanta = jnp.where((uniform >= below) & (k < sites), k + 1.0, quanta)
            mass = mass * odds * (sites - k) / (k + 1.0)
            return k + 1.0, mass, below + mass, quanta

        none = jnp.exp(sites * jnp.log1p(-p))
        return lax.while_loop(short, more, (jnp.zeros_like(p), none, none, jnp.zeros_like(none)))[3]


def _check_one(name: str, leaf: Array | None) -> None:
    if leaf is not None and leaf.ndim:
        raise ValueError(f"`{name}` has to be one number, the same for all synapses; got shape {leaf.shape}.")


def inner_effect(synapse: AbstractSynapse, weight: Float[Array, "*n"], tau_m: Float[Array, "*n"]) -> SpikeEffect:
    """The effect of one spike through the synapse inside, where that of k at once is the one of k times the weight."""
    if not synapse.is_linear():
        raise ValueError(
            f"{type(synapse).__name__} with a jump to first order has no theory inside a synapse that releases several "
            "quanta at once: take `ExactJump()`, or simulate it."
        )
    return synapse.spike_effect(weight, tau_m)


def checked_inner(synapse: Any) -> AbstractSynapse:
    """The synapse inside another, or `ValueError`."""
    if not isinstance(synapse, AbstractSynapse) or not synapse.is_plain():
        raise ValueError(
            f"`synapse` has to be a plain synapse such as `ExponentialCurrent(5.0)`; got {in_a_line(synapse)}."
        )
    return synapse
