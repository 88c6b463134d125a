"""The noise of conductances that depends on the potential, in Ito's sense."""

from .._formulas import Ito
from ._multiplicative_noise import AbstractMultiplicativeNoise


class ItoNoise(AbstractMultiplicativeNoise):
    """White noise of the conductances that depends on the potential, read in Ito's sense.

        tau dV/dt = mu - V + sigma(V) sqrt(tau) xi,    sigma^2(V) = tau sum of <a^2> K r (V - E)^2 + currents,

    the limit of jumps a (E - V) as a falls at a fixed distance from threshold in units of the noise.
    Efficacies a are the weights of the conductances, whichever jump the synapse has.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
    >>> f"{jn.theory.conductance_rate(20.0, **neuron, noise=jn.theory.ItoNoise()):.4f} Hz"
    '49.4071 Hz'

    ```

    A network takes it as `mean_field(net, noise=ItoNoise())`: with 23.171 Hz for
    `jn.networks.conductance_based(g=20.0, nu_x=20.0)`.

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (A4)-(A15).
    (A15) without the term a^2 K tau/2 chi.
    """

    def convention(self) -> Ito:
        return Ito()
