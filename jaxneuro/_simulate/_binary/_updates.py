"""Updates of binary units, one after another or all at once."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt

from ..._numerics import PoissonTable
from ...connectivity import pack_bits
from ._plan import WORD, BinaryPlan

# Updates computed together: their fields are counted in one pass, their effect on each other is a small matrix.
_LARGE, _SMALL, _FEW_UNITS = 128, 32, 512
# Rows counted at once in a parallel update.
_ROWS = 512


class Block(eqx.Module):
    """Updates in their order: which unit, its threshold noise, and whether there is such an update."""

    units: Int[Array, "b"]
    noise: Float[Array, "b"]
    real: Bool[Array, "b"]


def _counted(
    plan: BinaryPlan, rows: UInt[Array, "b words"], words: UInt[Array, "words"]
) -> Int[Array, "b populations"]:
    """How many active units of each population are among the bits of each row."""
    active = lax.population_count(rows & words).astype(jnp.int32)
    return jnp.stack([jnp.sum(active[:, span], axis=1, dtype=jnp.int32) for span in plan.word_spans], axis=1)


def _weighted(weights: Float[Array, "b populations"], counts: Int[Array, "b populations"]) -> Float[Array, "b"]:
    """The sum over populations, written out so that its order is fixed."""
    total = weights[:, 0] * counts[:, 0].astype(weights.dtype)
    for p in range(1, weights.shape[1]):
        total = total + weights[:, p] * counts[:, p].astype(weights.dtype)
    return total


def _as_floats(words: UInt[Array, "words"], dtype: jnp.dtype) -> Float[Array, "slots"]:
    bits = (words[:, None] >> jnp.arange(WORD, dtype=jnp.uint32)) & jnp.uint32(1)
    return bits.reshape(-1).astype(dtype)


def sequential_step(
    plan: BinaryPlan,
    table: PoissonTable,
    words: UInt[Array, "words"],
    outside: Float[Array, "n"],
    key: PRNGKeyArray,
) -> UInt[Array, "words"]:
    """The updates of one step, one at a time; `outside` is the field from outside, less the threshold."""
    n_block = _SMALL if plan.n < _FEW_UNITS else _LARGE
    number, order = jax.random.split(key)
    n_updates = table.count(number, 1)[0]

    def body(carry: tuple[Int[Array, ""], UInt[Array, "words"]]) -> tuple[Array, Array]:
        done, now = carry
        block = _draw(plan, jax.random.fold_in(order, done), done, n_updates, n_block)
        return done + n_block, _update_block(plan, now, outside, block)

    start = (jnp.zeros((), jnp.int32), words)
    return lax.while_loop(lambda carry: carry[0] < n_updates, body, start)[1]


def _draw(plan: BinaryPlan, key: PRNGKeyArray, done: Int[Array, ""], n_updates: Int[Array, ""], n_block: int) -> Block:
    # One call for all bits of a block: each call of the generator costs compile time and a kernel.
    which, unit, noise = jax.random.bits(key, (3, n_block), jnp.uint32)
    rates = jnp.cumsum(plan.per_step)
    at = _unit_interval(which, plan.drive.dtype) * rates[-1]
    population = jnp.minimum(jnp.sum(at[:, None] >= rates, axis=1, dtype=jnp.int32), len(plan.sizes) - 1)
    sizes = jnp.asarray(plan.sizes, jnp.uint32)
    begin = jnp.asarray([span.start for span in plan.unit_spans], jnp.int32)
    units = begin[population] + _scaled(unit, sizes[population]).astype(jnp.int32)
    real = done + jnp.arange(n_block, dtype=jnp.int32) < n_updates
    return Block(units, plan.temperature[units] * _logistic(noise, plan.drive.dtype), real)


def _unit_interval(bits: UInt[Array, "*shape"], dtype: jnp.dtype) -> Float[Array, "*shape"]:
    """Uniform numbers inside (0, 1), 0 and 1 left out: the middles of 2^32 cells, or of 2^23 in float32."""
    kept = 32 if dtype == jnp.float64 else 23
    return ((bits >> (32 - kept)).astype(dtype) + 0.5) * 2.0**-kept


def _logistic(bits: UInt[Array, "*shape"], dtype: jnp.dtype) -> Float[Array, "*shape"]:
    """Logistic numbers, finite: P(l < x) = 1 / (1 + exp(-x))."""
    u = _unit_interval(bits, dtype)
    return jnp.log(u) - jnp.log1p(-u)


def _scaled(bits: UInt[Array, "b"], n: UInt[Array, "b"]) -> UInt[Array, "b"]:
    """Uniform integers below n: the upper word of bits times n, by halves as there is no 64-bit product."""
    half = jnp.uint32(0xFFFF)
    middle = (bits >> 16) * (n & half) + ((bits & half) * (n & half) >> 16)
    lower = (bits & half) * (n >> 16) + (middle & half)
    return (bits >> 16) * (n >> 16) + (middle >> 16) + (lower >> 16)


def _update_block(
    plan: BinaryPlan, words: UInt[Array, "words"], outside: Float[Array, "n"], block: Block
) -> UInt[Array, "words"]:
    """The state after the block's updates, in their order.

    Update k sees the state before the block and the changes of the updates before it. Solved by
    repetition: after r rounds at least the first r are right, and most blocks need two or three.
    """
    size = block.units.shape[0]
    slots = plan.slots[block.units]
    word, bit = slots // WORD, (slots % WORD).astype(jnp.uint32)
    before = ((words[word] >> bit) & jnp.uint32(1)).astype(jnp.int32)

    earlier = jnp.tril(jnp.ones((size, size), bool), -1) & block.real[None]
    same = block.units[:, None] == block.units[None]
    index = jnp.arange(size, dtype=jnp.int32)
    last = jnp.max(jnp.where(same & earlier, index, -1), axis=1)  # the last update of the same unit before k

    fixed, pairs = _fields(plan, words, outside, block.units, word, bit)
    populations = jnp.asarray([span.start for span in plan.unit_spans[1:]], jnp.int32)
    mine = jnp.sum(block.units[:, None] >= populations, axis=1, dtype=jnp.int32)
    owner = mine[:, None] == jnp.arange(len(plan.sizes), dtype=jnp.int32)

    def previous(after: Int[Array, "b"]) -> Int[Array, "b"]:
        return jnp.where(last >= 0, after[jnp.maximum(last, 0)], before)

    def repeat(carry: tuple[Int[Array, "b"], Bool[Array, ""]]) -> tuple[Array, Array]:
        after, _ = carry
        old = previous(after)
        changes = jnp.where(block.real, after - old, 0)
        field = fixed.evaluate(pairs, earlier, changes, owner)
        new = jnp.where(block.real, (field > block.noise).astype(jnp.int32), old)
        return new, jnp.any(new != after)

    after, _ = lax.while_loop(lambda carry: carry[1], repeat, (before, jnp.ones((), bool)))
    final = block.real & ~jnp.any(same & earlier.T & block.real[None], axis=1)
    value = jnp.uint32(1) << bit
    # Each unit is final once, so that adding or taking away its bit sets or clears it.
    return words.at[word].add(
        jnp.where(final & (after > before), value, jnp.uint32(0))
        - jnp.where(final & (after < before), value, jnp.uint32(0))
    )


class _Fixed(eqx.Module):
    """The fields of a block's updates before the block: counts and weights of each layer, and the rest."""

    counts: tuple[Int[Array, "b populations"], ...]
    weights: tuple[Float[Array, "b populations"], ...]
    rest: Float[Array, "b"]

    def evaluate(
        self,
        pairs: tuple[tuple[Int[Array, "b b"], ...], Float[Array, "b b"] | None],
        earlier: Bool[Array, "b b"],
        changes: Int[Array, "b"],
        owner: Bool[Array, "b populations"],
    ) -> Float[Array, "b"]:
        """The fields with the `changes` (-1, 0, 1) of the updates before each."""
        connected, couplings = pairs
        field = self.rest
        for links, counts, weights in zip(connected, self.counts, self.weights, strict=True):
            acting = jnp.where(earlier, links * changes, 0)
            moved = [jnp.sum(jnp.where(owner[:, p], acting, 0), axis=1, dtype=jnp.int32) for p in range(owner.shape[1])]
            field = field + _weighted(weights, counts + jnp.stack(moved, axis=1))
        if couplings is not None:
            field = field + jnp.sum(jnp.where(earlier, couplings * changes.astype(couplings.dtype), 0.0), axis=1)
        return field


