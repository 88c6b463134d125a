"""Trains a recurrent network on given trials with snnTorch. Runs in the peer's environment."""

import json
import sys
import time
from importlib import metadata

import numpy as np
import snntorch as snn
import torch
from snntorch import surrogate

torch.set_num_threads(1)  # small products: a second thread waits


def say(values):
    print(json.dumps(values), flush=True)


class Network(torch.nn.Module):
    def __init__(self, n_in, n, n_out, decay, slope):
        super().__init__()
        spike = surrogate.fast_sigmoid(slope=slope)
        self.first = torch.nn.Linear(n_in, n, bias=False)
        self.hidden = snn.RLeaky(
            beta=decay, all_to_all=True, linear_features=n, spike_grad=spike, reset_mechanism="zero"
        )
        self.last = torch.nn.Linear(n, n_out, bias=False)
        self.out = snn.Leaky(beta=decay, reset_mechanism="none")
        torch.nn.init.normal_(self.first.weight, std=0.6)
        torch.nn.init.normal_(self.hidden.recurrent.weight, std=0.05)
        torch.nn.init.normal_(self.last.weight, std=0.2)

    def forward(self, spikes):
        heard = self.first(spikes.transpose(0, 1))
        spike, v = self.hidden.init_rleaky()
        out, trace = self.out.init_leaky(), []
        for row in heard:
            spike, v = self.hidden(row, spike, v)
            _, out = self.out(self.last(spike), out)
            trace.append(out)
        return torch.stack(trace).amax(0)


def main():
    say({"snntorch": metadata.version("snntorch"), "torch": torch.__version__})
    for line in sys.stdin:
        asked = json.loads(line)
        with np.load(asked["file"]) as file:
            data = {name: file[name] for name in file.files}
        spikes = torch.tensor(data["spikes"].astype(np.float32))
        labels = torch.tensor(data["labels"].astype(np.int64))
        torch.manual_seed(asked["seed"])
        network = Network(spikes.shape[2], asked["hidden"], int(labels.max()) + 1, asked["decay"], asked["slope"])
        adam = torch.optim.Adam(network.parameters(), lr=asked["rate"])
        start = time.perf_counter()
        for step in range(asked["steps"]):
            chosen = np.random.default_rng([asked["seed"], step]).integers(0, len(labels), asked["batch"])
            adam.zero_grad()
            torch.nn.functional.cross_entropy(network(spikes[chosen]), labels[chosen]).backward()
            adam.step()
        seconds = time.perf_counter() - start
        with torch.no_grad():
            found = network(torch.tensor(data["test_spikes"].astype(np.float32))).argmax(1).numpy()
        say({"accuracy": float(np.mean(found == data["test_labels"])), "seconds": seconds})


main()
