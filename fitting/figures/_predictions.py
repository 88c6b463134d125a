"""What should be seen as the input to a network with slow synapses grows to 1/(a K tau_S) and beyond."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jaxneuro.theory import linear_gain

from ._curves import filtered_rates, network_rates
from ._figure import Cost, Figure, Findings
from ._membrane import THRESHOLD, Membrane
from ._slow_networks import NETWORK
from ._style import TIMES, letters, panels

TAU_S = (5.0, 10.0, 20.0)  # ms
LOWEST, BEYOND = 8.0, 2.0  # nu_X [Hz]; and the highest input over 1/(a K tau_S)


@dataclass(frozen=True)
class Course:
    """A network over its input, up to beyond `critical` = 1/(a K tau_S) [Hz]."""

    nu_x: NDArray[np.float64]
    rate: NDArray[np.float64]
    at_once: NDArray[np.float64]
    membrane: Membrane
    tau_s: float
    critical: float

    @property
    def fires(self) -> Any:
        """Where there is a rate."""
        return self.rate > 0.0

    @property
    def distance(self) -> Any:
        """theta - mu [mV]."""
        return THRESHOLD - self.membrane.mu

    @property
    def sd(self) -> Any:
        """Of the potential without spikes [mV]."""
        m = self.membrane
        return m.sigma(m.mu) * np.sqrt(0.5 * m.tau / (m.tau + self.tau_s))

    @property
    def ratio(self) -> Any:
        """tau_S/tau."""
        return self.tau_s / self.membrane.tau


@dataclass(frozen=True)
class Data:
    """Courses by tau_S [ms], and the gain of (21)."""

    courses: dict[float, Course]
    gain: float


def compute(points: int) -> Data:
    """Self-consistent rates by the joined formula of appendix G."""
    courses = {}
    for tau_s in TAU_S:
        critical = 1000.0 / (NETWORK["a"] * NETWORK["k"] * tau_s)
        nu_x = np.geomspace(LOWEST, BEYOND * critical, points)
        rate, at_once = filtered_rates(nu_x, tau_s=tau_s, **NETWORK), network_rates(nu_x, **NETWORK)
        membrane = Membrane(**NETWORK, r_e=nu_x + rate, r_i=rate)
        courses[tau_s] = Course(nu_x, rate, at_once, membrane, tau_s, critical)
    return Data(courses, float(linear_gain(g=NETWORK["g"], gamma=NETWORK["gamma"])))


def check(data: Data) -> Findings:
    """What sections VIII and IX predict."""
    found = Findings()
    for tau_s, course in data.courses.items():
        high = course.fires & (course.ratio > 1.0)
        name = f"tau_S = {tau_s:g} ms"
        found.claim(
            course.distance[-1] < course.distance[high][0],
            f"{name}: the mean approaches threshold, to {course.distance[-1]:.2f} mV at {course.nu_x[-1]:.0f} Hz",
        )
        most = float(course.sd[course.fires].max())
        found.claim(
            course.sd[-1] < most, f"fluctuations grow, then fall: {most:.2f} mV at most, {course.sd[-1]:.2f} at last"
        )
        found.claim(
            np.all(np.diff(course.ratio) > 0.0), f"and slower than the membrane: tau_S/tau to {course.ratio[-1]:.0f}"
        )
        at = float(np.interp(course.critical, course.nu_x, course.ratio))
        off = course.rate / np.maximum(course.at_once, 1e-9)
        rate = float(np.interp(course.critical, course.nu_x, off))
        found.gap(
            f"at nu_X = 1/(a K tau_S) = {course.critical:.0f} Hz tau_S/tau is {at:.1f}, not 1: recurrent input counts "
            f"too; the rate is {rate:.2f} of that of synapses at once"
        )
    found.gap("the kinks at tau_S/tau = 10 are of the joined formula, which takes (G11) alone from there on")
    last = [c.rate[-1] / (data.gain * c.nu_x[-1]) for c in data.courses.values()]
    found.claim(
        abs(last[-1] - 1.0) < 0.25,
        "the response tends to (21): " + ", ".join(f"{x:.2f}" for x in last) + " of it",
    )
    return found


def draw(data: Data) -> Any:
    """The figure."""
    figure, grid = panels(2, 2, width=7.0, height=5.2)
    axes = grid.ravel()
    first = next(iter(data.courses.values()))
    axes[0].plot(first.nu_x, data.gain * first.nu_x, ":", color="black", label="(21)")
    axes[0].plot(first.nu_x, first.at_once, color="black", label="at once")
    for tau_s, course in data.courses.items():
        look, shown = {name: TIMES[tau_s][name] for name in ("color", "ls")}, np.where(course.fires, 1.0, np.nan)
        axes[0].plot(course.nu_x, course.rate * shown, **look, label=rf"$\tau_S$ = {tau_s:g} ms")
        axes[1].plot(course.nu_x, course.distance * shown, **look)
        axes[2].plot(course.nu_x, course.sd * shown, **look)
        axes[3].plot(course.nu_x, course.ratio * shown, **look)
        for axis, values in zip(axes, (course.rate, course.distance, course.sd, course.ratio), strict=True):
            axis.plot(course.critical, np.interp(course.critical, course.nu_x, values), "o", color=look["color"], ms=4)
    names = (
        "rate (Hz)", r"distance $\theta - \mu$ (mV)", r"fluctuations $\sigma_V$ (mV)", r"$\tau_S/\tau$ (1)",
    )  # fmt: skip
    for axis, name in zip(axes, names, strict=True):
        axis.set(xscale="log", xlabel=r"input $\nu_X$ (Hz)", ylabel=name)
    axes[0].set(yscale="log")
    axes[3].set(yscale="log")
    axes[3].axhline(1.0, color="0.6", lw=0.8)
    axes[0].plot([], [], "o", color="0.4", ms=4, label=r"$1/(aK\tau_S)$")
    axes[0].legend(loc="lower right")
    letters(axes)
    return figure


FIGURE = Figure(
    "predictions over the input, to 1/(a K tau_S) and beyond",
    compute,
    check,
    draw,
    48,
    48,
    lambda points: Cost(20.0, 0.7),
)
