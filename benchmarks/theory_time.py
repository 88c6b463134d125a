"""First calls of theory, each in a fresh process: what is compiled, and how long tracing, lowering and XLA take."""

import json
import os
import subprocess
import sys

from ._report import Row

CASES = {
    "first rate": "jn.theory.lif_rate(18.0, 5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)",
    "first mean field": "jn.theory.mean_field(jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)).rate",
    "its gradient": "jax.grad(lambda g: jn.theory.mean_field(jn.networks.brunel(g=g)).rate['E'])(5.0)",
    "mean field of binary units, K = 1,000": "jn.theory.mean_field(binary(1_000)).q",
    "mean field of binary units, K = 100,000": "jn.theory.mean_field(binary(100_000)).q",
    "modes of a network": "jn.theory.brunel_stability(jn.networks.brunel(g=6.0, nu_ext_over_nu_thr=4.0)).growth",
    "phase map of 6 x 6": "phases(6)",
    "phase map of 25 x 25": "phases(25)",
    "activity bump of a ring": "jn.theory.ring_bump(j0=0.0, j1=3.0)",
}
# The second time no program is new, whatever the numbers.
AGAIN = {"mean field of binary units, K = 1,000": "jn.theory.mean_field(binary(12_345)).q"}
# What a process does: it imports, then calls once, and says what the call took.
WORKER = """
import json, sys, time
import jax, jax.monitoring, numpy as np
seconds, programs = {}, [0]
def heard(name, taken, **_):
    kind = name.rsplit("/", 1)[-1]
    seconds[kind] = seconds.get(kind, 0.0) + taken
    programs[0] += kind == "backend_compile_duration"
jax.monitoring.register_event_duration_secs_listener(heard)
import jaxneuro as jn
def binary(k):
    return jn.networks.binary(k=k, n_e=20 * k, n_i=20 * k, m0=0.1)
def phases(n):
    axes = {"g": np.linspace(2.0, 8.0, n), "nu_ext_over_nu_thr": np.linspace(0.3, 4.0, n)}
    return jn.theory.phase_boundaries(jn.networks.brunel, over=axes, progress=False).growth
for call in sys.argv[1:]:
    seconds.clear()
    programs[0] = 0
    wall, cpu = time.perf_counter(), time.process_time()
    jax.block_until_ready(eval(call))
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "programs": programs[0],
                      **seconds}))
"""
PARTS = {
    "tracing": "jaxpr_trace_duration",
    "lowering": "jaxpr_to_mlir_module_duration",
    "XLA": "backend_compile_duration",
}


def _measured(*calls: str) -> list[dict[str, float]]:
    done = subprocess.run([sys.executable, "-c", WORKER, *calls], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run() -> list[Row]:
    """Wall seconds of the call after the import; the note has the CPU seconds and the parts."""
    rows, busy = [], os.getloadavg()[0]
    for name, call in CASES.items():
        found = _measured(call, *([AGAIN[name]] if name in AGAIN else []))
        for what, seen in zip((name, f"{name}, then another K"), found, strict=False):
            parts = ", ".join(f"{part} {seen.get(key, 0.0):.2f}" for part, key in PARTS.items())
            note = f"{seen['cpu']:.1f} CPU s, {seen['programs']:.0f} programs: {parts} s; load {busy:.0f}"
            rows.append(Row(what=what, ours=seen["wall"], peer=None, ratio=None, unit="s", note=note))
    return rows
