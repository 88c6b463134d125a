"""The states of a network, from numbers and from runs."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

A = jn.analysis
KEY, DT = jax.random.key(2), 0.1


def small_run(g=5.0, wiring=None, **keywords):
    net = jn.networks.brunel(g, n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
    record = A.state_recorders(start=50.0, segment=50.0)
    return jn.simulate(net, 0.0, 300.0, dt=DT, key=KEY, wiring=wiring, record=record, **keywords)


@pytest.mark.float32
@pytest.mark.parametrize(
    ("numbers", "state"),
    [
        ((333.0, 0.001, 665.0, 2.0), A.State.SR),
        ((300.0, 0.05, 300.0, 0.02), A.State.AR),
        ((59.0, 0.8, 180.0, 1.15), A.State.fast_SI),
        ((38.0, 0.42, 115.0, 0.6), A.State.AI),
        ((6.0, 0.53, 20.0, 1.3), A.State.slow_SI),
        ((0.05, np.nan, np.nan, np.nan), A.State.quiescent),
        ((2.0, np.nan, 20.0, 1.0), A.State.undetermined),
    ],
    ids=lambda x: str(x),
)
def test_the_rule(numbers, state):
    assert A.State(int(A.classify(*numbers))) == state


def test_the_rule_maps_over_a_phase_diagram():
    frequency = jnp.array([[20.0, 180.0], [20.0, 180.0]])
    modulation = jnp.array([[0.5, 0.5], [1.0, 1.0]])
    codes = A.classify(30.0, 0.6, frequency, modulation)
    assert codes.tolist() == [[A.State.AI, A.State.AI], [A.State.slow_SI, A.State.fast_SI]]
    mapped = jax.jit(jax.vmap(lambda f, m: A.classify(30.0, 0.6, f, m)))(frequency[1], modulation[1])
    assert mapped.tolist() == codes[1].tolist()
    moved = A.classify(30.0, 0.6, 20.0, 0.9, thresholds=A.Thresholds(modulation=0.95))
    assert A.State(int(moved)) == A.State.AI
    assert str(A.State.fast_SI) == "fast SI"


@pytest.mark.float32
def test_an_oscillation_of_known_amplitude():
    # 1,000 sources of the rate r (1 + A cos 2 pi f t), f on the grid of frequencies.
    rate, amplitude, frequency, n = 50.0, 0.8, 120.0, 1_000
    trains = jn.statistics.bernoulli_trains(
        lambda t: rate * (1 + amplitude * jnp.cos(2 * jnp.pi * frequency / 1_000 * t)),
        0.0, 2_500.0, n=n, dt=0.5, key=KEY,
    )  # fmt: skip
    spectrum = jn.statistics.power_spectrum(trains, width=0.5, segment=200.0)
    found = A.oscillation(spectrum.frequencies, spectrum.density, rate, n=n)
    assert float(found.frequency) == pytest.approx(frequency)
    # The power has the error of its cross term with the noise, 4 A r sqrt(r / N T) / (A r)^2 / 2 = 3%.
    assert float(found.modulation) == pytest.approx(amplitude, rel=0.05)
    # A Hann taper makes a line of (A r)^2 / 4 one of density (A r)^2 / 4 / (1.5 / segment), three bins wide.
    assert float(found.height) == pytest.approx((amplitude * rate) ** 2 / 4 / (1.5 * 5.0) * n / rate, rel=0.1)
    assert float(found.sharpness) == pytest.approx(frequency / (1 * 5.0), rel=0.7)
    batch = A.oscillation(spectrum.frequencies, jnp.stack([spectrum.density] * 2), jnp.array([rate, 0.0]), n=n)
    assert float(batch.modulation[0]) == pytest.approx(float(found.modulation))
    assert np.isnan(batch.modulation[1])


def test_a_run_says_what_it_was_decided_from():
    sol = small_run()
    found = A.classify_state(sol)
    assert set(found.state) == {"E", "I"}
    assert found.state["E"] == A.State(int(found.code["E"]))
    mean = sol.mean("cv")["E"]
    np.testing.assert_allclose([found.cv["E"], found.rate["E"]], [mean.value, sol.mean("rate")["E"].value], rtol=1e-6)
    assert int(found.cv_neurons["E"]) == mean.n
    np.testing.assert_array_equal(found.chi["I"], sol["synchrony"]["I"].chi)
    text = str(found)
    assert f"E: {found.state['E']}, rate" in text
    assert "Thresholds: quiescent below 0.1 Hz, regular below CV 0.2" in text
    everywhere = A.classify_state(sol, thresholds=A.Thresholds(quiescent_rate=1e4))
    assert set(everywhere.state.values()) == {A.State.quiescent}


def test_a_single_population_gives_one_state():
    record = A.state_recorders(start=100.0)
    population = jn.Population(jn.LIF(), 50, initial=jn.initial.UniformPotential(0.0, 20.0))
    sol = jn.simulate(population, 0.0, 1_000.0, dt=DT, key=KEY, stimulus=30.0, record=record)
    found = A.classify_state(sol)
    # Alike neurons from other potentials: regular, and together or not as their start was.
    assert found.state in (A.State.SR, A.State.AR)
    together = jn.simulate(jn.Population(jn.LIF(), 50), 0.0, 1_000.0, dt=DT, key=KEY, stimulus=30.0, record=record)
    assert A.classify_state(together).state == A.State.SR
    silent = jn.simulate(jn.Population(jn.LIF(), 50), 0.0, 1_000.0, dt=DT, key=KEY, record=record)
    assert A.classify_state(silent).state == A.State.quiescent
    assert "quiescent, rate 0 Hz" in str(A.classify_state(silent))


def test_a_batch_of_runs_gives_codes():
    wiring = jn.wire(jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5), key=KEY)
    values = jnp.array([3.0, 6.0])
    inside = eqx.filter_vmap(lambda g: A.classify_state(small_run(g, wiring, throw=False)))(values)
    outside = A.classify_state(eqx.filter_vmap(lambda g: small_run(g, wiring, throw=False))(values))
    alone = A.classify_state(small_run(6.0, wiring))
    for found in (inside, outside):
        assert found.code["E"].shape == (2,)
        assert found.state["E"][1] == alone.state["E"]
        np.testing.assert_allclose(found.modulation["E"][1], alone.modulation["E"], rtol=1e-9)
        assert "shape (2,)" in str(found)


@pytest.mark.parametrize(
    ("seed", "n"),
    [pytest.param(1, 4, marks=pytest.mark.slow)] + [pytest.param(s, 8, marks=pytest.mark.proof) for s in (1, 2)],
)
def test_the_four_examples_of_the_source(seed, n):
    end = 1_200.0 if n == 8 else 600.0
    # Brunel (2000), Fig. 8, at full size: in smaller networks the noise of their size hides the states.
    wiring = jn.wire(jn.networks.brunel(), key=jax.random.key(seed))
    expected = {
        (3.0, 2.0): A.State.SR, (6.0, 4.0): A.State.fast_SI, (5.0, 2.0): A.State.AI, (4.5, 0.9): A.State.slow_SI,
        # Inside the same regions of Fig. 2.
        (2.0, 2.0): A.State.SR, (7.0, 4.0): A.State.fast_SI, (6.0, 2.0): A.State.AI, (4.5, 0.95): A.State.slow_SI,
    }  # fmt: skip
    for (g, ratio), state in list(expected.items())[:n]:
        sol = jn.simulate(
            jn.networks.brunel(g, ratio), 0.0, end, dt=DT, key=jax.random.key(seed), wiring=wiring,
            record=A.state_recorders(start=200.0),
        )  # fmt: skip
        found = A.classify_state(sol)
        assert set(found.state.values()) == {state}, f"at {g}, {ratio}:\n{found}"
        if state in (A.State.fast_SI, A.State.slow_SI):
            low, high = (150.0, 210.0) if state == A.State.fast_SI else (15.0, 45.0)
            assert low < float(found.frequency["E"]) < high


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: A.classify_state(3), "`sol` has to be what `jn.simulate` returns"),
        (lambda: A.classify_state(jn.simulate(jn.Population(jn.LIF(), 2), 0.0, 5.0, dt=DT, key=KEY)), "needs the rec"),
        (lambda: A.Thresholds(modulation=-1.0), "`modulation` must not be negative"),
        (lambda: A.Thresholds(modulation=[0.5, 0.6]), "`modulation` has to be one number"),
        (lambda: A.state_recorders(start=float("nan")), "`start` has to be finite"),
        (lambda: A.classify(1.0, 1.0, 1.0, 1.0, thresholds="x"), "`thresholds` has to be"),
        (lambda: A.oscillation(jnp.arange(4.0), jnp.ones(5), 1.0, n=1), "`frequencies` has to be one axis"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_single_neuron_is_undetermined():
    """It fires like a clock, and has nobody to be in step with."""
    one = jn.Population(jn.LIF(), 1)
    sol = jn.simulate(one, 0.0, 600.0, dt=DT, key=KEY, stimulus=30.0, record=A.state_recorders())
    assert A.classify_state(sol).state == A.State.undetermined


@pytest.mark.parametrize("numbers", [(np.nan, 0.5, 100.0, 0.6), (10.0, 0.5, np.nan, 1.5)], ids=str)
def test_what_is_not_known_is_undetermined(numbers):
    assert int(A.classify(*numbers)) == A.State.undetermined
