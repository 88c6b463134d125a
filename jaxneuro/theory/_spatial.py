"""The balanced state of a network on a torus: its rates, place by place, and the covariance of its counts."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from .._network import Network, Projection
from .._numerics import (
    Shown,
    as_leaf,
    check_count,
    check_nonnegative,
    check_positive,
    check_precision,
    is_concrete,
    told,
    violates,
    where_defined,
)
from ..connectivity import Spread
from ..models import AbstractSource

# Modes are left out where they are smaller than exp(-30) of the others.
_SMALLEST = 30.0


class SpatialBalance(Shown):
    """Rates in the balanced state of many neurons on a torus.

    - `exists`, and `reason`, one sentence, empty where it exists.
    - `rate`: {population: Hz}, the mean over the torus.
    - `modes[n, m]` [Hz]: of the rates, of the populations in order; the profile is the sum over all n and m, of either
      sign, of modes[|n|, |m|] cos(2 pi n x) cos(2 pi m y).
    - `variance`: of the profile around its centre, in squared sides; infinite for uniform input.

    Rates of a state that does not exist are refused; where only a transformation knows that, they are NaN.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    exists: Bool[Array, ""]
    variance: Float[Array, ""]
    mean: Float[Array, "populations"]
    found: Float[Array, "modes modes populations"]

    @property
    def reason(self) -> str:
        if bool(self.exists):
            return ""
        if float(self.variance) <= 0.0:
            return (
                "input_width^2 + width_ffwd^2 - width_rec^2 is not above 0: recurrent input is wider than what it has "
                "to cancel. Widen the input or narrow the recurrent projections."
            )
        return "The rates that balance the input are not all above 0: change weights or in-degrees."

    @property
    def rate(self) -> dict[str, Float[Array, ""]]:
        mean = self._if_there(self.mean)
        return {name: mean[i] for i, name in enumerate(self.names)}

    @property
    def modes(self) -> Float[Array, "modes modes populations"]:
        return self._if_there(self.found)

    def _if_there(self, value: Float[Array, "..."]) -> Float[Array, "..."]:
        if is_concrete(self.exists) and not bool(self.exists):
            raise ValueError(f"There is no balanced state: {self.reason}")
        return where_defined(self.exists, value, self.mean.sum(), self.variance)


def spatial_balance(net: Network, input_width: ArrayLike | None = None, *, modes: int = 10) -> SpatialBalance:
    """The rates at which recurrent input cancels the feedforward input at every place of a torus, for many neurons.

        sum over b of W_ab(k) r_b(k) + W_aX(k) r_X(k) = 0,    W_ab(k) = K_ab psp_ab exp(-2 pi^2 width_b^2 k^2),

    with k^2 = n^2 + m^2, K_ab the mean in-degree and psp_ab [mV] the area of a spike's current over C. Sources whose
    rates have a Gaussian profile of standard deviation s give rates of variance s^2 + width_X^2 - width_rec^2, and no
    solution where that is not above 0. Uniform input always has one, if its rates are above 0.

    **Arguments:** `net`, with `SpatialRandom` projections between lattices on one square torus, as
    `jn.networks.spatial_balanced` makes it; `input_width`, s in sides, None for uniform input; `modes`: n and m run
    from 0 to it.

    **Returns:** a `SpatialBalance`.

    Raises `ValueError` where `net` is another kind of network, or `input_width` is not positive; where a rate is asked
    of a state that does not exist.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> limit = jn.theory.spatial_balance(jn.networks.spatial_balanced())
    >>> f"{limit.rate['E']:.5f}, {limit.rate['I']:.5f} Hz"
    '3.58594, 5.65313 Hz'
    >>> wide = jn.networks.spatial_balanced(width_rec=0.25, width_ffwd=0.1)
    >>> bool(jn.theory.spatial_balance(wide, input_width=0.2).exists)
    False

    ```

    Source: Rosenbaum and Doiron (2014), doi:10.1103/PhysRevX.4.021039; Rosenbaum et al. (2017), doi:10.1038/nn.4433.
    """
    highest, seen = check_count("modes", modes), read_sheet(net)
    width = None if input_width is None else as_leaf(input_width, "input_width")
    if width is not None:
        check_positive("input_width", width)
        if width.ndim:
            raise ValueError(f"`input_width` has to be one number; got shape {width.shape}.")
    mean = -jnp.linalg.solve(seen.recurrent, seen.forward) * seen.rate
    k = jnp.arange(highest + 1)
    square = (k[:, None] ** 2 + k[None] ** 2).astype(mean.dtype)
    if width is None:
        variance = jnp.full_like(seen.rate, jnp.inf)
        profile, lasts = (square == 0).astype(mean.dtype), jnp.asarray(True)
    else:
        variance = width**2 + seen.width_ffwd**2 - seen.width_rec**2
        profile, lasts = jnp.exp(-2.0 * jnp.pi**2 * variance * square), variance > 0.0
    exists = lasts & jnp.all(mean > 0.0)
    return SpatialBalance(seen.names, exists, variance, mean, profile[..., None] * mean)


