"""Squid axons in Brian2's compiled standalone mode, and its times. Runs in the peer's environment."""

import json
import os
import sys
import tempfile
import time

# Compilers and Brian2 may speak on standard output, which carries the answers here.
answers = os.dup(1)
os.dup2(2, 1)

import brian2 as b2  # noqa: E402
import numpy as np  # noqa: E402

EQUATIONS = """
dv/dt = (120*m**3*h*(115 - v) + 36*n**4*(-12 - v) + 0.3*(10.6 - v) + I) / ms : 1
dm/dt = (alpha_m*(1 - m) - beta_m*m) / ms : 1
dh/dt = (0.07*exp(-v/20)*(1 - h) - h/(exp(3 - 0.1*v) + 1)) / ms : 1
dn/dt = (alpha_n*(1 - n) - 0.125*exp(-v/80)*n) / ms : 1
alpha_m = 1 / exprel(2.5 - 0.1*v) : 1
beta_m = 4*exp(-v/18) : 1
alpha_n = 0.1 / exprel(1 - 0.1*v) : 1
I : 1 (constant)
"""


def say(values):
    os.write(answers, (json.dumps(values) + "\n").encode())


def build(n, duration, dt, threads):
    """A compiled program: seconds for the code and its compilation."""
    b2.device.reinit()
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    b2.prefs.core.default_float_dtype = np.float32
    start = time.perf_counter()
    b2.defaultclock.dt = dt * b2.ms
    neurons = b2.NeuronGroup(n, EQUATIONS, threshold="v > 50", refractory="v > 50", method="exponential_euler")
    neurons.I = np.linspace(0.0, 20.0, n)
    neurons.m, neurons.h, neurons.n = 0.0529, 0.5961, 0.3177
    monitor = b2.SpikeMonitor(neurons, record=False)
    b2.run(duration * b2.ms)
    ready["folder"] = tempfile.TemporaryDirectory()
    b2.device.build(directory=ready["folder"].name, compile=True, run=False, debug=False)
    ready["monitor"], ready["n"], ready["duration"] = monitor, n, duration
    ready["objects"] = neurons
    return {"build": time.perf_counter() - start}


def run():
    """One run of that program: seconds of the simulation itself, and the mean rate [Hz]."""
    b2.device.run()
    rate = ready["monitor"].num_spikes / ready["n"] / ready["duration"] * 1000
    return {"simulate": b2.device._last_run_time, "rate": float(rate)}


ready = {}
say({"brian2": b2.__version__, "numpy": np.__version__})
for line in sys.stdin:
    request = json.loads(line)
    say({"build": build, "run": run}[request.pop("task")](**request))
