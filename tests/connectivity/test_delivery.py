"""Every way to deliver spikes: the same counts of the same synapses, and exact derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn
from jaxneuro.connectivity import (
    DenseOperator,
    Group,
    ScheduledOperator,
    SparseOperator,
    draw_operator,
)
from jaxneuro.connectivity._delivery import choose

DELIVERIES = [
    jn.delivery.Rows(),
    jn.delivery.Product(),
    jn.delivery.Product(jnp.int8),
    jn.delivery.Sparse(),
    jn.delivery.Sparse(window=7),
    jn.delivery.NativeSparse(),
    jn.delivery.NativeBits(),
]
STORED = pytest.mark.parametrize("delivery", DELIVERIES, ids=str)
ALL = pytest.mark.parametrize(
    "delivery", [*DELIVERIES, jn.delivery.Procedural(), jn.delivery.Procedural(window=5)], ids=str
)


def draw(delivery, rule=None, n_pre=200, n_posts=(200, 50), recurrent=(True, False), seed=0, delays=None):
    rule = jn.FixedInDegree(30) if rule is None else rule
    rng = np.random.default_rng(seed)
    return draw_operator(
        rule, rng, Group(n_pre), tuple(map(Group, n_posts)), recurrent, delays=delays, delivery=delivery
    )


def some_spikes(probability, n_steps=9, n=200, seed=1):
    return np.random.default_rng(seed).random((n_steps, n)) < probability


@STORED
@pytest.mark.parametrize(
    "rule",
    [jn.FixedInDegree(30), jn.FixedInDegree(0), jn.Bernoulli(0.3), jn.AllToAll()],
    ids=lambda r: type(r).__name__,
)
def test_the_same_synapses_whatever_the_delivery(delivery, rule):
    reference = np.asarray(draw(jn.delivery.Rows(), rule).as_matrix()).astype(int)
    operator = draw(delivery, rule)
    np.testing.assert_array_equal(operator.as_matrix(), reference)
    assert operator.nnz == reference.sum()


@ALL
def test_counts_are_those_of_the_matrix(delivery):
    operator = draw(delivery)
    matrix = np.asarray(operator.as_matrix()).astype(int)
    compiled = jax.jit(lambda o, s: o.deliver(s))
    for probability in (0.0, 0.004, 0.3, 1.0):
        spikes = some_spikes(probability)
        counts = compiled(operator, jnp.asarray(spikes))
        assert counts.dtype == operator.count_dtype
        np.testing.assert_array_equal(counts, spikes @ matrix.T)
    np.testing.assert_array_equal(operator.deliver(jnp.asarray(spikes)), counts)


@ALL
def test_a_batch_over_one_wiring_is_more_rows(delivery):
    operator = draw(delivery)
    batch = np.stack([some_spikes(0.1, seed=s) for s in range(3)])
    counts = jax.vmap(operator.deliver)(jnp.asarray(batch))
    np.testing.assert_array_equal(counts, batch @ np.asarray(operator.as_matrix()).T.astype(int))
    # No array of the program holds the wiring once for each element of the batch.
    program = jax.make_jaxpr(jax.vmap(operator.deliver))(jnp.asarray(batch))
    largest = max(np.prod(v.aval.shape) for e in program.eqns for v in e.outvars)
    assert largest <= batch.shape[0] * batch.shape[1] * (operator.n_pre + operator.n_post)


# Lists of different wirings have different lengths and are no batch: matrices are.
@pytest.mark.parametrize("delivery", DELIVERIES[:3], ids=str)
def test_a_batch_of_wirings(delivery):
    operators = [draw(delivery, jn.FixedInDegree(30), 40, (40,), (False,), seed=s) for s in range(3)]
    stacked = jax.tree_util.tree_map(lambda *x: jnp.stack(x), *(o.multiplicity for o in operators))
    spikes = some_spikes(0.2, n=40)

    def deliver(multiplicity):
        return DenseOperator(multiplicity, 30, 30, 1_200, delivery).deliver(jnp.asarray(spikes))

    expected = [spikes @ np.asarray(o.as_matrix()).T.astype(int) for o in operators]
    np.testing.assert_array_equal(jax.vmap(deliver)(stacked), expected)


@pytest.mark.parametrize(
    "delivery",
    [*DELIVERIES, jn.delivery.Procedural(), pytest.param(jn.delivery.Procedural(window=5), marks=pytest.mark.proof)],
    ids=str,
)
@pytest.mark.float32
def test_the_linear_map_and_its_transpose(delivery):
    operator = draw(delivery)
    matrix = np.asarray(operator.as_matrix()).astype(float)
    rng = np.random.default_rng(3)
    sensitive = some_spikes(0.2)
    values, cotangent = rng.normal(size=sensitive.shape), rng.normal(size=(9, 250))
    atol = 1e-12 if jax.config.jax_enable_x64 else 1e-4

    def linear(x):
        return operator.linear(x, jnp.asarray(sensitive))

    @jax.jit
    def both_modes(values, cotangents):
        forward, pull_back = jax.vjp(linear, values)
        tangent = jax.jvp(linear, (values,), (2.0 * values,))[1]
        # Both under vmap, where only the values are a batch.
        twice = jax.vmap(linear)(jnp.stack([values, 3.0 * values]))
        return forward, tangent, twice, pull_back(cotangents[0])[0], jax.vmap(lambda c: pull_back(c)[0])(cotangents)

    forward, tangent, twice, back, both = both_modes(jnp.asarray(values), jnp.stack([cotangent, -cotangent]))
    np.testing.assert_allclose(forward, (values * sensitive) @ matrix.T, atol=atol)
    np.testing.assert_allclose(tangent, 2.0 * np.asarray(forward), atol=atol)
    np.testing.assert_allclose(twice[1], 3.0 * (values * sensitive) @ matrix.T, atol=3 * atol)
    np.testing.assert_allclose(back, (cotangent @ matrix) * sensitive, atol=atol)
    np.testing.assert_allclose(both[1], -(cotangent @ matrix) * sensitive, atol=atol)


def arrivals(operator, delays, spikes, dt, least, most, n_rows, offset):
    """The reference: one synapse and one spike at a time."""
    offsets, targets = np.asarray(operator.offsets), np.asarray(operator.targets)
    rows = np.zeros((n_rows, operator.n_post), int)
    for t, j in zip(*np.nonzero(spikes), strict=True):
        for s in range(offsets[j], offsets[j + 1]):
            d = min(max(round(float(np.float32(delays[s])) / dt), least), most)
            rows[t + d - offset, targets[s]] += 1
    return rows


@pytest.mark.parametrize("delivery", [jn.delivery.Sparse(), jn.delivery.Sparse(4), jn.delivery.NativeSparse()], ids=str)
@pytest.mark.float32
def test_every_synapse_has_its_delay(delivery):
    operator = draw(delivery, jn.FixedInDegree(12), 60, (50,), (False,), delays=jn.UniformDelay(0.3, 2.0))
    steps = operator.delay_steps(0.1, 3, 20)
    scheduled = ScheduledOperator(operator, steps, 20, jnp.asarray(3, jnp.int32))
    spikes = some_spikes(0.2, n_steps=3, n=60)
    expected = arrivals(operator, np.asarray(operator.delays), spikes, 0.1, 3, 20, 20, 3)
    before = np.arange(20 * 50).reshape(20, 50) % 7
    pending = jnp.asarray(before, operator.count_dtype)
    np.testing.assert_array_equal(scheduled.push(pending, jnp.asarray(spikes)), before + expected)
    np.testing.assert_array_equal(pending, before)  # and the argument is as it was
    both = jax.vmap(scheduled.push)(jnp.stack([pending, 0 * pending]), jnp.stack([jnp.asarray(spikes)] * 2))
    np.testing.assert_array_equal(both[0] - both[1], before)

    values, sensitive = np.random.default_rng(4).normal(size=spikes.shape), jnp.ones(spikes.shape, bool)
    cotangent = jnp.asarray(np.random.default_rng(5).normal(size=(20, 50)))
    forward, pull_back = jax.vjp(lambda x: scheduled.linear(x, sensitive), jnp.asarray(values))
    back = pull_back(cotangent)[0]
    rtol = 1e-12 if jax.config.jax_enable_x64 else 1e-4
    np.testing.assert_allclose(jnp.sum(forward * cotangent), jnp.sum(values * back), rtol=rtol)
    # At spikes of value 1 the linear map is the count.
    ones = scheduled.linear(jnp.asarray(spikes, values.dtype if rtol < 1e-6 else np.float32), sensitive)
    np.testing.assert_array_equal(ones, expected)


def test_a_neuron_without_others_has_no_sources():
    operator = draw(jn.delivery.Procedural(), jn.FixedInDegree(0), 1, (1,), (True,))
    assert operator.n_pre == operator.n_post == 1
    assert np.shape(operator.offsets) == (2,)


def test_the_law_of_procedural_wiring():
    operator = draw(jn.delivery.Procedural(), jn.FixedInDegree(30), 50, (50, 400), (True, False))
    matrix = np.asarray(operator.as_matrix()).astype(int)
    assert (matrix.sum(axis=1) == 30).all()
    assert np.trace(matrix[:50]) == 0
    # Onto the second population every source is expected 400 * 30 / 50 times, binomially.
    out = matrix[50:].sum(axis=0)
    chi2 = ((out - 240) ** 2 / (12_000 * (1 / 50) * (49 / 50))).sum()
    assert 1e-5 < stats.chi2.sf(chi2, 49) < 1 - 1e-5
    # The multiplicity of a pair is binomial: 30 draws of one in 50.
    found = np.bincount(matrix[50:].ravel(), minlength=5)[:5]
    expected = 20_000 * stats.binom.pmf(np.arange(5), 30, 1 / 50)
    assert (np.abs(found - expected) < 5 * np.sqrt(expected) + 1).all()
    # Two targets share sources as independent draws do: 30 * 30 / 50 coincidences.
    shared = matrix[50:] @ matrix[50:].T
    pairs = shared[np.triu_indices(400, 1)]
    assert abs(pairs.mean() - 18.0) < 0.3
    other = draw(jn.delivery.Procedural(), jn.FixedInDegree(30), 50, (50, 400), (True, False), seed=1)
    assert (np.asarray(other.as_matrix()) != matrix).mean() > 0.3


REFUSED = [
    (jn.delivery.Procedural(), jn.Bernoulli(0.1), None, "Procedural regenerates"),
    (jn.delivery.Procedural(), jn.FixedInDegree(3, multapses=False), None, "with multapses only"),
    (jn.delivery.Rows(), jn.FixedInDegree(3), jn.UniformDelay(0.1, 1.0), "needs one delay"),
    (jn.delivery.Product(jnp.int8), jn.FixedInDegree(4_000), None, "not exact in int8"),
    (jn.delivery.NativeBits(), jn.FixedInDegree(3), jn.UniformDelay(0.1, 1.0), "needs one delay"),
    (jn.delivery.NativeBits(), jn.FixedInDegree(40_000), None, "NativeBits counts to 32,767"),
]


@pytest.mark.parametrize(("delivery", "rule", "delays", "message"), REFUSED, ids=lambda x: str(x)[:20])
def test_what_a_delivery_cannot_do_is_said(delivery, rule, delays, message):
    with pytest.raises(ValueError, match=message):
        draw(delivery, rule, n_pre=20, n_posts=(5,), recurrent=(False,), delays=delays)


def test_bits_hold_no_weights():
    net = jn.networks.brunel(n_e=40, n_i=10, c_e=4, c_i=1)
    own = [jn.Projection(p.pre, p.post, p.synapse, weight=jn.LogNormalWeight(0.1, 0.1), connectivity=p.connectivity,
                         delay=1.5) for p in net.projections[:1]]  # fmt: skip
    with pytest.raises(ValueError, match="NativeBits holds no weight"):
        jn.wire(jn.Network(net.populations, own), key=jax.random.key(0), delivery=jn.delivery.NativeBits())


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    "make",
    [
        lambda: jn.delivery.Sparse(0),
        lambda: jn.delivery.Procedural(window=2.0),
        lambda: jn.delivery.Product(jnp.float64),
        lambda: jn.delivery.Product("nonsense"),
        lambda: jn.wire(jn.networks.brunel(n_e=40, n_i=10, c_e=4, c_i=1), key=jax.random.key(0), delivery="rows"),
    ],
)
def test_wrong_arguments_get_one_sentence(make):
    with pytest.raises(ValueError, match="has to be"):
        make()


def test_the_choice_follows_size_and_density():
    dense = draw(None, jn.FixedInDegree(30))
    assert isinstance(dense, DenseOperator)
    assert dense.delivery == jn.delivery.Rows()
    sparse = draw(None, jn.FixedInDegree(3), 400, (400,), (False,))
    assert isinstance(sparse, SparseOperator)
    assert isinstance(draw(None, delays=jn.UniformDelay(0.1, 2.0)), SparseOperator)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the choice on a CPU")
@pytest.mark.parametrize(("weighted", "most"), [(False, 0.04), (True, 0.4)])
def test_lists_are_walked_below_a_density(weighted, most):
    """Weights are four times as wide as counts, and a matrix of either has at most 1 GiB."""
    few, many = (choose(1_000, 2_000, share * most * 2e6, True, weighted).delivery for share in (0.99, 1.01))
    assert (few, many) == (jn.delivery.NativeSparse(), jn.delivery.Rows())
    assert choose(1_000, 2_000, 2e6, False, weighted).delivery == jn.delivery.NativeSparse()
    n_post = 2**14 if weighted else 2**16
    sizes = [choose(2**14, n, 2.0**14 * n, True, weighted).delivery for n in (n_post, n_post + 1)]
    assert sizes == [jn.delivery.Rows(), jn.delivery.NativeSparse()]


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the choice on a CPU")
@pytest.mark.parametrize(
    ("n_post", "n_synapses", "weighted", "choice"),
    [
        (12_500, 12.5e6, False, jn.delivery.NativeBits()),  # those of Brunel's network
        (3_000, 3e6, False, jn.delivery.NativeBits()),
        (2_900, 2.9e6, False, jn.delivery.Rows()),  # a kernel takes longer to compile than it saves
        (12_500, 75e6, False, jn.delivery.Rows()),  # more synapses a pair than two bits hold
        (12_500, 75e6, True, jn.delivery.Rows()),
        (12_500, 12.5e6, True, jn.delivery.NativeSparse()),
    ],
)
def test_rows_of_bits_are_for_large_networks(n_post, n_synapses, weighted, choice):
    assert choose(10_000, n_post, n_synapses, True, weighted).delivery == choice


def test_more_synapses_than_bits_hold_are_listed():
    operator = draw(jn.delivery.NativeBits(), jn.FixedInDegree(30), 6, (1_100,), (False,))
    matrix = np.asarray(draw(jn.delivery.Rows(), jn.FixedInDegree(30), 6, (1_100,), (False,)).as_matrix()).astype(int)
    assert np.mean(matrix > 3) > 0.5
    np.testing.assert_array_equal(operator.as_matrix(), matrix)
    spikes = some_spikes(0.5, n=6)
    np.testing.assert_array_equal(operator.deliver(jnp.asarray(spikes)), spikes @ matrix.T)
    # Another wiring is the same program.
    other = draw(jn.delivery.NativeBits(), jn.FixedInDegree(30), 6, (1_100,), (False,), seed=1)
    assert jax.tree_util.tree_map(jnp.shape, other) == jax.tree_util.tree_map(jnp.shape, operator)


def test_without_numba_lists_are_walked_in_xla(monkeypatch):
    for module in ("_delivery", "_draw"):
        monkeypatch.setattr(f"jaxneuro.connectivity.{module}.has_numba", lambda: False)
    assert draw(None, delays=jn.UniformDelay(0.1, 2.0)).delivery == jn.delivery.Sparse()
    with pytest.raises(ValueError, match=r"NativeSparse needs numba.*take `Sparse"):
        draw(jn.delivery.NativeSparse())
    with pytest.raises(ValueError, match=r"NativeBits needs numba.*take `Rows"):
        draw(jn.delivery.NativeBits())
