"""Cables against Rall's solutions, NEURON and Jaxley, and equivalent trees."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

import jaxneuro as jn

REFERENCES = Path(__file__).resolve().parent.parent / "references"
PASSIVE = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.1, e=-65.0)}, v_th=0.0)
RALL = jn.theory.PassiveCable(length=1_000.0, diameter=2.0, g_l=0.1, r_a=100.0)


def cable(n, **section):
    return jn.Cable(PASSIVE, jn.Section(**{"length": 1_000.0, "diameter": 2.0, "n": n, **section}), r_a=100.0)


@eqx.filter_jit
def conductances(model):
    return jax.jacfwd(model.links().inflow)(jnp.zeros(model.areas().size)), model.areas()


def flow(model):
    """A of V' = A V, by currents between compartments and through the leak."""
    between, areas = map(np.asarray, conductances(model))
    return between / areas[:, None] - 0.1 * np.eye(areas.size)


def response(model, t, dt, **keywords):
    sol = jn.simulate(model, 0.0, t, dt=dt, stimulus=model.current_density({0: 0.05}), **keywords)
    return np.asarray(sol["v"][-1]) + 65.0


def test_passive_cable_is_ralls_in_time_and_space():
    model = cable(100)
    record = {"v": jn.record.Trace("v", every=250)}
    sol = jn.simulate(model, 0.0, 40.0, dt=0.02, stimulus=model.current_density({0: 0.05}), record=record)
    wanted = RALL.step_response(model.positions(), sol.times["v"][:, None], current=0.05)
    away = np.abs(np.asarray(sol["v"]) + 65.0 - wanted)
    assert away.max() / wanted.max() < 1e-4
    # Second order in space.
    errors = []
    for n in (20, 40):
        own = cable(n)
        errors.append(np.abs(response(own, 20.0, 0.02) - RALL.step_response(own.positions(), 20.0, current=0.05)).max())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.2)


def test_steady_state_is_the_attenuation_of_rall():
    model = cable(200)
    load = 0.1 * model.areas()
    v = model.links().solve(load, model.current_density({0: 0.05}) * model.areas())
    end = 0.05 * RALL.input_resistance * RALL.attenuation(model.positions())
    np.testing.assert_allclose(v, end, rtol=1e-4)
    assert float(RALL.length_constant) == pytest.approx(707.10678)
    assert float(RALL.step_response(0.0, 1e4, current=0.05)) == pytest.approx(0.05 * float(RALL.input_resistance))


@pytest.mark.parametrize(("solver", "order"), [(jn.SDIRK2(), 2), (jn.CrankNicolson(), 2), (jn.ImplicitEuler(), 1)])
def test_order_in_time_against_the_matrix_exponential(solver, order):
    model = cable(8)
    a = flow(model)
    start = np.linspace(0.0, 10.0, 8)
    exact = expm(5.0 * a) @ start
    first = eqx.tree_at(lambda y: y.v, model.initial(), jnp.asarray(start) - 65.0)

    def error(dt):
        y = first
        for _ in range(round(5.0 / dt)):
            y = advance(y, dt)
        return np.abs(np.asarray(y.v) + 65.0 - exact).max()

    advance = eqx.filter_jit(lambda y, dt: model.advance(y, None, dt, solver))
    coarse, fine = error(jnp.asarray(0.25)), error(jnp.asarray(0.125))
    assert np.log2(coarse / fine) == pytest.approx(order, abs=0.2)


def test_a_step_of_current_does_not_ring():
    """At dt 0.5 and 400 compartments Crank-Nicolson goes to 3.48, 3.43, 5.06 mV where Rall has 2.77, 3.87, 4.66."""
    model = cable(400)
    wanted = RALL.step_response(model.positions()[0], np.array([0.5, 1.0, 1.5]), current=0.05)
    np.testing.assert_allclose(wanted, [2.77, 3.87, 4.66], atol=5e-3)
    v = np.asarray(jn.simulate(model, 0.0, 1.5, dt=0.5, stimulus=model.current_density({0: 0.05}))["v"])[:, 0] + 65.0
    np.testing.assert_allclose(v[0], wanted[0], rtol=0.07)
    np.testing.assert_allclose(v[1:], wanted[1:], rtol=0.005)


