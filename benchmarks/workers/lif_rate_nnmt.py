"""Times nnmt's rate of LIF neurons with delta synapses. Runs in the peer's environment, knows nothing of jaxneuro."""

import json
import sys
import time
from importlib import metadata

import numpy as np
from nnmt.lif.delta import _firing_rates_for_given_input

print(json.dumps({"nnmt": metadata.version("nnmt"), "numpy": np.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    generator = np.random.default_rng(request["seed"])
    (mu_low, mu_high), (sigma_low, sigma_high) = request["mu"], request["sigma"]
    mu = generator.uniform(mu_low, mu_high, request["n"])
    sigma = generator.uniform(sigma_low, sigma_high, request["n"])
    start = time.perf_counter()
    # Their sigma is ours: the free standard deviation is sigma / sqrt(2). Potentials enter as ratios only.
    rate = _firing_rates_for_given_input(
        mu, sigma, request["v_reset"], request["v_th"], request["tau"], request["t_ref"]
    )
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "first": np.asarray(rate)[:1000].tolist()}), flush=True)
