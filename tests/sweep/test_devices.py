"""A sweep over several devices, of which a CPU can be told to be."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

import jaxneuro as jn

KEY = jax.random.key(0)
ROOT = Path(__file__).resolve().parent.parent.parent
CODE = """
import jax, numpy as np, jaxneuro as jn
assert jax.local_device_count() == 4
net = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2)
wiring = jn.wire(net, key=jax.random.key(3))

def run(point, key):
    changed = jn.replace(net, "E.tau_m", point["tau_m"])
    sol = jn.simulate(changed, 0.0, 20.0, dt=0.1, key=key, wiring=wiring, throw=False)
    return {"rate": sol["rate"]["E"]}

over = {"tau_m": np.linspace(10.0, 20.0, 7)}
alone = jn.sweep(run, over=over, key=jax.random.key(0), execution=jn.Vectorised(2), progress=False)
for execution in (jn.Devices(chunk=2), jn.Devices(3, chunk=2), jn.Devices(1, chunk=2)):
    shared = jn.sweep(run, over=over, key=jax.random.key(0), execution=execution, progress=False)
    assert (shared["rate"].values == alone["rate"].values).all(), execution
assert float(alone["rate"].mean()) > 1.0

print("bitwise")
"""


@pytest.mark.slow
def test_four_devices_give_what_one_gives():
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
    environment = {**os.environ, "XLA_FLAGS": flags}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "bitwise", done.stderr


def test_one_device_is_vectorised():
    def run(point, key):
        return {"y": point["x"] + jax.random.uniform(key)}

    over = {"x": [1.0, 2.0, 3.0]}
    alone, shared = (
        jn.sweep(run, over=over, key=KEY, execution=execution, progress=False)
        for execution in (jn.Vectorised(2), jn.Devices(1, chunk=2))
    )
    assert alone.identical(shared)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: jn.Devices(0), "`n` has to be a whole number of at least 1"),
        (lambda: jn.Devices(10_000), "`n` is 10000, and JAX sees"),
        (lambda: jn.Devices(chunk=True), "`chunk` has to be a whole number"),
        (
            lambda: jn.sweep(lambda p, k: {"x": p["x"]}, over={"x": [1.0]}, key=KEY, execution=jn.Devices(chunk=9)),
            "`chunk` is 9, more than the 1 runs",
        ),
    ],
)  # fmt: skip
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
