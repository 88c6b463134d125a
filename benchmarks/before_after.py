"""Two checkouts of the package side by side: the same calls, taking turns.

    python -m benchmarks.before_after OLD_CHECKOUT [--only NAME ...] [--rounds N] [--json FILE]

Each checkout has a process of its own, which imports that checkout's package, compiles every call once and then runs it
when it is asked to. The ratio is old / new: above 1 the new one is faster. Ratios are of wall seconds and of CPU
seconds, all threads together, which other work on the machine changes less.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7

Call = Callable[[], Any]


def _run(net: Any, duration: float, dt: float, **keywords: Any) -> Call:
    """A compiled run with rates and CVs, over one wiring."""
    import jax

    import jaxneuro as jn

    key = jax.random.key(0)
    wiring = jn.wire(net, key=key)
    record = {"rate": jn.record.Rate(), "cv": jn.record.CV()}
    return lambda: jn.simulate(net, 0.0, duration, dt=dt, key=key, wiring=wiring, record=record, **keywords)["rate"]


def brunel() -> Call:
    """Brunel's network, 12,500 neurons, 200 ms."""
    import jaxneuro as jn

    return _run(jn.networks.brunel(), 200.0, 0.1)


def brunel_delays() -> Call:
    """The same with a delay drawn for every synapse, 100 ms."""
    import jaxneuro as jn

    net, delta, delay = jn.networks.brunel(), jn.DeltaCurrent(), jn.UniformDelay(0.1, 3.0)
    projections = [
        jn.Projection(p.pre, p.post, delta, weight=p.weight, connectivity=p.connectivity, delay=delay)
        for p in net.projections
    ]
    return _run(jn.Network(net.populations, projections, net.drives), 100.0, 0.1)


def conductances() -> Call:
    """The conductance-based network, K = 500, 100 ms."""
    import jaxneuro as jn

    return _run(jn.networks.conductance_based(a=0.0032, k=500, g=20.0, gamma=0.25, nu_x=20.0), 100.0, 0.1)


def filtered() -> Call:
    """5,000 neurons with exponential currents and short-term plasticity, 100 ms."""
    import jaxneuro as jn

    plastic = jn.ShortTermPlasticity(jn.ExponentialCurrent(5.0), u_0=0.5, tau_rec=200.0)
    rule = jn.FixedInDegree(500)
    net = jn.Network(
        {"E": jn.Population(jn.LIF(), 5_000)},
        [jn.Projection("E", "E", plastic, weight=-0.2, connectivity=rule, delay=1.0)],
        [jn.PoissonDrive("E", jn.ExponentialCurrent(5.0), weight=0.2, n_sources=500, rate=15.0)],
    )
    return _run(net, 100.0, 0.1)


def rate_gradient() -> Call:
    """Gradient of the rate of Brunel's network by g through 30 ms."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    key = jax.random.key(1)
    start = jn.initial.UniformPotential(0.0, 20.0) if "initial" in dir(jn) else jn.UniformPotential(0.0, 20.0)
    wiring = jn.wire(jn.networks.brunel(initial=start), key=key)

    def rate(g: Any) -> Any:
        net = jn.networks.brunel(g=g, initial=start)
        surrogate = jn.surrogate.Triangular(1.0)
        sol = jn.simulate(net, 0.0, 30.0, dt=0.1, key=key, wiring=wiring, surrogate=surrogate, throw=False)
        return jnp.mean(sol["rate"]["E"])

    gradient = jax.jit(jax.grad(rate))
    return lambda: gradient(5.0)


def surrogate() -> Call:
    """700-256(recurrent)-20 neurons, T = 100, batch 128, forward and backward."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    keys, delta = jax.random.split(jax.random.key(0), 4), jn.DeltaCurrent()
    sizes = {"w_in": ((256, 700), 0.25), "w_rec": ((256, 256), 0.05), "w_out": ((20, 256), 0.1)}
    weights = {n: sd * jax.random.normal(k, s) for k, (n, (s, sd)) in zip(keys[:3], sizes.items(), strict=True)}
    spikes = jax.random.bernoulli(keys[3], 0.02, (128, 100, 700))
    labels = jnp.arange(128) % 20

    def loss(w: dict[str, Any]) -> Any:
        ends = (("in", "hidden", w["w_in"]), ("hidden", "hidden", w["w_rec"]), ("hidden", "out", w["w_out"]))
        net = jn.Network(
            {
                "in": jn.Population(jn.SpikeSource(), 700),
                "hidden": jn.Population(jn.LIF(v_th=1.0, v_reset=0.0, t_ref=0.0), 256),
                "out": jn.Population(jn.LeakyIntegrator(tau_m=20.0), 20),
            },
            [jn.Projection(pre, post, delta, connectivity=jn.Weights(m), delay=1.0) for pre, post, m in ends],
        )

        def potentials(trial: Any) -> Any:
            given: Any = dict(
                record={"v": jn.record.Trace("out.v")}, surrogate=jn.surrogate.SuperSpike(0.1), throw=False
            )
            return jn.simulate(net, 0.0, 100.0, dt=1.0, key=keys[0], stimulus={"in": trial}, **given)["v"]

        return jn.learning.cross_entropy(jn.learning.max_potential(jax.vmap(potentials)(spikes)), labels)

    gradient = jax.jit(jax.value_and_grad(loss))
    return lambda: gradient(weights)


