"""What a rule becomes once it is drawn: an operator from spikes to counts of arrivals."""

import abc
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Integer, Real, UInt

from .._numerics import Shown
from ._primitive import bind_counts, bind_linear


def count_dtype(largest_in_degree: int) -> jnp.dtype:
    """The narrowest integer type that no step's count can overflow."""
    return jnp.dtype(jnp.int16 if largest_in_degree <= 32_767 else jnp.int32)


class AbstractScheduled(Shown):
    """Synapses with delays of their own in whole steps, onto rows of steps to come."""

    @abc.abstractmethod
    def nothing(self) -> Real[Array, "rows n_post"]:
        """Rows in which nothing arrives."""

    @abc.abstractmethod
    def push(
        self, pending: Real[Array, "rows n_post"], spikes: Bool[Array, "time n_pre"]
    ) -> Real[Array, "rows n_post"]:
        """Adds a block's spikes to what is on its way."""

    @abc.abstractmethod
    def linear(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "rows n_post"]:
        """The sum over sources of values that are taken as 0 where not `sensitive`, with derivatives in both modes."""


class AbstractOperator(Shown):
    """A drawn connectivity; weights are applied after the counts, so that sums stay exact.

    A subclass says how one block is delivered (`count`) and, for derivatives, the linear map and its
    transpose restricted to the sources that have one. `deliver` and `linear` are what others call:
    they carry the rules of vmap and of both derivative modes.
    """

    rows_alone: ClassVar[bool] = True
    arrival_unit: ClassVar[Any] = None
    """What one in the arrivals stands for, where sums of weights are counted in multiples of it; None for 1."""

    @property
    @abc.abstractmethod
    def n_pre(self) -> int:
        """Number of sources."""

    @property
    @abc.abstractmethod
    def n_post(self) -> int:
        """Number of targets, side by side."""

    @property
    @abc.abstractmethod
    def nnz(self) -> int:
        """Number of synapses."""

    @property
    @abc.abstractmethod
    def count_dtype(self) -> jnp.dtype:
        """The integer type that no step's count can overflow."""

    @abc.abstractmethod
    def count(self, spikes: Bool[Array, "time n_pre"]) -> Real[Array, "time n_post"]:
        """Counts of arrivals at each target, for every step of a block."""

    @abc.abstractmethod
    def push_forward(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        """The sum over sources of values that are taken as 0 where not `sensitive`."""

    @abc.abstractmethod
    def pull_back(
        self, cotangents: Float[Array, "time n_post"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_pre"]:
        """The transpose: the sum over the targets of each source, 0 where not `sensitive`."""

    @abc.abstractmethod
    def as_matrix(self) -> Real[Array, "n_post n_pre"]:
        """Number of synapses, (post, pre)."""

    def bit_planes(self) -> UInt[Array, "digits n_post words"]:
        """The multiplicities in binary, one plane of bits a digit, 32 sources a word.

        Raises `ValueError` where they are held otherwise.
        """
        raise ValueError(f"{type(self).__name__} holds no bits, which the wiring of a BinaryNetwork has to.")

    def delay_steps(self, dt: float, least: int, most: int) -> Integer[Array, "nnz"] | None:
        """The delays of the synapses in steps of `dt` [ms]; None where all have that of their projection."""
        return None

    def scheduled(self, steps: Integer[Array, "nnz"], n_rows: int, offset: Int[Array, ""]) -> AbstractScheduled:
        """The synapses with delays of `steps`, onto `n_rows` steps, the first of them `offset` after the block's."""
        raise ValueError(f"`delivery`: the synapses of {type(self).__name__} have no delays of their own.")

    def deliver(self, spikes: Bool[Array, "time n_pre"]) -> Real[Array, "time n_post"]:
        """Counts of arrivals at each target, for every step of a block; a batch is more steps."""
        return bind_counts(self, spikes)

    def linear(
        self, values: Float[Array, "time n_pre"], sensitive: Bool[Array, "time n_pre"]
    ) -> Float[Array, "time n_post"]:
        """`push_forward` with derivatives in both modes."""
        return bind_linear(self, values, sensitive)

    def mv(self, spikes: Bool[Array, "n_pre"]) -> Real[Array, "n_post"]:
        """Counts of arrivals for the spikes of one step."""
        return self.deliver(spikes[None])[0]

    def rmv(self, cotangent: Float[Array, "n_post"]) -> Float[Array, "n_pre"]:
        """The transpose: the sum over the targets of each source."""
        return self.pull_back(cotangent[None], jnp.ones((1, self.n_pre), bool))[0]
