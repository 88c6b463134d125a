"""Rate, variability, density and response of a neuron with any drift and any noise."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics import (
    as_elementwise,
    as_leaf,
    check_count,
    check_finite,
    check_nonnegative,
    is_concrete,
    told,
    violates,
    where_defined,
)
from ._convention import AbstractConvention, Function
from ._from_passage import log_rate_of
from ._line import Equation, lowest
from ._passages import log_flux_density, occupancy, passages

PANELS = 120
_MOST_PANELS = 100_000


class Numbers(eqx.Module):
    """Checked numbers of the line; `v_low` may be left open."""

    v_th: Float[Array, ""]
    v_reset: Float[Array, ""]
    t_ref: Float[Array, ""]
    v_low: Float[Array, ""] | None

    def equation(self, drift: Function, noise: Function, convention: AbstractConvention) -> Equation:
        """The equation in Ito's sense."""
        pull = convention.drift(drift, noise)
        low = lowest(pull, noise, self.v_reset, self.v_th) if self.v_low is None else self.v_low
        return Equation(pull, noise, low, self.v_reset, self.v_th)

    def valid(self) -> Array:
        """Where the numbers are what the checks ask for, also under a transformation."""
        good = jnp.isfinite(self.v_th) & (self.v_reset < self.v_th) & (self.t_ref >= 0.0)
        return good if self.v_low is None else good & (self.v_low < self.v_reset)


def diffusion_rate(
    drift: Any,
    noise: Any,
    *,
    convention: AbstractConvention,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    v_low: ArrayLike | None = None,
    n: int = PANELS,
) -> Float[Array, ""]:
    """Returns the rate of a neuron whose potential follows any drift and any noise up to a threshold.

        dV = A(V) dt + B(V) dW,    W(V) = exp(-2 int^V A/B^2),
        1/nu = t_ref + 2 int_reset^th dv W(v) int_low^v dx / (W(x) B(x)^2),

    with A + B B'/2 in place of A in Stratonovich's sense, by threshold integration over `n` panels of order 17.

    **Arguments:**

    - `drift`: A(V) [mV/ms]; `noise`: B(V) [mV/sqrt(ms)], not 0; functions of an array of potentials, place by place. A
      function that is an `equinox.Module` or a `jax.tree_util.Partial` may change its numbers without compiling again.
    - `convention`: `Ito()` or `Stratonovich()`; without a default, for the two differ.
    - `v_th`, `v_reset` [mV], `t_ref` [ms].
    - `v_low`: where the line ends below [mV]; by default so far down that nothing starts there.
    - `n`: panels; more are needed for rates below 1e-60 Hz, or for functions with sharp features.

    **Returns:** the rate [Hz].

    Raises `ValueError` where a number is out of range, `convention` is none, or A or B is not finite on the line;
    NaN under jit.

    Derivatives: forward and reverse mode, in everything that the functions hold too.

    ```python
    >>> import jax.numpy as jnp
    >>> from jaxneuro.theory import Ito, diffusion_rate
    >>> lif = dict(v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> rate = diffusion_rate(lambda v: (15 - v) / 20, lambda v: 5 / 20**0.5 + 0 * v, convention=Ito(), **lif)
    >>> f"{float(rate):.4f} Hz"
    '9.4608 Hz'

    ```

    Source: Sanzeni, Histed, Brunel (2022), Phys Rev X 12, 011044, doi:10.1103/PhysRevX.12.011044, equations (A1),
    (A3), (A5); Richardson (2007), Phys Rev E 76, 021919, doi:10.1103/PhysRevE.76.021919, for threshold integration.
    """
    call = prepared(drift, noise, convention, v_th, v_reset, t_ref, v_low, n)
    return jnp.exp(_log_rate(*call))


def diffusion_cv(
    drift: Any,
    noise: Any,
    *,
    convention: AbstractConvention,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    v_low: ArrayLike | None = None,
    n: int = PANELS,
) -> Float[Array, ""]:
    """Returns the coefficient of variation of the inter-spike intervals of such a neuron.

        CV^2 = R/(T + t_ref)^2,    B^2/2 R'' + A R' = -B^2 (T')^2,    R = 0 at threshold,

    where the source, which divides by T^2, is corrected: the refractory period belongs to the interval.

    **Arguments:** (raises and derivatives too) as `diffusion_rate`. **Returns:** the CV [1].

    ```python
    >>> from jaxneuro.theory import Ito, diffusion_cv
    >>> lif = dict(v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> cv = diffusion_cv(lambda v: (15 - v) / 20, lambda v: 5 / 20**0.5 + 0 * v, convention=Ito(), **lif)
    >>> f"{float(cv):.4f}"
    '0.8148'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (A6), (A7), corrected.
    """
    return _cv(*prepared(drift, noise, convention, v_th, v_reset, t_ref, v_low, n))


def diffusion_density(
    v: ArrayLike,
    drift: Any,
    noise: Any,
    *,
    convention: AbstractConvention,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    v_low: ArrayLike | None = None,
    n: int = PANELS,
) -> Float[Array, "..."]:
    """Returns the stationary density of the potential of such a neuron.

        P(V) = 2 nu / (W(V) B(V)^2) int_max(V, reset)^th W(u) du,

    0 from the threshold on. It integrates to 1 - nu t_ref, and its flux at the threshold, -B^2 P'/2, is nu.

    **Arguments:** `v`: potentials [mV], any shape; the others as `diffusion_rate`.

    **Returns:** the density [1/mV], of the shape of `v`; 0 below `v_low`.

    Raises, derivatives: as `diffusion_rate`.

    ```python
    >>> from jaxneuro.theory import Ito, diffusion_density
    >>> lif = dict(v_th=20.0, v_reset=10.0, t_ref=2.0)
    >>> p = diffusion_density(15.0, lambda v: (15 - v) / 20, lambda v: 5 / 20**0.5 + 0 * v, convention=Ito(), **lif)
    >>> f"{float(p):.5f} per mV"
    '0.11070 per mV'

    ```

    Source: Sanzeni, Histed, Brunel (2022), doi:10.1103/PhysRevX.12.011044, equation (A4).
    """
    potential = as_leaf(v, "v")
    check_finite("v", potential)
    return _density(potential, *prepared(drift, noise, convention, v_th, v_reset, t_ref, v_low, n))


