"""Connectivity that is given and not drawn: a weight for every synapse, to be trained."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, Integer

from .._numerics import Dale, Moments, Shown, as_leaf, check_finite, read_indices, violates
from ._positions import Neurons

# A matrix of zeros but for its synapses is made up to this many pairs; beyond, synapses are summed one by one.
_LARGEST_FILLED = 2**24


class AbstractWeights(Shown):
    """Weights of known synapses. They are leaves of the network, and no wiring is drawn for them.

    Arrivals are sums of weights over the spikes of a step, differentiable in both, in forward and reverse mode.
    """

    @property
    @abc.abstractmethod
    def n_pre(self) -> int:
        """Number of sources."""

    @property
    @abc.abstractmethod
    def n_post(self) -> int:
        """Number of targets, side by side."""

    @abc.abstractmethod
    def prepared(self) -> "AbstractWeights":
        """The same weights, with what is computed once outside the loop computed."""

    def rows(self) -> Float[Array, "n_pre n_post"] | None:
        """The matrix with a row a source, where sums are products with it; None where they are computed otherwise."""
        return None

    @abc.abstractmethod
    def arrivals(self, spikes: Float[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        """The weighted sum over the sources, for every step."""

    def as_matrix(self) -> Float[Array, "n_post n_pre"]:
        """The weights, (post, pre)."""
        return self.prepared().arrivals(jnp.eye(self.n_pre, dtype=jnp.result_type(float))).T

    def row_sums(self) -> Float[Array, "n_post"]:
        """The sum of the weights onto every target, differentiable."""
        return jnp.sum(self.as_matrix(), axis=1)

    def row_sums_of_squares(self) -> Float[Array, "n_post"]:
        """The sum of the squared weights onto every target, differentiable."""
        return jnp.sum(self.as_matrix() ** 2, axis=1)

    def in_degree(self, pre: Neurons, post: Neurons, recurrent: bool) -> Moments:
        """As many synapses onto each target as there are sources; some weights of them may be 0."""
        n = jnp.asarray(float(self.n_pre), jnp.result_type(float))
        return Moments(n, jnp.zeros_like(n))

    def given_weights(self) -> "AbstractWeights":
        """The weights themselves: none are drawn."""
        return self

    def drawn_rule(self) -> None:
        """No rule that synapses are drawn by."""

    def weight_moments(self, targets: slice = slice(None)) -> Moments:
        """Mean and variance of the weights onto some targets, 0 where a pair has no synapse."""
        mean = jnp.mean(self.row_sums()[targets]) / self.n_pre
        return Moments(mean, jnp.mean(self.row_sums_of_squares()[targets]) / self.n_pre - mean**2)


class Weights(AbstractWeights):
    """Every source to every target, each with a weight of its own.

        arrivals_i = sum over j of matrix_ij S_j.

    **Arguments:** `matrix`, (post, pre), in the units of `Projection`'s `weight`, which it is multiplied by.

    Raises `ValueError` where `matrix` is no finite matrix, or of another size than the populations (at the network).

    Derivatives: forward and reverse mode, in the weights and through the spikes.

    ```python
    >>> import jax, jax.numpy as jnp, jaxneuro as jn
    >>> matrix = 0.5 * jax.random.normal(jax.random.key(0), (3, 20))
    >>> net = jn.Network(
    ...     {"in": jn.Population(jn.SpikeSource(), 20), "out": jn.Population(jn.LeakyIntegrator(), 3)},
    ...     [jn.Projection("in", "out", jn.DeltaCurrent(), connectivity=jn.Weights(matrix), delay=1.0)],
    ... )
    >>> spikes = jax.random.bernoulli(jax.random.key(1), 0.1, (50, 20))
    >>> record = {"v": jn.record.Trace("out.v")}
    >>> sol = jn.simulate(net, 0.0, 50.0, dt=1.0, key=jax.random.key(2), stimulus={"in": spikes}, record=record)
    >>> sol["v"].shape
    (50, 3)

    ```
    """

    matrix: Float[Array, "n_post n_pre"]

    def __init__(self, matrix: Any):
        self.matrix = _matrix("matrix", matrix)

    @property
    def n_pre(self) -> int:
        return self.matrix.shape[1]

    @property
    def n_post(self) -> int:
        return self.matrix.shape[0]

    def prepared(self) -> "Weights":
        return self

    def rows(self) -> Float[Array, "n_pre n_post"]:
        return self.matrix.T

    def arrivals(self, spikes: Float[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        return _product(spikes, self.matrix)


class LowRankWeights(AbstractWeights):
    """Weights of low rank: W = left right^T.

    **Arguments:** `left`, (post, rank); `right`, (pre, rank).

    Raises `ValueError` where they are no finite matrices of one rank.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> jn.LowRankWeights(jnp.ones((2, 1)), jnp.asarray([[1.0], [2.0], [3.0]])).as_matrix().tolist()
    [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]

    ```

    Source: Mastrogiuseppe and Ostojic (2018), doi:10.1016/j.neuron.2018.07.003, equation (2).
    """

    left: Float[Array, "n_post rank"]
    right: Float[Array, "n_pre rank"]

    def __init__(self, left: Any, right: Any):
        self.left, self.right = _matrix("left", left), _matrix("right", right)
        if self.left.shape[1] != self.right.shape[1]:
            raise ValueError(f"`left` and `right` need one rank; got shapes {self.left.shape} and {self.right.shape}.")

    @property
    def n_pre(self) -> int:
        return self.right.shape[0]

    @property
    def n_post(self) -> int:
        return self.left.shape[0]

    def prepared(self) -> "LowRankWeights":
        return self

    def arrivals(self, spikes: Float[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        return _product(spikes @ self.right, self.left)

    def row_sums(self) -> Float[Array, "n_post"]:
        return self.left @ jnp.sum(self.right, axis=0)

    def row_sums_of_squares(self) -> Float[Array, "n_post"]:
        return jnp.sum((self.left @ (self.right.T @ self.right)) * self.left, axis=1)


class SparseWeights(AbstractWeights):
    """Weights of some pairs alone: the pattern is fixed, the values are trained.

    **Arguments:** `values`, (nnz,); `post` and `pre`, (nnz,), who hears whom (a pair named twice is summed); `n_post`,
    `n_pre`, the sizes.

    Raises `ValueError` where lengths differ or an index lies outside its population.

    ```python
    >>> import jaxneuro as jn
    >>> jn.SparseWeights([0.5, -1.0], post=[0, 1], pre=[2, 0], n_post=2, n_pre=3).as_matrix().tolist()
    [[0.0, 0.0, 0.5], [-1.0, 0.0, 0.0]]

    ```
    """

    values: Float[Array, "nnz"]
    post: Int[Array, "nnz"]
    pre: Int[Array, "nnz"]
    sizes: tuple[int, int] = eqx.field(static=True)

    def __init__(
        self,
        values: Any,
        *,
        post: Any,
        pre: Any,
        n_post: int,
        n_pre: int,
    ):
        self.values, self.sizes = as_leaf(values, "values"), (int(n_post), int(n_pre))
        check_finite("values", self.values)
        self.post, self.pre = _indices("post", post, self.sizes[0]), _indices("pre", pre, self.sizes[1])
        if self.values.ndim != 1 or not self.values.shape == self.post.shape == self.pre.shape:
            shapes = f"{self.values.shape}, {self.post.shape} and {self.pre.shape}"
            raise ValueError(f"`values`, `post` and `pre` have to be of one length; got shapes {shapes}.")

    @property
    def n_pre(self) -> int:
        return self.sizes[1]

    @property
    def n_post(self) -> int:
        return self.sizes[0]

    def prepared(self) -> AbstractWeights:
        if self.n_pre * self.n_post > _LARGEST_FILLED:
            return self
        return Weights(jnp.zeros(self.sizes, self.values.dtype).at[self.post, self.pre].add(self.values))

    def arrivals(self, spikes: Float[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        nothing = jnp.zeros((spikes.shape[0], self.n_post), self.values.dtype)
        return nothing.at[:, self.post].add(spikes[:, self.pre] * self.values)

    def row_sums(self) -> Float[Array, "n_post"]:
        return jnp.zeros(self.n_post, self.values.dtype).at[self.post].add(self.values)

    def row_sums_of_squares(self) -> Float[Array, "n_post"]:
        # A pair named twice has one weight, the sum: equal pairs stand together once sorted.
        order = jnp.lexsort((self.pre, self.post))
        post, pre = self.post[order], self.pre[order]
        new = (post[1:] != post[:-1]) | (pre[1:] != pre[:-1])
        pair = jnp.concatenate([jnp.zeros(min(1, post.size), jnp.int32), jnp.cumsum(new.astype(jnp.int32))])
        sums = jnp.zeros(post.size, self.values.dtype).at[pair].add(self.values[order])
        owner = jnp.zeros(post.size, jnp.int32).at[pair].set(post)
        return jnp.zeros(self.n_post, self.values.dtype).at[owner].add(sums**2)


class ConvolutionalWeights(AbstractWeights):
    """One kernel shared over a sheet of neurons; a neuron is (channel, row, column), the last running fastest.

        arrivals[o, y, x] = sum over i, u, v of kernel[o, i, u, v] S[i, y stride + u - padding, x stride + v - padding].

    **Arguments:** `kernel`, (channels out, channels in, height, width); `sheet`, (rows, columns) of the sources;
    `stride` and `padding`, in neurons, 1 and 0 by default.

    Raises `ValueError` where `kernel` has not four axes or does not fit on the sheet.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> weights = jn.ConvolutionalWeights(jnp.ones((4, 1, 3, 3)), sheet=(8, 8), padding=1, stride=2)
    >>> weights.n_pre, weights.n_post
    (64, 64)

    ```
    """

    kernel: Float[Array, "out in height width"]
    sheet: tuple[int, int] = eqx.field(static=True)
    stride: int = eqx.field(static=True)
    padding: int = eqx.field(static=True)

    def __init__(self, kernel: Any, *, sheet: tuple[int, int], stride: int = 1, padding: int = 0):
        self.kernel = as_leaf(kernel, "kernel")
        check_finite("kernel", self.kernel)
        if self.kernel.ndim != 4:
            raise ValueError(f"`kernel` has to be (channels out, channels in, height, width); got {self.kernel.shape}.")
        self.sheet, self.stride, self.padding = (int(sheet[0]), int(sheet[1])), int(stride), int(padding)
        if self.stride < 1 or self.padding < 0 or min(self._out()) < 1:
            raise ValueError(
                f"`kernel` of {self.kernel.shape[2:]} with `stride` {stride} and `padding` {padding} does not fit on a "
                f"sheet of {self.sheet}."
            )

    def _out(self) -> tuple[int, int]:
        rows, columns = (
            (n + 2 * self.padding - k) // self.stride + 1
            for n, k in zip(self.sheet, self.kernel.shape[2:], strict=True)
        )
        return rows, columns

    @property
    def n_pre(self) -> int:
        return self.kernel.shape[1] * self.sheet[0] * self.sheet[1]

    @property
    def n_post(self) -> int:
        rows, columns = self._out()
        return self.kernel.shape[0] * rows * columns

    def prepared(self) -> "ConvolutionalWeights":
        return self

    def arrivals(self, spikes: Float[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        sheets = spikes.reshape(spikes.shape[0], self.kernel.shape[1], *self.sheet)
        edge = (self.padding, self.padding)
        out = lax.conv_general_dilated(sheets, self.kernel, (self.stride, self.stride), (edge, edge))
        return out.reshape(spikes.shape[0], self.n_post)


class DaleWeights(AbstractWeights):
    """Every source to every target with the sign of its source, whatever training does: W_ij = s_j exp(s_j x_ij).

    **Arguments:** `matrix`, (post, pre), the weights to start from, none of them 0; `signs`, (pre,), 1 for an
    excitatory and -1 for an inhibitory source. What is trained is the coordinate x, `coordinates`.

    Raises `ValueError` where a weight is 0 or of the other sign.

    ```python
    >>> import jaxneuro as jn
    >>> weights = jn.DaleWeights([[1.0, -1.0], [1.0, -1.0]], signs=[1, -1])
    >>> weights.as_matrix().tolist()
    [[1.0, -1.0], [1.0, -1.0]]

    ```
    """

    coordinates: Float[Array, "n_post n_pre"]
    dale: Dale

    def __init__(self, matrix: Any, *, signs: Any):
        given, self.dale = _matrix("matrix", matrix), Dale(signs)
        if self.dale.signs.shape != given.shape[1:]:
            raise ValueError(f"`signs` has to hold one for each of the {given.shape[1]} sources.")
        if violates(lambda w, s: w * s > 0, given, self.dale.signs):
            raise ValueError("`matrix` has a weight of 0 or of another sign than its source in `signs`.")
        self.coordinates = self.dale.inverse(given)

    @property
    def n_pre(self) -> int:
        return self.coordinates.shape[1]

    @property
    def n_post(self) -> int:
        return self.coordinates.shape[0]

    def prepared(self) -> Weights:
        signs = lax.stop_gradient(self.dale.signs)
        return Weights(signs * jnp.exp(signs * self.coordinates))

    def arrivals(self, spikes: Float[Array, "time n_pre"]) -> Float[Array, "time n_post"]:
        return self.prepared().arrivals(spikes)


def _product(spikes: Float[Array, "time n_pre"], matrix: Float[Array, "n_post n_pre"]) -> Float[Array, "time n_post"]:
    return lax.dot_general(spikes, matrix, (((1,), (1,)), ((), ())))


def _matrix(name: str, value: Any) -> Float[Array, "_ _"]:
    leaf = as_leaf(value, name)
    check_finite(name, leaf)
    if leaf.ndim != 2 or 0 in leaf.shape:
        raise ValueError(f"`{name}` has to be a matrix; got shape {leaf.shape}.")
    return leaf


def _indices(name: str, value: Any, n: int) -> Integer[Array, "nnz"]:
    known, of = read_indices(value, name)
    if of is not None or (known.size and not 0 <= known.min() <= known.max() < n):
        raise ValueError(f"`{name}` has to hold indices of {n} neurons.")
    return jnp.asarray(known, jnp.int32)
