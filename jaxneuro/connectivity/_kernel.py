"""Weights by distance between lattices on a torus, by products of Fourier transforms."""

import abc
import math
from fractions import Fraction
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Complex, Float

from .._numerics import Shown, as_leaf, check_positive, is_concrete
from ._convolution import convolved, transformed
from ._lattice import Lattice, check_one_torus
from ._rules import one_number
from ._weights import AbstractWeights, SparseWeights

# Spacings are multiples of a common one, each at most so many.
_MOST_STEPS = 64


class AbstractKernel(Shown):
    """A weight for every pair of sites at a distance 0 < r <= cutoff on a torus, in the unit of the lattices' spacing.

    As `connectivity` of a `Projection` it is what `between` gives of the two populations, which have to be on lattices.
    """

    cutoff: eqx.AbstractVar[Float[Array, ""]]

    @abc.abstractmethod
    def at(self, distance: Float[Array, "..."]) -> Float[Array, "..."]:
        """The weight at a distance within the cutoff."""

    def weights(self, distance: Float[Array, "..."]) -> Float[Array, "..."]:
        """The weight at every distance: 0 on one site and beyond the cutoff."""
        near = (distance > 0.0) & (distance <= self.cutoff * (1.0 + 1e-6))
        return jnp.where(near, self.at(distance), 0.0)

    def given_weights(self) -> None:
        """None: they are known when the lattices are."""

    def drawn_rule(self) -> None:
        """No rule that synapses are drawn by."""

    def between(self, pre: Any, *posts: Any) -> "KernelWeights":
        """The weights from the sites `pre` onto those of `posts`, side by side."""
        return KernelWeights(self, pre, posts)


