"""Evidence for the balanced network of binary units: mean field, simulation, damage, tracking, Boltzmann.

`ours` is what the library gives, `peer` the published number, an independent computation or, for a simulation, the
mean field. N = 20 K units a population, K = 1,000, 0.1 from outside, 10 ms between updates, five wirings.
"""

import time

import numpy as np

from ._report import Row

_K, _N, _TAU = 1_000, 20_000, 10.0
_WIRINGS, _FLIPS = 5, 64


def _row(what: str, ours: float, peer: float | None, unit: str, note: str = "") -> Row:
    ratio = None if peer is None or ours == 0.0 else peer / ours
    row = Row(what=what, ours=ours, peer=peer, ratio=ratio, unit=unit)
    if note:
        row["note"] = note
    return row


def theory() -> list[Row]:
    """Balance, Poisson counts at K = 1,000 and the way to the limit; published numbers beside them."""
    import jaxneuro as jn

    rows, slopes = [], []
    for m0, e in ((0.025, 0.0), (0.05, 0.0127), (0.1, 0.0583), (0.2, 0.155), (0.3, 0.253)):
        mf = jn.theory.mean_field(jn.networks.binary(k=_K, m0=m0))
        slopes.append(float(mf.rate["E"]))
        if m0 == 0.1:
            for name in ("E", "I"):
                rows.append(_row(f"balance activity of {name}", float(mf.balance[name]), 0.1, "1"))
        rows.append(_row(f"Poisson counts, m_E at m_0 = {m0}", slopes[-1], e, "1"))
        if m0 == 0.1:
            rows.append(_row(f"Poisson counts, m_I at m_0 = {m0}", float(mf.rate["I"]), 0.0783, "1"))
    for low, high in ((2, 3), (3, 4)):
        step = (slopes[high] - slopes[low]) / 0.1
        what = f"slope of m_E from m_0 = 0.{low - 1} to 0.{high - 1}"
        rows.append(_row(what, step, 0.975, "1", "published: 0.97 to 0.98"))
    offset = {}
    for k in (1_000, 10_000, 100_000, 1_000_000):
        net = jn.networks.binary(k=k, m0=0.2, n_e=20 * k, n_i=20 * k)
        mf = jn.theory.mean_field(net, field=jn.theory.GaussianField())
        offset[k] = (0.2 - float(mf.rate["E"])) * k**0.5
        note = "Gaussian field; tends to a constant"
        rows.append(_row(f"sqrt(K) (0.2 - m_E) at K = {k:,}", offset[k], None, "1", note))
        rows.append(_row(f"relaxation at K = {k:,}", float(mf.relaxation), _TAU, "ms", "beside tau"))
    return rows


def simulation() -> list[Row]:
    """Five wirings of 40,000 units against the mean field, then damage and tracking in the last of them."""
    import jax

    import jaxneuro as jn

    net = jn.networks.binary(k=_K, n_e=_N, n_i=_N, m0=0.1)
    mf = jn.theory.mean_field(net)
    rows, means, squares, walls, last = [], [], [], [], None
    for seed in range(_WIRINGS):
        wiring = jn.wire(net, key=jax.random.key(seed))
        begin = time.perf_counter()
        sol = jn.simulate(
            net, 0.0, 1_100.0, dt=1.0, key=jax.random.key(seed), wiring=wiring,
            record={"m": jn.record.MeanActivity(start=100.0)},
        )  # fmt: skip
        m = {name: np.asarray(values, float) for name, values in sol["m"].items()}
        walls.append(time.perf_counter() - begin)
        means.append({name: values.mean() for name, values in m.items()})
        # A mean over T = 1,000 ms adds the variance m (1 - m) 2 tau / T of a unit that remembers for tau, about.
        squares.append({name: (values**2).mean() for name, values in m.items()})
        last = (wiring, sol.state)
    for name in net.names:
        found = [mean[name] for mean in means]
        worst = max(abs(value / float(mf.rate[name]) - 1) for value in found)
        note = f"{_WIRINGS} wirings, {min(found):.5f} to {max(found):.5f}; the farthest is off by {worst:.2%}"
        rows.append(_row(f"simulated m_{name}, N = 20 K", float(np.mean(found)), float(mf.rate[name]), "1", note))
        q = float(np.mean([s[name] for s in squares]))
        ceiling = float(mf.q[name] + (mf.rate[name] - mf.q[name]) * 2 * _TAU / 1_000.0)
        note = f"over 1 s; q = {float(mf.q[name]):.5f} and the finite time's (m - q) 2 tau / T"
        rows.append(_row(f"simulated mean of m_i^2 in {name}", q, ceiling, "1", note))
    rows.append(_row("40,000 units for 110 tau", float(np.median(walls)), None, "s", "median; the first compiles"))
    assert last is not None
    return rows + _damage(net, mf, *last) + _tracking(net, *last)


