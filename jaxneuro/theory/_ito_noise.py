"""The noise of conductances that depends on the potential, in Ito's sense."""

from jaxtyping import Array, Float

from .._formulas import Ito
from ._afferents import Afferents
from ._asymptotics import Asymptotics, multiplicative_asymptotics
from ._effective_noise import EffectiveNoise
from ._multiplicative_noise import (
    check_multiplicative,
    multiplicative_cv,
    multiplicative_density,
    multiplicative_exponent,
    multiplicative_input,
    multiplicative_log_rate,
)
from ._noise import AbstractNoise, EffectiveInput
from ._noise_rate import hertz


class ItoNoise(AbstractNoise):
    """White noise of the conductances that depends on the potential, read in Ito's sense.

        tau dV/dt = mu - V + sigma(V) sqrt(tau) xi,    sigma^2(V) = tau sum of <a^2> K r (V - E)^2 + currents,

    the limit of jumps a (E - V) as a falls at a fixed distance from threshold in units of the noise.
    Efficacies a are the weights of the conductances, whichever jump the synapse has.

    ```python
    >>> import jaxneuro as jn
    >>> net = jn.networks.conductance_based(g=20.0, nu_x=20.0)
    >>> f"{float(jn.theory.mean_field(net, noise=jn.theory.ItoNoise()).rate['E']):.3f} Hz"
    '23.171 Hz'

    ```

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (A4)-(A15).
    (A15) without the term a^2 K tau/2 chi.
    """

    def rate(self, seen: Afferents) -> Float[Array, ""]:
        return hertz(self.log_rate(seen))

    def log_rate(self, seen: Afferents) -> Float[Array, ""]:
        return multiplicative_log_rate(seen, Ito())

    def cv(self, seen: Afferents) -> Float[Array, ""]:
        return multiplicative_cv(seen, Ito())

    def density(self, v: Float[Array, "..."], seen: Afferents) -> Float[Array, "..."]:
        return multiplicative_density(v, seen, Ito())

    def summary(self, seen: Afferents) -> EffectiveInput:
        return EffectiveNoise().summary(seen)

    def check(self, seen: Afferents) -> None:
        check_multiplicative(seen)

    def left_out(self, seen: Afferents) -> tuple[str, ...]:
        return ("finite jumps",) if seen.streams else ()

    def most_rate(self, seen: Afferents) -> Float[Array, ""]:
        return EffectiveNoise().most_rate(seen)

    def asymptotics(self, seen: Afferents) -> Asymptotics:
        plain = multiplicative_input(seen).diffusion
        return multiplicative_asymptotics(plain, plain.under(Ito()), seen.membrane())

    def exponent(self, seen: Afferents) -> Float[Array, ""]:
        return multiplicative_exponent(seen)

    def cheap(self) -> AbstractNoise:
        return EffectiveNoise()
