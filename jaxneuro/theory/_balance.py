"""The summed input of many binary sources: why averaging makes neurons regular and balance does not."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PRNGKeyArray

from .._numerics import (
    Shown,
    as_leaf,
    check_broadcast,
    check_count,
    check_finite,
    check_key,
    check_nonnegative,
    check_positive,
    violates,
)


class BalancedInput(Shown):
    """A neuron with N excitatory and N inhibitory binary sources.

        I = w_E sum_i sigma^E_i - w_I sum_i sigma^I_i,   w = J / N^power.

    A source is active with probability p. Sources of a kind have the pairwise correlation c: each copies, with
    probability sqrt(c), one common source, and the common sources of both kinds are active together as far as their
    probabilities allow.

    **Arguments**, numbers or arrays that broadcast together:

    - `n`: N, sources of each kind.
    - `j_e`, `j_i`: J, not negative; `p_e`, `p_i`: probabilities. `j_i` of 0 leaves excitation alone.
    - `power`: 1 for weights of order 1/N, 1/2 for 1/sqrt(N).
    - `c_e`, `c_i`: correlations, from 0 to 1.

    Raises `ValueError` where a value is not finite or a probability or correlation lies outside [0, 1].

    Derivatives: of `mean` and `variance`, any.

    ```python
    >>> import jaxneuro as jn
    >>> for n in (100.0, 10_000.0):
    ...     alone = jn.theory.BalancedInput(n=n, j_e=1.0, p_e=0.2, power=1.0)
    ...     balanced = jn.theory.BalancedInput(n=n, j_e=1.0, p_e=0.2, j_i=1.0, p_i=0.2)
    ...     sds = [float(x.variance()) ** 0.5 for x in (alone, balanced)]
    ...     print(f"{alone.mean():.2f} +- {sds[0]:.3f}, {balanced.mean():.2f} +- {sds[1]:.3f}")
    0.20 +- 0.040, 0.00 +- 0.566
    0.20 +- 0.004, 0.00 +- 0.566

    ```

    Source: source text 001, equations (48)-(50); van Vreeswijk and
    Sompolinsky (1996), doi:10.1126/science.274.5293.1724.
    """

    n: Float[Array, "..."]
    j_e: Float[Array, "..."]
    p_e: Float[Array, "..."]
    j_i: Float[Array, "..."]
    p_i: Float[Array, "..."]
    power: Float[Array, "..."]
    c_e: Float[Array, "..."]
    c_i: Float[Array, "..."]

    def __init__(
        self,
        *,
        n: ArrayLike,
        j_e: ArrayLike,
        p_e: ArrayLike,
        j_i: ArrayLike = 0.0,
        p_i: ArrayLike = 0.0,
        power: ArrayLike = 0.5,
        c_e: ArrayLike = 0.0,
        c_i: ArrayLike = 0.0,
    ):
        self.n, self.power = as_leaf(n, "n"), as_leaf(power, "power")
        self.j_e, self.p_e, self.c_e = as_leaf(j_e, "j_e"), as_leaf(p_e, "p_e"), as_leaf(c_e, "c_e")
        self.j_i, self.p_i, self.c_i = as_leaf(j_i, "j_i"), as_leaf(p_i, "p_i"), as_leaf(c_i, "c_i")
        check_positive("n", self.n)
        check_nonnegative("j_e", self.j_e)
        check_nonnegative("j_i", self.j_i)
        check_finite("power", self.power)
        for name in ("p_e", "p_i", "c_e", "c_i"):
            leaf = getattr(self, name)
            check_nonnegative(name, leaf)
            if violates(lambda x: x <= 1.0, leaf):
                raise ValueError(f"`{name}` has to lie between 0 and 1; got {leaf}.")
        check_broadcast({field.name: getattr(self, field.name) for field in dataclasses.fields(self)})

    def mean(self) -> Float[Array, "..."]:
        """N^(1 - power) (J_E p_E - J_I p_I)."""
        return self.n ** (1.0 - self.power) * (self.j_e * self.p_e - self.j_i * self.p_i)

    def variance(self) -> Float[Array, "..."]:
        """N^(1 - 2 power) [sum of J^2 p (1 - p) (1 + (N - 1) c) - 2 N J_E J_I C_EI].

        C_EI = sqrt(c_E c_I) (min(p_E, p_I) - p_E p_I) is the covariance of a source of each kind.
        """
        e = jnp.square(self.j_e) * self.p_e * (1.0 - self.p_e) * (1.0 + (self.n - 1.0) * self.c_e)
        i = jnp.square(self.j_i) * self.p_i * (1.0 - self.p_i) * (1.0 + (self.n - 1.0) * self.c_i)
        common = jnp.sqrt(self.c_e * self.c_i) * (jnp.minimum(self.p_e, self.p_i) - self.p_e * self.p_i)
        return self.n ** (1.0 - 2.0 * self.power) * (e + i - 2.0 * self.n * self.j_e * self.j_i * common)

    def sample(self, n_samples: int, *, key: PRNGKeyArray) -> Float[Array, "samples ..."]:
        """Independent draws of the input, by drawing the numbers of active sources; N is rounded."""
        check_key(key)
        check_count("n_samples", n_samples, "a positive number")
        shape = (n_samples, *np.broadcast_shapes(*(leaf.shape for leaf in jax.tree.leaves(self))))
        common_key, e_key, i_key = jax.random.split(key, 3)
        common, n = jax.random.uniform(common_key, shape, self.n.dtype), jnp.round(self.n)

        def active(own: PRNGKeyArray, p: Array, c: Array) -> Array:
            copied = jnp.sqrt(c)
            chance = jnp.where(common < p, copied, 0.0) + (1.0 - copied) * p
            return jax.random.binomial(own, n, jnp.clip(chance, 0.0, 1.0), shape=shape, dtype=self.n.dtype)

        total = self.j_e * active(e_key, self.p_e, self.c_e) - self.j_i * active(i_key, self.p_i, self.c_i)
        return total * self.n**-self.power
