"""Laws that the delays of single synapses are drawn from."""

import abc
import math
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Complex, Float

from .._numerics import (
    Shown,
    as_leaf,
    check_finite,
    check_positive,
    delay_steps,
    gauss_legendre,
    is_concrete,
    to_milliseconds,
)

# A quadrature of a truncated law has this many nodes over at most so many standard deviations to either side.
_NODES, _REACH = 64, 8.0
# Delays are kept as whole numbers of 16 bits at most.
_MOST_KEPT = 2**16 - 1
# A law of which less than this lies within its bounds is a slip, and would be drawn for long.
_LEAST_MASS = 1e-3


class StepRange(NamedTuple):
    """The shortest and the longest delay, in steps."""

    least: int
    most: int


class AbstractDelay(Shown):
    """Delays of a projection, within bounds that are known before a run."""

    low: eqx.AbstractVar[float]
    high: eqx.AbstractVar[float]

    def as_given(self) -> Any:
        """What was given as `delay=`."""
        return self

    def steps(self, name: str, dt: float) -> StepRange:
        """The bounds in steps of `dt` [ms], rounded, and at least one step each."""
        most = delay_steps(f"{name}.high", self.high, dt)
        if most > np.iinfo(np.int16).max:
            raise ValueError(f"`{name}.high` is {most:,} steps of dt; at most 32,767 are kept.")
        return StepRange(max(1, round(self.low / dt)), most)

    def shares(self, dt: float, least: int, most: int) -> Float[Array, "steps *pairs"] | None:
        """The part of a spike that arrives after `least`, ..., `most` steps; None where a spike arrives whole."""
        return None

    def law(self) -> "AbstractDelayLaw | None":
        """The law of the delays, which rules and theory read; None where there is none."""
        return None

    def check_given(self, n_pre: int, n_post: int) -> None:
        """Raises `ValueError` where given weights, (post, pre), cannot have such delays."""
        name = type(self).__name__
        raise ValueError(f"`delay` of given weights is one number or a `TrainableDelay`, not a `{name}`.")


class AbstractDelayLaw(AbstractDelay):
    """The law of the delays of a projection, on [low, high] ms; each is rounded to whole steps, and to at least one."""

    @abc.abstractmethod
    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        """Delays [ms] of independent synapses."""

    @property
    @abc.abstractmethod
    def mean(self) -> Float[Array, ""]:
        """Mean of the delays [ms] that are drawn, differentiable."""

    @abc.abstractmethod
    def characteristic(self, growth: Complex[Array, ""]) -> Complex[Array, ""]:
        """The mean of exp(-growth d) over the delays d, `growth` in 1/ms."""

    def drawn(self) -> "AbstractDelayLaw | None":
        """The law that each synapse draws its delay from; None where all have one delay."""
        return self

    def law(self) -> "AbstractDelayLaw":
        return self

    def quantum(self) -> float:
        """What drawn delays are kept in whole multiples of [ms]: so little that 16 bits reach to `high`."""
        return self.high / _MOST_KEPT


class ConstantDelay(AbstractDelayLaw):
    """One delay [ms]: what a number given as `delay=` stands for. It is part of the program."""

    value: float = eqx.field(static=True)

    def __init__(self, value: Any):
        self.value = to_milliseconds("delay", value)
        if self.value <= 0:
            raise ValueError(f"`delay` has to be positive; got {value} ms.")

    @property
    def low(self) -> float:  # type: ignore[override]
        return self.value

    @property
    def high(self) -> float:  # type: ignore[override]
        return self.value

    def as_given(self) -> float:
        return self.value

    def steps(self, name: str, dt: float) -> StepRange:
        steps = delay_steps(name, self.value, dt)
        return StepRange(steps, steps)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        return np.full(shape, self.value)

    @property
    def mean(self) -> Float[Array, ""]:
        return as_leaf(self.value)

    def characteristic(self, growth: Complex[Array, ""]) -> Complex[Array, ""]:
        return jnp.exp(-growth * self.value)

    def drawn(self) -> None:
        return None

    def check_given(self, n_pre: int, n_post: int) -> None:
        """Any weights may have one delay."""


