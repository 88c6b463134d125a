"""Gradients of networks with given weights: against torch's autograd, differences, and each other."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

HERE = Path(__file__).resolve().parent.parent / "references"
REFERENCE = json.loads((HERE / "surrogate_torch.json").read_text())["cases"]
W = 0.4
SETTINGS = {
    "hard detached": (jn.reset.Hard(), jn.surrogate.FastSigmoid(W), 0.0),
    "hard attached": (jn.reset.Hard(detached=False), jn.surrogate.Triangular(W), 2.0),
    "soft detached": (jn.reset.Soft(), jn.surrogate.ArcTan(W), 0.0),
    "soft attached": (jn.reset.Soft(detached=False), jn.surrogate.Exponential(W), 0.0),
}
N_IN, N, N_OUT, STEPS = 6, 8, 2, 40


def numbers():
    """As in make_surrogate_references.py, draw by draw."""
    rng = np.random.default_rng(7)
    trained = {
        "w_in": rng.normal(0.3, 0.5, (N, N_IN)),
        "w_rec": rng.normal(0.0, 0.25, (N, N)),
        "w_out": rng.normal(0.0, 0.5, (N_OUT, N)),
        "tau_m": rng.uniform(8.0, 15.0, N),
        "v_th": rng.uniform(0.8, 1.2, N),
        "tau_out": np.asarray(12.0),
    }
    spikes = rng.random((STEPS, N_IN)) < 0.25
    return {k: jnp.asarray(v) for k, v in trained.items()}, spikes, rng.normal(0.0, 1.0, (STEPS, N_OUT))


TRAINED, SPIKES, TARGET = numbers()


def network(p, reset=None, t_ref=0.0, weights=jn.Weights, delay=1.0):
    reset = jn.reset.Hard() if reset is None else reset
    lif = jn.LIF(tau_m=p["tau_m"], v_th=p["v_th"], v_reset=0.0, t_ref=t_ref, reset=reset)
    delta = jn.DeltaCurrent()
    return jn.Network(
        {
            "in": jn.Population(jn.SpikeSource(), N_IN),
            "hidden": jn.Population(lif, N),
            "out": jn.Population(jn.LeakyIntegrator(tau_m=p["tau_out"]), N_OUT),
        },
        [
            jn.Projection("in", "hidden", delta, connectivity=jn.Weights(p["w_in"]), delay=delay),
            jn.Projection("hidden", "hidden", delta, connectivity=weights(p["w_rec"]), delay=delay),
            jn.Projection("hidden", "out", delta, connectivity=jn.Weights(p["w_out"]), delay=delay),
        ],
    )


RECORD = {"v": jn.record.Trace("out.v"), "rate": jn.record.Rate("hidden")}


def loss(net, surrogate, spikes=SPIKES, adjoint=None):
    sol = jn.simulate(
        net, 0.0, float(STEPS), dt=1.0, key=jax.random.key(0), stimulus={"in": spikes}, record=RECORD,
        surrogate=surrogate, adjoint=adjoint, throw=False,
    )  # fmt: skip
    counts = sol["rate"]["hidden"] * (STEPS / 1000.0)
    return jnp.sum((sol["v"] - TARGET) ** 2) + 0.1 * jnp.sum((counts - 5.0) ** 2)


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] if n in ("hard detached", "soft detached") else []) for n in REFERENCE],
)
def test_gradients_equal_torch(name):
    reset, surrogate, t_ref = SETTINGS[name]
    value, gradient = jax.jit(jax.value_and_grad(lambda p: loss(network(p, reset, t_ref), surrogate)))(TRAINED)
    expected = REFERENCE[name]
    np.testing.assert_allclose(value, expected["loss"], rtol=1e-10)
    for k, given in expected["gradients"].items():
        np.testing.assert_allclose(gradient[k], given, rtol=1e-8, atol=1e-9, err_msg=k)
        assert np.any(np.asarray(given) != 0)


def test_every_adjoint_and_forward_mode_give_one_gradient():
    surrogate = jn.surrogate.FastSigmoid(W)

    @jax.jit
    def gradients(p):
        reverse = [
            jax.grad(lambda q: loss(network(q), surrogate, adjoint=a))(p)
            for a in (
                jn.adjoint.Direct(),
                jn.adjoint.Checkpoint(),
                jn.adjoint.Checkpoint(2),
                jn.adjoint.Truncated(64.0),
            )
        ]
        direction = jax.tree_util.tree_map(jnp.cos, p)
        forward = jax.jvp(lambda q: loss(network(q), surrogate, adjoint=jn.adjoint.Forward()), (p,), (direction,))[1]
        along = sum(
            jnp.sum(a * b) for a, b in zip(*map(jax.tree_util.tree_leaves, (reverse[0], direction)), strict=True)
        )
        return reverse, forward, along

    reverse, forward, along = gradients(TRAINED)
    np.testing.assert_allclose(forward, along, rtol=1e-9)
    for other in reverse[1:]:
        for k in TRAINED:
            np.testing.assert_allclose(other[k], reverse[0][k], rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_a_horizon_cuts_where_it_says():
    """A run of 40 steps cut at step 20 is two runs, the state of the second a number."""
    surrogate = jn.surrogate.FastSigmoid(W)
    net = network(TRAINED)

    def voltage(w, adjoint):
        own = eqx.tree_at(lambda n: n.projections[1].connectivity.matrix, net, w)
        common = dict(dt=1.0, key=jax.random.key(0), surrogate=surrogate, record=RECORD, throw=False)
        if adjoint is not None:
            return jn.simulate(own, 0.0, 40.0, stimulus={"in": SPIKES}, adjoint=adjoint, **common)["v"]
        first = jn.simulate(own, 0.0, 20.0, stimulus={"in": SPIKES[:20]}, **common)
        state = jax.lax.stop_gradient(first.state)
        rest = jn.simulate(own, 20.0, 40.0, stimulus={"in": SPIKES[20:]}, state=state, **common)
        return jnp.concatenate([first["v"], rest["v"]])

    @jax.jit
    def both(w):
        sums = [jax.grad(lambda u: jnp.sum(voltage(u, a) ** 2))(w) for a in (jn.adjoint.Truncated(20.0), None)]
        return *sums, jax.grad(lambda u: jnp.sum(voltage(u, jn.adjoint.Direct()) ** 2))(w)

    truncated, cut, whole = both(TRAINED["w_rec"])
    np.testing.assert_allclose(truncated, cut, rtol=1e-9, atol=1e-9)
    assert np.max(np.abs(truncated - whole)) > 1e-3
    with pytest.raises(ValueError, match="`horizon` has to be positive"):
        jn.adjoint.Truncated(0.0)
    with pytest.raises(ValueError, match="shorter than a step"):
        voltage(TRAINED["w_rec"], jn.adjoint.Truncated(0.3))