class GaussianKernel(AbstractKernel):
    """Weights exp(-r^2/(2 sigma^2)) for 0 < r <= cutoff, times the weight of the projection.

    **Arguments:** `sigma`, `cutoff`, in the unit of the lattices' spacing.

    Raises `ValueError` where one is not positive, or, at the network, `cutoff` exceeds half the side of the torus.

    ```python
    >>> import jaxneuro as jn
    >>> sheet = jn.Lattice(8, 8)
    >>> weights = jn.GaussianKernel(sigma=2.0, cutoff=3.0).between(sheet, sheet)
    >>> [f"{float(w):.4f}" for w in weights.as_matrix()[0, :4]]
    ['0.0000', '0.8825', '0.6065', '0.3247']

    ```
    """

    sigma: Float[Array, ""]
    cutoff: Float[Array, ""]

    def __init__(self, sigma: ArrayLike, cutoff: ArrayLike):
        self.sigma, self.cutoff = one_number("sigma", sigma), one_number("cutoff", cutoff)
        check_positive("sigma", self.sigma)
        check_positive("cutoff", self.cutoff)

    def at(self, distance: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.exp(-0.5 * (distance / self.sigma) ** 2)


class FlatKernel(AbstractKernel):
    """The weight 1 for 0 < r <= cutoff, times the weight of the projection.

    **Arguments:** `cutoff`, in the unit of the lattices' spacing.

    Raises `ValueError` where it is not positive, or, at the network, exceeds half the side of the torus.

    ```python
    >>> import jaxneuro as jn
    >>> sheet = jn.Lattice(8, 8)
    >>> int(jn.FlatKernel(cutoff=2.0).between(sheet, sheet).as_matrix()[0].sum())
    12

    ```
    """

    cutoff: Float[Array, ""]

    def __init__(self, cutoff: ArrayLike):
        self.cutoff = one_number("cutoff", cutoff)
        check_positive("cutoff", self.cutoff)

    def at(self, distance: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.ones_like(distance)


class KernelWeights(AbstractWeights):
    """The weights of a kernel between lattices of one torus; arrivals are convolutions.

        arrivals(x) = sum over y of kernel(|x - y|) S(y).

    Spikes are laid on the finest lattice that has all sites. Where few spike, on a CPU with numba, the kernel is added
    around each; else they are transformed, which costs what the size of the lattice says, however many spike.
    """

    kernel: AbstractKernel
    pre: Lattice
    posts: tuple[Lattice, ...]
    stencil: Float[Array, "rows columns"] | None
    spectrum: Complex[Array, "rows half_columns"] | None

    def __init__(
        self, kernel: AbstractKernel, pre: Any, posts: tuple[Any, ...], stencil: Any = None, spectrum: Any = None
    ):
        for post in posts:
            check_one_torus(pre, post)
        if is_concrete(kernel.cutoff) and float(kernel.cutoff) > 0.5 * min(pre.sides) * (1.0 + 1e-6):
            raise ValueError(
                f"`cutoff` is {float(kernel.cutoff):g}, over half the side of a torus of sides {pre.sides}, where a "
                "pair would be near in two ways: lower it or enlarge the lattice."
            )
        self.kernel, self.pre, self.posts, self.stencil, self.spectrum = kernel, pre, posts, stencil, spectrum
        self._strides()

    @property
    def n_pre(self) -> int:
        return self.pre.n

    @property
    def n_post(self) -> int:
        return sum(post.n for post in self.posts)

    def _strides(self) -> list[int]:
        """How many sites of the finest lattice apart are the sites of `pre` and of every one of `posts`."""
        shares = [Fraction(1)]
        for post in self.posts:
            ratio = post.spacing / self.pre.spacing
            share = Fraction(ratio).limit_denominator(_MOST_STEPS)
            if not math.isclose(ratio, share, rel_tol=1e-9) or share.numerator > _MOST_STEPS:
                raise ValueError(
                    f"`spacing` of two lattices is {self.pre.spacing:g} and {post.spacing:g}: one has to be the other "
                    f"times a fraction of whole numbers up to {_MOST_STEPS}."
                )
            shares.append(share)
        common = math.lcm(*(share.denominator for share in shares))
        return [int(share * common) for share in shares]

    def _finest(self) -> Lattice:
        stride = self._strides()[0]
        return Lattice(self.pre.rows * stride, self.pre.columns * stride, spacing=self.pre.spacing / stride)

    def _stencil(self) -> Float[Array, "rows columns"]:
        """The weight from the site (0, 0) of the finest lattice onto each of its sites."""
        finest = self._finest()
        return self.kernel.weights(finest.distances(finest, of=np.zeros(1, int)).reshape(finest.rows, finest.columns))

    def prepared(self) -> "KernelWeights":
        if self.spectrum is not None:
            return self
        stencil = self._stencil()
        return KernelWeights(self.kernel, self.pre, self.posts, stencil, jnp.fft.rfft2(stencil))

    def arrivals(self, spikes: Float[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        own, apart, columns = self.prepared(), self._strides()[0], self.pre.columns
        reach = jnp.floor(self.kernel.cutoff * apart / self.pre.spacing + 1e-4).astype(jnp.int32)
        numbers = jnp.stack([reach, jnp.asarray(columns, jnp.int32), jnp.asarray(apart, jnp.int32)])
        return self._on_posts(convolved(spikes, own.stencil, own.spectrum, numbers, apart, columns))

    def _on_posts(self, found: Float[Array, "time rows columns"]) -> Float[Array, "time n_post"]:
        parts = [found[:, ::stride, ::stride].reshape(len(found), -1) for stride in self._strides()[1:]]
        return parts[0] if len(parts) == 1 else jnp.concatenate(parts, axis=1)

    def as_matrix(self) -> Float[Array, "n_post n_pre"]:
        return jnp.concatenate([self.kernel.weights(post.distances(self.pre)) for post in self.posts])

    def as_lists(self) -> SparseWeights:
        """The same weights as lists of pairs, whatever the lattice: each spike goes along those of its source.

        The cutoff has to be a number; derivatives in other numbers of the kernel are those of the values.
        """
        apart, *strides = self._strides()
        finest, stencil = self._finest(), self._stencil()
        r = finest.distances(finest, of=np.zeros(1, int)).reshape(finest.rows, finest.columns)
        down, along = np.nonzero((np.asarray(r) > 0.0) & (np.asarray(r) <= float(self.kernel.cutoff) * (1.0 + 1e-6)))
        source = np.arange(self.pre.n)
        row = (source[:, None] // self.pre.columns * apart + down) % finest.rows
        column = (source[:, None] % self.pre.columns * apart + along) % finest.columns
        posts, pres, kinds, begin = [], [], [], 0
        for post, stride in zip(self.posts, strides, strict=True):
            i, k = np.nonzero((row % stride == 0) & (column % stride == 0))
            posts.append(begin + row[i, k] // stride * post.columns + column[i, k] // stride)
            pres.append(source[i])
            kinds.append(k)
            begin += post.n
        values = stencil[down, along][np.concatenate(kinds)]
        post, heard = np.concatenate(posts), np.concatenate(pres)
        return SparseWeights(values, post=post, pre=heard, n_post=self.n_post, n_pre=self.n_pre)

    def row_sums(self) -> Float[Array, "n_post"]:
        return self._of_all(self._stencil())

    def row_sums_of_squares(self) -> Float[Array, "n_post"]:
        return self._of_all(self._stencil() ** 2)

    def _of_all(self, stencil: Float[Array, "rows columns"]) -> Float[Array, "n_post"]:
        ones = jnp.ones_like(as_leaf(np.zeros((1, self.n_pre))))
        return self._on_posts(transformed(ones, jnp.fft.rfft2(stencil), self._strides()[0], self.pre.columns))[0]