def hodgkin_huxley() -> Call:
    """10,000 Hodgkin-Huxley neurons, 50 ms at 0.025 ms."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    cells, current = jn.Population(jn.HodgkinHuxley(), 10_000), jnp.linspace(0.0, 20.0, 10_000)
    return lambda: jn.simulate(cells, 0.0, 50.0, dt=0.025, key=jax.random.key(0), stimulus=current)["rate"]


def hodgkin_huxley_gradient() -> Call:
    """Gradient of a loss on 1,000 of their potentials, 20 ms."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    current = jnp.linspace(0.0, 20.0, 1_000)

    def loss(g: Any) -> Any:
        cells = jn.Population(jn.HodgkinHuxley(g_na=g), 1_000)
        record = {"v": jn.record.Trace("v", every=40)}
        sol = jn.simulate(
            cells, 0.0, 20.0, dt=0.025, key=jax.random.key(0), stimulus=current, record=record,
            adjoint=jn.adjoint.Checkpoint(), throw=False,
        )  # fmt: skip
        return jnp.mean(sol["v"] ** 2)

    gradient = jax.jit(jax.grad(loss))
    return lambda: gradient(jnp.full(1_000, 120.0))


def ring() -> Call:
    """256 rings of 512 rates, 1,000 steps."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    def one(j1: Any) -> Any:
        model = jn.networks.ring(n=512, j0=-2.0, j1=j1, i0=1.0)
        record = {"last": jn.record.Trace("rate", every=1_000)}
        return jn.simulate(model, 0.0, 500.0, dt=0.5, record=record, throw=False)["last"]

    batch = jax.jit(jax.vmap(one))
    return lambda: batch(jnp.linspace(2.0, 3.0, 256))


def binary() -> Call:
    """The binary network, 10,000 units, 50 ms."""
    import jax

    import jaxneuro as jn

    net, key = jn.networks.binary(k=500, n_e=5_000, n_i=5_000), jax.random.key(0)
    wiring = jn.wire(net, key=key)
    return lambda: jn.simulate(net, 0.0, 50.0, dt=0.1, key=key, wiring=wiring)["activity"]


def mean_field() -> Call:
    """A mean field of Brunel's network, 100 values of g."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    solve = jax.jit(jax.vmap(lambda g: jn.theory.mean_field(jn.networks.brunel(g=g), throw=False).rate["E"]))
    return lambda: solve(jnp.linspace(4.5, 8.0, 100))


def mean_field_two() -> Call:
    """A mean field of two populations that differ, 100 values of g."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    delta, both = jn.DeltaCurrent(), ("E", "I")

    def rate(g: Any) -> Any:
        net = jn.Network(
            {"E": jn.Population(jn.LIF(), 10_000), "I": jn.Population(jn.LIF(tau_m=10.0), 2_500)},
            [
                jn.Projection("E", both, delta, weight=0.1, connectivity=jn.FixedInDegree(1_000), delay=1.5),
                jn.Projection("I", both, delta, weight=-0.1 * g, connectivity=jn.FixedInDegree(250), delay=1.5),
            ],
            [jn.PoissonDrive(both, delta, weight=0.1, n_sources=1_000, rate=20.0)],
        )
        return jn.theory.mean_field(net, throw=False).rate["E"]

    solve = jax.jit(jax.vmap(rate))
    return lambda: solve(jnp.linspace(4.5, 8.0, 100))


def lif_rate() -> Call:
    """A million LIF rates."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    rate = jax.jit(lambda mu: jn.theory.lif_rate(mu, 5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0))
    return lambda: rate(jnp.linspace(0.0, 30.0, 1_000_000))


