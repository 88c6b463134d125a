"""What a model or its data may offer to a fit, beside being a pytree of arrays."""

from typing import Protocol, runtime_checkable

from jaxtyping import Array, Float, PyTree

from .._numerics import AbstractBijection


@runtime_checkable
class HasResiduals(Protocol):
    """A model that says how far it is from each row of its data."""

    def residuals(self, data: PyTree) -> Float[Array, " n"]: ...


@runtime_checkable
class HasLogLikelihood(Protocol):
    """A model that says how probable each row of its data is."""

    def log_likelihood(self, data: PyTree) -> Float[Array, " n"]: ...


@runtime_checkable
class HasFreeParameters(Protocol):
    """A model that says which leaves a fit moves, by name, and what bounds each."""

    def free_parameters(self) -> dict[str, AbstractBijection]: ...


@runtime_checkable
class HasMisfit(Protocol):
    """A model that says how far it is from each row in the unit of the measurement."""

    def misfit(self, data: PyTree) -> Float[Array, " n"]: ...


@runtime_checkable
class HasConcerns(Protocol):
    """A model that says what a reader of its fit has to know, such as where its theory does not hold."""

    def fit_concerns(self, data: PyTree) -> tuple[str, ...]: ...


@runtime_checkable
class HasCounts(Protocol):
    """Data whose rows stand for several observations each, such as the bins of a histogram."""

    counts: Float[Array, " n"]
