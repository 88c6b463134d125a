"""The cortical microcircuit in NEST. Runs in the peer's environment, knows nothing of jaxneuro."""

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

SIZES = np.array([20_683, 5_834, 21_915, 5_479, 4_850, 1_065, 14_395, 2_948])
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
EXTERNAL = np.array([1_600, 1_500, 2_100, 1_900, 2_000, 1_900, 2_900, 2_100])
FULL_RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
CURRENT, TAU_S, DT = 87.8, 0.5, 0.1


def say(values):
    os.write(answers, (json.dumps(values) + "\n").encode())


def highest_memory():
    """The highest resident set of this process [MB]."""
    with open("/proc/self/status") as status:
        return next(float(line.split()[1]) / 1e3 for line in status if line.startswith("VmHWM"))


def build(seed, threads, scale):
    """The populations, and a recorder of each."""
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = DT
    nest.local_num_threads = threads
    nest.rng_seed = seed
    in_degrees = np.log(1 - PROBABILITIES) / np.log(1 - 1 / np.outer(SIZES, SIZES)) / SIZES[:, None]
    sizes, current = np.round(scale * SIZES).astype(int), CURRENT / np.sqrt(scale)
    strengths = np.where(np.arange(8) % 2, -4.0, np.ones((8, 8)))
    strengths[0, 2] = 2.0
    arriving = (in_degrees * strengths) @ FULL_RATES + 8.0 * EXTERNAL
    neuron = {"C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0, "E_L": 0.0, "V_reset": 0.0, "V_th": 15.0}
    neuron |= {"tau_syn_ex": TAU_S, "tau_syn_in": TAU_S}
    groups, recorders = [], []
    for i, n in enumerate(sizes):
        constant = 1e-3 * TAU_S * CURRENT * (1 - np.sqrt(scale)) * arriving[i]
        group = nest.Create("iaf_psc_exp", int(n), params=neuron | {"I_e": constant})
        group.V_m = nest.random.uniform(-10.0, 15.0)
        drive = nest.Create("poisson_generator", params={"rate": 8.0 * round(scale * EXTERNAL[i])})
        nest.Connect(drive, group, syn_spec={"weight": current, "delay": 1.5})
        recorder = nest.Create("spike_recorder")
        nest.Connect(group, recorder)
        groups.append(group)
        recorders.append(recorder)
    for i in range(8):
        for j in range(8):
            number = round(scale * in_degrees[i, j] * sizes[i])
            if number:
                weight, delay = strengths[i, j] * current, 0.75 if j % 2 else 1.5
                limits = {"min": -np.inf, "max": 0.0} if weight < 0 else {"min": 0.0, "max": np.inf}
                law = nest.math.redraw(nest.random.normal(weight, 0.1 * abs(weight)), **limits)
                delays = nest.math.redraw(nest.random.normal(delay, 0.5 * delay), min=DT, max=6.0)
                rule = {"rule": "fixed_total_number", "N": number, "allow_autapses": True, "allow_multapses": True}
                nest.Connect(groups[j], groups[i], rule, {"weight": law, "delay": delays})
    return sizes, recorders


def run(seed, threads, warm_up, duration, scale=1.0):
    """Rates [Hz] by population after the warm-up, seconds and memory."""
    start = time.perf_counter()
    sizes, recorders = build(seed, threads, scale)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(warm_up)
    begun = time.perf_counter()
    nest.Run(duration)
    seconds = time.perf_counter() - begun
    nest.Cleanup()
    rates = []
    for recorder, n in zip(recorders, sizes, strict=True):
        late = np.asarray(recorder.events["times"]) > warm_up
        rates.append(float(late.sum() / n / duration * 1000.0))
    return {"build": built - start, "simulate": seconds, "rates": rates, "memory": highest_memory()}


say({"nest-simulator": metadata.version("nest-simulator")})
for line in sys.stdin:
    say(run(**json.loads(line)))