def _damage(net, mf, wiring, state) -> list[Row]:
    import jax

    import jaxneuro as jn

    at = 1_100.0
    spread = jn.analysis.damage(net, at, at + 100.0, dt=1.0, key=jax.random.key(9), state=state, wiring=wiring)
    rows = []
    for name in net.names:
        settled = float(np.mean(np.asarray(spread.share[name])[60:]))
        expected = 2 * float(mf.rate[name] - mf.q[name])
        rows.append(_row(f"damage in {name} from one unit, 60-100 ms", settled, expected, "1", "beside 2 (m - q)"))
    fresh = jn.simulate(net, 0.0, 50.0, dt=0.1, key=jax.random.key(3), wiring=wiring, record={}).state
    total = np.zeros(10)
    for seed in range(_FLIPS):
        early = jn.analysis.damage(
            net, 50.0, 51.0, dt=0.1, key=jax.random.key(seed), state=fresh, wiring=wiring,
            flip={"EI"[seed % 2]: [seed]},
        )  # fmt: skip
        total += sum(np.asarray(units, float) for units in early.units.values()) / _FLIPS
    # Until 1 ms fewer than N / K = 20 units differ and no target sees two of them: growth is linear in the damage.
    growth = np.log(total[9] / total[1]) / 0.8e-3
    note = f"{_FLIPS} single units; {total[1]:.2f} differ after 0.2 ms, {total[9]:.2f} after 1 ms"
    return [*rows, _row("growth of damage, 0.2 to 1 ms", float(growth), float(mf.lyapunov), "1/s", note)]


def _tracking(net, wiring, state) -> list[Row]:
    """The time to 63% of a step of m_0 from 0.1 to 0.2, here and in units that each hear the drive alone."""
    import jax

    import jaxneuro as jn

    root = _K**0.5
    step = {"E": 0.1 * root, "I": 0.08 * root}
    record = {"p": jn.record.PopulationActivity()}
    run = {"dt": 0.25, "record": record, "key": jax.random.key(1)}
    fresh = jn.simulate(net, 0.0, 50.0, wiring=wiring, **run)
    sol = jn.simulate(net, 50.0, 100.0, wiring=wiring, state=fresh.state, stimulus=step, **run)
    before = np.asarray(fresh["p"]["E"])[-100:].mean()
    alone = jn.BinaryNetwork(
        {"E": jn.Population(jn.Binary(np.linspace(0.0, 1.0, _N)), _N)}, drives={"E": 0.1}, initial={"E": 0.1}
    )
    driven = jn.simulate(alone, 0.0, 50.0, **run)
    follows = jn.simulate(alone, 50.0, 150.0, state=driven.state, stimulus={"E": 0.1}, **run)
    times = [
        _first_passage(np.asarray(sol["p"]["E"]), before, 0.25, 100),
        _first_passage(np.asarray(follows["p"]["E"]), 0.1, 0.25, 100),
    ]
    return [_row("time to 63% of a step of the drive", times[0], times[1], "ms", "beside a network driven by its mean")]


def _first_passage(activity: np.ndarray, before: float, dt: float, n_last: int) -> float:
    share = (activity - before) / (activity[-n_last:].mean() - before)
    at = int(np.argmax(share > 1 - np.exp(-1)))
    below = share[at - 1] if at else 0.0
    return dt * (at + (1 - np.exp(-1) - below) / (share[at] - below))


def boltzmann() -> list[Row]:
    """Glauber dynamics of ten units with symmetric weights: means and pair means against the sum over 1,024 states."""
    import jax
    import jax.numpy as jnp

    import jaxneuro as jn

    n, size, generator = 10, 2_048, np.random.default_rng(0)
    couplings = np.triu(generator.normal(size=(n, n)), 1)
    couplings, thresholds = couplings + couplings.T, 0.5 * generator.normal(size=n)
    net = jn.BinaryNetwork(
        {"S": jn.Population(jn.Binary(thresholds, temperature=1.0), n)},
        [jn.BinaryProjection("S", "S", weight=couplings)],
        initial={"S": 0.5},
    )
    states = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    energy = -0.5 * np.einsum("ki,ij,kj->k", states, couplings, states) + states @ thresholds
    p = np.exp(energy.min() - energy) / np.exp(energy.min() - energy).sum()
    wiring, record = jn.wire(net, key=jax.random.key(0)), {"s": jn.record.UnitStates(start=300.0)}

    def means(key):
        sol = jn.simulate(net, 0.0, 4_300.0, dt=10.0, key=key, wiring=wiring, record=record)
        s = sol["s"]["S"].as_array().astype(jnp.result_type(float))
        return s.T @ s / s.shape[0]

    runs = np.asarray(jax.jit(jax.vmap(means))(jax.random.split(jax.random.key(1), size)), float)
    exact = np.einsum("k,ki,kj->ij", p, states, states)
    upper = np.triu_indices(n)
    deviation = (runs.mean(0) - exact)[upper]
    squared = size * deviation @ np.linalg.solve(np.cov(runs[:, *upper].T), deviation)
    note = f"{size} runs of 400 tau; the largest of 55 deviations is {np.abs(deviation).max():.2g}"
    return [
        _row("Boltzmann, N = 10: mean activity", float(np.trace(runs.mean(0))) / n, float(np.trace(exact)) / n, "1"),
        _row(
            "Boltzmann, N = 10: squared distance",
            float(squared),
            55.0,
            "1",
            f"chi^2 of 55 expected; {note}",
        ),
    ]


def run() -> list[Row]:
    """Everything, in the order of the functions above."""
    return theory() + simulation() + boltzmann()
