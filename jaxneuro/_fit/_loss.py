"""What a fit makes small: squared residuals, or minus a log-likelihood."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, PyTree

from .._numerics import AbstractBijection, Positive, Shown, as_callable_of, as_leaf, check_positive, in_a_line
from ._protocol import HasLogLikelihood, HasResiduals


class AbstractLoss(Shown):
    """One number for each row of the data, and the name under which two fits may be compared."""

    @abstractmethod
    def terms(self, model: PyTree, data: PyTree) -> Float[Array, " n"]:
        """A residual, or a log-probability, for each row."""

    @abstractmethod
    def free_parameters(self) -> dict[str, AbstractBijection]:
        """Parameters of the loss itself that are fitted with those of the model."""

    def held(self, model: PyTree, data: PyTree) -> "AbstractLoss":
        """The loss as the programs of one fit hold it: a function of the user as what it computes."""
        return self


class AbstractLeastSquares(AbstractLoss):
    """A loss whose terms are residuals, Gaussian with one unknown scatter."""


class AbstractLikelihood(AbstractLoss):
    """A loss whose terms are log-probabilities."""


class _HeldSquares(AbstractLeastSquares):
    """Residuals of a function of the user, for the shapes of one fit."""

    function: Callable[[Any, Any], Array]

    def terms(self, model: PyTree, data: PyTree) -> Float[Array, " n"]:
        return self.function(model, data)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {}


class _HeldLikelihood(AbstractLikelihood):
    """Log-probabilities of a function of the user, for the shapes of one fit."""

    function: Callable[[Any, Any], Array]

    def terms(self, model: PyTree, data: PyTree) -> Float[Array, " n"]:
        return self.function(model, data)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {}


class LeastSquares(AbstractLeastSquares):
    """Makes the sum of squared residuals small; for a scaling law those of the log-amplitude, as published.

    **Arguments:** `function` of (model, data) that returns (n,); the model's own method of
    the name `residuals` unless given.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> x, y = jnp.array([0.0, 1.0, 2.0, 3.0]), jnp.array([1.0, 3.1, 4.9, 7.0])
    >>> line = jn.loss.LeastSquares(lambda model, data: data[1] - model["a"] - model["b"] * data[0])
    >>> result = jn.fit({"a": jnp.array(0.0), "b": jnp.array(1.0)}, (x, y), loss=line)
    >>> print(f"{result.params['b']:.3f}")
    1.980

    ```
    """

    function: Callable[[Any, Any], Array] | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        _check_function(self.function)

    def terms(self, model: PyTree, data: PyTree) -> Float[Array, " n"]:
        return model.residuals(data) if self.function is None else self.function(model, data)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {}

    def held(self, model: PyTree, data: PyTree) -> AbstractLoss:
        return self if self.function is None else _HeldSquares(as_callable_of(self.function, model, data))


class Likelihood(AbstractLikelihood):
    """Makes the likelihood large.

    **Arguments:** `function` of (model, data) that returns one log-probability a row
    (n,); the model's own method `log_likelihood` unless given.

    ```python
    >>> import jaxneuro as jn
    >>> loss = jn.loss.Likelihood(lambda model, data: model.log_likelihood(data))         # then jn.fit(..., loss=loss)

    ```
    """

    function: Callable[[Any, Any], Array] | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        _check_function(self.function)

    def terms(self, model: PyTree, data: PyTree) -> Float[Array, " n"]:
        return model.log_likelihood(data) if self.function is None else self.function(model, data)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {}

    def held(self, model: PyTree, data: PyTree) -> AbstractLoss:
        return self if self.function is None else _HeldLikelihood(as_callable_of(self.function, model, data))


class LogNormalScatter(AbstractLikelihood):
    """The likelihood of amplitudes that scatter log-normally about a law, with the scatter fitted.

    log p = -log(s sqrt(2 pi)) - r^2 / (2 s^2), where r are the model's residuals (of the logarithm) and s
    the scatter: a density per unit of log-amplitude.

    **Arguments:** `scatter` the standard deviation of the log-amplitude to start from.

    Raises `ValueError` where it is not positive.

    ```python
    >>> import jaxneuro as jn
    >>> loss = jn.loss.LogNormalScatter(scatter=0.3)                          # then jn.fit(..., loss=loss)
    >>> list(loss.free_parameters())
    ['scatter']

    ```
    """

    scatter: Float[Array, ""]

    def __init__(self, scatter: ArrayLike = 0.5):
        self.scatter = as_leaf(scatter, "scatter")

    def __check_init__(self):
        check_positive("scatter", self.scatter)

    def terms(self, model: PyTree, data: PyTree) -> Float[Array, " n"]:
        return normal_log_density(model.residuals(data), self.scatter)

    def free_parameters(self) -> dict[str, AbstractBijection]:
        return {"scatter": Positive()}


def normal_log_density(residual: Float[Array, "..."], scatter: Float[Array, "..."]) -> Float[Array, "..."]:
    """The logarithm of the normal density of mean 0."""
    return -0.5 * jnp.square(residual / scatter) - jnp.log(scatter) - 0.5 * jnp.log(2.0 * jnp.pi)


def default_loss(model: PyTree) -> AbstractLoss:
    """Least squares where the model has residuals, likelihood where it has a log-likelihood."""
    if isinstance(model, HasResiduals):
        return LeastSquares()
    if isinstance(model, HasLogLikelihood):
        return Likelihood()
    raise ValueError(
        f"`loss` is needed for a model of type {type(model).__name__}, which has neither a method `residuals(data)` "
        "nor `log_likelihood(data)`: pass jn.loss.LeastSquares(function) or jn.loss.Likelihood(function)."
    )


def _check_function(function: Any) -> None:
    if function is not None and not callable(function):
        raise ValueError(f"`function` has to be a function of (model, data); got {in_a_line(function)}.")
