"""Makes surrogate_torch.json: gradients of a small recurrent network by torch's autograd.

`python -m benchmarks.peers snntorch` makes an environment with torch; then
`.peers/snntorch/bin/python tests/references/make_surrogate_references.py`.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch

N_IN, N, N_OUT, STEPS, DT = 6, 8, 2, 40, 1.0
# Name: reset, detached, surrogate, refractory steps.
CASES = {
    "hard detached": ("hard", True, "fast_sigmoid", 0),
    "hard attached": ("hard", False, "triangular", 2),
    "soft detached": ("soft", True, "arctan", 0),
    "soft attached": ("soft", False, "exponential", 0),
}
WIDTH = 0.4


def numbers() -> dict:
    rng = np.random.default_rng(7)
    return {
        "w_in": rng.normal(0.3, 0.5, (N, N_IN)),
        "w_rec": rng.normal(0.0, 0.25, (N, N)),
        "w_out": rng.normal(0.0, 0.5, (N_OUT, N)),
        "tau_m": rng.uniform(8.0, 15.0, N),
        "v_th": rng.uniform(0.8, 1.2, N),
        "tau_out": np.asarray(12.0),
        "spikes": (rng.random((STEPS, N_IN)) < 0.25).astype(float),
        "target": rng.normal(0.0, 1.0, (STEPS, N_OUT)),
    }


def slope(kind: str, x: torch.Tensor) -> torch.Tensor:
    a = x.abs() / WIDTH
    if kind == "fast_sigmoid":
        return 0.5 / WIDTH / (1 + a) ** 2
    if kind == "triangular":
        return (1 - a).clamp(min=0) / WIDTH
    if kind == "arctan":
        return 1 / (math.pi * WIDTH) / (1 + a**2)
    return 0.5 / WIDTH * torch.exp(-a)


def spike_function(kind: str):
    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * slope(kind, x)

    return Spike.apply


def run(reset: str, detached: bool, kind: str, refractory: int) -> dict:
    given = numbers()
    p = {k: torch.tensor(v, dtype=torch.float64, requires_grad=k not in ("spikes", "target")) for k, v in given.items()}
    spike = spike_function(kind)
    v, out = torch.zeros(N, dtype=torch.float64), torch.zeros(N_OUT, dtype=torch.float64)
    before = torch.zeros(N, dtype=torch.float64)
    heard = torch.zeros(N_IN, dtype=torch.float64)
    left = torch.zeros(N, dtype=torch.int64)
    loss, total = torch.zeros((), dtype=torch.float64), torch.zeros(N, dtype=torch.float64)
    for t in range(STEPS):
        out = out * torch.exp(-DT / p["tau_out"]) + p["w_out"] @ before
        v = v * torch.exp(-DT / p["tau_m"]) + p["w_in"] @ heard + p["w_rec"] @ before
        free = left == 0
        v = torch.where(free, v, torch.zeros_like(v))
        s = torch.where(free, spike(v - p["v_th"]), torch.zeros_like(v))
        fired = s > 0
        counted = s.detach() if detached else s
        v = v * (1 - counted) if reset == "hard" else v - counted * p["v_th"]
        left = torch.where(fired, refractory, (left - 1).clamp(min=0))
        heard, before, total = p["spikes"][t], s, total + s
        loss = loss + ((out - p["target"][t]) ** 2).sum() * DT
    loss = loss + 0.1 * ((total - 5.0) ** 2).sum()
    loss.backward()
    gradients = {k: p[k].grad.tolist() for k in ("w_in", "w_rec", "w_out", "tau_m", "v_th", "tau_out")}
    return {"loss": loss.item(), "spikes": total.tolist(), "gradients": gradients}


if __name__ == "__main__":
    path = Path(__file__).with_name("surrogate_torch.json")
    found = {name: run(*case) for name, case in CASES.items()}
    path.write_text(json.dumps({"torch": torch.__version__, "cases": found}) + "\n")
    print({name: sum(case["spikes"]) for name, case in found.items()})
