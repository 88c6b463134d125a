"""The states of a network of spiking neurons, and the rule that tells them apart."""

import enum

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from .._numerics import Shown, as_leaf, check_nonnegative, is_concrete, told


class State(enum.IntEnum):
    """Regular or irregular neurons (R, I) in a synchronous or asynchronous population (S, A).

    The integers are the codes of `classify`, for phase diagrams; `str` gives the name.
    """

    undetermined = 0
    quiescent = 1
    SR = 2
    AR = 3
    AI = 4
    fast_SI = 5
    slow_SI = 6

    def __str__(self) -> str:
        return self.name.replace("_", " ")


class Thresholds(Shown):
    """The numbers that part the states.

    **Arguments:**

    - `quiescent_rate`: [Hz], 0.1; below it a population is quiescent.
    - `regular_cv`: 0.2; neurons of a smaller mean CV of intervals are regular.
    - `modulation`: 0.75; irregular neurons are synchronous where the population rate oscillates by
      more of its mean. In Brunel's network of 12,500 neurons it is 0.56 to 0.69 at points well inside the
      asynchronous region and 0.8 to 1.5 inside the oscillating ones. In theory the former falls as 1/sqrt(N) and the
      latter does not depend on N. In a network of 1,250 neurons (C_E = 100, J = 0.3 mV) the two overlap, 0.3 to
      0.6 against 0.5 to 0.8: there the classes of irregular neurons are no more than a hint.
    - `regular_modulation`: 0.1; the same for regular neurons, of which N independent ones make 2/sqrt(N).
    - `slow_below`: [Hz], 80; the oscillation is slow below. The fast one has a period of about four delays.

    Raises `ValueError` where one is no number, negative or not finite.

    ```python
    >>> import jaxneuro as jn
    >>> print(jn.analysis.Thresholds(slow_below=60.0))
    quiescent below 0.1 Hz, regular below CV 0.2, synchronous above a modulation of 0.75 (regular neurons: 0.1), \
slow below 60 Hz

    ```
    """

    quiescent_rate: Float[Array, ""]
    regular_cv: Float[Array, ""]
    modulation: Float[Array, ""]
    regular_modulation: Float[Array, ""]
    slow_below: Float[Array, ""]

    def __init__(
        self,
        *,
        quiescent_rate: ArrayLike = 0.1,
        regular_cv: ArrayLike = 0.2,
        modulation: ArrayLike = 0.75,
        regular_modulation: ArrayLike = 0.1,
        slow_below: ArrayLike = 80.0,
    ):
        self.quiescent_rate, self.regular_cv = (
            as_leaf(quiescent_rate, "quiescent_rate"),
            as_leaf(regular_cv, "regular_cv"),
        )
        self.modulation, self.regular_modulation = (
            as_leaf(modulation, "modulation"),
            as_leaf(regular_modulation, "regular_modulation"),
        )
        self.slow_below = as_leaf(slow_below, "slow_below")
        for name, value in vars(self).items():
            check_nonnegative(name, value)
            if value.ndim:
                raise ValueError(f"`{name}` has to be one number; got shape {value.shape}.")

    def __str__(self) -> str:
        shown = {k: f"{float(v):g}" if is_concrete(v) and not v.ndim else str(v) for k, v in vars(self).items()}
        return (
            "quiescent below {quiescent_rate} Hz, regular below CV {regular_cv}, synchronous above a modulation of "
            "{modulation} (regular neurons: {regular_modulation}), slow below {slow_below} Hz"
        ).format(**shown)


def as_thresholds(given: Thresholds | None) -> Thresholds:
    """The default ones for None; raises `ValueError` for anything else that is none."""
    if not isinstance(given, Thresholds | None):
        raise ValueError(f"`thresholds` has to be `jn.analysis.Thresholds(...)`; got {told(given)}.")
    return Thresholds() if given is None else given


def classify(
    rate: ArrayLike,
    cv: ArrayLike,
    frequency: ArrayLike,
    modulation: ArrayLike,
    *,
    thresholds: Thresholds | None = None,
) -> Int[Array, "..."]:
    """The state that four numbers say a population is in.

        quiescent      rate < quiescent_rate
        undetermined   else, rate, cv or modulation is NaN, or the frequency of an SI state
        SR, AR         else, cv < regular_cv: modulation above or not above regular_modulation
        AI             else, modulation not above the threshold
        slow SI        else, frequency < slow_below
        fast SI        else

    **Arguments:** arrays that broadcast.

    - `rate`: mean over neurons [Hz]; `cv`: mean CV of interspike intervals.
    - `frequency`: of the oscillation of the population rate [Hz]; `modulation`: its amplitude over the mean rate.
    - `thresholds`: `Thresholds()` by default.

    **Returns:** codes of `State`, integers of the broadcast shape. Works under jit and vmap. Derivatives:
    none, a code is an integer.

    ```python
    >>> import jax.numpy as jnp, jaxneuro as jn
    >>> codes = jn.analysis.classify(jnp.array([37.0, 59.0]), 0.5, jnp.array([110.0, 180.0]), jnp.array([0.6, 1.1]))
    >>> [str(jn.analysis.State(int(code))) for code in codes]
    ['AI', 'fast SI']

    ```

    Source: the states are those of Brunel (2000), doi:10.1023/A:1008925309027, Figs. 2 and 8; the thresholds
    are measured on his network, `benchmarks/brunel_states.py`.
    """
    limits = as_thresholds(thresholds)
    given = {"rate": rate, "cv": cv, "frequency": frequency, "modulation": modulation}
    rate, cv, frequency, modulation = (as_leaf(x, name) for name, x in given.items())
    irregular = jnp.where(frequency < limits.slow_below, State.slow_SI.value, State.fast_SI.value)
    irregular = jnp.where(modulation > limits.modulation, irregular, State.AI.value)
    regular = jnp.where(modulation > limits.regular_modulation, State.SR.value, State.AR.value)
    code = jnp.where(cv < limits.regular_cv, regular, irregular)
    oscillates = (code == State.slow_SI.value) | (code == State.fast_SI.value)
    unknown = jnp.isnan(rate) | jnp.isnan(cv) | jnp.isnan(modulation) | (jnp.isnan(frequency) & oscillates)
    code = jnp.where(unknown, State.undetermined.value, code)
    return jnp.where(rate < limits.quiescent_rate, State.quiescent.value, code).astype(jnp.int32)
