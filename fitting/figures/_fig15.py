"""Fig. 15: what theory says of networks at large tau_S/tau, beside the runs of Fig. 6."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jaxneuro.theory import LongFilter, linear_gain

from . import _slow_networks
from ._curves import filtered_rates, network_rates
from ._fig6 import LOOKS, membranes
from ._figure import Cost, Figure, Findings
from ._slow_networks import NETWORK, Runs, Size
from ._style import letters, panels

LINE = np.geomspace(2.0, 160.0, 40)


@dataclass(frozen=True)
class Data:
    """Runs, and rates [Hz] over `LINE`: at once, by (G11) and by the joined formula, (tau_S, nu_X)."""

    size: Size
    runs: Runs
    at_once: NDArray[np.float64]
    large: NDArray[np.float64]
    joined: NDArray[np.float64]
    gain: float

    def ratio(self, i: int) -> Any:
        """tau_S/tau over `LINE`, of the joined formula."""
        return self.size.tau_s[i] / membranes("network", LINE, self.joined[i]).tau


def compute(size: Size) -> Data:
    """The runs of Fig. 6, and self-consistent rates of appendix G."""
    large = [filtered_rates(LINE, tau_s=x, regime=LongFilter(), **NETWORK) for x in size.tau_s]
    joined = [filtered_rates(LINE, tau_s=x, **NETWORK) for x in size.tau_s]
    gain = float(linear_gain(g=NETWORK["g"], gamma=NETWORK["gamma"]))
    runs = _slow_networks.run(size)
    return Data(size, runs, network_rates(LINE, **NETWORK), np.array(large), np.array(joined), gain)


def check(data: Data) -> Findings:
    """What the caption says."""
    found, inputs = Findings(), np.array(data.size.nu_x)
    for i, tau_s in enumerate(data.size.tau_s):
        ratio = np.interp(inputs, LINE, data.ratio(i))
        for name, rates, valid in (
            ("(G11)", data.large[i], ratio > 1.0),
            ("the joined formula", data.joined[i], ratio > 0.0),
        ):
            loud = valid & (data.runs.rate[i] > 1.0)
            if loud.any():
                off = np.interp(inputs, LINE, rates)[loud] / data.runs.rate[i][loud] - 1.0
                found.gap(f"tau_S = {tau_s:g} ms: {name} is {off.min():+.0%} to {off.max():+.0%} off the runs")
    slow = data.large[-1] / (data.gain * LINE)
    found.claim(
        abs(slow[-1] - 1.0) < abs(slow[LINE.size // 2] - 1.0) and abs(slow[-1] - 1.0) < 0.3,
        f"at large tau_S/tau (here {data.ratio(-1)[-1]:.0f}) theory tends to (21): {slow[-1]:.2f} of it",
    )
    run = data.runs.rate[-1][-1] / (data.gain * inputs[-1])
    found.claim(abs(run - 1.0) < 0.25, f"and so do the runs: {run:.2f} of it at {inputs[-1]:.0f} Hz")
    found.gap(
        f"{2 * data.size.n:,} neurons in steps of {data.size.dt:g} ms, for {data.size.end:g} ms; 20,000 in the paper"
    )
    return found


def draw(data: Data) -> Any:
    """The figure."""
    figure, grid = panels(1, 2, width=7.2, height=3.2)
    for axis in grid[0]:
        axis.plot(LINE, data.at_once, color="black", label="at once")
        axis.plot(LINE, data.gain * LINE, "--", color="black", lw=0.9, label="(21)")
        for i, tau_s in enumerate(data.size.tau_s):
            look, far = LOOKS[tau_s], data.ratio(i) > 1.0
            axis.plot(
                LINE,
                np.where(far, data.large[i], np.nan),
                color=look["color"],
                label=rf"(G11), $\tau_S$ = {tau_s:g} ms",
            )
            axis.plot(LINE, data.joined[i], color=look["color"], lw=0.8, ls=":", label=f"joined, {tau_s:g} ms")
            axis.plot(data.size.nu_x, data.runs.rate[i], ls="none", ms=5, label=f"runs, {tau_s:g} ms", **look)
        axis.set(xlabel=r"input $\nu_X$ (Hz)", ylabel="rate (Hz)")
    top = max(data.size.nu_x)
    grid[0, 0].set(xlim=(0.0, 1.05 * top), ylim=(0.0, 1.15 * float(data.runs.rate.max())))
    grid[0, 1].set(xlim=(0.0, 25.0), ylim=(0.0, 35.0))
    grid[0, 0].legend()
    letters(grid[0])
    return figure


FIGURE = Figure(
    "networks at large tau_S/tau: theory beside runs", compute, check, draw, _slow_networks.SMALL, _slow_networks.PAPER,
    lambda size: Cost(30.0 + size.seconds, size.gigabytes), float64=False,
    not_run="20,000 neurons for 2 s at each input; the paper's length is not printed.",
)  # fmt: skip
