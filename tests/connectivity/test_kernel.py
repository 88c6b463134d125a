"""Kernels between lattices: against sums over pairs, one by one; and the sheet of waves that stands on them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

X64 = jnp.result_type(float) == jnp.float64
COARSE, FINE, ODD = jn.Lattice(4, 6, spacing=1.0), jn.Lattice(8, 12, spacing=0.5), jn.Lattice(6, 9, spacing=2.0 / 3.0)


def by_hand(weight, pre, posts):
    """The matrix, pair by pair and over the images of the torus."""
    rows = []
    for post in posts:
        for i in range(post.n):
            y = np.array([i // post.columns, i % post.columns]) * post.spacing
            x = np.stack([np.arange(pre.n) // pre.columns, np.arange(pre.n) % pre.columns], axis=1) * pre.spacing
            apart = np.abs(x - y)
            r = np.linalg.norm(np.minimum(apart, np.array(pre.sides) - apart), axis=1)
            rows.append(np.where((r > 1e-9) & (r <= 1.5 + 1e-9), weight(r), 0.0))
    return np.array(rows)


@pytest.mark.float32
@pytest.mark.parametrize(
    ("pre", "posts"), [(COARSE, (COARSE,)), (COARSE, (FINE, COARSE)), (FINE, (COARSE,)), (ODD, (FINE,))]
)
def test_convolutions_and_matrix_are_the_sums_over_pairs(pre, posts):
    for kernel, weight in (
        (jn.GaussianKernel(0.8, 1.5), lambda r: np.exp(-0.5 * (r / 0.8) ** 2)),
        (jn.FlatKernel(1.5), np.ones_like),
    ):
        exact, weights = by_hand(weight, pre, posts), kernel.between(pre, *posts)
        np.testing.assert_allclose(weights.as_matrix(), exact, rtol=1e-5 if not X64 else 1e-9, atol=1e-7)
        spikes = np.random.default_rng(0).integers(0, 3, (5, pre.n)).astype(float)
        found = weights.prepared().arrivals(jnp.asarray(spikes, jnp.result_type(float)))
        np.testing.assert_allclose(found, spikes @ exact.T, atol=1e-12 if X64 else 5e-6)
        np.testing.assert_allclose(weights.row_sums(), exact.sum(axis=1), rtol=1e-5)
        np.testing.assert_allclose(weights.row_sums_of_squares(), (exact**2).sum(axis=1), rtol=1e-5)


def network(connectivity, **changed):
    given = dict(weight=0.5, connectivity=connectivity, delay=0.1) | changed
    populations = {
        "in": jn.Population(jn.SpikeSource(), positions=COARSE),
        "out": jn.Population(jn.LeakyIntegrator(), positions=FINE),
    }
    return jn.Network(populations, [jn.Projection("in", "out", jn.DeltaCurrent(), **given)])


def test_a_run_is_that_of_the_matrix_and_differentiable_in_the_width():
    spikes = np.random.default_rng(1).random((20, COARSE.n)) < 0.1

    def potential(connectivity):
        return jn.simulate(
            network(connectivity), 0.0, 2.0, dt=0.1, key=jax.random.key(0), stimulus={"in": spikes},
            record={"v": jn.record.Trace("out.v")},
        )["v"]  # fmt: skip

    kernel = jn.GaussianKernel(0.8, 1.5)
    exact = by_hand(lambda r: np.exp(-0.5 * (r / 0.8) ** 2), COARSE, (FINE,))
    np.testing.assert_allclose(potential(kernel), potential(jn.Weights(exact)), atol=1e-6)
    total = jax.jit(jax.grad(lambda s: jnp.sum(jn.GaussianKernel(s, 1.5).between(COARSE, FINE).as_matrix())))
    hand = by_hand(lambda r: r**2 / 0.8**3 * np.exp(-0.5 * (r / 0.8) ** 2), COARSE, (FINE,))
    np.testing.assert_allclose(total(0.8), hand.sum(), rtol=1e-6)


def test_a_constant_conductance_is_exact():
    g, reversal, tau, rest = 0.3, 0.0, 20.0, -70.0
    neuron = jn.LIF(tau_m=tau, v_rest=rest, v_th=50.0, v_reset=rest)
    net = jn.Network({"E": jn.Population(neuron, 2)}, drives=[jn.ConstantConductance("E", g=g, reversal=reversal)])
    sol = jn.simulate(net, 0.0, 10.0, dt=0.1, key=jax.random.key(0), record={"v": jn.record.Trace("E.v")})
    limit = (rest + g * reversal) / (1.0 + g)
    exact = limit + (rest - limit) * np.exp(-(1.0 + g) * 0.1 * np.arange(101) / tau)
    v = np.asarray(sol["v"])[:, 0]
    np.testing.assert_allclose(v, exact[1:] if v.size == 100 else exact, rtol=1e-5)


def test_the_sheet_of_waves_has_its_numbers():
    net = jn.networks.keane_gong(side=30, inhibition=2.0)
    assert (net.populations["E"].n, net.populations["I"].n) == (900, 225)
    e, i = net.projections
    np.testing.assert_allclose([e.weight, i.weight], [1.44891, 2.0 * 0.69966], rtol=1e-5)
    np.testing.assert_allclose([drive.g for drive in net.drives], [0.3, 0.04], rtol=1e-6)
    # Onto an E neuron at a site of I and onto an I neuron there is the same: no pair on one site is connected.
    x = np.arange(-15, 16)
    r = np.hypot(x[:, None], x[None])
    reached = (r > 0.0) & (r <= 15.0)
    # Of the torus of 30 sites -15 and 15 are one site.
    reached[:1], reached[:, :1] = False, False
    sums = e.connectivity.row_sums()
    np.testing.assert_allclose(sums[0], np.exp(-(r[reached] ** 2) / 12.0).sum(), rtol=1e-6)
    np.testing.assert_allclose(sums[900], sums[0], rtol=1e-6)
    even = reached & (x[:, None] % 2 == 0) & (x[None] % 2 == 0)
    np.testing.assert_allclose(i.connectivity.row_sums()[0], even.sum(), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: jn.GaussianKernel(0.0, 1.0), "`sigma`"),
        (lambda: jn.GaussianKernel(1.0, [1.0, 2.0]), "`cutoff`"),
        (lambda: jn.FlatKernel(-1.0), "`cutoff`"),
        (lambda: network(jn.FlatKernel(2.5)), "over half the side of a torus"),
        (lambda: network(jn.FlatKernel(1.0), weight=jn.NormalWeight(1.0, cv=0.1)), "`weight` of given weights"),
        (lambda: network(jn.FlatKernel(1.0), weight=None), "`weight` is missing"),
        (lambda: jn.FlatKernel(1.0).between(COARSE, None), "`positions` have to be a `Lattice`"),
        (
            lambda: jn.FlatKernel(1.0).between(
                jn.Lattice(1000, 1000, spacing=1.0), jn.Lattice(999, 999, spacing=1000 / 999)
            ),
            "`spacing` of two lattices",
        ),
        (lambda: jn.ConstantConductance("E", g=-0.1, reversal=0.0), "`g`"),
        (lambda: jn.ConstantConductance("E", g=0.1, reversal=float("nan")), "`reversal`"),
        (lambda: jn.networks.keane_gong(side=31), "`side` has to be an even number"),
        (lambda: jn.networks.keane_gong(side=28), "`side` has to be an even number"),
        (lambda: jn.networks.keane_gong(side=30, cutoff_e=16.0), "`cutoff`"),
        (lambda: jn.networks.keane_gong(side=30, cutoff_e=0.0), "`cutoff_e` has to be positive"),
        (lambda: jn.networks.keane_gong(side=30, inhibition=-1.0), "`inhibition`"),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_refusals(call, said):
    with pytest.raises(ValueError, match=said):
        call()
