"""Brunel's network of 12,500 neurons at (g, ratio) = (5, 2): simulated, in mean field, and why they differ.

The peer is the mean field. Rows go from the network to the theory one assumption at a time: sources drawn
without or with repetition or at random; then inputs replaced by independent Poisson trains of the mean-field
rate, which the theory assumes; then a finer step, which the theory's continuous time assumes. What is left is
the diffusion approximation of kicks of finite size. The last rows are times.
"""

import time

import jax
import numpy as np

import jaxneuro as jn

from ._report import Row, compared

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


def times() -> list[Row]:
    """Seconds for one second of the network, by part."""
    net, key = jn.networks.brunel(), jax.random.key(0)
    start = time.perf_counter()
    wiring = jn.wire(net, key=key)
    wired = time.perf_counter() - start
    record = {"rate": jn.record.Rate(), "cv": jn.record.CV(), "population": jn.record.PopulationRate()}
    seconds = []
    for seed in range(6):
        start = time.perf_counter()
        sol = jn.simulate(net, 0.0, DURATION, dt=0.1, key=jax.random.key(seed), wiring=wiring, record=record)
        sol["rate"]["E"].block_until_ready()
        seconds.append(time.perf_counter() - start)
    return [
        compared("wiring 12.5 million recurrent synapses", "s", [wired], None),
        compared("first run, compilation included", "s", seconds[:1], None),
        compared("1 s simulated, rates, CVs and population rate recorded", "s", seconds[1:], None),
    ]


def run() -> list[Row]:
    """The run starts at rest, and the transient counts, as in the usual comparisons of simulators."""
    mf = jn.theory.mean_field(jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0))
    rows = []
    for rule in RULES:
        rows += against_theory(f"network, sources {rule}", [measure(network(rule), s, 0.1) for s in range(WIRINGS)], mf)
    isolated = poisson_inputs(float(mf.rate["E"]))
    for dt in (0.1, 0.02):
        rows += against_theory(f"Poisson inputs, dt = {dt} ms", [measure(isolated, 0, dt)], mf)
    return rows + times()
