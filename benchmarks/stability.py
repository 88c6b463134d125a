"""Stability of Brunel's network: theory beside simulated spectra, slopes of the rate, and the refractory factor.

The peer is the simulated network of 12,500 neurons where a frequency is compared, the slope of `lif_rate` at omega = 0,
bisection for a line of the phase map, and the theory without exp(-i omega t_ref) for the critical drive.
"""

import time
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.extend import AbstractNoise, Afferents
from jaxneuro.theory._loop import RecurrentLoop, RecurrentPath, longest_delay, loop_of
from jaxneuro.theory._modes import search_modes, window_of

from ._report import Row, compared

NEURON = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}
POINTS = {"fast SI": (6.0, 4.0), "near fast SI": (6.0, 3.0), "AI": (5.0, 2.0), "slow SI": (4.5, 0.9), "SR": (3.0, 2.0)}
AXES = {
    "g": np.linspace(2.0, 8.0, 41),
    "nu_ext_over_nu_thr": np.concatenate(
        [np.linspace(0.3, 0.7, 5), np.linspace(0.75, 1.05, 13), np.linspace(1.2, 4, 20)]
    ),
}
GROUPS = (("E", "I"),)


def simulated_peak(net: jn.Network) -> float:
    """The frequency of the largest peak above 8 Hz of the population rate over 2 s, at a resolution of 2 Hz."""
    record = {"rate": jn.record.PopulationRate("E", start=200.0, width=0.1)}
    sol = jn.simulate(net, 0.0, 2_200.0, dt=0.1, key=jax.random.key(3), record=record)
    rate = np.asarray(sol["rate"]["E"])
    blocks = (rate - rate.mean()).reshape(-1, 5_000) * np.hanning(5_000)
    power = np.mean(np.abs(np.fft.rfft(blocks)) ** 2, axis=0)
    frequencies = np.fft.rfftfreq(5_000, 1e-4)
    # A bursting network has harmonics as high as the ground, all the way to the step.
    used = (frequencies > 8.0) & (frequencies < 1_000.0)
    return float(frequencies[np.argmax(power * used)])


def points() -> list[Row]:
    rows = []
    for name, (g, ratio) in POINTS.items():
        net = jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio)
        seen = jn.theory.brunel_stability(net)
        note = f"at {float(seen.rate['E']):.4g} Hz; peer: peak of a simulated spectrum, resolution 2 Hz"
        rows.append(compared(f"growth at g = {g}, ratio {ratio} ({name})", "1/s", [float(seen.growth)], None))
        rows.append(compared("    its frequency", "Hz", [float(seen.frequency)], [simulated_peak(net)], note))
    return rows


def slopes() -> list[Row]:
    def rate(mu, variance):
        return jn.theory.lif_rate(mu, jnp.sqrt(variance), **NEURON)

    mu, sigma = 15.0, 5.0
    seen = jn.theory.lif_response(0.0, mu, sigma, **NEURON)
    exact = jax.grad(rate, (0, 1))(mu, sigma**2)
    return [
        compared("response to the mean at omega = 0", "Hz/mV", [float(seen.mu.real)], [float(exact[0])]),
        compared("response to the variance at omega = 0", "Hz/mV^2", [float(seen.variance.real)], [float(exact[1])]),
    ]


class WithoutSilence(AbstractNoise):
    """`EffectiveNoise` with a response that lacks exp(-lambda t_ref): that of t_ref = 0."""

    def rate(self, seen: Afferents) -> jax.Array:
        return jn.theory.EffectiveNoise().rate(seen)

    def response(self, growth: jax.Array, seen: Afferents) -> jn.theory.LifResponse:
        silent = eqx.tree_at(lambda s: s.neuron.t_ref, seen, jnp.zeros_like(seen.membrane().t_ref))
        return jn.theory.EffectiveNoise().response(growth, silent)


