"""Translation-invariant kernels on a ring or a torus, from their Fourier coefficients, and how they are applied.

Coefficients have one axis for each dimension: J(theta) = sum_k J_k cos(k theta), or on a torus
J(theta, phi) = sum_kl J_kl cos(k theta) cos(l phi). A kernel can be shifted to first order, J - sum_a s_a dJ/dtheta_a,
which moves what it holds.
"""

import abc
from functools import reduce

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .._numerics import Shown

Shift = Float[Array, "axes"] | None


class AbstractApplied(eqx.Module):
    """A kernel ready to be applied."""

    @abc.abstractmethod
    def __call__(self, u: Float[Array, "n"], shift: Shift) -> Float[Array, "n"]:
        """(1/N) sum_j J(theta_i - theta_j) u_j, of the kernel shifted by `shift` [rad]."""


class AbstractProduct(Shown):
    """How the recurrent input of a ring is computed."""

    @abc.abstractmethod
    def prepare(self, coefficients: Float[Array, "..."], shape: tuple[int, ...]) -> AbstractApplied:
        """What is computed once, outside the loop."""


class LowRank(AbstractProduct):
    """By the Fourier components that the kernel has, K of them, in about 4 N K operations: for few components.

    ```python
    >>> import jaxneuro as jn
    >>> ring = jn.Ring(64, j=[-2.0, 3.0], product=jn.product.LowRank())

    ```
    """

    def prepare(self, coefficients: Float[Array, "..."], shape: tuple[int, ...]) -> AbstractApplied:
        counts = coefficients.shape
        basis = jnp.asarray(_basis(counts, shape), coefficients.dtype)
        turns = tuple(jnp.asarray(turn, coefficients.dtype) for turn in _turns(counts))
        return _Components(basis, _of_components(coefficients) / basis.shape[0], turns)


class FFT(AbstractProduct):
    """By the fast Fourier transform, in order N log N operations: for kernels of many components.

    ```python
    >>> import jaxneuro as jn
    >>> ring = jn.Ring(64, j=[-2.0, 3.0], product=jn.product.FFT())

    ```
    """

    def prepare(self, coefficients: Float[Array, "..."], shape: tuple[int, ...]) -> AbstractApplied:
        counts = [_wave_numbers(n, last=axis == len(shape) - 1) for axis, n in enumerate(shape)]
        wave = np.meshgrid(*counts, indexing="ij")
        inside = np.all([np.abs(k) < most for k, most in zip(wave, coefficients.shape, strict=True)], axis=0)
        index = tuple(np.where(inside, np.abs(k), 0) for k in wave)
        # cos(k theta) is half of each of two exponentials.
        share = np.prod([np.where(k == 0, 1.0, 0.5) for k in wave], axis=0) * inside
        multiplier = coefficients[index] * jnp.asarray(share, coefficients.dtype)
        return _Spectral(multiplier, tuple(jnp.asarray(k, coefficients.dtype) for k in wave), shape)


class Dense(AbstractProduct):
    """By the whole matrix, in 2 N^2 operations: to compare with.

    ```python
    >>> import jaxneuro as jn
    >>> ring = jn.Ring(64, j=[-2.0, 3.0], product=jn.product.Dense())

    ```
    """

    def prepare(self, coefficients: Float[Array, "..."], shape: tuple[int, ...]) -> AbstractApplied:
        basis = jnp.asarray(_basis(coefficients.shape, shape), coefficients.dtype)
        half = basis * (_of_components(coefficients) / basis.shape[0])
        turned = tuple(basis @ jnp.asarray(turn, coefficients.dtype) @ half.T for turn in _turns(coefficients.shape))
        return _Matrix(half @ basis.T, turned)


def angles(n: int) -> np.ndarray:
    """theta_i = -pi + 2 pi i / n [rad], i from 0."""
    return -np.pi + 2.0 * np.pi * np.arange(n) / n


class _Components(AbstractApplied):
    basis: Float[Array, "n components"]
    weights: Float[Array, "components"]
    turns: tuple[Float[Array, "components components"], ...]

    def __call__(self, u: Float[Array, "n"], shift: Shift) -> Float[Array, "n"]:
        seen = (u @ self.basis) * self.weights
        if shift is not None:
            seen = seen + sum(shift[axis] * (seen @ turn.T) for axis, turn in enumerate(self.turns))
        return seen @ self.basis.T


class _Spectral(AbstractApplied):
    multiplier: Float[Array, "..."]
    wave: tuple[Float[Array, "..."], ...]
    shape: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, u: Float[Array, "n"], shift: Shift) -> Float[Array, "n"]:
        seen = jnp.fft.rfftn(u.reshape(self.shape))
        seen = seen * self.multiplier.astype(seen.dtype)
        if shift is not None:
            turn = jnp.stack([shift[axis] * wave for axis, wave in enumerate(self.wave)]).sum(axis=0)
            seen = seen * lax.complex(jnp.ones_like(turn), -turn)
        return jnp.fft.irfftn(seen, self.shape).reshape(-1)


class _Matrix(AbstractApplied):
    straight: Float[Array, "n n"]
    turned: tuple[Float[Array, "n n"], ...]

    def __call__(self, u: Float[Array, "n"], shift: Shift) -> Float[Array, "n"]:
        seen = u @ self.straight.T
        if shift is not None:
            seen = seen + sum(shift[axis] * (u @ turned.T) for axis, turned in enumerate(self.turned))
        return seen


def _wave_numbers(n: int, *, last: bool) -> np.ndarray:
    """The wave numbers of a real transform: of the last axis only those from 0 on."""
    return np.arange(n // 2 + 1) if last else np.round(np.fft.fftfreq(n, 1.0 / n)).astype(int)


def _basis(counts: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """1, cos(k theta), sin(k theta) of the units, (n, components), for all products of the axes."""
    bases = []
    for count, n in zip(counts, shape, strict=True):
        phase = np.arange(1, count) * angles(n)[:, None]
        bases.append(np.concatenate([np.ones((n, 1)), np.cos(phase), np.sin(phase)], axis=1))
    return reduce(np.kron, bases)


def _of_components(coefficients: Float[Array, "..."]) -> Float[Array, "components"]:
    """The coefficient of each column of the basis: cosines and sines have the same, since cos is of a difference."""
    index = [np.concatenate([np.arange(count), np.arange(1, count)]) for count in coefficients.shape]
    return coefficients[np.ix_(*index)].reshape(-1)


def _turns(counts: tuple[int, ...]) -> list[np.ndarray]:
    """For each axis the matrix that takes components of a kernel's output to those of -dJ/dtheta_a."""
    turns = []
    for axis in range(len(counts)):
        own = []
        for other, count in enumerate(counts):
            matrix = np.eye(2 * count - 1)
            if other == axis:
                matrix = np.zeros_like(matrix)
                k = np.arange(1, count)
                matrix[count - 1 + k, k], matrix[k, count - 1 + k] = k, -k
            own.append(matrix)
        turns.append(reduce(np.kron, own))
    return turns
