"""The input of a population in the diffusion approximation: mean, noise and time constant."""

from collections.abc import Callable, Mapping

from jaxtyping import ArrayLike

from .._network import Network
from .._numerics import as_leaf, check_nonnegative, in_a_line
from ._afferents import Afferents, afferents, check_rates
from ._effective_noise import EffectiveNoise
from ._noise import AbstractNoise, EffectiveInput

# Made once: to make a module takes as long as some rates.
_DEFAULT = EffectiveNoise()


def effective_input(
    net: Network, rates: Mapping[str, ArrayLike], *, noise: AbstractNoise | None = None
) -> dict[str, EffectiveInput]:
    """The effective input of every population of neurons when the populations fire at `rates`.

        tau dV/dt = -V + mu + sigma sqrt(tau) xi,

    with the means over the weights that `EffectiveNoise` has.

    **Arguments:**

    - `net`: a `Network` that the theory covers.
    - `rates`: {population: rate [Hz]}, one for every population of neurons.
    - `noise`: a theory of the noise, `EffectiveNoise()` by default.

    **Returns:** {population: `EffectiveInput`}; NaN of a theory that does not sum the input up so.

    Raises `ValueError` where a rate is missing, negative or not finite, a parameter differs between the neurons of a
    population, or the theory does not cover a neuron or a synapse. Of rates that only a transformation knows, what a
    negative one reaches is NaN.

    Derivatives: forward and reverse mode, any order.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    >>> seen = jn.theory.effective_input(net, {"E": 38.0, "I": 38.0})["E"]
    >>> round(float(seen.mu), 3), round(float(seen.sigma), 3)
    (21.0, 7.688)

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (5), (6), (8).
    """
    noise = checked_noise(noise)
    check_rates(rates)
    for name, rate in rates.items():
        check_nonnegative(f"rates[{name!r}]", as_leaf(rate, f"rates[{name!r}]"))
    seen = afferents(net, rates)
    check_covered(noise, seen)
    return {name: noise.summary(one) for name, one in seen.items()}


def checked_noise(noise: AbstractNoise | None) -> AbstractNoise:
    """The theory of the noise, `EffectiveNoise()` where none is given."""
    if noise is None:
        return _DEFAULT
    if not isinstance(noise, AbstractNoise):
        raise ValueError(f"`noise` has to be a theory of the noise such as `EffectiveNoise()`; got {in_a_line(noise)}.")
    return noise


def check_covered(noise: AbstractNoise, seen: Mapping[str, Afferents]) -> None:
    """Raises `ValueError`, naming the population, where the theory does not cover it."""

    def check(one: Afferents) -> None:
        for origin, stream in zip(one.origins, one.streams, strict=True):
            if stream.law().tail() is not None and not noise.takes_heavy_tails():
                raise ValueError(
                    f"`{origin.name}`: its weights have an infinite variance, and `{type(noise).__name__}` is of a "
                    "finite one: take `StableNoise()`, or another law."
                )
        noise.check(one)

    check_each(check, seen)


def check_each(check: Callable[[Afferents], None], seen: Mapping[str, Afferents]) -> None:
    """Raises the `ValueError` of `check`, naming the population."""
    for name, one in seen.items():
        try:
            check(one)
        except ValueError as error:
            raise ValueError(f"`populations[{name!r}]`: {error}") from None
