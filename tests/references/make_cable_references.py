"""Writes cable_NEURON.json or cable_Jaxley.json: an active cable in another simulator.

    .peers/neuron/bin/python tests/references/make_cable_references.py neuron
    .peers/jaxley/bin/python tests/references/make_cable_references.py jaxley

A squid axon of 2 mm and 20 um in 40 compartments (6.3 degrees, E_L = -54.3 mV, r_a = 35.4 ohm cm), and a current of
30 nA into the first compartment from 0 to 1 ms; the potentials of three compartments every 0.25 ms.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

LENGTH, DIAMETER, N, R_A = 2_000.0, 20.0, 40, 35.4
CURRENT, UNTIL, END, EVERY = 30.0, 1.0, 10.0, 0.25
PLACES = (0, 20, 39)


def by_neuron():
    """Variable steps, of a tolerance of 1e-9."""
    from neuron import h

    h.load_file("stdrun.hoc")
    cable = h.Section(name="cable")
    cable.L, cable.diam, cable.nseg, cable.Ra, cable.cm = LENGTH, DIAMETER, N, R_A, 1.0
    cable.insert("hh")
    h.usetable_hh = 0
    for segment in cable:
        segment.hh.el = -54.3
    h.celsius = 6.3
    clamp = h.IClamp(cable(0.5 / N))
    clamp.delay, clamp.dur, clamp.amp = 0.0, UNTIL, CURRENT
    solver = h.CVode()
    solver.active(1)
    solver.atol(1e-9)
    times = h.Vector(np.arange(0.0, END + EVERY / 2, EVERY))
    vectors = [h.Vector().record(cable((place + 0.5) / N)._ref_v, times) for place in PLACES]
    h.finitialize(-65.0)
    h.continuerun(END + 1.0)
    return [list(map(float, v)) for v in vectors], {"neuron": version("neuron")}


def by_jaxley():
    """Crank-Nicolson steps of 1 us, in float64."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import jaxley as jx
    from jaxley.channels import HH

    cable = jx.Branch(jx.Compartment(), ncomp=N)
    cable.insert(HH())
    for name, value in (("length", LENGTH / N), ("radius", DIAMETER / 2), ("axial_resistivity", R_A), ("v", -65.0)):
        cable.set(name, value)
    cable.init_states()
    dt = 0.001
    steps = round(END / dt)
    current = jnp.where(jnp.arange(steps + 1) < round(UNTIL / dt), CURRENT, 0.0)
    cable.comp(0).stimulate(current)
    for place in PLACES:
        cable.comp(place).record("v")
    v = np.asarray(jx.integrate(cable, delta_t=dt, solver="crank_nicolson"))
    rows = np.round(np.arange(0.0, END + EVERY / 2, EVERY) / dt).astype(int)
    return v[:, rows].tolist(), {"jaxley": version("jaxley"), "jax": version("jax")}


if __name__ == "__main__":
    name, make = {"neuron": ("NEURON", by_neuron), "jaxley": ("Jaxley", by_jaxley)}[sys.argv[1]]
    v, versions = make()
    report = {"versions": versions, "every_ms": EVERY, "compartments": PLACES, "v": np.round(v, 6).tolist()}
    (Path(__file__).parent / f"cable_{name}.json").write_text(json.dumps(report) + "\n")
