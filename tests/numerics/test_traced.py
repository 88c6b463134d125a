"""Functions of users as what they compute: the same values and derivatives, one program for one set of operations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._numerics import as_callable, as_callable_of, as_elementwise
from jaxneuro._simulate import _driver

TABLE = jnp.asarray([0.0, 1.0, 4.0])


@jax.jit
def squared(t):
    return 1.5 * t**2


def pulse(a, b):
    return lambda t: jnp.where(t < a, b * jnp.sin(t), -b)


FUNCTIONS = {
    "constant": lambda a: lambda t: a,
    "itself": lambda a: lambda t: t,
    "pulse": lambda a: pulse(1.0, a),
    "table": lambda a: lambda t: jnp.interp(t, jnp.arange(3.0), a * TABLE),
    "jitted": lambda a: lambda t: a * squared(t),
    "branches": lambda a: lambda t: jax.lax.cond(t > 1.0, lambda x: 2.0 * x, lambda x: x, a * t),
    "powers": lambda a: lambda t: a * jnp.power(t + 3.0, 2.5) + t**3 + jnp.clip(t, 0.1, a),
    "loop": lambda a: lambda t: jax.lax.fori_loop(0, 3, lambda i, x: x * t, jnp.asarray(a, t.dtype)),
    "relu": lambda a: lambda t: jax.nn.relu(a * t - 1.0),
    "number of NumPy": lambda a: lambda t: np.float64(a) + 0.0 * t,
}


@pytest.mark.float32
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_values_and_derivatives_are_those_of_the_function(name):
    given = FUNCTIONS[name](1.25)
    held = as_callable(given, 0.0)
    for t in (-0.7, 0.3, 1.7):
        t = jnp.asarray(t, jnp.result_type(float))
        np.testing.assert_allclose(held(t), given(t), rtol=1e-6)
        if name != "constant":
            np.testing.assert_allclose(jax.grad(held)(t), jax.grad(given)(t), rtol=1e-5)
    np.testing.assert_allclose(jax.jit(lambda f, t: f(t))(held, 0.3), given(jnp.asarray(0.3)), rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "relu"])  # which has a rule of its own
def test_the_same_operations_are_one_program_whatever_their_numbers(name):
    one, other = (jax.tree.structure(as_callable(FUNCTIONS[name](a), 0.0)) for a in (1.25, 2.5))
    assert one == other
    assert hash(one) == hash(other)


def test_other_operations_are_other_programs():
    kinds = [jax.tree.structure(as_callable(make(1.25), 0.0)) for make in FUNCTIONS.values()]
    kinds += [jax.tree.structure(as_callable(f, 0.0)) for f in (jnp.sin, jnp.cos, lambda t: t**2, lambda t: t**3)]
    assert sum(a == b for i, a in enumerate(kinds) for b in kinds[:i]) == 0


def test_a_rule_of_its_own_is_no_part_of_another_function():
    def ruled(slope):
        @jax.custom_jvp
        def f(t):
            return t

        f.defjvp(lambda primals, tangents: (primals[0], slope * tangents[0]))
        return as_callable(lambda t: f(t), 0.0)

    one, other = ruled(2.0), ruled(3.0)
    assert jax.tree.structure(one) != jax.tree.structure(other)
    assert [float(jax.jit(jax.grad(lambda t, f=f: f(t)))(1.0)) for f in (one, other)] == [2.0, 3.0]


def test_what_a_function_closes_over_keeps_its_derivative():
    def value(a):
        return as_callable(lambda t: a * jnp.sin(t), 0.0)(jnp.asarray(2.0))

    assert float(jax.grad(value)(3.0)) == pytest.approx(np.sin(2.0))
    np.testing.assert_allclose(jax.vmap(value)(jnp.asarray([1.0, 2.0])), np.sin(2.0) * np.array([1.0, 2.0]))


def test_elementwise_functions_take_every_shape():
    held = as_elementwise(lambda v: (15.0 - v) / 20.0 + 0.0 * TABLE[1], "drift")
    for v in (np.float64(3.0), np.arange(4.0), np.ones((2, 3))):
        np.testing.assert_allclose(held(v), (15.0 - v) / 20.0)
    first = as_elementwise(lambda v: v[0] + 0.0 * v, "drift")  # of arrays alone: as it is
    np.testing.assert_allclose(first(jnp.asarray([2.0, 3.0])), [2.0, 2.0])


def test_functions_of_trees():
    held = as_callable_of(lambda model, data: data - model["a"] * model["b"], {"a": jnp.ones(()), "b": TABLE}, TABLE)
    np.testing.assert_allclose(held({"a": jnp.asarray(2.0), "b": TABLE}, 3.0 * TABLE), TABLE)


def test_new_functions_of_the_same_kind_do_not_compile_again():
    def runs(a):
        cell, ring = jn.Population(jn.LIF(), 2), jn.Ring(8, j=[0.0, 1.0], velocity=lambda t: a + 0.0 * t)
        sol = jn.simulate(cell, 0.0, 2.0, dt=0.1, key=jax.random.key(0), stimulus=lambda t: a * jnp.sin(t),
                          record={"v": jn.record.Trace("v")})  # fmt: skip
        jn.simulate(ring, 0.0, 2.0, dt=0.5)
        return sol["v"][-1, 0]

    first = runs(1.0)
    compiled = _driver._run._cached._cache_size()
    for a in (2.0, 3.5):
        np.testing.assert_allclose(runs(a), a * first, rtol=1e-10)
    assert _driver._run._cached._cache_size() == compiled
