"""Seconds from a fresh interpreter to the first result of the quickstart, compilation included."""

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec

from ._report import Row, compared

ROUNDS = 5
IMPORT = "import jaxneuro"
NETWORK = "import jaxneuro as jn; jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2), jn.simulate, jn.record.Rate"
FIRST = (
    "import jaxneuro.theory as theory; "
    "print(float(theory.lif_rate(18.0, 5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)))"
)
# Timed once the package has fits.
FIT = (
    "import numpy as np, jaxneuro as jn; k = np.geomspace(50, 1000, 40); "
    "data = jn.laws.PSPTable(k, 20.0 / k**0.5 * (1 + 0.1 * np.cos(k)), np.arange(40) % 2 == 0); "
    "print(jn.fit(jn.laws.PowerLaw(), data).rms)"
)
PLAIN = "import jax, jax.numpy as jnp; print(float(jax.jit(jnp.exp)(1.0)))"


def _seconds(code: str, bytecode: str) -> float:
    """With the modules' bytecode in that folder, as an installation and every second session have it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = bytecode
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, env=environment)
    return time.perf_counter() - start


def run() -> list[Row]:
    """The peer is JAX alone with one compiled function: what no package on JAX can be faster than."""
    cases = {"import": IMPORT, "import and first network": NETWORK, "import and first rate": FIRST}
    if find_spec("jaxneuro._fit"):
        cases["import and first fit"] = FIT
    times: dict[str, list[float]] = {name: [] for name in (*cases, "jax")}
    with tempfile.TemporaryDirectory() as bytecode:
        for turn in range(ROUNDS + 1):  # the first one compiles to bytecode
            for name, code in (*cases.items(), ("jax", PLAIN)):
                seconds = _seconds(code, bytecode)
                if turn:
                    times[name].append(seconds)
    note = "peer: JAX alone with one compiled function; the limit for ours is 6 s"
    return [compared(name, "s", times[name], times["jax"], note) for name in cases]
