"""The conductance neuron: theories, what a clock costs, and speed beside loops over `quad`."""

import time
from typing import Any

import jax.numpy as jnp
import numpy as np

from ._report import Row

NEURON: dict[str, Any] = {"a": 0.01, "k": 1_000, "g": 12.0, "eta": 1.8, "gamma": 0.25}
SIDE, LOOP, ROUNDS = 100, 40, 25
# The least ratio to the loop over `quad` to aim at.
ASKED = {"Effective": 300, "Ito": 200, "Stratonovich": 200}


def _numbers(nu_x: float, k: float) -> tuple[float, float, float, float, float]:
    a, g, eta, gamma = 0.01, 12.0, 1.8, 0.25
    r_e, r_i = nu_x / 1000.0, eta * nu_x / 1000.0
    tau = 1.0 / (0.05 + a * k * (r_e + r_i * g * gamma))
    mu = tau * (-4.0 - 75.0 * a * k * r_i * g * gamma)
    chi = 1.0 / (r_e + r_i * g**2 * gamma)
    return tau, mu, a**2 * k / chi, -75.0 * chi * r_i * g**2 * gamma, 75.0 * chi * np.sqrt(r_e * r_i * g**2 * gamma)


def _effective_by_quad(nu_x: float, k: float, accuracy: float = 1.49e-8) -> float:
    """By SciPy's own tolerance, 1.49e-8 absolute and relative, or to a relative one."""
    from scipy import integrate, special

    tau, mu, s2, centre, spread = _numbers(nu_x, k)
    sigma = np.sqrt(s2 * tau * ((mu - centre) ** 2 + spread**2))
    ends, absolute = ((-65.0 - mu) / sigma, (-55.0 - mu) / sigma), 1.49e-8 if accuracy > 1e-8 else 0.0
    integral = integrate.quad(lambda x: special.erfcx(-x), *ends, epsabs=absolute, epsrel=accuracy)[0]
    return 1000.0 / (2.0 + tau * np.sqrt(np.pi) * integral)


def _multiplicative_by_quad(nu_x: float, k: float, less: float) -> float:
    from scipy import integrate

    tau, mu, s2, centre, spread = _numbers(nu_x, k)
    c, alpha = 2.0 / (s2 * tau), (mu - centre) / spread
    peak = np.arctan(c * alpha / (c - less))
    low, top = np.arctan((-65.0 - centre) / spread), np.arctan((-55.0 - centre) / spread)

    def f(phi: float) -> float:
        return -(c - less) * np.log(np.cos(phi)) - c * alpha * phi

    def inner(phi: float) -> float:
        points = [peak] if peak < phi else None
        return integrate.quad(lambda x: np.exp(f(phi) - f(x)), -np.pi / 2 + 1e-12, phi, points=points)[0]

    return 1000.0 / (2.0 + 2.0 / s2 * integrate.quad(lambda phi: inner(phi) / np.cos(phi) ** 2, low, top)[0])


def _value(what: str, value: Any, known: float | None, unit: str = "Hz", note: str = "") -> Row:
    ratio = None if known is None else known / float(value)
    return Row(what=what, ours=float(value), peer=known, ratio=ratio, unit=unit, note=note)


def _rates() -> list[Row]:
    import jaxneuro as jn
    from jaxneuro import theory

    first = theory.ShotNoise(jn.FirstOrderJump())
    table = {
        "Effective": (theory.EffectiveNoise(), (0.160229, 3.29464, 16.3400)),
        "Ito": (theory.ItoNoise(), (3.45054, 17.4254, 49.4071)),
        "Stratonovich": (theory.StratonovichNoise(), (5.27431, 24.6894, 66.2316)),
        "Shot, a (E - V)": (first, (1.07315, 8.5158, 29.144)),
        "Shot, exact jump": (theory.ShotNoise(), (1.35604, 10.7303, 36.089)),
    }
    rows = []
    for name, (noise, known) in table.items():
        rates = theory.conductance_rate(np.array([5.0, 10.0, 20.0]), **NEURON, noise=noise)
        rows += [_value(f"{name}, nu_X {n}", r, p) for n, r, p in zip((5, 10, 20), rates, known, strict=True)]
        exponent = theory.strong_coupling(20.0, **NEURON, noise=noise).exponent
        rows.append(_value(f"{name}: lim a log(sqrt(a) K nu_X T)", exponent, None, "1"))
    for name in ("Effective", "Ito", "Stratonovich"):
        for a in (0.01, 0.005, 0.003):
            at: dict[str, Any] = {**NEURON, "a": a}
            full = theory.conductance_rate(20.0, **at, noise=table[name][0])
            short = theory.strong_coupling(20.0, **at, noise=table[name][0]).rate
            rows.append(_value(f"{name}, strong coupling over full, a {a}", short / full, None, "1"))
    for g in (20.0, 30.0):
        gain = theory.network_gain(a=5e-4, k=1e5, g=g, gamma=0.25)
        rows += [
            _value(f"gain, g {g:g}", gain.rho, None, "1", f"simplified {gain.rho_simplified:.5f}"),
            _value(f"gain without noise, g {g:g}", theory.linear_gain(g=g, gamma=0.25), None, "1"),
        ]
    return rows


