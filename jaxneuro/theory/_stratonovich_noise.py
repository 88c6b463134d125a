"""The noise of conductances that depends on the potential, in Stratonovich's sense."""

from .._formulas import Stratonovich
from ._multiplicative_noise import AbstractMultiplicativeNoise


class StratonovichNoise(AbstractMultiplicativeNoise):
    """White noise of the conductances that depends on the potential, read in Stratonovich's sense.

        tau dV/dt = mu - V + sigma(V) sqrt(tau) xi,    sigma^2(V) = tau sum of <a^2> K r (V - E)^2 + currents,

    the limit of exact jumps as a falls at a fixed distance from threshold in units of the noise.
    Efficacies a are the weights of the conductances, whichever jump the synapse has.

    ```python
    >>> import jaxneuro as jn
    >>> neuron = dict(a=0.01, k=1_000, g=12.0, eta=1.8, gamma=0.25)
    >>> f"{jn.theory.conductance_rate(20.0, **neuron, noise=jn.theory.StratonovichNoise()):.4f} Hz"
    '66.2316 Hz'

    ```

    A network takes it as `mean_field(net, noise=StratonovichNoise())`: with 24.517 Hz for
    `jn.networks.conductance_based(g=20.0, nu_x=20.0)`.

    Source: Sanzeni, Histed and Brunel (2022), doi:10.1103/PhysRevX.12.011044, equations (A4)-(A15);
    the term a^2 K tau/2 chi of (A15), which the source leaves out as small, is kept: it changes times by a factor.
    """

    def convention(self) -> Stratonovich:
        return Stratonovich()
