"""The named neurons of the literature, each a short function that returns a model."""

from typing import Any

from .channels import (
    AType,
    ConnorStevensPotassium,
    ConnorStevensSodium,
    Leak,
    MType,
    TraubPotassium,
    TraubSodium,
    WangBuzsakiPotassium,
    WangBuzsakiSodium,
)
from .models import ConductanceNeuron, HodgkinHuxley


def squid(**parameters: Any) -> HodgkinHuxley:
    """The squid axon; takes the arguments of `HodgkinHuxley`.

    ```python
    >>> import jaxneuro as jn
    >>> cell = jn.neurons.squid(temperature=18.5)

    ```

    Source: Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764.
    """
    return HodgkinHuxley(**parameters)


def connor_stevens(*, g_a: Any = 47.7, **parameters: Any) -> ConductanceNeuron:
    """The neuron of Connor and Stevens: the current A lets it fire as slowly as one likes (type I).

    **Arguments:** `g_a` [mS/cm2], of the current A (0 takes it out; `e_leak` = -70 mV then keeps it at rest);
    `c_m`, `bias`, `v_th` as of `ConductanceNeuron`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.connor_stevens().resting_potential()):.2f} mV"
    '-67.98 mV'

    ```

    Source: Dayan and Abbott (2001), Theoretical Neuroscience, section 6.1 and appendix; Connor, Walter and McKown
    (1977), doi:10.1016/S0006-3495(77)85598-7.
    """
    channels = {
        "na": ConnorStevensSodium(),
        "k": ConnorStevensPotassium(),
        "a": AType(g=g_a),
        "l": Leak(g=0.3, e=-17.0),
    }
    return ConductanceNeuron(channels, **parameters)


def wang_buzsaki(**parameters: Any) -> ConductanceNeuron:
    """The fast-spiking interneuron of Wang and Buzsaki.

    **Arguments:** `c_m`, `bias`, `v_th` as of `ConductanceNeuron`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.wang_buzsaki().resting_potential()):.2f} mV"
    '-64.02 mV'

    ```

    Source: Wang and Buzsaki (1996), doi:10.1523/JNEUROSCI.16-20-06402.1996.
    """
    channels = {"na": WangBuzsakiSodium(), "k": WangBuzsakiPotassium(), "l": Leak(g=0.1, e=-65.0)}
    return ConductanceNeuron(channels, **parameters)


def traub_miles(**parameters: Any) -> ConductanceNeuron:
    """The hippocampal pyramidal cell of Traub and Miles, reduced to one compartment and three channels.

    **Arguments:** `c_m`, `bias`, `v_th` as of `ConductanceNeuron`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.traub_miles().resting_potential()):.2f} mV"
    '-66.59 mV'

    ```

    Source: Ermentrout and Kopell (1998), doi:10.1073/pnas.95.3.1259, after Traub and Miles (1991); here m has its own
    time course.
    """
    channels = {"na": TraubSodium(), "k": TraubPotassium(), "l": Leak(g=0.1, e=-67.0)}
    return ConductanceNeuron(channels, **parameters)


def regular_spiking(**parameters: Any) -> ConductanceNeuron:
    """A regular-spiking cortical pyramidal cell: the current M slows its firing down.

    **Arguments:** `c_m`, `bias`, `v_th` as of `ConductanceNeuron`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.regular_spiking().resting_potential()):.2f} mV"
    '-71.91 mV'

    ```

    Source: Pospischil et al. (2008), doi:10.1007/s00422-008-0263-8, its excitatory cell of visual cortex.
    """
    channels = {
        "na": TraubSodium(g=56.0, e=50.0, v_t=-56.2),
        "k": TraubPotassium(g=6.0, e=-90.0, v_t=-56.2),
        "m": MType(g=0.075, e=-90.0, tau_max=608.0),
        "l": Leak(g=0.0205, e=-70.3),
    }
    return ConductanceNeuron(channels, **parameters)
