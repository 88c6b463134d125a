"""Derivatives through spikes: against a plain dense loop, in both modes and through every delivery and adjoint."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._numerics import as_leaf

DT, N_STEPS, N_E, N_I, MOST = 0.1, 120, 40, 10, 30
STIMULUS = 60.0 + 60.0 * np.random.default_rng(0).normal(size=(N_STEPS, N_E + N_I))
SURROGATE = jn.surrogate.Triangular(3.0)


def network(j, g, delay=1.5, pre="EI"):
    lif, rule = jn.LIF(), jn.FixedInDegree(8)
    weights = {"E": j, "I": -g * j}
    return jn.Network(
        {"E": jn.Population(lif, N_E), "I": jn.Population(lif, N_I)},
        [
            jn.Projection(name, ("E", "I"), jn.DeltaCurrent(), weight=weights[name], connectivity=rule, delay=delay)
            for name in pre
        ],
    )


def rate(parameters, wiring, delay=1.5, adjoint=None, surrogate=SURROGATE, pre="EI"):
    sol = jn.simulate(
        network(*parameters, delay, pre), 0.0, N_STEPS * DT, dt=DT, key=jax.random.key(0), wiring=wiring,
        stimulus={"E": STIMULUS[:, :N_E], "I": STIMULUS[:, N_E:]}, surrogate=surrogate, adjoint=adjoint,
    )  # fmt: skip
    return jnp.sum(sol["rate"]["E"]) + 0.3 * jnp.sum(sol["rate"]["I"])


@jax.jit
@jax.value_and_grad
def plain_rate(parameters, counts):
    """The same network as one dense loop over steps, spikes of every delay in a buffer.

    `counts[d, post, pre]` synapses have a delay of d + 1 steps.
    """
    j, g = parameters
    weights = jnp.concatenate([j * counts[..., :N_E], -g * j * counts[..., N_E:]], axis=2)
    decay, n = np.exp(-DT / 20.0), N_E + N_I

    @jax.custom_jvp
    def spike(x):
        return (x >= 0).astype(x.dtype)

    spike.defjvp(lambda p, t: (spike(p[0]), jnp.maximum(0.0, 1 - jnp.abs(p[0]) / 3.0) / 3.0 * t[0]))

    def step(carry, current):
        v, left, buffer = carry
        v = v * decay + current * (1 - decay) + jnp.einsum("dij,dj->i", weights, buffer)
        free = left == 0
        v = jnp.where(free, v, 10.0)
        out = jnp.where(free, spike(v - 20.0), 0.0)
        fired = v >= 20.0
        v = jnp.where(fired, 10.0, v)
        left = jnp.where(fired, 20, jnp.maximum(left - 1, 0))
        return (v, left, jnp.concatenate([out[None], buffer[:-1]])), out

    start = (jnp.zeros(n), jnp.zeros(n, jnp.int32), jnp.zeros((MOST, n)))
    out = jax.lax.scan(step, start, jnp.asarray(STIMULUS))[1]
    rates = out.sum(0) * 1000.0 / (N_STEPS * DT)
    return rates[:N_E].sum() + 0.3 * rates[N_E:].sum()


def wired(delivery=None, delay=1.5):
    return jn.wire(network(1.0, 4.0, delay), key=jax.random.key(5), delivery=delivery)


PARAMETERS = jnp.asarray([1.0, 4.0])
proof = pytest.mark.proof
ADJOINTS = [
    None,
    pytest.param(jn.adjoint.Direct(), marks=proof),
    pytest.param(jn.adjoint.Checkpoint(1), marks=proof),
    jn.adjoint.Checkpoint(5),
]


@pytest.fixture(scope="module")
def counts():
    wiring = wired(jn.delivery.Rows())
    dense = np.zeros((MOST, N_E + N_I, N_E + N_I))
    dense[14] = np.block([[wiring.as_matrix(pre, post) for pre in "EI"] for post in "EI"])
    return dense


@pytest.fixture(scope="module")
def expected(counts):
    value, gradient = plain_rate(PARAMETERS, counts)
    assert abs(gradient[1]) > 1.0
    return value, gradient


@pytest.mark.parametrize("adjoint", ADJOINTS, ids=str)
def test_reverse_mode_equals_a_plain_loop(adjoint, expected):
    value, gradient = jax.value_and_grad(rate)(PARAMETERS, wired(jn.delivery.Rows()), adjoint=adjoint)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-9)


@pytest.mark.parametrize(
    "delivery",
    [jn.delivery.Product(), jn.delivery.Sparse(), pytest.param(jn.delivery.NativeSparse(), marks=proof)],
    ids=str,
)
def test_every_delivery_has_the_same_derivative(delivery, expected):
    np.testing.assert_allclose(jax.grad(rate)(PARAMETERS, wired(delivery)), expected[1], rtol=1e-9)


@pytest.mark.parametrize(
    ("pre", "mode"),
    [("E", "reverse"), pytest.param("EI", "reverse", marks=proof), pytest.param("EI", "forward", marks=proof)],
)
def test_procedural_delivery_has_both_modes(pre, mode):
    # Of a key whose spikes act on those that are near their threshold.
    wiring = jn.wire(network(1.0, 4.0, pre=pre), key=jax.random.key(11), delivery=jn.delivery.Procedural())
    dense = np.zeros((MOST, N_E + N_I, N_E + N_I))
    rows = {"E": slice(0, N_E), "I": slice(N_E, None)}
    for source in pre:
        for target in "EI":
            dense[14, rows[target], rows[source]] = wiring.as_matrix(source, target)
    gradient = plain_rate(PARAMETERS, dense)[1]
    assert abs(gradient[1 if "I" in pre else 0]) > 1.0
    if mode == "reverse":
        np.testing.assert_allclose(jax.grad(rate)(PARAMETERS, wiring, pre=pre), gradient, rtol=1e-9)
    else:
        forward = jax.jvp(lambda p: rate(p, wiring, adjoint=jn.adjoint.Forward()), (PARAMETERS,), (gradient,))[1]
        np.testing.assert_allclose(forward, gradient @ gradient, rtol=1e-9)


def test_forward_mode_equals_a_plain_loop(expected):
    forward = jax.jacfwd(lambda p: rate(p, wired(), adjoint=jn.adjoint.Forward()))(PARAMETERS)
    np.testing.assert_allclose(forward, expected[1], rtol=1e-9)


@pytest.mark.parametrize(
    "delivery", [pytest.param(jn.delivery.Sparse(), marks=proof), jn.delivery.NativeSparse()], ids=str
)
def test_derivatives_through_delays_of_their_own(delivery):
    spread = jn.UniformDelay(0.1, 3.0)
    wiring = wired(delivery, spread)
    dense = np.zeros((MOST, N_E + N_I, N_E + N_I))
    for operator, of in zip(wiring.operators, (slice(0, N_E), slice(N_E, None)), strict=True):
        sources = np.repeat(np.arange(operator.n_pre), np.diff(operator.offsets))
        steps = np.round(np.asarray(operator.delays) / DT).astype(int)
        np.add.at(dense[:, :, of], (steps - 1, np.asarray(operator.targets), sources), 1)
    value, gradient = plain_rate(PARAMETERS, dense)
    assert abs(gradient[1]) > 1.0
    found = jax.value_and_grad(rate)(PARAMETERS, wiring, spread)
    np.testing.assert_allclose(found[0], value, rtol=1e-12)
    np.testing.assert_allclose(found[1], gradient, rtol=1e-9)


def test_forward_mode_through_delays_that_are_one(expected):
    # Delays that differ by less than half a step are one delay.
    delay = jn.UniformDelay(1.47, 1.53)
    wiring = wired(jn.delivery.NativeSparse(), delay)
    direction = expected[1]
    forward = jax.jvp(lambda p: rate(p, wiring, delay, jn.adjoint.Forward()), (PARAMETERS,), (direction,))[1]
    np.testing.assert_allclose(forward, direction @ direction, rtol=1e-9)


def test_a_batch_of_derivatives_over_one_wiring(counts, expected):
    wiring = wired()
    batch = jnp.stack([PARAMETERS, PARAMETERS + 0.1])
    gradients = jax.vmap(jax.grad(lambda p: rate(p, wiring)))(batch)
    np.testing.assert_allclose(gradients[0], expected[1], rtol=1e-9)
    np.testing.assert_allclose(gradients[1], plain_rate(batch[1], counts)[1], rtol=1e-9)


def test_the_run_is_the_same_with_a_surrogate_and_goes_on_without():
    net, wiring, key = network(1.0, 4.0), wired(), jax.random.key(1)
    record = {"s": jn.record.Spikes(), "p": jn.record.PopulationRate(width=1.0)}
    common = dict(dt=DT, key=key, wiring=wiring, record=record, stimulus={"E": 60.0, "I": 50.0})
    hard = jn.simulate(net, 0.0, 20.0, **common)
    soft = jn.simulate(net, 0.0, 20.0, surrogate={"E": SURROGATE}, **common)
    assert hard["s"]["E"].counts.sum() > 0
    after = [jn.simulate(net, 20.0, 40.0, state=first.state, **common) for first in (hard, soft)]
    for one, other in ((hard, soft), after):
        for name in "EI":
            np.testing.assert_array_equal(one["s"][name].words, other["s"][name].words)
            np.testing.assert_array_equal(one["p"][name], other["p"][name])


def test_without_a_surrogate_a_rate_has_no_derivative():
    assert (jax.grad(rate)(PARAMETERS, wired(), surrogate=None) == 0).all()


@pytest.mark.float32
def test_gradients_are_finite_in_float32():
    gradient = jax.grad(rate)(as_leaf([1.0, 4.0]), wired())
    assert gradient.dtype == jnp.result_type(float)
    assert jnp.isfinite(gradient).all()
    assert (gradient != 0).all()


@pytest.mark.parametrize("surrogate", [jn.surrogate.Triangular(2.0), jn.surrogate.Boxcar(2.0)], ids=str)
def test_a_surrogate_has_unit_area_and_reaches_as_far_as_it_says(surrogate):
    x = jnp.linspace(-10.0, 10.0, 20_001)
    y = surrogate.derivative(x)
    np.testing.assert_allclose(jnp.sum(y) * 1e-3, 1.0, rtol=1e-3)
    np.testing.assert_array_equal(surrogate.reaches(x), y > 0)


def test_the_fast_sigmoid_has_unit_area():
    # Beyond x its tail is width / (2 x) on either side.
    x = jnp.linspace(-500.0, 500.0, 1_000_001)
    area = jnp.sum(jn.surrogate.FastSigmoid(1.0).derivative(x)) * 1e-3
    np.testing.assert_allclose(area, 1.0 - 1.0 / 501.0, rtol=1e-6)


def test_forward_mode_names_what_has_a_reverse_mode():
    with pytest.raises(RuntimeError, match="Checkpoint"):
        jax.grad(rate)(PARAMETERS, wired(), adjoint=jn.adjoint.Forward())


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"surrogate": "triangular"}, "`surrogate` has to be of `jn.surrogate`"),
        ({"surrogate": {"X": SURROGATE}}, "`surrogate` names 'X'"),
        ({"adjoint": "direct"}, "`adjoint` has to be of `jn.adjoint`"),
    ],
)
def test_wrong_arguments_get_one_sentence(keywords, message):
    with pytest.raises(ValueError, match=message):
        jn.simulate(network(1.0, 4.0), 0.0, 1.0, dt=DT, key=jax.random.key(0), **keywords)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    "make",
    [
        lambda: jn.adjoint.Checkpoint(0),
        lambda: jn.surrogate.Triangular(0.0),
        lambda: jn.surrogate.Boxcar(1.0, scale=-1.0),
        lambda: jn.surrogate.FastSigmoid(float("nan")),
    ],
)
def test_parameters_are_checked(make):
    with pytest.raises(ValueError, match=r"`segments`|`width`|`scale`"):
        make()


@pytest.mark.float32
@pytest.mark.parametrize("counts", [jn.counts.PoissonCounts(), jn.counts.GaussianCounts()], ids=str)
def test_moments_under_a_poisson_drive_have_their_derivative_by_its_rate(counts):
    n, jump, n_sources, rate, n_steps = 4_000, 0.5, 100.0, 50.0, 200

    key = jax.random.key(4)

    def potentials(r):
        lif = jn.LIF(v_th=1e6, v_reset=0.0)
        drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=jump, n_sources=n_sources, rate=r, counts=counts)
        net = jn.Network({"E": jn.Population(lif, n)}, [], [drive])
        return jn.simulate(net, 0.0, n_steps * DT, dt=DT, key=key).state.neurons["E"].v

    both = jax.jit(lambda r: jax.jvp(potentials, (r,), (as_leaf(1.0),)))
    v, slope = map(np.asarray, both(as_leaf(rate)))
    decay = np.exp(-DT / 20.0)
    # V is the sum of independent Poisson counts, each times the jump and what is left of it.
    mean = jump * n_sources * rate * DT / 1000.0 * (1 - decay**n_steps) / (1 - decay)
    variance = jump**2 * n_sources * rate * DT / 1000.0 * (1 - decay ** (2 * n_steps)) / (1 - decay**2)
    for seen, expected in ((slope, mean / rate), (2 * v * slope, (variance + 2 * mean**2) / rate)):
        z = (seen.mean() - expected) / (seen.std() / np.sqrt(n))
        assert abs(z) < 4
    backward = jax.jit(jax.grad(lambda r: jnp.mean(potentials(r) ** 2)))(as_leaf(rate))
    np.testing.assert_allclose(backward, np.mean(2 * v * slope), rtol=1e-4)
    if isinstance(counts, jn.counts.PoissonCounts):
        np.testing.assert_allclose(np.mean(both(as_leaf(0.0))[1]), mean / rate, rtol=1e-4)
