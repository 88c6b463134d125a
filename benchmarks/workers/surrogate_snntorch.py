"""A recurrent network of 700-256-20 in snnTorch, forward and backward. Runs in the peer's environment.

`RLeaky` with a full recurrent matrix and a `Leaky` read-out without reset, in a loop over steps as in the library's
tutorials; the input layer is one product for the whole run, which is faster than one a step.
"""

import json
import sys
import time
from importlib import metadata

import numpy as np
import snntorch as snn
import torch
from snntorch import surrogate

torch.set_num_threads(2)


def say(values):
    print(json.dumps(values), flush=True)


class Network(torch.nn.Module):
    def __init__(self, n_in, n, n_out):
        super().__init__()
        spike = surrogate.fast_sigmoid(slope=10.0)
        self.first = torch.nn.Linear(n_in, n, bias=False)
        self.hidden = snn.RLeaky(
            beta=0.95, all_to_all=True, linear_features=n, spike_grad=spike, reset_mechanism="zero"
        )
        self.last = torch.nn.Linear(n, n_out, bias=False)
        self.out = snn.Leaky(beta=0.95, reset_mechanism="none")
        torch.nn.init.normal_(self.first.weight, std=0.25)
        torch.nn.init.normal_(self.hidden.recurrent.weight, std=0.05)

    def forward(self, spikes):
        heard = self.first(spikes)
        spike, v = self.hidden.init_rleaky()
        out, trace = self.out.init_leaky(), []
        for row in heard:
            spike, v = self.hidden(row, spike, v)
            _, out = self.out(self.last(spike), out)
            trace.append(out)
        return torch.stack(trace)


def main():
    say({"snntorch": metadata.version("snntorch"), "torch": torch.__version__})
    made = None
    for line in sys.stdin:
        asked = json.loads(line)
        if made is None:
            rng = np.random.default_rng(0)
            spikes = rng.random((asked["steps"], asked["batch"], asked["n_in"])) < asked["share"]
            made = (
                Network(asked["n_in"], asked["n"], asked["n_out"]),
                torch.tensor(spikes.astype(np.float32)),
                torch.tensor(rng.integers(0, asked["n_out"], asked["batch"])),
            )
        network, spikes, labels = made
        start = time.perf_counter()
        if asked["what"] == "forward":
            with torch.no_grad():
                network(spikes)
        else:
            network.zero_grad()
            torch.nn.functional.cross_entropy(network(spikes).amax(0), labels).backward()
        say({"seconds": time.perf_counter() - start})


main()
