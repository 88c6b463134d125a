"""Brunel's network of 12,500 neurons at (g, ratio) = (5, 2): simulated, in mean field, and why they differ.

The first rows stand beside NEST, the last beside all simulators (`brunel_peers`). In the others the peer is the mean
field, and they go from the network to the theory one assumption at a time: sources drawn with or without repetition or
at random; then inputs replaced by independent Poisson trains of the mean-field rate, which the theory assumes; then a
finer step, which its continuous time assumes. What is left is the diffusion approximation of kicks of finite size.
"""

import time

import jax
import numpy as np

import jaxneuro as jn

from . import brunel_peers
from ._report import Row, compared
from ._worker import Worker, worker_or_none

DURATION = 1_000.0
WIRINGS = 3
RULES = {
    "with repetition (default)": lambda k, p: jn.FixedInDegree(k),
    "without repetition": lambda k, p: jn.FixedInDegree(k, multapses=False),
    "Bernoulli, p = 0.1": lambda k, p: jn.Bernoulli(p),
}


def network(rule: str) -> jn.Network:
    """Brunel's network with another rule of connectivity."""
    net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)
    projections = [
        jn.Projection(p.pre, p.post, p.synapse, weight=p.weight, connectivity=RULES[rule](k, 0.1), delay=1.5)
        for p, k in zip(net.projections, (1_000, 250), strict=True)
    ]
    return jn.Network(net.populations, projections, net.drives)


def poisson_inputs(rate: float) -> jn.Network:
    """Neurons of the same network whose sources are independent Poisson trains of `rate` [Hz]."""
    synapse = jn.DeltaCurrent()
    drives = [
        jn.PoissonDrive("E", synapse, weight=0.1, n_sources=1_000, rate=20.0 + rate),
        jn.PoissonDrive("E", synapse, weight=-0.5, n_sources=250, rate=rate),
    ]
    return jn.Network({"E": jn.Population(jn.LIF(), 5_000)}, drives=drives)


def measure(net: jn.Network, seed: int, dt: float) -> tuple[float, float]:
    """Mean rate [Hz] and CV over the neurons of E."""
    record = {"rate": jn.record.Rate(), "cv": jn.record.CV()}
    sol = jn.simulate(net, 0.0, DURATION, dt=dt, key=jax.random.key(seed), record=record)
    return sol.mean("rate")["E"].value, sol.mean("cv")["E"].value


def against_theory(what: str, values: list[tuple[float, float]], mf: jn.theory.MeanField) -> list[Row]:
    rows = []
    for i, (name, unit, theory) in enumerate((("rate", "Hz", mf.rate["E"]), ("CV of ISI", "1", mf.cv["E"]))):
        found = [v[i] for v in values]
        note = f"sd over {len(found)} wirings {np.std(found, ddof=1):.2g}" if len(found) > 1 else ""
        row = compared(f"{what}: {name}", unit, [float(np.mean(found))], [float(theory)], note)
        rows.append(row)
    return rows


def beside_nest(nest: Worker | None) -> list[Row]:
    """Rate and CV of the same networks in NEST, and the seconds of either, taking turns."""
    rows = []
    seconds: dict[str, list[float]] = {"ours": [], "wire": [], "nest": [], "build": []}
    key, record = jax.random.key(0), {"rate": jn.record.Rate(), "cv": jn.record.CV()}
    for rule, multapses in (("with repetition (default)", True), ("without repetition", False)):
        values, theirs = [], []
        for seed in range(1, WIRINGS + 1):
            net = network(rule)
            start = time.perf_counter()
            wiring = jn.wire(net, key=jax.random.fold_in(key, seed))
            seconds["wire"].append(time.perf_counter() - start)
            start = time.perf_counter()
            sol = jn.simulate(net, 0.0, DURATION, dt=0.1, key=jax.random.key(seed), wiring=wiring, record=record)
            values.append((sol.mean("rate")["E"].value, sol.mean("cv")["E"].value))
            seconds["ours"].append(time.perf_counter() - start)
            if nest is not None:
                answer = nest.ask(seed=seed, multapses=multapses, threads=2, duration=DURATION)
                theirs.append((answer["rate"], answer["cv"]))
                seconds["nest"].append(answer["simulate"])
                seconds["build"].append(answer["build"])
        for k, (name, unit) in enumerate((("rate", "Hz"), ("CV of ISI", "1"))):
            peer = [v[k] for v in theirs]
            note = f"peer: NEST, {WIRINGS} wirings each; medians"
            rows.append(compared(f"sources {rule}, beside NEST: {name}", unit, [v[k] for v in values], peer, note))
    # The first run of each rule compiles.
    ours = [t for n, t in enumerate(seconds["ours"]) if n % WIRINGS]
    note = "peer: NEST with 2 threads; ours compiled, on one core but for XLA's own threads"
    rows.append(compared("1 s simulated, rates and CVs recorded", "s", ours, seconds["nest"], note))
    rows.append(compared("wiring 15.6 million recurrent synapses", "s", seconds["wire"], seconds["build"]))
    rows.append(compared("first run, compilation included", "s", seconds["ours"][:1], None))
    return rows


def run() -> list[Row]:
    """The run starts at rest, and the transient counts, as in the usual comparisons of simulators."""
    mf = jn.theory.mean_field(jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0))
    nest = worker_or_none("brunel", "nest")
    rows = beside_nest(nest)
    if nest is not None:
        nest.close()
    for rule in RULES:
        rows += against_theory(f"network, sources {rule}", [measure(network(rule), s, 0.1) for s in range(WIRINGS)], mf)
    isolated = poisson_inputs(float(mf.rate["E"]))
    for dt in (0.1, 0.02):
        rows += against_theory(f"Poisson inputs, dt = {dt} ms", [measure(isolated, 0, dt)], mf)
    return rows + brunel_peers.run()
