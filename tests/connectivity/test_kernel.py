"""Kernels between lattices: against sums over pairs, one by one; and the sheet of waves that stands on them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import jaxneuro as jn
from jaxneuro._network._population import AbstractInitial

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


class From(AbstractInitial):
    """Starts at potentials that are known."""

    v: Float[Array, "n"]

    def __init__(self, v):
        self.v = v

    def draw(self, rest, n, key):
        return self.v


@pytest.mark.skipif(not X64, reason="in float32 trains part within milliseconds")
def test_the_sheet_of_waves_is_the_loop_of_its_authors():
    """By hand: all neurons move, then all spikes are added to the conductances, which the next step hears of."""
    side, dt, steps = 32, 0.05, 240
    net = jn.networks.keane_gong(side=side)
    v0 = {name: np.random.default_rng(i).uniform(-70.0, -55.0, net.populations[name].n) for i, name in enumerate("EI")}
    given = {
        name: jn.Population(p.model, positions=p.positions, initial=From(jnp.asarray(v0[name], jnp.result_type(float))))
        for name, p in net.populations.items()
    }
    net = jn.Network(given, net.projections, drives=net.drives)
    record = {name: jn.record.Raster(name) for name in "EI"}
    sol = jn.simulate(net, 0.0, steps * dt, dt=dt, key=jax.random.key(0), record=record)

    x = np.minimum(np.arange(side), side - np.arange(side))
    square = (x[:, None] ** 2 + x[None] ** 2).astype(float)
    near = (square > 0.0) & (square <= 225.0)
    kernels = np.fft.rfft2([np.where(near, w, 0.0) for w in (4.6 * np.exp(-square / 12.0), 6.0)])
    v = [v0["E"].reshape(side, side), v0["I"].reshape(side // 2, side // 2)]
    left = [np.zeros(x.shape, int) for x in v]
    rise, fall = np.zeros((2, side, side)), np.zeros((2, side, side))
    tau = np.array([2.0, 7.0])[:, None, None]
    found = {"E": [], "I": []}
    for _ in range(steps):
        # The mean over the step of (exp(-t/D) - exp(-t/R))/(D - R).
        mean = fall * -np.expm1(-dt / tau) * tau - rise * -np.expm1(-dt / 0.5) * 0.5
        g = mean / dt / (tau - 0.5)
        spikes = []
        for i, part in enumerate((slice(None), slice(None, None, 2))):
            g_e, g_i = g[:, part, part]
            total = 1.34 + g_e + g_i
            end = (-70.0 - 80.0 * (0.04 + g_i)) / total
            moved = end + (v[i] - end) * np.exp(-dt / 20.0 * total)
            fires = (left[i] == 0) & (moved >= -55.0)
            v[i] = np.where((left[i] > 0) | fires, -70.0, moved)
            left[i] = np.where(fires, 100, np.maximum(left[i] - 1, 0))
            spikes.append(fires)
            found["EI"[i]].append(fires.ravel())
        sheets = np.zeros((2, side, side))
        sheets[0], sheets[1, ::2, ::2] = spikes
        came = np.fft.irfft2(np.fft.rfft2(sheets) * kernels, s=(side, side))
        rise, fall = rise * np.exp(-dt / 0.5) + came, fall * np.exp(-dt / tau) + came
    assert sum(np.sum(x) for x in found["E"]) > 200
    for name in "EI":
        np.testing.assert_array_equal(np.asarray(sol[name]), np.array(found[name]))


def test_a_spike_at_the_start_of_a_step_is_one_a_step_before():
    slow = jn.RiseDecayConductance(tau_rise=0.5, tau_decay=2.0, reversal=0.0)
    populations = {"X": jn.Population(jn.SpikeSource(), 1), "E": jn.Population(jn.LIF(), 2)}
    spikes = {"X": np.isin(np.arange(50), [3, 7])[:, None]}
    v = []
    for synapse, delay in ((slow, 0.2), (jn.AtStepStart(slow), 0.3)):
        projection = jn.Projection("X", "E", synapse, weight=0.5, connectivity=jn.AllToAll(), delay=delay)
        net = jn.Network(populations, [projection])
        record = {"v": jn.record.Trace("E.v")}
        v.append(jn.simulate(net, 0.0, 5.0, dt=0.1, key=jax.random.key(0), stimulus=spikes, record=record)["v"])
    np.testing.assert_allclose(v[1], v[0], rtol=1e-5)
    with pytest.raises(ValueError, match="`synapse` of `AtStepStart` has to be a `RiseDecayConductance`"):
        jn.AtStepStart(jn.DeltaCurrent())


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
