"""What a run of a binary network needs: its connections as one table of bits, its fields as sums of counts."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt

from ..._network import BinaryNetwork
from ..._numerics import count_steps, role_key
from ...connectivity import pack_bits
from .._machine import AbstractRunState
from .._stimulus import Stimulus
from .._wire import Wiring, sizes_of

WORD = 32


class BinaryState(AbstractRunState):
    """The state of a binary network: pass it as `state=` to continue bitwise.

    `words[name]` holds the units of a population as bits, unit 32 w + b in bit b of word w.
    """

    step: Int[Array, ""]
    words: dict[str, UInt[Array, "_"]]


class Layer(eqx.Module):
    """Connections of at most one projection from each population to each other, all as one table.

    The field of unit i is the sum over populations p of `weights[i, p]` times the number of active
    units of p among the bits of row i.
    """

    bits: UInt[Array, "n words"]
    weights: Float[Array, "n populations"]


class BinaryPlan(eqx.Module):
    """Constants of a run; units and words of all populations lie side by side, in the order of their names."""

    layers: tuple[Layer, ...]
    couplings: Float[Array, "n slots"] | None  # of projections with a weight for each pair; a column a bit
    drive: Float[Array, "n"]  # from outside less the threshold, at T = 0 a little lower: a tie is inactive
    temperature: Float[Array, "n"]
    per_step: Float[Array, "populations"]  # mean number of updates of each population in a step
    slots: Int[Array, "n"]
    names: tuple[str, ...] = eqx.field(static=True)
    sizes: tuple[int, ...] = eqx.field(static=True)

    @property
    def n(self) -> int:
        """Number of units."""
        return sum(self.sizes)

    @property
    def word_spans(self) -> list[slice]:
        """The words of each population."""
        return _spans([-(-n // WORD) for n in self.sizes])

    @property
    def unit_spans(self) -> list[slice]:
        """The units of each population."""
        return _spans(list(self.sizes))


def _spans(widths: list[int]) -> list[slice]:
    ends = [sum(widths[: i + 1]) for i in range(len(widths))]
    return [slice(end - width, end) for end, width in zip(ends, widths, strict=True)]


def make_plan(net: BinaryNetwork, wiring: Wiring, dt: float) -> BinaryPlan:
    """Lays the projections of `net` out for a run in steps of `dt` [ms]."""
    sizes = tuple(sizes_of(net, net.names).values())
    models = [net.populations[name].model for name in net.names]

    def units(values: list[Float[Array, "..."]]) -> Float[Array, "n"]:
        return jnp.concatenate([jnp.broadcast_to(value, (n,)) for value, n in zip(values, sizes, strict=True)])

    first_slot = [WORD * span.start for span in _spans([-(-n // WORD) for n in sizes])]
    slots = [at + jnp.arange(n, dtype=jnp.int32) for at, n in zip(first_slot, sizes, strict=True)]
    return BinaryPlan(
        _layers(net, wiring, sizes),
        _couplings(net, wiring, sizes),
        units([net.excess(name) for name in net.names]),
        units([model.temperature for model in models]),
        jnp.stack([n * dt / model.tau for n, model in zip(sizes, models, strict=True)]),
        jnp.concatenate(slots),
        net.names,
        sizes,
    )


def _layers(net: BinaryNetwork, wiring: Wiring, sizes: tuple[int, ...]) -> tuple[Layer, ...]:
    """The digits of all projections with counted connections, each in the first layer with room for it."""
    tables: list[dict] = []
    for projection, operator in zip(net.projections, wiring.operators, strict=True):
        if projection.weight.ndim == 2:
            continue
        assert operator is not None  # a network of units has no given weights but those of pairs
        planes = operator.bit_planes()
        pre = net.names.index(projection.pre)
        targets = [net.names.index(name) for name in projection.post]
        for post, span in zip(targets, _spans([sizes[t] for t in targets]), strict=True):
            weight = projection.weight[span] if projection.weight.ndim else projection.weight
            for digit in range(planes.shape[0]):
                table = next((t for t in tables if (post, pre) not in t), None)
                if table is None:
                    table = {}
                    tables.append(table)
                table[post, pre] = (planes[digit, span], jnp.broadcast_to(weight * 2**digit, (sizes[post],)))
    return tuple(_layer(table, sizes) for table in tables)


def _layer(table: dict, sizes: tuple[int, ...]) -> Layer:
    populations = range(len(sizes))
    dtype = jnp.result_type(float)

    def bits(post: int, pre: int) -> UInt[Array, "_ _"]:
        empty = jnp.zeros((sizes[post], -(-sizes[pre] // WORD)), jnp.uint32)
        return table[post, pre][0] if (post, pre) in table else empty

    def weights(post: int, pre: int) -> Float[Array, "_"]:
        return table[post, pre][1] if (post, pre) in table else jnp.zeros(sizes[post], dtype)

    rows = [jnp.concatenate([bits(post, pre) for pre in populations], axis=1) for post in populations]
    columns = [jnp.stack([weights(post, pre) for pre in populations], axis=1) for post in populations]
    return Layer(jnp.concatenate(rows), jnp.concatenate(columns))


def _couplings(net: BinaryNetwork, wiring: Wiring, sizes: tuple[int, ...]) -> Float[Array, "n slots"] | None:
    """The weights of projections with one weight a pair, summed; None where there is none."""
    given = [(p, operator) for p, operator in zip(net.projections, wiring.operators, strict=True) if p.weight.ndim == 2]
    if not given:
        return None
    columns = _spans([WORD * (-(-n // WORD)) for n in sizes])
    rows = _spans(list(sizes))
    total = jnp.zeros((rows[-1].stop, columns[-1].stop), jnp.result_type(float))
    for projection, operator in given:
        assert operator is not None
        values = projection.weight * operator.as_matrix().astype(total.dtype)
        pre = net.names.index(projection.pre)
        start = columns[pre].start
        targets = [net.names.index(name) for name in projection.post]
        for post, span in zip(targets, _spans([sizes[t] for t in targets]), strict=True):
            total = total.at[rows[post], start : start + sizes[pre]].add(values[span])
    return total


def initial_binary_state(net: BinaryNetwork, t0: float, dt: float, key: PRNGKeyArray) -> BinaryState:
    """The state at `t0`: each unit active with the probability that `net.initial` gives."""
    words = {}
    for name, n in sizes_of(net, net.names).items():
        draw = jax.random.uniform(role_key(key, f"initial {name}"), (n,), jnp.result_type(float))
        words[name] = pack_bits(draw < net.initial[name])
    return BinaryState(jnp.asarray(count_steps("t0", t0, dt), jnp.int32), words)


def stimulus_field(
    plan: BinaryPlan, stimuli: dict[str, Stimulus], first: Int[Array, ""], step: Int[Array, ""]
) -> Array:
    """What the stimuli add to the field of each unit in one step, (n,)."""
    parts = []
    for name, n in zip(plan.names, plan.sizes, strict=True):
        if name in stimuli:
            row = stimuli[name].rows((step - first)[None], step[None])[0]
            parts.append(jnp.broadcast_to(row, (n,)))
        else:
            parts.append(jnp.zeros(n, plan.drive.dtype))
    return jnp.concatenate(parts)
