"""The tests' own shape checks see what jaxtyping's do: arguments, results, fields, and functions inside others."""

import dataclasses

import beartype
import jax.numpy as jnp
import pytest
import shape_checks
from jaxtyping import Array, Float, TypeCheckError

import jaxneuro as jn

checked = shape_checks.jaxtyped(typechecker=beartype.beartype)


def adder(number):
    @checked
    def add(x: Float[Array, "n"], y: Float[Array, "n"]) -> Float[Array, "n"]:
        return x + y + number if number < 100 else x[:1]

    return add


def test_a_function_inside_another_is_checked_and_keeps_its_own_values():
    x, short = jnp.zeros(3), jnp.zeros(2)
    first, second, wrong = adder(1.0), adder(2.0), adder(100.0)
    for _ in range(2):
        assert float(first(x, x)[0]) == 1.0
        assert float(second(x, y=x)[0]) == 2.0
        for add, y in ((first, short), (wrong, x)):  # an argument, a result
            with pytest.raises(TypeCheckError, match="n"):
                add(x, y)


def test_one_that_calls_itself():
    @checked
    def halves(n: int) -> list:
        return [] if n == 0 else [n, *halves(n // 2)]

    assert halves(9) == [9, 4, 2, 1]
    with pytest.raises(TypeCheckError):
        halves(9.0)


def test_fields_are_checked_once_for_a_class_and_those_that_inherit():
    @checked
    @dataclasses.dataclass
    class Pair:
        x: Float[Array, "n"]
        y: Float[Array, "n"]

    @checked
    @dataclasses.dataclass
    class Triple(Pair):
        z: Float[Array, "n"]

    x, short = jnp.zeros(3), jnp.zeros(2)
    assert Triple(x, x, x).z is x
    for make in (lambda: Pair(x, short), lambda: Triple(x, x, short)):
        with pytest.raises(TypeCheckError):
            make()


def test_the_package_is_checked():
    with pytest.raises(TypeCheckError, match="v_th"):
        jn.theory.lif_rate(1.0, 1.0, tau=20.0, v_th={}, v_reset=10.0, t_ref=2.0)
    with pytest.raises(TypeCheckError, match="tau_m"):
        jn.LIF(tau_m=object())


@pytest.mark.usefixtures("as_users_run")
def test_the_package_as_users_run_is_not():
    with pytest.raises((TypeError, ValueError), match="`v_th`"):
        jn.theory.lif_rate(1.0, 1.0, tau=20.0, v_th={}, v_reset=10.0, t_ref=2.0)