@pytest.mark.parametrize("solver", [jn.SDIRK2(), jn.CrankNicolson(), jn.ImplicitEuler()], ids=repr)
def test_one_step_of_each_solver_against_its_rational_function(solver):
    """Of V' = A V + b: the resolvents are dense, by NumPy."""
    model, dt, one = cable(6), 0.7, np.eye(6)
    a = flow(model)
    b = np.linspace(0.0, 2.0, 6)
    g = 1.0 - np.sqrt(0.5)
    implicit = np.linalg.inv(one - g * dt * a)
    share = {
        jn.SDIRK2: implicit @ implicit @ (one + (1.0 - 2.0 * g) * dt * a),
        jn.CrankNicolson: np.linalg.solve(one - 0.5 * dt * a, one + 0.5 * dt * a),
        jn.ImplicitEuler: np.linalg.inv(one - dt * a),
    }[type(solver)]
    start, stands = np.linspace(3.0, -4.0, 6), -np.linalg.solve(a, b)
    y = eqx.tree_at(lambda y: y.v, model.initial(), jnp.asarray(start) - 65.0)
    after = (
        eqx.filter_jit(lambda y, b, dt: model.advance(y, b, dt, solver).v)(y, jnp.asarray(b), jnp.asarray(dt)) + 65.0
    )
    np.testing.assert_allclose(after, stands + share @ (start - stands), rtol=1e-11)


@pytest.mark.float32
@pytest.mark.parametrize("solver", [jn.SDIRK2(), jn.CrankNicolson()], ids=repr)
def test_short_steps_of_a_cable(solver):
    """A cable that moves as one: V = rest + I/g (1 - exp(-t/tau)), tau 100 ms, in 20,000 steps of tau/20,000."""
    slow = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.01, e=-65.0)}, v_th=0.0)
    model = jn.Cable(slow, jn.Section(length=100.0, diameter=2.0, n=3), r_a=100.0)
    record = {"v": jn.record.Trace("v", every=20_000)}
    v = jn.simulate(model, 0.0, 100.0, dt=0.005, stimulus=0.01, record=record, solver=solver)["v"][-1]
    np.testing.assert_allclose(v, -65.0 - np.expm1(-1.0), rtol=0, atol=2 * np.spacing(np.float32(65.0)))


def test_a_tree_that_obeys_ralls_rule_is_a_cylinder():
    # d^(3/2) is the same before and after the fork, and electrotonic lengths are those of one cylinder.
    d = 2.0 * 0.5 ** (2 / 3)
    daughter = 500.0 * np.sqrt(d / 2.0)
    fork = jn.Cable(
        PASSIVE,
        [
            jn.Section(length=500.0, diameter=2.0, n=50),
            jn.Section(length=daughter, diameter=d, n=50),
            jn.Section(length=daughter, diameter=d, n=50),
        ],
        parents=[-1, 0, 0],
        r_a=100.0,
    )
    tree, cylinder = response(fork, 20.0, 0.1), response(cable(100), 20.0, 0.1)
    np.testing.assert_allclose(tree[:100], cylinder, rtol=2e-5)
    np.testing.assert_allclose(tree[50:100], tree[100:], rtol=1e-12)
    # The same tree by the vector field and RungeKutta4-free algebra: solve and inflow are inverse.
    links, load = fork.links(), 0.3 * fork.areas()
    v = jnp.asarray(np.random.default_rng(0).normal(size=150))
    np.testing.assert_allclose(links.solve(load, load * v - links.inflow(v)), v, rtol=1e-9, atol=1e-10)
    assert abs(float(jnp.sum(links.inflow(v)))) < 1e-12
    # Two sections that start from one point are one cable, seen from its middle.
    halves = jn.Cable(PASSIVE, [jn.Section(length=500.0, diameter=2.0, n=50)] * 2, parents=[-1, -1], r_a=100.0)
    there = jnp.concatenate([halves.links().inflow(v[:100])])
    here = cable(100).links().inflow(jnp.concatenate([v[:50][::-1], v[50:100]]))
    np.testing.assert_allclose(jnp.concatenate([there[:50][::-1], there[50:]]), here, atol=1e-12)


@pytest.fixture(scope="module")
def active():
    """The potential every 0.25 ms, (time, compartment)."""
    model = jn.Cable(jn.HodgkinHuxley(e_l=-54.3), jn.Section(length=2_000.0, diameter=20.0, n=40), r_a=35.4)
    density = model.current_density({0: 30.0})
    start = model.membrane.init(jnp.full(40, -65.0))
    state = jn.simulate(model, 0.0, 0.0025, dt=0.0025).state
    state = eqx.tree_at(lambda s: (s.step, s.y), state, (jnp.zeros((), jnp.int32), start))
    record = {"v": jn.record.Trace("v", every=100)}
    sol = jn.simulate(
        model, 0.0, 10.0, dt=0.0025, state=state, record=record,
        stimulus=lambda t: jnp.where(t < 1.0, density, 0.0),
    )  # fmt: skip
    return np.asarray(sol["v"])