def prepared(
    drift: Any,
    noise: Any,
    convention: Any,
    v_th: ArrayLike,
    v_reset: ArrayLike,
    t_ref: ArrayLike,
    v_low: ArrayLike | None,
    n: int,
) -> tuple[Any, Any, AbstractConvention, Numbers, int]:
    """The arguments, converted and checked."""
    if not isinstance(convention, AbstractConvention):
        raise ValueError(f"`convention` has to be `Ito()` or `Stratonovich()`; got {told(convention)}.")
    check_count("n", n, "a number of panels, an integer of at least 3", least=3)
    if n > _MOST_PANELS:
        raise ValueError(f"`n` is {n:,} panels, more than {_MOST_PANELS:,}: take fewer.")
    for name, function in (("drift", drift), ("noise", noise)):
        if not callable(function):
            raise ValueError(f"`{name}` has to be a function of the potential; got {told(function)}.")
    low = None if v_low is None else as_leaf(v_low, "v_low")
    numbers = Numbers(as_leaf(v_th, "v_th"), as_leaf(v_reset, "v_reset"), as_leaf(t_ref, "t_ref"), low)
    _check_numbers(numbers)
    _check_functions(drift, noise, numbers)
    return as_elementwise(drift, "drift"), as_elementwise(noise, "noise"), convention, numbers, n


def _check_numbers(numbers: Numbers) -> None:
    for name, value in (("v_th", numbers.v_th), ("v_reset", numbers.v_reset), ("t_ref", numbers.t_ref)):
        if value.ndim:
            raise ValueError(f"`{name}` has to be one number; got shape {value.shape}: map over it with jax.vmap.")
        check_finite(name, value)
    check_nonnegative("t_ref", numbers.t_ref)
    if violates(lambda below, above: below < above, numbers.v_reset, numbers.v_th):
        raise ValueError(f"`v_reset` has to lie below `v_th`; got {numbers.v_reset} and {numbers.v_th}.")
    if numbers.v_low is not None and violates(lambda low, reset: low < reset, numbers.v_low, numbers.v_reset):
        raise ValueError(f"`v_low` has to lie below `v_reset`; got {numbers.v_low} and {numbers.v_reset}.")


def _check_functions(drift: Any, noise: Any, numbers: Numbers) -> None:
    """That A and B are finite between reset and threshold, and give one value a potential, as far as is known."""
    if not is_concrete(numbers):
        return
    with jax.ensure_compile_time_eval():
        v = numbers.v_reset + (numbers.v_th - numbers.v_reset) * jnp.linspace(0.0, 1.0, 5, dtype=numbers.v_th.dtype)
        for name, function in (("drift", drift), ("noise", noise)):
            seen = function(v)
            if jnp.shape(seen) != v.shape:
                raise ValueError(
                    f"`{name}` has to give one value for each potential; of {v.shape} it gave {jnp.shape(seen)}."
                )
            if is_concrete(seen) and not bool(jnp.all(jnp.isfinite(seen))):
                raise ValueError(f"`{name}` has to be finite between `v_reset` and `v_th`; got {seen} at {v} mV.")
            if name == "noise" and is_concrete(seen) and bool(jnp.any(seen == 0.0)):
                raise ValueError(f"`noise` must not be 0 between `v_reset` and `v_th`; got {seen} at {v} mV.")


@eqx.filter_jit
def _log_rate(drift: Any, noise: Any, convention: AbstractConvention, numbers: Numbers, n: int) -> Float[Array, ""]:
    found = passages(numbers.equation(drift, noise, convention), n)
    return where_defined(numbers.valid(), log_rate_of(found.log_time, numbers.t_ref))


@eqx.filter_jit
def _cv(drift: Any, noise: Any, convention: AbstractConvention, numbers: Numbers, n: int) -> Float[Array, ""]:
    found = passages(numbers.equation(drift, noise, convention), n)
    refractory = jnp.exp(log_rate_of(found.log_time, numbers.t_ref)) * numbers.t_ref / 1000.0
    return where_defined(numbers.valid(), jnp.sqrt(found.variance) * (1.0 - refractory))


@eqx.filter_jit
def _density(
    v: Float[Array, "..."], drift: Any, noise: Any, convention: AbstractConvention, numbers: Numbers, n: int
) -> Float[Array, "..."]:
    equation = numbers.equation(drift, noise, convention)
    log_rate = log_rate_of(passages(equation, n).log_time, numbers.t_ref)
    inside = (v > equation.v_low) & (v < equation.v_th)
    at = jnp.where(inside, v, equation.v_reset).reshape(-1)
    value, log = log_flux_density(equation, occupancy(equation, n), at)
    density = 2.0 * value / jnp.square(equation.noise(at)) * jnp.exp(log + log_rate) / 1000.0
    return jnp.where(numbers.valid(), jnp.where(inside, density.reshape(v.shape), 0.0), jnp.nan)
