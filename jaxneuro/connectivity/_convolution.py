"""Spikes on a torus convolved with a stencil: around each spike on a CPU where few spike, by Fourier transforms else.

A primitive of its own, so that a batch over one stencil becomes more steps; derivatives are those of the transforms.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Complex, Float, Int

from .._numerics._primitive import batch_size, define, one_by_one
from ._delivery import has_numba
from ._native_stencil import add_stencils

# A transform of the sheet costs as much as the stencils of one spike for so many of its sites.
_SITES_A_SPIKE = 64


def transformed(
    spikes: Float[Array, "time n_pre"], spectrum: Complex[Array, "rows half_columns"], apart: int, pre_columns: int
) -> Float[Array, "time rows columns"]:
    """By Fourier transforms: sources are `apart` sites of the finest lattice from each other."""
    sites = spikes.reshape(spikes.shape[0], -1, pre_columns)
    shape = (sites.shape[1] * apart, sites.shape[2] * apart)
    if apart > 1:
        sites = jnp.zeros((len(sites), *shape), spikes.dtype).at[:, ::apart, ::apart].set(sites)
    return jnp.fft.irfft2(jnp.fft.rfft2(sites) * spectrum, shape)


@partial(jax.custom_jvp, nondiff_argnums=(4, 5))
def convolved(
    spikes: Float[Array, "time n_pre"],
    stencil: Float[Array, "rows columns"],
    spectrum: Complex[Array, "rows half_columns"],
    numbers: Int[Array, "3"],
    apart: int,
    pre_columns: int,
) -> Float[Array, "time rows columns"]:
    """The stencil, whose transform is `spectrum`, around every spike; `numbers` as of `add_stencils`."""
    if not has_numba() or spikes.dtype != stencil.dtype:
        return transformed(spikes, spectrum, apart, pre_columns)
    return _around.bind(spikes, stencil, spectrum, numbers, apart=apart, pre_columns=pre_columns)


@convolved.defjvp
def _convolved_jvp(apart: int, pre_columns: int, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    spikes, _, spectrum, _ = primals
    moved, _, moved_spectrum, _ = tangents
    found = convolved(*primals, apart, pre_columns)
    of_spikes = transformed(moved, spectrum, apart, pre_columns)
    return found, of_spikes + transformed(spikes, moved_spectrum, apart, pre_columns)


def _sum(spikes: Array, stencil: Array, spectrum: Array, numbers: Array, *, apart: int, pre_columns: int) -> Array:
    return transformed(spikes, spectrum, apart, pre_columns)


def _sum_on_cpu(
    spikes: Array, stencil: Array, spectrum: Array, numbers: Array, *, apart: int, pre_columns: int
) -> Array:
    few = jnp.sum(spikes != 0, dtype=jnp.int32) * _SITES_A_SPIKE <= len(spikes) * stencil.size
    near = lambda: add_stencils(spikes, stencil, numbers)  # noqa: E731
    return lax.cond(few, near, lambda: transformed(spikes, spectrum, apart, pre_columns))


def _shape(spikes: Any, stencil: Any, *others: Any, **static: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((spikes.shape[0], *stencil.shape), stencil.dtype)


def _batch(primitive: Any, arguments: tuple, dims: tuple, parameters: dict) -> tuple[Array, int]:
    """Batches over one stencil are more steps; over several they are done at once, on a CPU one after another."""
    spikes, *others = arguments
    if any(d is not None for d in dims[1:]):
        at_once = jax.vmap(partial(_sum, **parameters), in_axes=dims)
        in_turn = lambda *own: one_by_one(primitive, own, dims, parameters)[0]  # noqa: E731
        return lax.platform_dependent(*arguments, cpu=in_turn, default=at_once), 0
    size = batch_size(arguments, dims)
    rows = jnp.moveaxis(spikes, dims[0], 0)
    out = primitive.bind(rows.reshape(-1, rows.shape[-1]), *others, **parameters)
    return out.reshape(size, -1, *out.shape[1:]), 0


_around = define("add_stencils", _sum, on_cpu=_sum_on_cpu, batch=_batch, shape=_shape, static=("apart", "pre_columns"))