def without_silence(loop: RecurrentLoop, scale: jax.Array) -> RecurrentLoop:
    """The loop with responses that lack exp(-lambda t_ref), at the right rate."""
    paths = tuple(RecurrentPath(p.post, p.pre, p.delay, scale * p.mean, scale * p.variance) for p in loop.paths)
    return RecurrentLoop(WithoutSilence(), loop.neurons, paths, loop.n)


@jax.jit
def growths(g: jax.Array, ratio: jax.Array) -> jax.Array:
    """Growth of the leading mode [1/s], with and without the refractory factor."""
    net = jn.networks.brunel(g=g, nu_ext_over_nu_thr=ratio)
    mf = jn.theory.mean_field(net, throw=False)
    loop = loop_of(net, jn.theory.EffectiveNoise(), GROUPS, {name: mf.rate[name] for name in GROUPS[0]})
    rate = jn.theory.lif_rate(mf.mu["E"], mf.sigma["E"], **NEURON)
    other = without_silence(loop, rate / jn.theory.lif_rate(mf.mu["E"], mf.sigma["E"], **(NEURON | {"t_ref": 0.0})))
    window, dtype = window_of(longest_delay(loop)), jnp.result_type(complex)
    found = [search_modes(each.characteristic, window, dtype) for each in (loop, other)]
    return jnp.stack([jnp.where(z.found[0], 1e3 * z.at[0].real, -jnp.inf) for z in found])


def critical(g: float, which: int, low: float, high: float) -> float:
    """The drive at which the oscillation starts to grow, by bisection."""
    for _ in range(24):
        middle = 0.5 * (low + high)
        grows = float(growths(jnp.asarray(g), jnp.asarray(middle))[which]) > 0
        low, high = (low, middle) if grows else (middle, high)
    return 0.5 * (low + high)


def seconds(function: Callable[[], object], rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(function())
        taken.append(time.perf_counter() - start)
    return taken


def run() -> list[Row]:
    """The rows of the four states first, then checks, then times."""
    jax.config.update("jax_enable_x64", True)
    rows = points() + slopes()
    for g in (6.0, 7.0):
        with_it, without = (critical(g, which, 1.5, 8.0) for which in (0, 1))
        note = "peer: without exp(-i omega t_ref)"
        rows.append(
            compared(f"critical drive of the fast oscillation at g = {g}", "nu_thr", [with_it], [without], note)
        )

    network = jn.networks.brunel
    net = network(g=6.0, nu_ext_over_nu_thr=4.0)
    rates = jn.theory.mean_field(net).rate
    start = time.perf_counter()
    found = jn.theory.phase_boundaries(network, over=AXES)
    first = time.perf_counter() - start
    fast = max((b for b in found.boundaries if not b.saddle_node), key=lambda b: b.points[:, 0].max())
    order = np.argsort(fast.points[:, 0])
    line = float(np.interp(6.0, fast.points[order, 0], fast.points[order, 1]))
    note = f"a map of {AXES['g'].size} x {AXES['nu_ext_over_nu_thr'].size}; peer: bisection"
    rows.append(compared("the same at g = 6, read off the map", "nu_thr", [line], [critical(6.0, 0, 1.5, 8.0)], note))
    whole = seconds(lambda: jn.theory.phase_boundaries(network, over=AXES), 3)
    note = f"{int(found.n_states.sum())} states with all modes, lines included; {first:.1f} s the first time"
    rows.append(compared("the map, compiled", "s", whole, None, note))
    one = seconds(lambda: jn.theory.brunel_stability(net, rates=rates).growth, 20)
    rows.append(compared("modes of one state, compiled", "ms", [1e3 * t for t in one], None))
    omega = jnp.linspace(0.0, 1e4, 20_000)
    response = jax.jit(lambda w: jn.theory.lif_response(w, 15.0, 5.0, **NEURON).mu)
    response(omega)
    each = seconds(lambda: response(omega), 7)
    rows.append(compared("response at one frequency, of 20,000", "us", [1e6 * t / omega.size for t in each], None))
    return rows
