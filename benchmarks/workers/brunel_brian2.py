"""Brunel's network in Brian2, its spikes and times. Runs in the peer's environment, knows nothing of jaxneuro.

Conventions are NEST's, so that the same network is simulated: what arrives in a step acts before that step's threshold,
and the potential is held for the whole refractory period. In Brian2 that takes the schedule below with delays one step
shorter, for a spike enters its queue one step after its threshold then, and a refractory period one step longer, for
Brian2 frees a neuron in the step that ends it.
"""

import json
import os
import sys
import tempfile
import threading
import time

# Compilers and Brian2 may speak on standard output, which carries the answers here.
answers = os.dup(1)
os.dup2(2, 1)

import brian2 as b2  # noqa: E402
import numpy as np  # noqa: E402

N_E, N_I, STEP = 10_000, 2_500, 0.1
NESTS = ("start", "groups", "synapses", "thresholds", "resets", "end")


def say(values):
    os.write(answers, (json.dumps(values) + "\n").encode())


def synapses(neurons, sources, n_pre, k, weight, delay, rng):
    """In-degree k onto every neuron, drawn with repetition and without autapses."""
    n_post = len(neurons)
    post = np.repeat(np.arange(n_post), k)
    inside = (post >= sources.start) & (post < sources.stop)
    pre = rng.integers(0, n_pre - inside)
    pre += inside & (pre >= post - sources.start)
    low, high = delay
    one_for_all = low * b2.ms if low == high else None
    made = b2.Synapses(sources, neurons, on_pre=f"v_post += {weight!r}", delay=one_for_all)
    made.connect(i=pre, j=post)
    if one_for_all is None:
        made.delay = rng.uniform(low, high, post.size) * b2.ms
    return made


def network(seed, g, ratio, delay, schedule):
    """The network and its monitor of all spikes; `schedule` "nest", or "default" for Brian2's own."""
    b2.start_scope()
    b2.defaultclock.dt = STEP * b2.ms
    nests = schedule == "nest"
    shorter, longer = (STEP, STEP) if nests else (0.0, 0.0)
    equations = "dv/dt = -v / (20 * ms) : 1 (unless refractory)"
    neurons = b2.NeuronGroup(
        N_E + N_I, equations, threshold="v >= 20", reset="v = 10", refractory=(2.0 + longer) * b2.ms, method="exact"
    )
    excitatory, inhibitory = neurons[:N_E], neurons[N_E:]
    rng = np.random.default_rng(seed)
    delay = [max(STEP, d - shorter) for d in delay]
    from_e = synapses(neurons, excitatory, N_E, 1_000, 0.1, delay, rng)
    from_i = synapses(neurons, inhibitory, N_I, 250, -0.1 * g, delay, rng)
    # Brian2 draws a binomial number of spikes: of so many sources it is a Poisson number.
    drive = b2.PoissonInput(neurons, "v", 1_000_000, ratio * 10_000.0 / 1_000_000 * b2.Hz, weight=0.1)
    monitor = b2.SpikeMonitor(neurons)
    net = b2.Network(neurons, from_e, from_i, drive, monitor)
    if nests:
        net.schedule = NESTS
    return net, monitor


def spikes(seed, g, ratio, duration, file, delay=(1.5, 1.5), schedule="nest"):
    """All spikes into a file: `senders`, E first, and `times` [ms], the ends of steps."""
    b2.set_device("runtime")
    b2.prefs.codegen.target = "cython"
    start = time.perf_counter()
    net, monitor = network(seed, g, ratio, delay, schedule)
    b2.seed(seed)
    net.run(0 * b2.ms)
    built = time.perf_counter()
    net.run(duration * b2.ms)
    times = np.asarray(monitor.t / b2.ms) + STEP
    np.savez(file, senders=np.asarray(monitor.i), times=times)
    return {"build": built - start, "simulate": time.perf_counter() - built}


def build(threads, duration, delay=(1.5, 1.5), seed=1):
    """A compiled program of its own, with OpenMP where threads > 1: seconds for the code and its compilation."""
    b2.device.reinit()
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    start = time.perf_counter()
    b2.seed()  # another drive in every run
    net, monitor = network(seed, 5.0, 2.0, delay, "nest")
    net.run(duration * b2.ms)
    built["folder"] = tempfile.TemporaryDirectory()
    b2.device.build(directory=built["folder"].name, compile=True, run=False, debug=False)
    built["monitor"], built["duration"] = monitor, duration
    return {"build": time.perf_counter() - start}


def run():
    """One run of that program: seconds of the simulation itself, and of the rest, most of it the synapses."""
    start, watch = time.perf_counter(), Watch()
    watch.start()
    b2.device.run()
    whole, simulate = time.perf_counter() - start, b2.device._last_run_time
    watch.running = False
    rate = built["monitor"].num_spikes / (N_E + N_I) / built["duration"] * 1000
    return {"simulate": simulate, "setup": whole - simulate, "rate": rate, "memory": watch.highest}


class Watch(threading.Thread):
    """Looks ten times a second at the highest resident set [MB] of the program while it runs."""

    running, highest = True, 0.0

    def run(self):
        while self.running:
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    self.look(entry.path)
            time.sleep(0.1)

    def look(self, process):
        try:
            with open(f"{process}/status") as file:
                status = dict(line.split(":", 1) for line in file)
        except OSError:  # it has ended
            return
        # A program that has just ended has no memory left to tell of.
        if int(status["PPid"]) == os.getpid() and status["Name"].strip() == "main" and "VmHWM" in status:
            self.highest = max(self.highest, float(status["VmHWM"].split()[0]) / 1e3)


built = {}
say({"brian2": b2.__version__, "numpy": np.__version__})
for line in sys.stdin:
    request = json.loads(line)
    say({"spikes": spikes, "build": build, "run": run}[request.pop("task")](**request))
