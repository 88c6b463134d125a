"""What a law of a binary unit's field is, and the parts that such laws share."""

import abc
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from .._numerics import Shown

# Below, factorials are taken from the gamma function, above from Stirling's series.
_FEW = 16.0


class BinaryInputs(eqx.Module):
    """What the theory needs of a network: row k holds the inputs of population k.

    Under `vmap` an instance holds the one row of one population.

    `weight` and `in_degree` of the connections from each population; `spread` is 0 where the
    in-degree varies as a Poisson number and 1 where it is fixed, which makes the variance of a
    count K m (1 - spread m); `drive` is the field from outside less the threshold.
    """

    weight: Float[Array, "*rows n"]
    in_degree: Float[Array, "*rows n"]
    spread: Float[Array, "*rows n"]
    drive: Float[Array, "*rows"]
    temperature: Float[Array, "*rows"]
    tau: Float[Array, "*rows"]


class AbstractField(Shown):
    """A law of the field."""

    @abc.abstractmethod
    def prepare(self, inputs: BinaryInputs) -> "AbstractField":
        """The law with its sizes fixed; raises `ValueError` where it does not cover the network."""

    @abc.abstractmethod
    def activity(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n"]:
        """The probability to be active after an update, given the activities `m`."""

    @abc.abstractmethod
    def covers(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Bool[Array, ""]:
        """Whether the sums of the law reach far enough at the activities `m`."""

    @abc.abstractmethod
    def overlap(self, inputs: BinaryInputs, m: Float[Array, "n"], q: Float[Array, "n"]) -> Float[Array, "n"]:
        """The probability to be active after two distant updates, given activities `m` and overlaps `q`."""

    @abc.abstractmethod
    def offspring(self, inputs: BinaryInputs, m: Float[Array, "n"]) -> Float[Array, "n n"]:
        """Mean number of units of k that decide otherwise where one unit of l is in the other state."""


@jax.custom_jvp
def poisson_window(
    mean: Float[Array, ""], first: Int[Array, ""], like: Float[Array, "counts"]
) -> Float[Array, "counts"]:
    """P(n) of a Poisson number for n = first, first + 1, ..., as many as `like` is long, scaled to a sum of 1."""
    n = (first + jnp.arange(like.shape[0], dtype=jnp.int32)).astype(mean.dtype)
    # n log(n/mean) + mean - n and Stirling's series for the factorial, which lose no digit where n is large.
    known = jnp.where(mean > 0.0, mean, 1.0)
    some = jnp.maximum(n, 1.0)
    off = (some - known) / known
    series = (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / some**2) / some**2) / some
    large = -known * ((1.0 + off) * jnp.log1p(off) - off) - 0.5 * jnp.log(2.0 * math.pi * some) - series
    small = n * jnp.log(known) - jax.lax.lgamma(n + 1.0) - known
    log_p = jnp.where(mean > 0.0, jnp.where(n < _FEW, small, large), jnp.where(n == 0.0, 0.0, -jnp.inf))
    p = jnp.exp(log_p)
    return p / jnp.sum(p)


@poisson_window.defjvp
def _poisson_window_jvp(primals: tuple, tangents: tuple) -> tuple:
    # d P(n) / d mean = P(n - 1) - P(n), also at a mean of 0.
    mean, first, like = primals
    p = poisson_window(mean, first, like)
    before_first = jnp.where(first > 0, first.astype(mean.dtype) / jnp.where(mean > 0, mean, 1.0), 0.0) * p[:1]
    return p, (jnp.concatenate([before_first, p[:-1]]) - p) * tangents[0]


@jax.custom_jvp
def step(u: Float[Array, "..."], width: Float[Array, ""]) -> Float[Array, "..."]:
    return (u > 0).astype(u.dtype)


@step.defjvp
def _step_jvp(primals: tuple, tangents: tuple) -> tuple:
    # A sum over counts is a staircase in weights and drives. Its slope is that of the line through the middles of
    # its treads: each step taken as a ramp as wide as the largest weight, so that the ramps of a lattice add to 1.
    u, width = primals
    inside = (jnp.abs(u) < 0.5 * width) & (width > 0)
    return step(u, width), jnp.where(inside, 1.0 / jnp.where(width > 0, width, 1.0), 0.0) * tangents[0]


def active(u: Float[Array, "..."], temperature: Float[Array, ""], width: Float[Array, ""]) -> Float[Array, "..."]:
    cold = temperature == 0
    return jnp.where(cold, step(u, width), jax.nn.sigmoid(u / jnp.where(cold, 1.0, temperature)))


def two_at_least(values: Float[Array, "n"]) -> Float[Array, "m"]:
    """Values as two at least: a population that is not there has no connections."""
    return values if values.shape[0] >= 2 else jnp.concatenate([values, jnp.zeros(1, values.dtype)])
