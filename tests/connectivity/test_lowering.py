"""What a program for a GPU asks for is known where it is lowered, without a GPU: no kernel that only a CPU has."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._numerics import platform
from jaxneuro.connectivity import _convolution, _native_bits, _spike_product, spike_product
from jaxneuro.connectivity._bits import as_bits
from jaxneuro.connectivity._delivery import choose
from jaxneuro.connectivity._sparse import ScheduledOperator, SparseOperator

N = 160
RNG = np.random.default_rng(3)
BITS = {"jaxneuro_sum_bit_rows_int", "jaxneuro_unpack_bit_rows_float"}
NET = jn.Network(
    {"E": jn.Population(jn.LIF(), N)},
    [
        jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.2, connectivity=jn.FixedInDegree(20), delay=1.5),
        jn.Projection("E", "E", jn.DeltaCurrent(), connectivity=jn.Weights(np.ones((N, N))), delay=1.5),
    ],
)
DELIVERIES = {
    "rows": jn.delivery.Rows(),
    "product": jn.delivery.Product(),
    "sparse": jn.delivery.Sparse(),
    "native": jn.delivery.NativeSparse(),
    "bits": jn.delivery.NativeBits(),
    "procedural": jn.delivery.Procedural(),
}


def kernels(function, *arguments):
    """The kernels of ours that a program calls, traced once, by what it is lowered for."""
    traced = jax.jit(function).trace(*arguments)
    texts = {name: traced.lower(lowering_platforms=(name,)).as_text() for name in ("cpu", "cuda")}
    return {name: set(re.findall(r"@(jaxneuro_[a-z_]+)", text)) for name, text in texts.items()}


@pytest.mark.parametrize("delivery", list(DELIVERIES))
def test_no_delivery_asks_a_gpu_for_a_kernel_of_the_cpu(delivery):
    operator = jn.wire(NET, key=jax.random.key(0), delivery=DELIVERIES[delivery]).operators[0]
    assert operator is not None
    spikes, values = jnp.asarray(RNG.random((5, N)) < 0.2), jnp.asarray(RNG.normal(size=(5, N)))

    def delivered(operator, spikes, values):
        total, pull = jax.vjp(lambda x: operator.linear(x, spikes), values)
        return operator.deliver(spikes), jax.vmap(operator.deliver)(jnp.stack([spikes, spikes])), total, pull(total)

    native = {"native": {"jaxneuro_push_int"}, "bits": BITS}.get(delivery, set())
    assert kernels(delivered, operator, spikes, values) == {"cpu": native, "cuda": set()}


def test_no_gradient_of_a_run_asks_a_gpu_for_a_kernel_of_the_cpu():
    wiring = jn.wire(NET, key=jax.random.key(0), delivery=jn.delivery.NativeSparse())

    def loss(weights, wiring):
        net = jn.Network(NET.populations, [NET.projections[0], weights])
        sol = jn.simulate(
            net, 0.0, 3.0, dt=0.1, key=jax.random.key(0), wiring=wiring, surrogate=jn.surrogate.Triangular(),
            throw=False,
        )  # fmt: skip
        return jnp.sum(sol["rate"]["E"])

    found = kernels(jax.grad(loss), NET.projections[1], wiring)
    assert found["cpu"] == {"jaxneuro_push_int", "jaxneuro_sum_rows_float", "jaxneuro_add_outer_float"}
    assert found["cuda"] == set()


def test_stencils_and_batches_of_them():
    weights = jn.GaussianKernel(1.5, 3.0).between(jn.Lattice(8, 8), jn.Lattice(8, 8)).prepared()
    rows = jnp.asarray(RNG.normal(size=(3, 4, 64)))
    one = kernels(lambda w, x: w.arrivals(x), weights, rows[0])
    assert one == {"cpu": {"jaxneuro_add_stencils_float"}, "cuda": set()}

    def each(scale, x):
        return jn.GaussianKernel(scale, 3.0).between(jn.Lattice(8, 8), jn.Lattice(8, 8)).prepared().arrivals(x)

    scales = jnp.asarray([1.0, 1.5, 2.0])
    assert kernels(jax.vmap(each), scales, rows) == one
    found = jax.jit(jax.vmap(each))(scales, rows)
    for scale, x, own in zip(scales, rows, found, strict=True):
        matrix = jn.GaussianKernel(scale, 3.0).between(jn.Lattice(8, 8), jn.Lattice(8, 8)).as_matrix()
        np.testing.assert_allclose(own.reshape(4, -1), x @ matrix.T, atol=1e-5)


def test_what_a_gpu_does_gives_the_same():
    """The other way of every operation, run on this machine."""
    spikes, matrix = jnp.asarray(RNG.random((2, 9, N)) < 0.05), jnp.asarray(RNG.normal(size=(2, N, N)))
    for ours, other, by in (
        (_spike_product._sum_rows_on_cpu, _spike_product._sum_rows, matrix),
        (_spike_product._add_outer_on_cpu, _spike_product._add_outer, jnp.asarray(RNG.normal(size=(2, 9, 7)))),
    ):
        np.testing.assert_allclose(jax.jit(ours)(spikes, by), other(spikes, by), atol=1e-5)
        np.testing.assert_allclose(jax.jit(ours)(spikes[0], by[0]), other(spikes[0], by[0]), atol=1e-5)
    operator = jn.wire(NET, key=jax.random.key(0), delivery=jn.delivery.NativeSparse()).operators[0]
    assert isinstance(operator, SparseOperator)
    scheduled = ScheduledOperator(operator, None, 9, jnp.zeros((), jnp.int32))
    pending = jnp.asarray(RNG.integers(0, 9, (9, N)), operator.count_dtype)
    np.testing.assert_array_equal(scheduled.walk(pending, spikes[0], 256), scheduled.push(pending, spikes[0]))
    many = jnp.asarray(RNG.poisson(1.2, (N, 70)))  # beyond 3, what two bits hold, too
    bits = as_bits(np.asarray(many), 1_000, int(many.sum()))
    given = (bits.planes, spikes[0], bits.offsets, bits.targets)
    np.testing.assert_array_equal(_native_bits._sums_by_product(*given)[:, :70], spikes[0].astype(many.dtype) @ many)
    np.testing.assert_array_equal(jax.jit(_native_bits._sums_by_product)(*given), _native_bits.sum_bit_rows(*given))
    some, kind = jnp.asarray([3, 0, 3]), np.dtype(np.float32)
    given = (bits.planes, some, bits.offsets, bits.targets)
    rows = _native_bits._rows_by_product(*given, n_post=70, dtype=kind)
    np.testing.assert_array_equal(rows, many[some])
    np.testing.assert_array_equal(_native_bits.unpack_bit_rows(*given, 70, kind), rows)
    sheet = jn.Lattice(8, 8)
    weights = jn.GaussianKernel(1.5, 3.0).between(sheet, sheet).prepared()
    assert weights.stencil is not None
    assert weights.spectrum is not None
    rows = jnp.asarray((RNG.random((4, 64)) < 0.01).astype(np.asarray(weights.stencil).dtype))
    reach_columns_apart = jnp.asarray([3, 8, 1], jnp.int32)
    given = (rows, weights.stencil, weights.spectrum, reach_columns_apart)
    by_kernel = jax.jit(lambda *x: _convolution._sum_on_cpu(*x, apart=1, pre_columns=8))(*given)
    np.testing.assert_allclose(by_kernel, _convolution._sum(*given, apart=1, pre_columns=8), atol=1e-5)


def test_a_matrix_for_every_element_of_a_batch_and_one_for_all_of_them():
    spikes, matrix = jnp.asarray(RNG.random((2, 3, 9, N)) < 0.05), jnp.asarray(RNG.normal(size=(3, N, N)))
    nested = jax.jit(jax.vmap(jax.vmap(lambda s, m: spike_product(s, None, m)), (0, None)))(spikes, matrix)
    np.testing.assert_allclose(nested, jnp.einsum("abtj,bji->abti", spikes.astype(matrix.dtype), matrix), atol=1e-5)


def test_the_device_that_new_arrays_go_to_decides_for_a_delivery():
    assert platform() == jax.default_backend()
    with jax.default_device("cpu"):
        assert platform() == "cpu"
    with jax.default_device(jax.devices("cpu")[0]):
        assert platform() == "cpu"
        assert choose(1_000, 1_000, 1e5, True).delivery in (jn.delivery.Rows(), jn.delivery.NativeSparse())


def test_a_gpu_chosen_as_default_gets_a_product(monkeypatch):
    monkeypatch.setattr("jaxneuro.connectivity._delivery.platform", lambda: "gpu")
    assert choose(1_000, 1_000, 1e5, True).delivery == jn.delivery.Product()
    assert choose(1_000, 1_000, 1e5, False).delivery == jn.delivery.Sparse(256)
