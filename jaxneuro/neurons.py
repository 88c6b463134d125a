"""The named neurons of the literature, each a short function that returns a model."""

import math
from typing import Any

from ._numerics import as_leaf, check_positive
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
from .models import ConductanceNeuron, ExponentialCurve, HodgkinHuxley, IntegrateAndFire, LinearCurve, QuadraticCurve


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


def eif(
    *, v_rest: Any = -65.0, v_t: Any = -50.0, delta_t: Any = 2.0, v_peak: Any = -20.0, **parameters: Any
) -> IntegrateAndFire:
    """The exponential integrate-and-fire neuron.

        tau_m dV/dt = -(V - v_rest) + delta_t exp((V - v_t)/delta_t) + I.

    **Arguments:** those of `ExponentialCurve`, `v_peak` [mV], and those of `IntegrateAndFire`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.eif().resting_potential()):.3f} mV"
    '-64.999 mV'

    ```

    Source: Fourcaud-Trocme et al. (2003), doi:10.1523/JNEUROSCI.23-37-11628.2003.
    """
    return IntegrateAndFire(ExponentialCurve(v_rest=v_rest, v_t=v_t, delta_t=delta_t), v_peak=v_peak, **parameters)


def adaptive_lif(
    *, v_rest: Any = 0.0, v_th: Any = 20.0, v_reset: Any = 10.0, b: Any = 2.0, tau_w: Any = 100.0, **parameters: Any
) -> IntegrateAndFire:
    """The leaky integrate-and-fire neuron with adaptation, whose spikes make it less excitable for a while.

        tau_m dV/dt = -(V - v_rest) - w + I,   tau_w dw/dt = a (V - v_rest) - w;   w = w + b at a spike.

    **Arguments:** those of `IntegrateAndFire`; `v_th` is its `v_peak`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.adaptive_lif().resting_potential()):.2f} mV"
    '0.00 mV'

    ```

    Source: Gerstner, Kistler, Naud and Paninski (2014), Neuronal Dynamics, equations (6.1), (6.2); in learning Bellec
    et al. (2018), arXiv:1803.09574, whose threshold adapts in place of the current.
    """
    own = {"v_peak": as_leaf(v_th, "v_th"), "v_reset": v_reset, "b": b, "tau_w": tau_w, "v_w": v_rest}
    return IntegrateAndFire(LinearCurve(v_rest=v_rest), **own, **parameters)


def adex(**parameters: Any) -> IntegrateAndFire:
    """The adaptive exponential integrate-and-fire neuron of Brette and Gerstner, in mV (its currents over g_L = 30 nS).

        tau_m dV/dt = -(V - v_rest) + delta_t exp((V - v_t)/delta_t) - w + I,   tau_w dw/dt = a (V - v_rest) - w.

    **Arguments:** those of `IntegrateAndFire`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.adex().resting_potential()):.2f} mV"
    '-70.60 mV'

    ```

    Source: Brette and Gerstner (2005), doi:10.1152/jn.00686.2005.
    """
    own = {"tau_m": 281.0 / 30.0, "v_peak": 20.0, "v_reset": -70.6, "a": 4.0 / 30.0, "b": 80.5 / 30.0, "tau_w": 144.0}
    curve = ExponentialCurve(v_rest=-70.6, v_t=-50.4, delta_t=2.0)
    return IntegrateAndFire(curve, **{**own, "v_w": -70.6, **parameters})


def qif(
    *, v_rest: Any = -65.0, v_c: Any = -50.0, k: Any = 0.05, v_peak: Any = 100.0, **parameters: Any
) -> IntegrateAndFire:
    """The quadratic integrate-and-fire neuron, tau_m dV/dt = k (V - v_rest) (V - v_c) + I.

    **Arguments:** those of `QuadraticCurve`, `v_peak` [mV], and those of `IntegrateAndFire`.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.qif().resting_potential()):.2f} mV"
    '-65.00 mV'

    ```

    Source: Ermentrout and Kopell (1986), doi:10.1137/0146017.
    """
    return IntegrateAndFire(QuadraticCurve(v_rest=v_rest, v_c=v_c, k=k), v_peak=v_peak, **parameters)


def izhikevich(*, a: Any = 0.02, b: Any = 0.2, c: Any = -65.0, d: Any = 8.0) -> IntegrateAndFire:
    """The neuron of Izhikevich: dv/dt = 0.04 v^2 + 5 v + 140 - u + I, du/dt = a (b v - u); at 30 mV v = c, u = u + d.

    **Arguments:** `a` [1/ms], `b`, `c` [mV], `d` as in the source; the defaults are a regular-spiking cell, 0.1, 0.2,
    -65, 2 a fast-spiking one, 0.02, 0.2, -50, 2 a chattering one.

    ```python
    >>> import jaxneuro as jn
    >>> f"{float(jn.neurons.izhikevich().resting_potential()):.2f} mV"
    '-70.00 mV'

    ```

    Source: Izhikevich (2003), doi:10.1109/TNN.2003.820440.
    """
    root = math.sqrt(25.0 - 4 * 0.04 * 140.0)
    curve = QuadraticCurve(v_rest=(-5.0 - root) / 0.08, v_c=(-5.0 + root) / 0.08, k=0.04)
    check_positive("a", a)
    a, b, c, d = (as_leaf(value, name) for name, value in (("a", a), ("b", b), ("c", c), ("d", d)))
    return IntegrateAndFire(curve, tau_m=1.0, v_peak=30.0, v_reset=c, a=b, b=d, tau_w=1.0 / a, v_w=0.0)
