"""What theory reads of a network, and theories of the noise from outside the package."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special

import jaxneuro as jn


def drive(synapse, weight, *, model=None, **others):
    """One neuron under 1,000 Poisson sources of 10 Hz."""
    external = jn.PoissonDrive("E", synapse, weight=weight, n_sources=1_000, rate=10.0)
    return jn.Network({"E": jn.Population(jn.LIF() if model is None else model, **others)}, drives=[external])


class Quadrature(jn.theory.AbstractNoise):
    """Siegert's integral on 400 nodes, of my own."""

    def rate(self, seen):
        neuron, at = seen.membrane(), jn.theory.EffectiveNoise().summary(seen)
        low, high = (neuron.v_reset - at.mu) / at.sigma, (neuron.v_th - at.mu) / at.sigma
        nodes, weights = np.polynomial.legendre.leggauss(400)
        x = 0.5 * (high + low) + 0.5 * (high - low) * nodes
        integral = 0.5 * (high - low) * jnp.sum(weights * jnp.exp(x * x) * (1 + jax.scipy.special.erf(x)))
        return 1_000 / (neuron.t_ref + at.tau * np.sqrt(np.pi) * integral)


def test_a_theory_of_ones_own_by_quadrature():
    net = jn.networks.conductance_based(g=20.0, nu_x=20.0)
    own = jn.theory.mean_field(net, noise=Quadrature())
    at = jn.theory.effective_input(net, own.rate)["E"]
    siegert = jn.theory.lif_rate(at.mu, at.sigma, tau=at.tau, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    np.testing.assert_allclose(own.rate["E"], siegert, rtol=1e-8)
    assert own.result == jn.Result.successful
    assert np.isnan(own.cv["E"])
    assert np.isnan(own.mu["I"])
    assert "CV" not in str(own)
    assert "mu" not in str(own)


class Dear(jn.theory.AbstractNoise):
    """A rate 1.3 times that of the effective theory, which searches for it."""

    def rate(self, seen):
        return 1.3 * jn.theory.EffectiveNoise().rate(seen)

    def cheap(self):
        return jn.theory.EffectiveNoise()


@pytest.mark.parametrize("batch", [False, True])
def test_a_dear_theory_stands_once_in_the_program_of_a_mean_field(batch):
    """What it costs is its compilation; `erf_inv` marks where it stands."""

    class Marked(jn.theory.AbstractNoise):
        def rate(self, seen):
            at = jn.theory.EffectiveNoise().rate(seen)
            return at + jax.lax.erf_inv(0.5 * jnp.tanh(at))

        def cheap(self):
            return jn.theory.EffectiveNoise()

    def rate(nu_x):
        return jn.theory.mean_field(jn.networks.conductance_based(nu_x=nu_x), noise=Marked(), throw=False).rate["E"]

    call, numbers = (jax.vmap(rate), jnp.array([10.0, 20.0])) if batch else (rate, 20.0)
    program = jax.jit(call).lower(numbers).as_text()
    assert program.count("chlo.erf_inv") == 1


def test_a_dear_theory_is_polished_from_a_cheap_one():
    net = drive(jn.DeltaCurrent(), 0.11)
    loop = jn.Projection("E", "E", jn.DeltaCurrent(), weight=-0.1, connectivity=jn.FixedInDegree(100), delay=1.5)
    recurrent = jn.Network(net.populations, [loop], net.drives)
    for own, rtol in ((net, 1e-10), (recurrent, 1e-9)):
        dear = jn.theory.mean_field(own, noise=Dear())
        rate = float(dear.rate["E"])
        at = jn.theory.effective_input(own, {"E": rate})["E"]
        numbers = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
        np.testing.assert_allclose(1.3 * jn.theory.lif_rate(at.mu, at.sigma, **numbers), rate, rtol=rtol)
    assert not dear.exhaustive


def test_what_a_theory_lacks_is_refused_by_name():
    seen = jn.theory.afferents(drive(jn.DeltaCurrent(), 0.1), {"E": 1.0})["E"]
    for call in (lambda: Dear().density(jnp.asarray(10.0), seen), lambda: Dear().response(jnp.asarray(1j), seen)):
        with pytest.raises(ValueError, match="`Dear` has no"):
            call()
    effective = jn.theory.EffectiveNoise()
    at = effective.summary(seen)
    numbers = dict(tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    own = effective.density(jnp.asarray(15.0), seen), effective.response(jnp.asarray(0.1j), seen).mu
    formula = (
        jn.theory.lif_density(15.0, at.mu, at.sigma, **numbers),
        jn.theory.lif_response(100.0, at.mu, at.sigma, **numbers).mu,
    )
    np.testing.assert_allclose(own, formula, rtol=1e-12)


def conductance_rate(a, tau_m=20.0, v_rest=-80.0, k=1_000, nu=10.0, reversal=0.0):
    """Equations (5), (6) and (10) by adaptive quadrature [Hz], for excitatory conductances of integral `a`."""
    r = k * nu / 1_000
    tau = 1 / (1 / tau_m + a * r)
    mu = tau * (v_rest / tau_m + a * r * reversal)
    sigma = np.sqrt(tau * a**2 * r * (mu - reversal) ** 2)
    low, high = (-65.0 - mu) / sigma, (-55.0 - mu) / sigma
    return 1_000 / (2.0 + tau * np.sqrt(np.pi) * integrate.quad(lambda x: special.erfcx(-x), low, high)[0])


@pytest.mark.parametrize(
    "jump",
    [
        jn.ExactJump(),
        pytest.param(jn.FirstOrderJump(), marks=pytest.mark.proof),
    ],
)
def test_the_rate_of_conductances_is_that_of_the_equations(jump):
    lif = jn.LIF(v_rest=-80.0, v_th=-55.0, v_reset=-65.0)
    a = 0.0015
    mf = jn.theory.mean_field(drive(jn.DeltaConductance(0.0, jump=jump), a, model=lif))
    np.testing.assert_allclose(mf.rate["E"], conductance_rate(a), rtol=1e-9)


SYNAPSES = [
    (jn.DeltaCurrent(), 0.7, 0.7),
    (jn.ExponentialCurrent(5.0), 0.7, 0.7 * 5.0 / 20.0),
    (jn.AlphaCurrent(5.0), 0.7, 0.7 * np.e * 5.0 / 20.0),
    # The area between two exponentials of peak 1, by quadrature.
    (
        jn.RiseDecayCurrent(tau_rise=1.0, tau_decay=5.0),
        0.7,
        0.7 / 20.0 * 4.0 / (0.2**0.25 - 0.2**1.25),
    ),
]


@pytest.mark.parametrize(("synapse", "weight", "jump"), SYNAPSES, ids=lambda x: type(x).__name__)
def test_the_jump_of_one_spike(synapse, weight, jump):
    effect = synapse.spike_effect(jnp.asarray(weight), jnp.asarray(20.0))
    np.testing.assert_allclose(effect.jump, jump, rtol=1e-6)
    assert effect.reversal is None


def test_the_conductance_of_one_spike():
    effect = jn.DeltaConductance(-75.0).spike_effect(jnp.asarray(0.3), jnp.asarray(20.0))
    np.testing.assert_allclose([effect.integral, effect.share], [0.3, 1 - np.exp(-0.3)], rtol=1e-6)
    first = jn.DeltaConductance(-75.0, jump=jn.FirstOrderJump()).spike_effect(jnp.asarray(0.3), jnp.asarray(20.0))
    np.testing.assert_allclose([first.integral, first.share], [0.3, 0.3], rtol=1e-6)
    filtered = jn.ExponentialConductance(5.0, reversal=0.0).spike_effect(jnp.asarray(0.3), jnp.asarray(20.0))
    np.testing.assert_allclose([filtered.integral, filtered.time_constants[0]], [0.3 / 4, 5.0], rtol=1e-6)


def test_what_is_left_out_is_said():
    alone = jn.theory.mean_field(drive(jn.DeltaCurrent(), 0.11))
    assert alone.left_out == ("finite jumps",)
    assert str(alone).endswith("Left out: finite jumps.")


@pytest.mark.parametrize("noise", [jn.theory.EffectiveNoise(), jn.theory.ItoNoise(), jn.theory.StratonovichNoise()])
def test_a_diffusion_says_that_it_leaves_out_the_rule_of_the_jump(noise):
    spikes = jn.DeltaConductance(0.0, jump=jn.FirstOrderJump())
    said = noise.left_out(jn.theory.afferents(drive(spikes, 0.05), {"E": 1.0})["E"])
    assert said[0] == "finite jumps and their rule `jump=` (`ShotNoise` has both)"
    assert jn.theory.ShotNoise().left_out(jn.theory.afferents(drive(spikes, 0.05), {"E": 1.0})["E"]) == ()


def test_refusals(as_users_run):
    source = jn.Network(
        {"E": jn.Population(jn.LIF()), "X": jn.Population(jn.SpikeSource(), 10)},
        [jn.Projection("X", "E", jn.DeltaCurrent(), weight=0.1, connectivity=jn.FixedInDegree(5), delay=1.0)],
    )
    uneven = jn.Network(
        {"E": jn.Population(jn.LIF(), 2)},
        drives=[jn.PoissonDrive("E", jn.DeltaConductance([0.0, 1.0]), weight=0.1, n_sources=10, rate=5.0)],
    )
    cases = [
        (source, r"`populations\['X'\]`.*`SpikeSource` has the rate that a run gives it"),
        (uneven, r"`drives\[0\].synapse` differs between target neurons"),
        (drive(jn.AlphaCurrent(2.0), 0.1), r"`populations\['E'\]`: `drives\[0\]`.*course of AlphaCurrent has 2"),
        (drive(jn.DeltaCurrent(), 0.1, model=jn.LIF(reset=jn.reset.Soft())), r"'E'.*neurons with `jn.reset.Hard"),
        (drive(jn.DeltaCurrent(), 0.1, model=jn.neurons.adex()), "'E'.*this neuron adapts"),
    ]
    for net, sentence in cases:
        with pytest.raises(ValueError, match=sentence):
            jn.theory.mean_field(net)
    # A rate that the caller knows is taken.
    assert float(jn.theory.effective_input(source, {"E": 1.0, "X": 200.0})["E"].mu) == pytest.approx(2.0)


def test_negative_rates_are_refused_or_nan():
    loop = jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.2, connectivity=jn.FixedInDegree(100), delay=1.5)
    net = jn.Network({"E": jn.Population(jn.LIF())}, [loop], [jn.WhiteNoiseDrive("E", mu=5.0, sigma=0.0)])
    for call in (jn.theory.effective_input, jn.theory.afferents):
        with pytest.raises(ValueError, match=r"`rates\['E'\]` must not be negative; got -5"):
            call(net, {"E": -5.0})
        with pytest.raises(ValueError, match=r"`rates` names 'X', which is no population"):
            call(net, {"E": 5.0, "X": 5.0})
    with pytest.raises(ValueError, match=r"`rates\['E'\]` has to be finite"):
        jn.theory.effective_input(net, {"E": np.nan})

    def traced(rate):
        at = jn.theory.effective_input(net, {"E": rate})["E"]
        return jnp.stack([at.mu, at.sigma])

    rates = jnp.asarray([-5.0, 0.0, 5.0])  # K J^2 tau_m rate = 0.4 mV^2 at 5 Hz
    found, slopes = jax.jit(jax.vmap(lambda rate: (traced(rate), jax.jacfwd(traced)(rate))))(rates)
    np.testing.assert_allclose(found, [[np.nan] * 2, [5.0, 0.0], [7.0, np.sqrt(0.4)]], rtol=1e-12)
    assert np.isnan(slopes[0]).all()
    assert np.isfinite(slopes[1:]).all()
