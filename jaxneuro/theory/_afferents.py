"""What every population of a network receives: the one place where theory reads a network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._network import AbstractDrive, Afferent, Network, Population, SpikeStream, WhiteCurrent
from .._numerics import Shown, as_leaf, check_precision, in_a_line, violates, where_defined
from ..models import LeakyMembrane


class Origin(eqx.Module):
    """Where a stream of spikes comes from: its name in messages, the population (None of a drive), and the delay."""

    name: str = eqx.field(static=True)
    pre: str | None = eqx.field(static=True)
    delay: Any


class Afferents(Shown):
    """All that one neuron of a population receives, and the neuron.

    - `streams`: each with `rate` [Hz] of one source, the moments `in_degree` of their number, the law `weight` and the
      `synapse`, which says what one spike does (`spike_effect`).
    - `currents`: each a mean `mu` and a white noise `sigma` [mV], tau_m dV/dt = ... + mu + sigma sqrt(tau_m) xi;
      `current()` is the sum of the means [mV], `current_noise()` that of the sigma^2 [mV^2].
    - `neuron`: the model, or a `LeakyMembrane`; `membrane()` its numbers, where it is a leaky integrate-and-fire
      neuron; `tau_m()` also where its membrane is curved.
    - `origins`: of each stream; left out where populations are computed side by side.
    """

    neuron: Any
    streams: tuple[SpikeStream, ...]
    currents: tuple[WhiteCurrent, ...] = ()
    origins: tuple[Origin, ...] = ()

    def membrane(self) -> LeakyMembrane:
        """The numbers of a leaky integrate-and-fire neuron; `ValueError` where the neuron is another."""
        return self.neuron.diffusion_parameters()

    def tau_m(self) -> Float[Array, ""]:
        """The membrane time constant [ms] of either."""
        curved = self.neuron.curved_membrane()
        return self.membrane().tau_m if curved is None else curved.tau_m

    def current(self) -> Float[Array, ""]:
        """The constant input [mV]."""
        return sum((c.mu for c in self.currents), jnp.zeros((), jnp.result_type(float)))

    def current_noise(self) -> Float[Array, ""]:
        """sigma^2 of the white noise [mV^2]."""
        return sum((jnp.square(c.sigma) for c in self.currents), jnp.zeros((), jnp.result_type(float)))


def afferents(net: Network, rates: Mapping[str, ArrayLike]) -> dict[str, Afferents]:
    """What a neuron of every population receives when the populations fire at `rates`.

    **Arguments:** `net`, a `Network`; `rates`, {population: rate [Hz]} of the populations of neurons. Sources give
    their mean rate themselves, unless it is among `rates`.

    **Returns:** {population: `Afferents`}.

    Raises `ValueError` where a rate is missing or known to be negative, `rates` names a population that is not there,
    or a number differs between the neurons of a population. Negative rates that only a transformation knows are NaN.

    Derivatives: forward and reverse mode, any order.

    ```python
    >>> import jaxneuro as jn
    >>> seen = jn.theory.afferents(jn.networks.brunel(), {"E": 38.0, "I": 38.0})["E"]
    >>> [f"{float(s.per_ms()):g} a ms of {float(s.weight.moments().mean):g} mV" for s in seen.streams]
    ['38 a ms of 0.1 mV', '9.5 a ms of -0.5 mV', '20 a ms of 0.1 mV']

    ```
    """
    check_precision("net", net)
    known = _all_rates(net, rates)
    return {name: _received(net, name, known) for name in net.neuron_names}


def check_rates(rates: object) -> None:
    """Raises `ValueError` where `rates` is no dict."""
    if not isinstance(rates, Mapping):
        raise ValueError(f"`rates` has to be a dict of {{population: Hz}}; got {in_a_line(rates)}.")


def _all_rates(net: Network, rates: Mapping[str, ArrayLike]) -> dict[str, Float[Array, ""]]:
    check_rates(rates)
    unknown = [name for name in rates if name not in net.populations]
    if unknown:
        raise ValueError(f"`rates` names {unknown[0]!r}, which is no population: the network has {list(net.names)}.")
    found: dict[str, Float[Array, ""]] = {}
    for name, population in net.populations.items():
        if name in rates:
            rate = as_leaf(rates[name], f"rates[{name!r}]")
            if violates(lambda x: ~(x < 0.0), rate):
                raise ValueError(f"`rates[{name!r}]` must not be negative; got {rate}.")
            found[name] = where_defined(rate >= 0.0, rate)
        elif name in net.neuron_names:
            raise ValueError(f"`rates` has no rate of the population {name!r}.")
        else:
            found[name] = source_rate(name, population)
    return found


def source_rate(name: str, source: Population) -> Float[Array, ""]:
    """The mean rate [Hz] of the source `name`."""
    method = f"{type(source.model).__name__}.mean_rate"
    try:
        rate = as_leaf(source.model.mean_rate(), method)
        if rate.shape != () and (source.n is None or rate.shape != (source.n,)):
            raise ValueError(f"`{method}` has to return one rate [Hz] or one a neuron; got shape {rate.shape}.")
    except ValueError as error:
        raise ValueError(f"`populations[{name!r}]`: {error}") from None
    return jnp.mean(rate)


def _received(net: Network, name: str, rates: dict[str, Float[Array, ""]]) -> Afferents:
    neuron = net.populations[name].model
    if any(jnp.ndim(leaf) for leaf in jax.tree_util.tree_leaves(neuron)):
        raise ValueError(f"Mean field needs one value a parameter; those of {name!r} differ between neurons.")
    streams, origins, currents = [], [], []
    for index, projection in enumerate(net.projections):
        if name in projection.post:
            pre = projection.pre
            own, targets = net.populations[name], _place(net, projection.post, name)
            streams.append(projection.afferent(net.populations[pre], name, own, rates[pre], targets))
            origins.append(Origin(f"projections[{index}]", pre, projection.delays))
    for index, drive in enumerate(net.drives):
        if name in drive.targets:
            external = _read_drive(f"drives[{index}]", drive)
            streams += external.streams
            origins += [Origin(f"drives[{index}]", None, None)] * len(external.streams)
            currents += external.currents
            for current in external.currents:
                _one_value(f"drives[{index}].mu", current.mu)
                _one_value(f"drives[{index}].sigma", current.sigma)
    for origin, stream in zip(origins, streams, strict=True):
        for argument, value in (("rate", stream.rate), ("weight", stream.weight), ("synapse", stream.synapse)):
            for leaf in jax.tree_util.tree_leaves(value):
                _one_value(f"{origin.name}.{argument}", leaf)
    return Afferents(neuron, tuple(streams), tuple(currents), tuple(origins))


def _read_drive(name: str, drive: AbstractDrive) -> Afferent:
    """What theory reads of the drive `name`. Raises `ValueError` with that name where it says nothing."""
    try:
        return drive.afferent()
    except ValueError as error:
        raise ValueError(f"`{name}`: {error}") from None


def _place(net: Network, post: tuple[str, ...], name: str) -> slice:
    """Where the neurons of `name` stand among all targets side by side; everywhere, where a size is open."""
    sizes = [net.populations[target].n for target in post]
    if None in sizes:
        return slice(None)
    known, at = [n for n in sizes if n is not None], post.index(name)
    return slice(sum(known[:at]), sum(known[: at + 1]))


def _one_value(name: str, value: Float[Array, "*n"]) -> None:
    if jnp.ndim(value):
        raise ValueError(f"Mean field needs one value a population; `{name}` differs between target neurons.")


def side_by_side(function: Callable[[Afferents], Any], seen: Sequence[Afferents]) -> list[Any]:
    """`function` of each; those of one structure are mapped over in one call, which compiles once."""
    bare = [Afferents(s.neuron, s.streams, s.currents) for s in seen]
    found: list[Any] = [None] * len(bare)
    for members in _kinds(bare):
        if len(members) == 1:
            found[members[0]] = function(bare[members[0]])
            continue
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(bare[i] for i in members))
        values = jax.vmap(function)(stacked)
        for row, index in enumerate(members):
            found[index] = jax.tree.map(lambda leaf, row=row: leaf[row], values)
    return found


def over_streams(function: Callable[[SpikeStream], Float[Array, ""]], seen: Afferents) -> Float[Array, ""]:
    """The sum of `function` over the streams; those of one structure are mapped over in one call.

    Of up to four the sum is written out: it is one kernel, where stacking is one for every number.
    """
    total = jnp.zeros((), jnp.result_type(float))
    for members in _kinds(seen.streams):
        if len(members) <= 4:
            for index in members:
                total = total + function(seen.streams[index])
            continue
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(seen.streams[i] for i in members))
        total = total + jnp.sum(jax.vmap(function)(stacked))
    return total


def _kinds(things: Sequence[Any]) -> list[list[int]]:
    """The places of those of one structure and of one shape and dtype of every number."""
    kinds: dict[Any, list[int]] = {}
    for index, one in enumerate(things):
        leaves, structure = jax.tree.flatten(one)
        kinds.setdefault((structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)), []).append(index)
    return list(kinds.values())
