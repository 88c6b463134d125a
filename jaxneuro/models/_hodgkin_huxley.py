"""The neuron of Hodgkin and Huxley."""

import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._numerics import as_leaf, check_finite, check_nonnegative, is_concrete, read_numbers, violates
from ..channels import AbstractChannel, Leak, Potassium, Sodium
from ._conductance_neuron import AbstractConductanceNeuron, check_membrane

_Q10, _MEASURED_AT = 3.0, 6.3


def _as_number(value: ArrayLike, name: str) -> np.ndarray | Array:
    """A known number in the widest float, whatever it came in; a traced one as a leaf."""
    known = read_numbers(value, name)
    return np.asarray(known, float) if is_concrete(known) else as_leaf(known, name)


class HodgkinHuxley(AbstractConductanceNeuron):
    """The squid axon of Hodgkin and Huxley.

        C dV/dt = g_L (E_L - V) + g_Na m^3 h (E_Na - V) + g_K n^4 (E_K - V) + bias + I(t),
        dx/dt = phi (alpha_x(u) (1 - x) - beta_x(u) x),   x = m, h, n,   u = V - v_shift,   phi = 3^((T - 6.3)/10).

    **Arguments**, each a number or (n,), one value a neuron:

    - `g_na`, `g_k`, `g_l`: maximal conductances [mS/cm2].
    - `e_na`, `e_k`, `e_l`: reversal potentials [mV], by default 115, -12 and 10.6 mV from `v_shift`.
    - `c_m`: capacitance [uF/cm2]; `bias`: a constant current [uA/cm2]. A run starts at rest; where that is unstable,
      as above 9.78 uA/cm2, at the rest without bias, so that the neuron fires as under a `stimulus` of as much.
    - `v_shift`: the potential [mV] that the rates count from. The default, -65, makes V absolute; 0 is the convention
      of 1952, in which V is counted from rest.
    - `temperature` [degrees Celsius], from -50 to 100.
    - `v_th`: a spike is an upward crossing of this potential [mV], by default 50 mV above `v_shift`. Spikes become
      lower as the current grows, at 100 uA/cm2 they end 45 mV above it: choose `v_th` lower there.

    Currents are in uA/cm2, synaptic conductances in mS/cm2.

    Raises `ValueError` where a conductance is negative, a value is not finite or `c_m` is not positive.

    Derivatives: forward and reverse mode, in every number, with no NaN at the removable singularities of the rates.
    Spike times have none, unless a run is given a surrogate.

    ```python
    >>> import jax, jaxneuro as jn
    >>> squid = jn.HodgkinHuxley()
    >>> sol = jn.simulate(jn.Population(squid, 1), 0.0, 50.0, dt=0.01, key=jax.random.key(0), stimulus=10.0,
    ...                   record={"spikes": jn.record.Spikes()})
    >>> sol["spikes"].times[0].round(2).tolist()
    [1.84, 16.75, 31.4, 46.04]
    >>> f"{float(squid.resting_potential()):.4f} mV"
    '-64.9997 mV'

    ```

    Source: source text 003; Hodgkin and Huxley (1952), doi:10.1113/jphysiol.1952.sp004764.
    """

    g_na: Float[Array, "*n"]
    g_k: Float[Array, "*n"]
    g_l: Float[Array, "*n"]
    e_na: Float[Array, "*n"]
    e_k: Float[Array, "*n"]
    e_l: Float[Array, "*n"]
    v_shift: Float[Array, "*n"]
    c_m: Float[Array, "*n"]
    temperature: Float[Array, "*n"]
    bias: Float[Array, "*n"]
    v_th: Float[Array, "*n"] | None

    def __init__(
        self,
        *,
        g_na: ArrayLike = 120.0,
        g_k: ArrayLike = 36.0,
        g_l: ArrayLike = 0.3,
        e_na: ArrayLike | None = None,
        e_k: ArrayLike | None = None,
        e_l: ArrayLike | None = None,
        c_m: ArrayLike = 1.0,
        bias: ArrayLike = 0.0,
        v_shift: ArrayLike = -65.0,
        temperature: ArrayLike = _MEASURED_AT,
        v_th: ArrayLike | None = None,
    ):
        # Numbers are added as such: of arrays every sum would be a program of its own at the first call.
        self.temperature = as_leaf(temperature, "temperature")
        if violates(lambda t: (t >= -50.0) & (t <= 100.0), self.temperature):
            raise ValueError(f"`temperature` has to lie between -50 and 100 degrees Celsius; got {self.temperature}.")
        shift = _as_number(v_shift, "v_shift")
        self.v_shift = as_leaf(shift, "v_shift")
        check_finite("v_shift", self.v_shift)
        self.g_na, self.g_k, self.g_l = as_leaf(g_na, "g_na"), as_leaf(g_k, "g_k"), as_leaf(g_l, "g_l")
        self.e_na = as_leaf(shift + 115.0 if e_na is None else e_na, "e_na")
        self.e_k = as_leaf(shift - 12.0 if e_k is None else e_k, "e_k")
        self.e_l = as_leaf(shift + 10.6 if e_l is None else e_l, "e_l")
        self.c_m, self.bias = as_leaf(c_m, "c_m"), as_leaf(bias, "bias")
        self.v_th = as_leaf(shift + 50.0 if v_th is None else v_th, "v_th")
        for name in ("g_na", "g_k", "g_l"):
            check_nonnegative(name, getattr(self, name))
        for name in ("e_na", "e_k", "e_l"):
            check_finite(name, getattr(self, name))
        check_membrane(self)

    @property
    def phi(self) -> Float[Array, "*n"]:
        """The factor of all rates, 3^((T - 6.3)/10)."""
        return _Q10 ** ((self.temperature - _MEASURED_AT) / 10.0)

    def channels(self) -> dict[str, AbstractChannel]:
        """Sodium "na", potassium "k" and leak "l"."""
        return {
            "na": Sodium(self.g_na, self.e_na, self.v_shift),
            "k": Potassium(self.g_k, self.e_k, self.v_shift),
            "l": Leak(self.g_l, self.e_l),
        }
