"""The tree of a cable: which compartments touch, and the linear equations that couple them."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .._numerics import told


class Tree(eqx.Module):
    """Sections of compartments that meet in nodes without a membrane.

    A section of m compartments is a row of a padded table. `ends[s]` are the nodes at its near and its far end, or
    the number of nodes where an end is sealed.
    """

    counts: tuple[int, ...] = eqx.field(static=True)
    ends: tuple[tuple[int, int], ...] = eqx.field(static=True)
    n_nodes: int = eqx.field(static=True)

    def __init__(self, counts: Sequence[int], parents: Sequence[int]):
        roots = [s for s, parent in enumerate(parents) if parent < 0]
        forks = sorted({parent for parent in parents if parent >= 0})
        place = {parent: k for k, parent in enumerate(forks)}
        shared = len(roots) > 1
        n_nodes = len(forks) + shared
        near = [place[parent] if parent >= 0 else (n_nodes - 1 if shared else n_nodes) for parent in parents]
        far = [place.get(s, n_nodes) for s in range(len(parents))]
        self.counts, self.ends, self.n_nodes = tuple(counts), tuple(zip(near, far, strict=True)), n_nodes

    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each compartment in the padded table."""
        row = np.repeat(np.arange(len(self.counts)), self.counts)
        return row, np.concatenate([np.arange(m) for m in self.counts])

    def padded(self, x: Float[Array, "n"], fill: float) -> Float[Array, "sections m"]:
        """One row a section."""
        table = jnp.full((len(self.counts), max(self.counts)), fill, x.dtype)
        return table.at[self._places()].set(x)

    def _boundary(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """First and last compartment of each section, and its two nodes, (sections, 2)."""
        last = np.cumsum(self.counts) - 1
        return last - np.asarray(self.counts) + 1, last, np.asarray(self.ends)

    def links(self, half: Float[Array, "n"]) -> "Links":
        """The conductances along the tree, of compartments with the conductances `half` from centre to end."""
        between = half[:-1] * half[1:] / (half[:-1] + half[1:])
        first, last, nodes = self._boundary()
        inside = np.ones(half.shape[0] - 1, bool)
        inside[last[:-1]] = False
        touching = nodes < self.n_nodes
        ends = jnp.stack([half[first], half[last]], axis=1) * touching.astype(half.dtype)
        return Links(jnp.where(inside, between, jnp.zeros_like(between)), ends, self)


class Links(eqx.Module):
    """Conductances from each compartment to the next (0 between sections), and from the ends of sections to nodes."""

    between: Float[Array, "gaps"]
    ends: Float[Array, "sections 2"]
    tree: Tree

    def _own(self) -> Float[Array, "n"]:
        """The sum of the conductances at each compartment."""
        first, last, _ = self.tree._boundary()
        zero = jnp.zeros(1, self.between.dtype)
        total = jnp.concatenate([zero, self.between]) + jnp.concatenate([self.between, zero])
        return total.at[first].add(self.ends[:, 0]).at[last].add(self.ends[:, 1])

    def _at_nodes(self, near: Float[Array, "sections"], far: Float[Array, "sections"]) -> Float[Array, "nodes"]:
        """Sums over the ends that meet in each node; what is sealed is dropped."""
        _, _, nodes = self.tree._boundary()
        total = jnp.zeros(self.tree.n_nodes + 1, near.dtype)
        return total.at[nodes[:, 0]].add(near).at[nodes[:, 1]].add(far)[:-1]

    def inflow(self, v: Float[Array, "n"]) -> Float[Array, "n"]:
        """The current that flows along the tree into each compartment."""
        first, last, nodes = self.tree._boundary()
        zero = jnp.zeros(1, v.dtype)
        flow = self.between * (v[1:] - v[:-1])
        total = jnp.concatenate([flow, zero]) - jnp.concatenate([zero, flow])
        if not self.tree.n_nodes:
            return total
        weights = self._at_nodes(self.ends[:, 0], self.ends[:, 1])
        at = self._at_nodes(self.ends[:, 0] * v[first], self.ends[:, 1] * v[last]) / weights
        at = jnp.append(at, 0.0 * v[0])
        total = total.at[first].add(self.ends[:, 0] * (at[nodes[:, 0]] - v[first]))
        return total.at[last].add(self.ends[:, 1] * (at[nodes[:, 1]] - v[last]))

    def solve(self, load: Float[Array, "n"], drive: Float[Array, "n"]) -> Float[Array, "n"]:
        """v of load v - inflow(v) = drive: one tridiagonal solve for all sections, then one dense one of the nodes.

        LAPACK's tridiagonal solve in one call took a tenth of the time of a scan over the compartments.
        """
        tree = self.tree
        row, column = tree._places()
        zero = jnp.zeros(1, load.dtype)
        diagonal = tree.padded(load + self._own(), 1.0)
        lower = tree.padded(-jnp.concatenate([zero, self.between]), 0.0)
        upper = tree.padded(-jnp.concatenate([self.between, zero]), 0.0)
        right = tree.padded(drive, 0.0)[..., None]
        if not tree.n_nodes:
            return lax.linalg.tridiagonal_solve(lower, diagonal, upper, right)[row, column, 0]
        _, _, nodes = tree._boundary()
        sections, ends = np.arange(len(tree.counts)), np.asarray(tree.counts) - 1
        near = jnp.zeros_like(diagonal).at[sections, 0].add(self.ends[:, 0])
        far = jnp.zeros_like(diagonal).at[sections, ends].add(self.ends[:, 1])
        parts = lax.linalg.tridiagonal_solve(
            lower, diagonal, upper, jnp.concatenate([right, near[..., None], far[..., None]], 2)
        )
        at_ends = jnp.stack([parts[:, 0], parts[sections, ends]], axis=1)  # (sections, 2 ends, 3 parts)
        pulled = self.ends[..., None] * at_ends
        nodes_and_none = tree.n_nodes + 1
        matrix = jnp.zeros((nodes_and_none, nodes_and_none), load.dtype)
        for end in (0, 1):
            matrix = matrix.at[nodes[:, end], nodes[:, end]].add(self.ends[:, end])
            for other in (0, 1):
                matrix = matrix.at[nodes[:, end], nodes[:, other]].add(-pulled[:, end, 1 + other])
        known = self._at_nodes(pulled[:, 0, 0], pulled[:, 1, 0])
        at = jnp.append(jnp.linalg.solve(matrix[:-1, :-1], known), 0.0 * load[0])
        v = parts[..., 0] + parts[..., 1] * at[nodes[:, :1]] + parts[..., 2] * at[nodes[:, 1:]]
        return v[row, column]


def checked_parents(parents: Any, n_sections: int) -> tuple[int, ...]:
    """The parent of each section, or `ValueError`."""
    known = tuple(parents) if isinstance(parents, Iterable) else ()
    whole = all(isinstance(p, Integral) and not isinstance(p, bool) for p in known)
    if len(known) != n_sections or not whole or any(not -1 <= p < s for s, p in enumerate(known)):
        raise ValueError(
            f"`parents` has to name for each of the {n_sections} sections one before it, or -1 for none; "
            f"got {told(parents)}."
        )
    return tuple(int(p) for p in known)