@pytest.mark.parametrize("peer", ["NEURON", "Jaxley"])
def test_active_cable_against(peer, active):
    reference = json.loads((REFERENCES / f"cable_{peer}.json").read_text())
    wanted = np.asarray(reference["v"])[:, 1:]
    away = np.abs(active[:, reference["compartments"]].T - wanted)
    assert wanted.max() > 20.0
    assert away.max() < {"NEURON": 0.02, "Jaxley": 0.2}[peer]


@pytest.mark.float32
def test_conduction_velocity_of_the_squid_axon():
    # Hodgkin and Huxley found 18.8 m/s by hand at 18.5 degrees.
    model = jn.Cable(jn.HodgkinHuxley(temperature=18.5), jn.Section(length=40_000.0, diameter=476.0, n=200), r_a=35.4)
    speed = jn.analysis.conduction_velocity(model, current=20_000.0, duration=5.0, dt=0.01)
    assert float(speed) == pytest.approx(18.7, abs=0.1)


def test_gradient_through_a_tree():
    def loss(d):
        model = jn.Cable(
            PASSIVE, [jn.Section(length=200.0, diameter=x, n=3) for x in (d, 1.0, 1.5)], parents=[-1, 0, 0], r_a=100.0
        )
        sol = jn.simulate(model, 0.0, 2.0, dt=0.1, stimulus=model.current_density({0: 0.02}), throw=False)
        return sol["v"][-1, -1]

    both = jax.jit(jax.value_and_grad(loss))
    assert float(both(2.0)[1]) == pytest.approx(float((both(2.001)[0] - both(1.999)[0]) / 0.002), rel=1e-5)


def test_errors(as_users_run):
    for parents in ([0, 1], [-1, 0.7], 3):
        with pytest.raises(ValueError, match="`parents` has to name"):
            jn.Cable(PASSIVE, [jn.Section(length=1.0, diameter=1.0, n=2)] * 2, parents=parents)
    rall = jn.theory.PassiveCable(length=1_000.0, diameter=2.0, g_l=0.1, r_a=100.0)
    for beyond in (lambda: rall.attenuation(1_001.0), lambda: rall.step_response(1_001.0, 1.0, current=0.1)):
        with pytest.raises(ValueError, match="`x` has to lie on the cable"):
            beyond()
    with pytest.raises(ValueError, match="at least 4 compartments"):
        jn.analysis.conduction_velocity(
            jn.Cable(jn.HodgkinHuxley(), jn.Section(length=10.0, diameter=1.0, n=1)), current=1.0
        )
    with pytest.raises(ValueError, match="`membrane` has to be a neuron with channels"):
        jn.Cable(jn.LIF(), jn.Section(length=1.0, diameter=1.0, n=2))
    with pytest.raises(ValueError, match="`sections` has to be a `Section` or a list"):
        jn.Cable(PASSIVE, None)
    with pytest.raises(ValueError, match="`n` has to be a positive number"):
        jn.Section(length=1.0, diameter=1.0, n=0)
    with pytest.raises(ValueError, match="`solver` of a Cable"):
        jn.simulate(cable(2), 0.0, 1.0, dt=0.1, solver=jn.Exact())


@pytest.mark.parametrize("at", [3, -4, True], ids=str)
def test_a_current_into_no_compartment_is_refused(at):
    leak = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.1, e=-65.0)})
    cable = jn.Cable(leak, jn.Section(length=30.0, diameter=2.0, n=3))
    with pytest.raises(ValueError, match="`currents` has to name compartments, 0 to 2"):
        cable.current_density({at: 1.0})


def test_a_section_has_one_length_and_a_cable_one_resistivity():
    two = jnp.asarray([1.0, 2.0])
    with pytest.raises(ValueError, match="`length` has to be one number"):
        jn.Section(length=two, diameter=1.0, n=2)
    leak = jn.ConductanceNeuron({"l": jn.channels.Leak(g=0.1, e=-65.0)})
    with pytest.raises(ValueError, match="`r_a` has to be one number"):
        jn.Cable(leak, jn.Section(length=30.0, diameter=2.0, n=2), r_a=two)
