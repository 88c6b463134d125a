"""Keys of other generators: their draws are not a function of key and place alone, so that no call takes them."""

import jax
import jax.numpy as jnp
import optax
import pytest

import jaxneuro as jn

S = jn.statistics
PAIR = jn.Population(jn.LIF(), 2)
BINARY = jn.networks.binary(k=2, n_e=5, n_i=5)
TABLE = jn.laws.PSPTable([10.0, 20.0, 50.0, 100.0], [2.0, 1.5, 1.0, 0.6], [False] * 4)


def loss(p, batch, key):
    return jnp.sum(p**2)


# Every public call that takes a key.
CALLS = {
    "simulate": lambda key: jn.simulate(PAIR, 0.0, 1.0, dt=0.1, key=key),
    "simulate, rates": lambda key: jn.simulate(jn.networks.ring(8), 0.0, 1.0, dt=0.1, key=key),
    "simulate, binary": lambda key: jn.simulate(BINARY, 0.0, 1.0, dt=0.1, key=key),
    "simulate_events": lambda key: jn.simulate_events(
        jn.Network(
            {"E": jn.Population(jn.LIF(), 2)},
            drives=[jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=10, rate=5.0)],
        ),
        10.0,
        most=1,
        key=key,
    ),
    "wire": lambda key: jn.wire(BINARY, key=key),
    "sweep": lambda key: jn.sweep(lambda p, k: {"a": p["a"]}, over={"a": [1.0]}, key=key),
    "fit": lambda key: jn.fit(jn.laws.CurrentScaling(), TABLE, key=key),
    "train": lambda key: jn.train(jnp.ones(2), loss, [None], steps=1, optimiser=optax.sgd(0.1), key=key),
    "audit_gradient": lambda key: jn.audit_gradient(
        lambda p: PAIR, lambda sol: 0.0, jnp.ones(1), t1=1.0, dt=0.1, key=key, surrogate=None, step=0.1
    ),
    "damage": lambda key: jn.analysis.damage(BINARY, 0.0, 1.0, dt=0.1, key=key),
    "fixed_points": lambda key: jn.analysis.fixed_points(jn.networks.ei_rate(), key=key),
    "slow_points": lambda key: jn.analysis.slow_points(jn.networks.ei_rate(), key=key),
    "poisson_trains": lambda key: S.poisson_trains(5.0, 0.0, 10.0, n=1, key=key),
    "bernoulli_trains": lambda key: S.bernoulli_trains(5.0, 0.0, 10.0, n=1, dt=1.0, key=key),
    "poisson_spikes": lambda key: jn.learning.poisson_spikes([5.0], n_steps=2, dt=1.0, key=key),
    "pattern": lambda key: jn.learning.pattern(5, dt=1.0, key=key),
    "randman": lambda key: jn.learning.randman(2, key=key),
    "delayed_xor": lambda key: jn.learning.delayed_xor(2, key=key),
    "cue_accumulation": lambda key: jn.learning.cue_accumulation(2, key=key),
    "quanta": lambda key: jn.quantal.QuantalRelease(sigma_0=0.1).sample(3, key=key),
    "balanced input": lambda key: jn.theory.BalancedInput(j_e=1.0, j_i=1.0, p_e=0.5, p_i=0.5, n=10.0).sample(
        3, key=key
    ),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("generator", ["rbg", "unsafe_rbg"])
def test_every_call_refuses_a_key_of_another_generator(generator):
    key = jax.random.key(0, impl=generator)
    for name, call in CALLS.items():
        with pytest.raises(
            ValueError, match=f"`key` is of the generator {generator}, .* impl='threefry2x32'"
        ) as caught:
            call(key)
        assert "\n" not in str(caught.value), name


@pytest.mark.usefixtures("as_users_run")
def test_every_call_says_what_a_key_is():
    for call in CALLS.values():
        for wrong in (2**70, jnp.zeros(2, jnp.uint32)):
            with pytest.raises(ValueError, match=r"`key` has to be a key made by `jax\.random\.key\(seed\)`"):
                call(wrong)


def test_a_key_that_nobody_gave_is_of_the_usual_generator(monkeypatch):
    from jaxneuro._numerics import check_key, default_key

    before = jax.config.jax_default_prng_impl
    jax.config.update("jax_default_prng_impl", "rbg")
    try:
        check_key(default_key())
        with pytest.raises(ValueError, match="`key` is of the generator rbg"):
            jn.simulate(PAIR, 0.0, 1.0, dt=0.1, key=jax.random.key(0))
    finally:
        jax.config.update("jax_default_prng_impl", before)


def test_every_public_call_with_a_key_is_among_them():
    import inspect

    known = set(CALLS) | {"BalancedInput", "QuantalRelease"}
    for space in (jn, jn.analysis, jn.statistics, jn.learning, jn.theory, jn.networks, jn.quantal, jn.plot, jn.io):
        for name in dir(space):
            value = getattr(space, name)
            if name.startswith(("_", "check_")) or not inspect.isfunction(value):
                continue
            if "key" in inspect.signature(value).parameters:
                assert name in known, f"{space.__name__}.{name} takes a key and is not in CALLS"
