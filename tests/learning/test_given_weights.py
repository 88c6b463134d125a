"""Given weights in a network: every kind against its dense matrix, delays against their formula, what is refused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate

import jaxneuro as jn

RNG = np.random.default_rng(3)
STEPS, N_PRE, N_POST = 30, 18, 8
SPIKES = RNG.random((STEPS, N_PRE)) < 0.2
KEY = jax.random.key(0)


def readout(weights, spikes=SPIKES, delay=1.0, synapse=None, t0=0.0, t1=float(STEPS), state=None, weight=None):
    net = jn.Network(
        {
            "in": jn.Population(jn.SpikeSource(), weights.n_pre),
            "out": jn.Population(jn.LeakyIntegrator(), weights.n_post),
        },
        [jn.Projection("in", "out", synapse or jn.DeltaCurrent(), weight=weight, connectivity=weights, delay=delay)],
    )
    record = {"v": jn.record.Trace("out.v")}
    return jn.simulate(net, t0, t1, dt=1.0, key=KEY, stimulus={"in": spikes}, record=record, state=state, throw=False)


def filtered(arrivals):
    """The potential of a leaky membrane, tau = 20 ms, that jumps by `arrivals`."""
    v, out = 0.0, []
    for row in arrivals:
        v = v * np.exp(-1.0 / 20.0) + row
        out.append(v)
    return np.asarray(out)


def shifted(spikes, steps):
    return np.concatenate([np.zeros((steps, spikes.shape[1])), spikes])[: len(spikes)].astype(float)


PATTERN = np.argwhere(RNG.random((N_POST, N_PRE)) < 0.3)
KINDS = [
    jn.Weights(RNG.normal(size=(N_POST, N_PRE))),
    jn.LowRankWeights(RNG.normal(size=(N_POST, 2)), RNG.normal(size=(N_PRE, 2))),
    jn.SparseWeights(RNG.normal(size=len(PATTERN)), post=PATTERN[:, 0], pre=PATTERN[:, 1], n_post=N_POST, n_pre=N_PRE),
    jn.DaleWeights(np.abs(RNG.normal(size=(N_POST, N_PRE))) * np.sign(np.arange(18) - 12.5), signs=[-1] * 13 + [1] * 5),
    jn.ConvolutionalWeights(RNG.normal(size=(4, 2, 2, 3)), sheet=(3, 3), stride=2, padding=1),
]


def dense(weights):
    """The matrix, written again from the definition."""
    if isinstance(weights, jn.Weights):
        return np.asarray(weights.matrix)
    if isinstance(weights, jn.LowRankWeights):
        return np.asarray(weights.left) @ np.asarray(weights.right).T
    if isinstance(weights, jn.SparseWeights):
        matrix = np.zeros((N_POST, N_PRE))
        matrix[np.asarray(weights.post), np.asarray(weights.pre)] = weights.values
        return matrix
    if isinstance(weights, jn.DaleWeights):
        signs = np.asarray(weights.dale.signs)
        return signs * np.exp(signs * np.asarray(weights.coordinates))
    columns = []
    for source in np.eye(weights.n_pre):
        sheets = np.pad(source.reshape(2, 3, 3), ((0, 0), (1, 1), (1, 1)))
        out = [sum(correlate(sheets[i], k[i], "valid") for i in range(2))[::2, ::2] for k in np.asarray(weights.kernel)]
        columns.append(np.concatenate([o.ravel() for o in out]))
    return np.asarray(columns).T


@pytest.mark.parametrize("weights", KINDS, ids=lambda w: type(w).__name__)
def test_every_kind_is_its_dense_matrix_and_has_its_gradient(weights):
    matrix = dense(weights)
    np.testing.assert_allclose(weights.as_matrix(), matrix, rtol=1e-12, atol=1e-14)
    target = RNG.normal(size=(STEPS, weights.n_post))

    @eqx.filter_jit
    @eqx.filter_value_and_grad(has_aux=True)
    def loss(w):
        v = readout(w)["v"]
        return jnp.sum(v * target), v

    (_, v), gradient = loss(weights)
    np.testing.assert_allclose(v, filtered(shifted(SPIKES, 1) @ matrix.T), rtol=1e-10, atol=1e-12)
    for k, leaf in enumerate(jax.tree_util.tree_leaves(eqx.filter(weights, eqx.is_inexact_array))):
        if isinstance(weights, jn.DaleWeights) and k == 1:
            continue  # the signs, which are not trained
        at = tuple(0 for _ in leaf.shape)
        found = jax.tree_util.tree_leaves(gradient)[k][at]

        def shift(h):
            leaves, structure = jax.tree_util.tree_flatten(eqx.filter(weights, eqx.is_inexact_array))
            leaves[k] = leaves[k].at[at].add(h)
            moved = eqx.combine(jax.tree_util.tree_unflatten(structure, leaves), weights)
            return np.sum(filtered(shifted(SPIKES, 1) @ dense(moved).T) * target)

        assert float(found) == pytest.approx((shift(1e-5) - shift(-1e-5)) / 2e-5, rel=1e-7, abs=1e-9)


@pytest.mark.float32
def test_a_sum_over_synapses_equals_the_filled_matrix(monkeypatch):
    weights = KINDS[2]
    filled = readout(weights)["v"]
    monkeypatch.setattr("jaxneuro.connectivity._weights._LARGEST_FILLED", 0)
    np.testing.assert_allclose(readout(weights, spikes=SPIKES.copy())["v"], filled, rtol=1e-12, atol=1e-14)


def test_amplitudes_act_and_are_differentiable():
    w, amplitudes = KINDS[0], RNG.normal(size=(STEPS, N_PRE)) * SPIKES
    v, pull = jax.vjp(lambda s: readout(w, s)["v"], jnp.asarray(amplitudes))
    np.testing.assert_allclose(v, filtered(shifted(amplitudes, 1) @ dense(w).T), rtol=1e-10, atol=1e-12)
    (gradient,) = pull(jnp.ones_like(v))
    lasting = np.asarray([(1 - np.exp(-(STEPS - 1 - t) / 20.0)) / (1 - np.exp(-1 / 20.0)) for t in range(STEPS)])
    np.testing.assert_allclose(gradient, lasting[:, None] * dense(w).sum(0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(readout(w, SPIKES.astype(float))["v"], readout(w)["v"], rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (N_PRE,), (N_POST, N_PRE)], ids=str)
def test_trainable_delays_share_a_spike_between_two_steps(shape):
    w, value = KINDS[0], jnp.asarray(RNG.uniform(2.1, 5.9, shape))
    target = RNG.normal(size=(STEPS, N_POST))

    def expected(delay):
        d = np.broadcast_to(delay, (N_POST, N_PRE))
        late = np.floor(d).astype(int)
        arrivals = np.zeros((STEPS, N_POST))
        for i in range(N_POST):
            for j in range(N_PRE):
                share = d[i, j] - late[i, j]
                a = (1 - share) * shifted(SPIKES, late[i, j])[:, j] + share * shifted(SPIKES, late[i, j] + 1)[:, j]
                arrivals[:, i] += a * dense(w)[i, j]
        return filtered(arrivals)

    def loss(value):
        v = readout(w, delay=jn.TrainableDelay(value, low=2.0, high=7.0))["v"]
        return jnp.sum(v * target), v

    (_, v), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(value)
    np.testing.assert_allclose(v, expected(np.asarray(value)), rtol=1e-9, atol=1e-11)
    at = tuple(0 for _ in shape)
    plus, minus = (np.sum(expected(np.asarray(value.at[at].add(h))) * target) for h in (1e-5, -1e-5))
    assert float(gradient[at]) == pytest.approx((plus - minus) / 2e-5, rel=1e-6)


@pytest.mark.float32
def test_a_run_goes_on_and_given_weights_join_a_drawn_wiring():
    lif, delta = jn.LIF(v_th=1.0, v_reset=0.0, t_ref=0.0), jn.DeltaCurrent()
    net = jn.Network(
        {"in": jn.Population(jn.SpikeSource(), N_PRE), "E": jn.Population(lif, N_POST)},
        [
            jn.Projection("in", "E", delta, connectivity=KINDS[0], delay=3.0),
            jn.Projection(
                "E", "E", delta, connectivity=jn.Weights(jnp.full((8, 8), 0.1)),
                delay=jn.TrainableDelay(2.4, low=2.0, high=4.0),
            ),
            jn.Projection("in", "E", delta, weight=0.2, connectivity=jn.FixedInDegree(3), delay=2.0),
        ],
    )  # fmt: skip
    wiring = jn.wire(net, key=KEY)
    with pytest.raises(ValueError, match="are given"):
        wiring.as_matrix("E", "E")
    common = dict(dt=1.0, key=KEY, wiring=wiring, record={"v": jn.record.Trace("E.v")})
    whole = jn.simulate(net, 0.0, 30.0, stimulus={"in": SPIKES}, **common)
    half = jn.simulate(net, 0.0, 13.0, stimulus={"in": SPIKES[:13]}, **common)
    rest = jn.simulate(net, 13.0, 30.0, stimulus={"in": SPIKES[13:]}, state=half.state, **common)
    both = np.concatenate([half["v"], rest["v"]])
    np.testing.assert_allclose(both, whole["v"], rtol=1e-10, atol=1e-12)


def test_a_new_value_compiles_nothing_and_a_batch_is_its_runs():
    compiled = []

    @jax.jit
    def v(matrix, spikes):
        compiled.append(1)
        return readout(jn.Weights(matrix), spikes)["v"]

    matrix, batch = KINDS[0].matrix, jnp.stack([jnp.asarray(SPIKES), jnp.asarray(~SPIKES)])
    first, _ = v(matrix, batch[0]), v(2 * matrix, batch[1])
    assert len(compiled) == 1
    both = jax.vmap(lambda s: readout(KINDS[0], s)["v"])(batch)
    np.testing.assert_allclose(both[0], first, rtol=1e-12)


def test_what_does_not_fit_is_refused(as_users_run):
    lif, delta, w = jn.LIF(), jn.DeltaCurrent(), KINDS[0]
    populations = {"in": jn.Population(jn.SpikeSource(), N_PRE), "out": jn.Population(jn.LeakyIntegrator(), N_POST)}

    def net(**arguments):
        given = dict(weight=None, connectivity=w, delay=1.0) | arguments
        synapse = given.pop("synapse", delta)
        return jn.Network(populations, [jn.Projection(given.pop("pre", "in"), "out", synapse, **given)])

    cases = [
        (dict(connectivity=jn.FixedInDegree(3)), "`weight` is missing"),
        (dict(connectivity=jn.Weights(np.ones((3, 3)))), r"the weights are \(3, 3\)"),
        (dict(delay=jn.UniformDelay(1.0, 2.0)), "not a `UniformDelay`"),
        (dict(delay=jn.TrainableDelay(np.ones(3), low=1.0, high=2.0)), "`delay` has values of shape"),
        (
            dict(weight=1.0, connectivity=jn.FixedInDegree(3), delay=jn.TrainableDelay(1.0, low=1.0, high=2.0)),
            "only with",
        ),
        (dict(synapse=jn.DeltaConductance(0.0)), "must not be negative"),
        (dict(synapse=jn.DeltaConductance(0.0, jump=jn.FirstOrderJump())), "`synapse` needs counts"),
        (dict(pre="out", connectivity=jn.Weights(np.ones((8, 8)))), "has no spikes"),
    ]
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message):
            net(**arguments)
    with pytest.raises(ValueError, match="has to give the spikes of 'in'"):
        jn.simulate(net(), 0.0, 5.0, dt=1.0, key=KEY)
    with pytest.raises(ValueError, match=r"spikes are \(time, n\) = \(5, 18\)"):
        jn.simulate(net(), 0.0, 5.0, dt=1.0, key=KEY, stimulus={"in": SPIKES})
    with pytest.raises(ValueError, match="which takes no input"):
        jn.Network(
            populations | {"E": jn.Population(lif, 18)},
            [jn.Projection("E", "in", delta, connectivity=jn.Weights(np.ones((18, 18))), delay=1.0)],
        )
    with pytest.raises(ValueError, match="within"):
        jn.TrainableDelay(9.0, low=1.0, high=2.0)
    with pytest.raises(ValueError, match="less than a step"):
        readout(w, delay=jn.TrainableDelay(1.0, low=0.5, high=2.0))
    with pytest.raises(ValueError, match="of another sign"):
        jn.DaleWeights([[1.0, 1.0]], signs=[1, -1])
    with pytest.raises(ValueError, match="does not fit on a sheet"):
        jn.ConvolutionalWeights(np.ones((1, 1, 5, 5)), sheet=(3, 3))
    with pytest.raises(ValueError, match="indices of 2 neurons"):
        jn.SparseWeights([1.0], post=[2], pre=[0], n_post=2, n_pre=2)


@pytest.mark.float32
def test_no_path_no_gradient():
    """What reaches the loss has a gradient, what does not has exactly 0."""
    weights = (jnp.asarray(KINDS[0].matrix), jnp.ones((3, N_PRE)))
    delta = jn.DeltaCurrent()

    def loss(w):
        net = jn.Network(
            {"in": jn.Population(jn.SpikeSource(), N_PRE)}
            | {"a": jn.Population(jn.LIF(v_th=1.0, v_reset=0.0, t_ref=0.0), N_POST), "b": jn.Population(jn.LIF(), 3)},
            [
                jn.Projection("in", "a", delta, connectivity=jn.Weights(w[0]), delay=1.0),
                jn.Projection("in", "b", delta, connectivity=jn.Weights(w[1]), delay=1.0),
            ],
        )
        sol = jn.simulate(
            net,
            0.0,
            30.0,
            dt=1.0,
            key=KEY,
            stimulus={"in": SPIKES},
            surrogate=jn.surrogate.SuperSpike(0.5),
            throw=False,
        )
        return jnp.sum(sol["rate"]["a"])

    with_path, without = jax.jit(jax.grad(loss))(weights)
    assert np.all(np.asarray(with_path)[:, SPIKES[:-1].any(0)] != 0)
    np.testing.assert_array_equal(without, 0.0)
