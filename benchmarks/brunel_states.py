"""Brunel's four examples: rate beside the mean field, CV, peak of the spectrum, and the state they are classified as.

The network has 12,500 neurons; each example is run with several wirings, and the command raises where one is classified
other than in the source's Fig. 8. `python -m benchmarks.brunel_states --figure FILE` draws the four as it does.

Source: Brunel (2000), doi:10.1023/A:1008925309027, Fig. 8.
"""

import argparse

import jax

import jaxneuro as jn

from ._report import Row, compared

EXAMPLES = {
    (3.0, 2.0): jn.analysis.State.SR,
    (6.0, 4.0): jn.analysis.State.fast_SI,
    (5.0, 2.0): jn.analysis.State.AI,
    (4.5, 0.9): jn.analysis.State.slow_SI,
}
WIRINGS = 4
T0, T1, DT = 200.0, 1_700.0, 0.1


def measure(g: float, ratio: float, wiring: jn.Wiring, seed: int) -> jn.analysis.Classification:
    """The state of one run."""
    record = jn.analysis.state_recorders(start=T0)
    net = jn.networks.brunel(g, ratio)
    sol = jn.simulate(net, 0.0, T1, dt=DT, key=jax.random.key(seed), wiring=wiring, record=record)
    return jn.analysis.classify_state(sol)


def rows_of(g: float, ratio: float, found: list[jn.analysis.Classification]) -> list[Row]:
    """The numbers of one example over its wirings, from the excitatory neurons."""
    mf = jn.theory.mean_field(jn.networks.brunel(g, ratio))
    name, expected = f"g = {g:g}, ratio {ratio:g}", EXAMPLES[g, ratio]

    def values(field: str, population: str = "E") -> list[float]:
        return [float(getattr(c, field)[population]) for c in found]

    def spread(field: str, population: str = "E") -> str:
        known = values(field, population)
        return f"{min(known):.3g} to {max(known):.3g} over {len(known)} wirings"

    states = [state for c in found for state in c.state.values()]
    if any(state != expected for state in states):
        raise ValueError(f"{name}: classified as {', '.join(map(str, states))}, and not as {expected}.")
    rows = [
        compared(f"{name}: rate", "Hz", values("rate"), [float(mf.rate["E"])], f"peer: mean field; {spread('rate')}"),
        compared(f"{name}: CV of ISI", "1", values("cv"), [float(mf.cv["E"])], f"peer: mean field; {spread('cv')}"),
        compared(f"{name}: peak of the spectrum", "Hz", values("frequency"), None, spread("frequency")),
        compared(f"{name}: peak over independent neurons", "1", values("height"), None, spread("height")),
        compared(f"{name}: modulation, E", "1", values("modulation"), None, spread("modulation")),
        compared(f"{name}: modulation, I", "1", values("modulation", "I"), None, spread("modulation", "I")),
        compared(f"{name}: chi in bins of 1 ms", "1", values("chi"), None, spread("chi")),
    ]
    rows.append(
        Row(what=f"{name}: {expected}", ours=1.0, peer=None, ratio=None, unit="of all", note=str(found[0].thresholds))
    )
    return rows


def draw(path: str) -> None:
    """The four states as Fig. 8 shows them: 50 neurons above the rate in bins of 0.1 ms."""
    import matplotlib.pyplot as plt

    record = {"spikes": jn.record.Spikes("E", start=1_000.0), "population_rate": jn.record.PopulationRate(width=DT)}
    wiring = jn.wire(jn.networks.brunel(), key=jax.random.key(1))
    figure = plt.figure(figsize=(11, 8), layout="constrained")
    parts = [part for row in figure.subfigures(2, 2, squeeze=False) for part in row]
    for letter, ((g, ratio), expected), part in zip("ABCD", EXAMPLES.items(), parts, strict=True):
        span = 100.0 if expected in (jn.analysis.State.SR, jn.analysis.State.fast_SI) else 200.0
        net = jn.networks.brunel(g, ratio)
        sol = jn.simulate(net, 0.0, 1_200.0, dt=DT, key=jax.random.key(1), wiring=wiring, record=record)
        part.suptitle(f"{letter}. {expected}: g = {g:g}, external rate over threshold {ratio:g}", fontsize="medium")
        jn.plot.draw_state(sol, *part.subplots(2, 1, sharex=True, height_ratios=[3, 2]), span=span)
    figure.savefig(path, dpi=110)


def run() -> list[Row]:
    """Rows for the four examples."""
    found: dict[tuple[float, float], list[jn.analysis.Classification]] = {point: [] for point in EXAMPLES}
    for seed in range(1, WIRINGS + 1):
        wiring = jn.wire(jn.networks.brunel(), key=jax.random.key(seed))
        for g, ratio in EXAMPLES:
            found[g, ratio].append(measure(g, ratio, wiring, seed))
    return [row for (g, ratio), runs in found.items() for row in rows_of(g, ratio, runs)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.brunel_states", description="Draws the four states.")
    parser.add_argument("--figure", required=True, metavar="FILE", help="where to write the figure")
    draw(parser.parse_args().figure)