def _fields(
    plan: BinaryPlan,
    words: UInt[Array, "words"],
    outside: Float[Array, "n"],
    units: Int[Array, "b"],
    word: Int[Array, "b"],
    bit: UInt[Array, "b"],
) -> tuple[_Fixed, tuple]:
    """The fields before the block, and who of the block is connected to whom, (target, source)."""
    counts, weights, connected = [], [], []
    for layer in plan.layers:
        rows = lax.optimization_barrier(layer.bits[units])  # one gather of whole rows, which then stream
        counts.append(_counted(plan, rows, words))
        weights.append(layer.weights[units])
        connected.append(((rows[:, word] >> bit) & jnp.uint32(1)).astype(jnp.int32))
    rest, couplings = outside[units], None
    if plan.couplings is not None:
        rows = plan.couplings[units]
        rest = rest + jnp.sum(rows * _as_floats(words, rows.dtype), axis=1)
        couplings = rows[:, word * WORD + bit.astype(jnp.int32)]
    return _Fixed(tuple(counts), tuple(weights), rest), (tuple(connected), couplings)


def parallel_step(
    plan: BinaryPlan, words: UInt[Array, "words"], outside: Float[Array, "n"], key: PRNGKeyArray
) -> UInt[Array, "words"]:
    """Every unit at once, by the fields before the step."""
    noise = plan.temperature * _logistic(jax.random.bits(key, (plan.n,), jnp.uint32), plan.drive.dtype)

    def active(units: Int[Array, "rows"]) -> Bool[Array, "rows"]:
        field = outside[units]
        for layer in plan.layers:
            field = field + _weighted(layer.weights[units], _counted(plan, layer.bits[units], words))
        if plan.couplings is not None:
            rows = plan.couplings[units]
            field = field + jnp.sum(rows * _as_floats(words, rows.dtype), axis=1)
        return field > noise[units]

    width = min(_ROWS, plan.n)
    n_parts = -(-plan.n // width)
    units = jnp.minimum(jnp.arange(n_parts * width, dtype=jnp.int32), plan.n - 1).reshape(n_parts, width)
    now = lax.map(active, units).reshape(-1)
    return jnp.concatenate([pack_bits(now[span]) for span in plan.unit_spans])