def count_correlation(
    net: Network, distance: Any, *, gain: Mapping[str, ArrayLike], modes: int = 40
) -> Float[Array, "*distances populations populations"]:
    """The covariance of spike counts over long windows, by distance, over the mean count of the first population.

        S(k) = A F A^T,    A = (G^-1 - W(k))^-1,    F_ab(k) = w_a w_b r_X exp(-4 pi^2 width_X^2 k^2)/N_X,

    summed over all modes at the displacement (d/sqrt(2), d/sqrt(2)) and divided by the rate of the first population in
    the balanced limit, without what a neuron's own spikes add. W(k) is that of `spatial_balance`, and
    w_a = K_aX psp_aX.

    **Arguments:** `net`, as of `spatial_balance`; `distance`, in sides; `gain` [1/mV], {population: number}: by how
    much the rate [per ms] rises with the input [mV per ms]; `modes`: n and m run from -`modes` to it.

    **Returns:** [..., post, post], the populations in order (E, I).

    Raises `ValueError` as `spatial_balance`; where a gain is missing or not positive, a distance negative, or `modes`
    too few for the width of the feedforward projection.

    Derivatives: forward and reverse mode.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.spatial_balanced(width_rec=0.25, width_ffwd=0.1)
    >>> found = jn.theory.count_correlation(net, [0.0, 0.3], gain={"E": 0.0122, "I": 0.0174})
    >>> f"{found[0, 0, 0]:.6f}, {found[1, 0, 0]:.6f}"
    '0.070911, -0.016604'

    ```

    Source: Rosenbaum et al. (2017), doi:10.1038/nn.4433, supplementary theory.
    """
    seen, highest, apart = read_sheet(net), check_count("modes", modes), as_leaf(distance, "distance")
    check_nonnegative("distance", apart)
    if not isinstance(gain, Mapping) or set(gain) != set(seen.names):
        raise ValueError(f"`gain` has to be {{population: number}} of {list(seen.names)}; got {told(gain)}.")
    gains = [as_leaf(gain[name], f"gain[{name!r}]") for name in seen.names]
    for name, value in zip(seen.names, gains, strict=True):
        if value.ndim:
            raise ValueError(f"`gain[{name!r}]` has to be one number; got shape {value.shape}.")
        check_positive(f"gain[{name!r}]", value)
    if violates(lambda w: (2.0 * jnp.pi * w * highest) ** 2 >= _SMALLEST, seen.width_ffwd):
        least = int(np.ceil(np.sqrt(_SMALLEST) / (2.0 * np.pi * float(seen.width_ffwd))))
        raise ValueError(f"`modes` = {highest} are too few for a feedforward width this small: take {least}.")
    k = jnp.arange(highest + 1).astype(seen.rate.dtype)
    square = (k[:, None] ** 2 + k[None] ** 2)[..., None, None]
    inside = jnp.diag(1.0 / jnp.stack(gains)) - seen.recurrent * jnp.exp(-2.0 * jnp.pi**2 * square * seen.width_rec**2)
    spread = jnp.exp(-2.0 * jnp.pi**2 * square[..., 0] * seen.width_ffwd**2)
    answer = jnp.linalg.solve(inside, (spread * seen.forward)[..., None])[..., 0]
    first = -jnp.linalg.solve(seen.recurrent, seen.forward)[0]  # over r_X, which falls out of the ratio
    each = answer[..., :, None] * answer[..., None, :] / (seen.n_forward * first)
    # Modes of either sign are alike, and sines fall out of the sum.
    waves = jnp.where(k == 0, 1.0, 2.0) * jnp.cos(jnp.sqrt(2.0) * jnp.pi * apart[..., None] * k)
    return jnp.einsum("...n,...m,nmab->...ab", waves, waves, each)


