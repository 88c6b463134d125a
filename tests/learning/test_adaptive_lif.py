"""The adaptive LIF neuron against a loop written again, and its gradients through spikes and adaptation."""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

DT, STEPS, N, W = 0.5, 120, 3, 2.0
CURRENT = 30.0 + 10.0 * np.random.default_rng(5).normal(size=(STEPS, N))
SURROGATE = jn.surrogate.ArcTan(W)


def ours(p):
    model = jn.neurons.adaptive_lif(tau_m=p["tau_m"], v_th=p["v_th"], b=p["b"], tau_w=p["tau_w"], a=p["a"])
    record = {"v": jn.record.Trace("v"), "w": jn.record.Trace("w"), "s": jn.record.Raster("population")}
    sol = jn.simulate(
        jn.Population(model, N), 0.0, STEPS * DT, dt=DT, key=jax.random.key(0), stimulus=CURRENT, record=record,
        surrogate=SURROGATE, throw=False,
    )  # fmt: skip
    return sol["v"], sol["w"], sol["s"]


@jax.custom_jvp
def spike(x):
    return (x >= 0).astype(x.dtype)


spike.defjvp(lambda p, t: (spike(p[0]), 1 / (jnp.pi * W) / (1 + (p[0] / W) ** 2) * t[0]))


def written_again(p):
    def step(carry, current):
        v, w = carry
        decay_w, decay = jnp.exp(-DT / p["tau_w"]), jnp.exp(-DT / p["tau_m"])
        w = decay_w * w + (1 - decay_w) * p["a"] * v
        v = decay * v + (1 - decay) * (current - w)
        s = spike(v - p["v_th"])
        v = jnp.where(v >= p["v_th"], 10.0, v)
        return (v, w + p["b"] * s), (v, w + p["b"] * s, s)

    return jax.lax.scan(step, (jnp.zeros(N), jnp.zeros(N)), jnp.asarray(CURRENT))[1]


def test_run_and_gradients_equal_a_plain_loop():
    p = {"tau_m": 15.0, "v_th": 18.0, "b": 3.0, "tau_w": 60.0, "a": 0.1}
    p = {k: jnp.asarray(v) for k, v in p.items()}

    def loss(run):
        def value(p):
            v, w, s = run(p)
            return jnp.sum(v**2) + jnp.sum(w * jnp.cos(v)) + jnp.sum(s), (v, w, s)

        return jax.jit(jax.value_and_grad(value, has_aux=True))

    (_, found), gradient = loss(ours)(p)
    (_, expected), plain = loss(written_again)(p)
    assert float(found[2].sum()) > 5
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    for name in p:
        np.testing.assert_allclose(gradient[name], plain[name], rtol=1e-7, err_msg=name)
        assert gradient[name] != 0


def test_time_constants_and_thresholds_are_right_where_the_loss_is_smooth():
    """Below threshold nothing is a surrogate: derivatives are those of differences."""

    def loss(tau_m, tau_out):
        lif = jn.LIF(tau_m=tau_m, v_th=1e3, v_reset=0.0)
        cells = jn.Network({"a": jn.Population(lif, 2), "b": jn.Population(jn.LeakyIntegrator(tau_m=tau_out), 2)})
        record = {"a": jn.record.Trace("a.v"), "b": jn.record.Trace("b.v")}
        stimulus = dict.fromkeys("ab", CURRENT[:, :2])
        sol = jn.simulate(
            cells, 0.0, STEPS * DT, dt=DT, key=jax.random.key(0), stimulus=stimulus, record=record,
            surrogate=jn.surrogate.SuperSpike(0.1), throw=False,
        )  # fmt: skip
        return jnp.sum(sol["a"] ** 2) * 1e-3 + jnp.sum(sol["b"] ** 2) * 1e-3

    at = (jnp.asarray([12.0, 25.0]), jnp.asarray(18.0))
    gradient = jax.jit(jax.grad(loss, (0, 1)))(*at)
    value, h = jax.jit(loss), 1e-4
    first = (value(at[0] + jnp.asarray([h, 0.0]), at[1]) - value(at[0] - jnp.asarray([h, 0.0]), at[1])) / (2 * h)
    second = (value(at[0], at[1] + h) - value(at[0], at[1] - h)) / (2 * h)
    np.testing.assert_allclose([gradient[0][0], gradient[1]], [first, second], rtol=1e-6)