def batch() -> Call:
    """Eight small Brunel networks over one wiring, side by side, 50 ms."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    def net(g: Any) -> Any:
        return jn.networks.brunel(g=g, n_e=4_000, n_i=1_000, c_e=400, c_i=100)

    key = jax.random.key(0)
    wiring = jn.wire(net(5.0), key=key)

    def rate(g: Any) -> Any:
        return jn.simulate(net(g), 0.0, 50.0, dt=0.1, key=key, wiring=wiring, throw=False)["rate"]["E"]

    runs = jax.jit(jax.vmap(rate))
    return lambda: runs(jnp.linspace(4.5, 6.0, 8))


CASES: dict[str, Callable[[], Call]] = {
    case.__name__: case
    for case in (
        brunel, brunel_delays, conductances, filtered, batch, rate_gradient, surrogate, hodgkin_huxley,
        hodgkin_huxley_gradient, ring, binary, mean_field, mean_field_two, lif_rate,
    )
}  # fmt: skip


def _serve() -> None:
    """Answers one JSON line a request: a name and how many runs; the first request of a name compiles it."""
    import jax

    warnings.simplefilter("ignore", DeprecationWarning)
    ready: dict[str, Call] = {}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints goes to standard error
    for line in sys.stdin:
        name = json.loads(line)
        wall, cpu = time.perf_counter(), time.process_time()
        if name not in ready:
            ready[name] = CASES[name]()
        jax.block_until_ready(ready[name]())
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps(took), file=answers, flush=True)


class _Side:
    """One checkout's process."""

    def __init__(self, checkout: Path):
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        command = [sys.executable, str(Path(__file__).resolve()), "--serve"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=checkout, env=environment
        )

    def seconds(self, name: str) -> dict[str, float]:
        """Runs a case once: its wall and its CPU seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(name) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process ended in {name!r}: its error stands above.")
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    return 0.5 * (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2])


def compare(old: Path, names: list[str], rounds: int) -> list[dict[str, Any]]:
    """A row a case: medians of either side, medians of the ratios old / new, and what the first call took."""
    sides = {"old": _Side(old.resolve()), "new": _Side(ROOT)}
    rows = []
    for name in names:
        first = {side: process.seconds(name) for side, process in sides.items()}
        taken: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for _ in range(rounds):
            for side, process in sides.items():
                taken[side].append(process.seconds(name))
        row: dict[str, Any] = {"case": name, "what": (CASES[name].__doc__ or "").strip()}
        for clock in ("cpu", "wall"):
            old_s, new_s = ([one[clock] for one in taken[side]] for side in ("old", "new"))
            row[f"{clock}_ratio"] = _median([a / b for a, b in zip(old_s, new_s, strict=True)])
            row |= {f"{clock}_old": _median(old_s), f"{clock}_new": _median(new_s)}
            row |= {f"{clock}_first_{side}": first[side][clock] for side in sides}
        rows.append(row)
        told = [
            f"{clock} {row[f'{clock}_ratio']:.2f} ({row[f'{clock}_old']:.4f} / {row[f'{clock}_new']:.4f} s)"
            for clock in ("cpu", "wall")
        ]
        compiled = f"with compilation {first['old']['cpu']:.1f} / {first['new']['cpu']:.1f} CPU s"
        print(f"{name:24s} old / new: {', '.join(told)}; {compiled}   {row['what']}", flush=True)
    for process in sides.values():
        process.close()
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before_after", description="Two checkouts, in turns.")
    parser.add_argument("old", type=Path, help="the folder of the other checkout")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not (options.old / "jaxneuro" / "__init__.py").is_file():
        parser.error(f"`old` has to be a folder that holds the package; got {options.old}.")
    rows = compare(options.old, options.only, options.rounds)
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    _serve() if sys.argv[1:] == ["--serve"] else main()
