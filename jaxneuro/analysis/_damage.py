"""Damage spreading: two copies of a binary network that start apart in a unit."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from .._network import BinaryNetwork
from .._numerics import Shown, check_dt, check_key, check_precision, is_concrete, read_indices, told
from .._simulate import AbstractUpdate, BinaryState, Wiring, initial_binary_state, record, simulate, wire


class Damage(Shown):
    """How far two copies of a binary network are apart, at the ends of steps.

    - `units`: {population: (time,)}, the number of units in another state (Hamming distance).
    - `share`: {population: (time,)}, the same as a share of the population.
    - `times` [ms], in double precision.
    """

    units: dict[str, Int[Array, "time"]]
    share: dict[str, Float[Array, "time"]]
    axis: record.TimeAxis

    @property
    def times(self) -> Float[np.ndarray, "time"]:
        """The ends of the steps [ms]."""
        return self.axis.times()

    def __str__(self) -> str:
        if not is_concrete(self.units) or any(counts.ndim != 1 for counts in self.units.values()):
            return f"Damage in {', '.join(self.units)}"
        lines = [f"Damage at t = {float(self.times[-1]):g} ms"]
        for name, counts in self.units.items():
            lines.append(f"  {name}: {int(counts[-1]):,} units, {float(self.share[name][-1]):.3%}")
        return "\n".join(lines)


def damage(
    net: BinaryNetwork,
    t0: float,
    t1: float,
    *,
    dt: float,
    key: PRNGKeyArray,
    flip: Mapping[str, Sequence[int]] | None = None,
    state: BinaryState | None = None,
    wiring: Wiring | None = None,
    update: AbstractUpdate | None = None,
    stimulus: Any = None,
) -> Damage:
    """Runs two copies of a binary network that differ in the units `flip` at `t0` and in nothing else.

    Both have the same connections, the same order of updates and the same noise, so that they are
    apart only by what the flipped units set going. At T = 0 the distance in a large chaotic network
    grows until two states share no more than the quenched activities:

        share of k -> 2 (m_k - q_k),

    with m and q of `jn.theory.mean_field`, whose `lyapunov` is the rate of the first growth. That
    rate grows like sqrt(K): in the limit damage follows dD/dt ~ sqrt(D) / tau, with an infinite
    Lyapunov exponent, and is of order 1 after a few tau however small it started.

    **Arguments:**

    - `net`, `t0`, `t1`, `dt`, `key`, `wiring`, `update`, `stimulus`: as in `jn.simulate`.
    - `flip`: {population: indices of the units that differ}; default unit 0 of the first population.
    - `state`: where the first copy starts, such as `sol.state` of a run up to `t0`; default the
      initial state.

    **Returns:** a `Damage`.

    Raises `ValueError` where an argument does not fit.

    Derivatives: none, a state has derivative 0. Works under jit and vmap with `wiring=` given.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.binary(k=50, n_e=500, n_i=500, m0=0.2)
    >>> spread = jn.analysis.damage(net, 0.0, 50.0, dt=1.0, key=jax.random.key(0))
    >>> bool(spread.units["E"][-1] > 10)
    True

    ```

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, section 8; Derrida
    and Pomeau (1986), doi:10.1209/0295-5075/1/2/001.
    """
    if not isinstance(net, BinaryNetwork):
        raise ValueError(f"`net` has to be a BinaryNetwork; got {type(net).__name__}.")
    check_key(key)
    check_precision("net", net)
    dt = check_dt(dt)
    wiring = wire(net, key=key) if wiring is None else wiring
    start = initial_binary_state(net, t0, dt, key) if state is None else state
    if not isinstance(start, BinaryState):
        raise ValueError(f"`state` has to be the `state` of a binary network's Solution; got {type(start).__name__}.")
    flipped = _flip(net, start, {net.names[0]: [0]} if flip is None else flip)
    copies = [
        simulate(
            net, t0, t1, dt=dt, key=key, state=s, wiring=wiring, update=update, stimulus=stimulus,
            record={"states": record.UnitStates()},
        )
        for s in (start, flipped)
    ]  # fmt: skip
    units = {
        name: jnp.sum(jnp.bitwise_count(a.words ^ b.words).astype(jnp.int32), axis=1, dtype=jnp.int32)
        for name, a, b in ((name, copies[0]["states"][name], copies[1]["states"][name]) for name in net.names)
    }
    dtype = jnp.result_type(float)
    share = {name: counts.astype(dtype) / copies[0]["states"][name].n for name, counts in units.items()}
    return Damage(units, share, copies[0].axes["states"])


def _flip(net: BinaryNetwork, state: BinaryState, flip: Mapping[str, Sequence[int]]) -> BinaryState:
    if not isinstance(flip, Mapping) or not flip:
        raise ValueError(f"`flip` has to be a dict of {{population: indices of units}}; got {told(flip)}.")
    words = dict(state.words)
    for name, units in flip.items():
        if name not in net.names:
            raise ValueError(f"`flip` names the population {name!r}; there are {', '.join(net.names)}.")
        n, (chosen, of) = net.populations[name].n, read_indices(units, f"flip[{name!r}]")
        indices = np.unique(chosen)
        if of not in (None, n) or indices.size == 0 or indices[0] < 0 or n is None or indices[-1] >= n:
            raise ValueError(f"`flip[{name!r}]` has to hold indices of the {n} units of {name!r}; got {told(units)}.")
        mask = np.zeros(words[name].shape[-1] * 32, bool)
        mask[indices] = True
        words[name] = words[name] ^ jnp.asarray(np.packbits(mask, bitorder="little").view("<u4").astype(np.uint32))
    return BinaryState(state.step, words)