class Sheet(NamedTuple):
    """What theory reads of a network on a torus: K psp [mV] among the populations and from the sources, and widths."""

    names: tuple[str, ...]
    recurrent: Float[Array, "populations populations"]
    forward: Float[Array, "populations"]
    rate: Float[Array, ""]
    n_forward: int
    width_rec: Float[Array, ""]
    width_ffwd: Float[Array, ""]


def read_sheet(net: Any) -> Sheet:
    """The numbers of a network whose projections are `SpatialRandom`; `ValueError` for another."""
    if not isinstance(net, Network):
        raise ValueError(f"`net` has to be a network such as `jn.networks.spatial_balanced()`; got {told(net)}.")
    check_precision("net", net)
    sources = [name for name, population in net.populations.items() if isinstance(population.model, AbstractSource)]
    names = tuple(name for name in net.populations if name not in sources)
    if len(sources) != 1 or not names or net.drives:
        raise ValueError("`net` has to have one population of sources, such as `Poisson`, others it drives, no drive.")
    totals = {(post, pre): jnp.zeros((), jnp.result_type(float)) for post in names for pre in net.populations}
    widths: dict[bool, list[Float[Array, ""]]] = {True: [], False: []}
    for projection in net.projections:
        side, spread = _side(net, projection)
        pre = net.populations[projection.pre]
        widths[projection.pre in names].append(spread.width / side)
        for post in projection.post:
            target = net.populations[post]
            in_degree = spread.out_degree * (pre.n or 0) / (target.n or 1)
            weight = projection.weight_moments().mean
            effect = projection.synapse.spike_effect(weight, target.model.tau_m)
            if effect.reversal is not None or effect.jump.ndim:
                raise ValueError("`net`: synapses have to be currents of one weight a projection.")
            totals[post, projection.pre] += in_degree * effect.jump
    source = net.populations[sources[0]]
    one = [_one_width(widths[recurrent]) for recurrent in (True, False)]
    recurrent = jnp.stack([jnp.stack([totals[post, pre] for pre in names]) for post in names])
    forward = jnp.stack([totals[post, sources[0]] for post in names])
    return Sheet(names, recurrent, forward, as_leaf(source.model.mean_rate()), source.n or 1, *one)


def _side(net: Network, projection: Projection) -> tuple[float, Spread]:
    """The side of the torus, and how the projection spreads on it."""
    rule, places = projection.connectivity.drawn_rule(), net.populations[projection.pre].positions
    spread = None if rule is None else rule.spread()
    if spread is None:
        raise ValueError(f"`net`: projections have to be `SpatialRandom`; got {told(projection.connectivity)}.")
    sides = None if places is None else places.torus()
    if sides is None or not np.isclose(*sides, rtol=1e-9):
        raise ValueError("`net`: this theory is of a square torus; the lattices' two sides differ.")
    return sides[0], spread


def _one_width(widths: list[Float[Array, ""]]) -> Float[Array, ""]:
    if not widths:
        raise ValueError("`net` has to have projections among its neurons and from its sources.")
    if any(violates(lambda a, b: jnp.isclose(a, b, rtol=1e-6), width, widths[0]) for width in widths[1:]):
        known = [float(jax.lax.stop_gradient(width)) for width in widths]
        raise ValueError(f"`net`: this theory is of one recurrent and one feedforward width; got {known}.")
    return widths[0]