class UniformDelay(AbstractDelayLaw):
    """Delays drawn for every synapse from the uniform distribution on [low, high] ms.

    Each is rounded to whole steps, and to at least one step; `high` has to be at least one step.

    ```python
    >>> import jaxneuro as jn
    >>> float(jn.UniformDelay(1.0, 3.0).mean)
    2.0

    ```
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __init__(self, low: float, high: float):
        self.low, self.high = _bounds("UniformDelay(low, high)", low, high)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        return rng.uniform(self.low, self.high, shape)

    @property
    def mean(self) -> Float[Array, ""]:
        return as_leaf(0.5 * (self.low + self.high))

    def characteristic(self, growth: Complex[Array, ""]) -> Complex[Array, ""]:
        half = 0.5 * (self.high - self.low) * growth
        # sinh(x)/x, by its series near 0, where the quotient cancels.
        small = jnp.abs(lax.stop_gradient(half)) < 1e-2
        safe = jnp.where(small, 1.0, half)
        square = half * half
        ratio = jnp.where(small, 1.0 + square / 6.0 * (1.0 + square / 20.0), jnp.sinh(safe) / safe)
        return jnp.exp(-growth * (0.5 * (self.low + self.high))) * ratio


class NormalDelay(AbstractDelayLaw):
    """Normally distributed delays within [low, high] ms: a draw outside is drawn again.

    **Arguments:** `mean_before` and `sd`, [ms], of the normal law before it is cut, leaves; `low` and `high`, [ms],
    known before the run, as they bound its blocks; `grid`, the step of runs [ms]: delays are then rounded to multiples
    of it when drawn, and take one byte each up to 255 of them, where others take two.

    Raises `ValueError` where a number is not finite, `sd` is not positive, it is not 0 <= low <= high > 0, `grid` is
    not positive or does not fit into `high` 1 to 65,535 times, or hardly any draw would lie within the bounds.

    ```python
    >>> import jaxneuro as jn
    >>> delay = jn.NormalDelay(1.5, 0.75, low=0.1, high=10.0)
    >>> print(f"{float(delay.mean):.3f} ms")
    1.554 ms

    ```

    Source: Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358, table 5.
    """

    mean_before: Float[Array, ""]
    sd: Float[Array, ""]
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    grid: float | None = eqx.field(static=True)

    def __init__(self, mean_before: ArrayLike, sd: ArrayLike, *, low: float, high: float, grid: float | None = None):
        self.mean_before, self.sd = _one_number("mean_before", mean_before), _one_number("sd", sd)
        check_positive("sd", self.sd)
        self.low, self.high = _bounds("NormalDelay", low, high)
        self.grid = _known_grid(grid, self.high)
        if is_concrete(self.mean_before, self.sd):
            _check_mass("NormalDelay", float(self.mean_before), float(self.sd), self.low, self.high)

    def quantum(self) -> float:
        """`grid` where one is given."""
        return self.high / _MOST_KEPT if self.grid is None else self.grid

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        center, sd = float(self.mean_before), float(self.sd)
        return _within(lambda n: rng.normal(center, sd, n), shape, self.low, self.high)

    def _nodes(self) -> tuple[Float[Array, "count"], Float[Array, "count"]]:
        z, p = _truncated_normal((self.low - self.mean_before) / self.sd, (self.high - self.mean_before) / self.sd)
        return self.mean_before + self.sd * z, p

    @property
    def mean(self) -> Float[Array, ""]:
        values, p = self._nodes()
        return jnp.sum(p * values)

    def characteristic(self, growth: Complex[Array, ""]) -> Complex[Array, ""]:
        values, p = self._nodes()
        return jnp.sum(p.astype(growth.dtype) * jnp.exp(-growth * values.astype(growth.dtype)))


class LogNormalDelay(AbstractDelayLaw):
    """Delays with a normally distributed logarithm within [low, high] ms: a draw outside is drawn again.

    **Arguments:** `mean_before` [ms] and `cv`, of the lognormal law before it is cut, leaves; `low` and `high`, [ms],
    known before the run.

    Raises `ValueError` where a number is not finite and positive, it is not 0 <= low <= high > 0, or hardly any draw
    would lie within the bounds.

    ```python
    >>> import jaxneuro as jn
    >>> delay = jn.LogNormalDelay(2.0, 0.5, low=0.1, high=20.0)
    >>> print(f"{float(delay.mean):.3f} ms")
    2.000 ms

    ```
    """

    mean_before: Float[Array, ""]
    cv: Float[Array, ""]
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __init__(self, mean_before: ArrayLike, cv: ArrayLike, *, low: float, high: float):
        self.mean_before, self.cv = _one_number("mean_before", mean_before), _one_number("cv", cv)
        check_positive("mean_before", self.mean_before)
        check_positive("cv", self.cv)
        self.low, self.high = _bounds("LogNormalDelay", low, high)
        if is_concrete(self.mean_before, self.cv):
            center, s = (float(x) for x in self._logarithm())
            low_log = math.log(self.low) if self.low > 0 else -math.inf
            _check_mass("LogNormalDelay", center, s, low_log, math.log(self.high))

    def _logarithm(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Mean and standard deviation of the logarithm."""
        variance = jnp.log1p(self.cv**2)
        return jnp.log(self.mean_before) - 0.5 * variance, jnp.sqrt(variance)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "*shape"]:
        center, s = (float(x) for x in self._logarithm())
        return _within(lambda n: np.exp(rng.normal(center, s, n)), shape, self.low, self.high)

    def _nodes(self) -> tuple[Float[Array, "count"], Float[Array, "count"]]:
        center, s = self._logarithm()
        low = -math.inf if self.low == 0 else math.log(self.low)
        z, p = _truncated_normal((low - center) / s, (math.log(self.high) - center) / s)
        return jnp.exp(center + s * z), p

    @property
    def mean(self) -> Float[Array, ""]:
        values, p = self._nodes()
        return jnp.sum(p * values)

    def characteristic(self, growth: Complex[Array, ""]) -> Complex[Array, ""]:
        values, p = self._nodes()
        return jnp.sum(p.astype(growth.dtype) * jnp.exp(-growth * values.astype(growth.dtype)))


