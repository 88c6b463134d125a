"""Brunel's network in NEST, with rate, CV and times. Runs in the peer's environment, knows nothing of jaxneuro."""

import json
import os
import sys
import time
from importlib import metadata

# NEST greets on standard output, which carries the answers here.
answers = os.dup(1)
os.dup2(2, 1)

import nest  # noqa: E402
import numpy as np  # noqa: E402


def say(values):
    os.write(answers, (json.dumps(values) + "\n").encode())


def highest_memory():
    """The highest resident set of this process [MB]."""
    with open("/proc/self/status") as status:
        return next(float(line.split()[1]) / 1e3 for line in status if line.startswith("VmHWM"))


def run(seed, multapses, threads, duration, g=5.0, ratio=2.0, delay=(1.5, 1.5), file=None):
    """Rate and CV of E, and seconds; with `file`, all spikes go there: `senders`, E first, and `times` [ms]."""
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = 0.1
    nest.local_num_threads = threads
    nest.rng_seed = seed
    neuron = {"C_m": 1.0, "tau_m": 20.0, "t_ref": 2.0, "E_L": 0.0, "V_reset": 10.0, "V_th": 20.0, "V_m": 0.0}
    start = time.perf_counter()
    excitatory, inhibitory = (nest.Create("iaf_psc_delta", n, params=neuron) for n in (10_000, 2_500))
    everyone = excitatory + inhibitory
    low, high = delay
    delays = low if low == high else nest.random.uniform(low, high)
    for sources, k, weight in ((excitatory, 1_000, 0.1), (inhibitory, 250, -0.1 * g)):
        rule = {"rule": "fixed_indegree", "indegree": k, "allow_autapses": False, "allow_multapses": multapses}
        nest.Connect(sources, everyone, rule, {"weight": weight, "delay": delays})
    drive = nest.Create("poisson_generator", params={"rate": ratio * 10_000.0})
    nest.Connect(drive, everyone, syn_spec={"weight": 0.1, "delay": 1.5})
    recorder = nest.Create("spike_recorder")
    nest.Connect(excitatory if file is None else everyone, recorder)
    built = time.perf_counter()
    nest.Simulate(duration)
    seconds = time.perf_counter() - built
    memory = highest_memory()
    events = recorder.events
    senders, times = np.asarray(events["senders"]) - 1, np.asarray(events["times"])
    if file is not None:
        np.savez(file, senders=senders, times=times)
        return {"build": built - start, "simulate": seconds}
    order = np.lexsort((times, senders))
    trains = np.split(times[order], np.searchsorted(senders[order], np.arange(1, 10_000)))
    cvs = [np.diff(t).std() / np.diff(t).mean() for t in trains if t.size >= 4]
    rate = times.size / 10_000 / duration * 1000
    return {
        "build": built - start,
        "simulate": seconds,
        "rate": rate,
        "cv": float(np.mean(cvs)),
        "n": len(cvs),
        "memory": memory,
    }


say({"nest-simulator": metadata.version("nest-simulator")})
for line in sys.stdin:
    say(run(**json.loads(line)))