def _speed() -> list[Row]:
    from jaxneuro import theory

    nu, k = (x.ravel() for x in np.meshgrid(np.linspace(2.0, 40.0, SIDE), np.geomspace(500.0, 5_000.0, SIDE)))
    kinds = {
        "Effective": (theory.EffectiveNoise(), _effective_by_quad, LOOP * 5),
        "Effective, quad to 1e-12": (theory.EffectiveNoise(), lambda n, k: _effective_by_quad(n, k, 1e-12), LOOP * 5),
        "Ito": (theory.ItoNoise(), lambda n, k: _multiplicative_by_quad(n, k, 0.0), LOOP),
        "Stratonovich": (theory.StratonovichNoise(), lambda n, k: _multiplicative_by_quad(n, k, 1.0), LOOP),
    }
    rows = []
    for name, (noise, loop, count) in kinds.items():
        chosen = np.random.default_rng(0).choice(nu.size, count, replace=False)
        at, many = jnp.asarray(nu), jnp.asarray(k)

        def ours(noise: Any = noise, at: Any = at, many: Any = many) -> Any:
            return theory.conductance_rate(at, **NEURON | {"k": many}, noise=noise)

        right = ours().block_until_ready()
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            start = time.perf_counter()
            ours().block_until_ready()
            taken[0].append((time.perf_counter() - start) / nu.size)
            start = time.perf_counter()
            values = [loop(nu[i], k[i]) for i in chosen]
            taken[1].append((time.perf_counter() - start) / count)
        off = float(np.max(np.abs(np.asarray(values) / np.asarray(right)[chosen] - 1.0)))
        seconds, peer = (float(np.median(x)) * 1e6 for x in taken)
        aim = f"; aim: {ASKED[name]}" if name in ASKED else ""
        least, peer_least = (min(x) * 1e6 for x in taken)
        note = (
            f"a map of {SIDE} x {SIDE} in (K, nu_X) beside {count} of its points; largest difference {off:.1e}; by the "
            f"quickest of {ROUNDS} rounds {least:.3g} and {peer_least:.3g} us, {peer_least / least:.0f} times{aim}"
        )
        row = Row(what=f"{name}: one rate", ours=seconds, peer=peer, ratio=peer / seconds, unit="us", note=note)
        rows.append(row | {"ours_minimum": least, "peer_minimum": peer_least})
    shot = theory.ShotNoise()
    theory.conductance_rate(20.0, **NEURON, noise=shot)
    taken_shot = []
    for nu_x in np.linspace(5.0, 20.0, ROUNDS):
        start = time.perf_counter()
        float(theory.conductance_rate(nu_x, **NEURON, noise=shot))
        taken_shot.append(time.perf_counter() - start)
    note = f"the quickest of {ROUNDS} {1000.0 * min(taken_shot):.3g}; aim: 50 at most"
    rows.append(_value("Shot: one rate", 1000.0 * np.median(taken_shot), None, "ms", note))
    return rows


def _fields() -> list[Row]:
    """Mean fields of a map of networks: side by side, or of a dear theory one after another."""
    import jax

    import jaxneuro as jn
    from jaxneuro import theory

    rows = []
    for name, noise, side, batch, aim in (
        ("Effective", theory.EffectiveNoise(), SIDE, SIDE, 20),
        ("Ito", theory.ItoNoise(), 10, None, 180),
    ):

        def rate(numbers: Any, noise: Any = noise) -> Any:
            nu_x, k = numbers
            net = jn.networks.conductance_based(a=0.0016, k=k, g=20.0, gamma=0.25, nu_x=nu_x)
            return theory.mean_field(net, noise=noise).rate["E"]

        rates = jax.jit(lambda numbers, rate=rate, batch=batch: jax.lax.map(rate, numbers, batch_size=batch))
        ends = np.linspace(5.0, 60.0, side), np.linspace(800.0, 2e3, side)
        numbers = tuple(jnp.asarray(x.ravel()) for x in np.meshgrid(*ends))
        rates(numbers).block_until_ready()
        start = time.perf_counter()
        found = rates(numbers).block_until_ready()
        seconds = (time.perf_counter() - start) * (SIDE / side) ** 2
        count = int(jnp.sum(jnp.isfinite(found)))
        note = f"{side} x {side} networks, {count} with a state; aim: {aim} at most"
        rows.append(_value(f"{name}: mean fields of {SIDE} x {SIDE} networks", seconds, None, "s", note))
    return rows


def _clock() -> list[Row]:
    """What a clock costs: the neuron at nu_X = 20 Hz in steps, beside a run from spike to spike of its input."""
    import jax

    import jaxneuro as jn

    n, start, end, key = 2_000, 100.0, 600.0, jax.random.key(0)
    lif = jn.LIF(tau_m=20.0, v_rest=-80.0, v_th=-55.0, v_reset=-65.0, t_ref=2.0)
    streams = ((0.0, 0.01, 1_000, 20.0), (-75.0, 0.12, 250, 36.0))
    rows = []
    for rule, jump in (("a (E - V)", jn.FirstOrderJump()), ("exact jump", jn.ExactJump())):
        drives = [
            jn.PoissonDrive("E", jn.DeltaConductance(reversal, jump=jump), weight=a, n_sources=k, rate=rate)
            for reversal, a, k, rate in streams
        ]
        net = jn.Network({"E": jn.Population(lif, n)}, drives=drives)
        times = np.asarray(jn.simulate_events(net, end, most=200 * n, key=key).times)
        exact = 1000.0 * np.sum((times > start) & (times < np.inf)) / (n * (end - start))
        for dt in (0.05, 0.02, 0.01):
            sol = jn.simulate(net, 0.0, end, dt=dt, key=key, record={"rate": jn.record.Rate(start=start)})
            rate = float(np.mean(sol["rate"]["E"]))
            note = f"{100.0 * (rate / exact - 1.0):+.1f}% of the run without a clock; {n} neurons, 0.5 s"
            rows.append(_value(f"a clock of {dt:g} ms, {rule}", rate, float(exact), note=note))
    return rows


def run() -> list[Row]:
    """The rows, in float64."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return _rates() + _clock() + _speed() + _fields()