def as_delay(delay: Any) -> AbstractDelay:
    """Delays as they are; a number as the one delay of all."""
    return delay if isinstance(delay, AbstractDelay) else ConstantDelay(delay)


def _truncated_normal(low: Float[Array, ""], high: Float[Array, ""]) -> tuple[Float[Array, "n"], Float[Array, "n"]]:
    """Nodes and probabilities of a standard normal number within [low, high]."""
    rule = gauss_legendre(_NODES)
    begin, end = jnp.clip(low, -_REACH, _REACH), jnp.clip(high, -_REACH, _REACH)
    z = begin + (end - begin) * jnp.asarray(rule.nodes, begin.dtype)
    density = jnp.asarray(rule.weights, begin.dtype) * jnp.exp(-0.5 * z**2)
    return z, density / jnp.sum(density)


def _within(draw: Any, shape: tuple[int, ...], low: float, high: float) -> Float[np.ndarray, "*shape"]:
    values = draw(math.prod(shape))
    wrong = np.flatnonzero((values < low) | (values > high))
    while wrong.size:
        again = draw(wrong.size)
        values[wrong] = again
        wrong = wrong[(again < low) | (again > high)]
    return values.reshape(shape)


def _check_mass(name: str, center: float, sd: float, low: float, high: float) -> None:
    mass = 0.5 * (math.erf((high - center) / sd / math.sqrt(2)) - math.erf((low - center) / sd / math.sqrt(2)))
    if mass < _LEAST_MASS:
        raise ValueError(
            f"`delay`: less than {_LEAST_MASS:g} of this `{name}` lies between `low` and `high`; widen them, or take "
            "a number."
        )


def _bounds(name: str, low: float, high: float) -> tuple[float, float]:
    known = to_milliseconds("low", low), to_milliseconds("high", high)
    if not 0 <= known[0] <= known[1] or known[1] == 0:
        raise ValueError(f"`low` and `high` of `{name}` need 0 <= low <= high > 0; got {low} and {high} ms.")
    return known


def _known_grid(grid: float | None, high: float) -> float | None:
    if grid is None:
        return None
    known = to_milliseconds("grid", grid)
    if not (known > 0 and 1 <= round(high / known) <= _MOST_KEPT):
        raise ValueError(
            f"`grid` has to be the step of runs, which fits 1 to {_MOST_KEPT:,} times into `high` = {high:g} ms; got "
            f"{grid} ms."
        )
    return known


def _one_number(name: str, value: Any) -> Float[Array, ""]:
    leaf = as_leaf(value, name)
    check_finite(name, leaf)
    if leaf.ndim:
        raise ValueError(f"`{name}` has to be one number; got shape {leaf.shape}.")
    return leaf
