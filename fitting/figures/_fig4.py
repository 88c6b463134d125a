"""Fig. 4: neurons whose in-degrees differ: distributions of rates and CVs, silent neurons, and CV_K* over K."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import (
    AbstractNoise,
    EffectiveNoise,
    RateDistribution,
    ShotNoise,
    critical_heterogeneity,
    rate_distribution,
    scale_efficacy,
)

from ._figure import Cost, Figure, Findings
from ._slopes import network as open_network
from ._style import BROWN, GREEN, letters, panels, series

NETWORK: dict[str, Any] = dict(a=0.0016, k=1_000, g=20.0, gamma=0.25)
NU_X = 25.0  # Hz, 0.05/t_ref
# The theory of the curves; `ShotNoise()`, of spikes, takes a minute a network and is asked at `Size.spikes` alone.
NOISE: AbstractNoise = EffectiveNoise()
SAMPLES, REGULAR = 50_000, 30.0  # neurons of theory; Hz from which on the CV of a run of a second is known
CV_EDGES = np.linspace(0.0, 1.2, 49)
STAR_A, STAR_K, STAR_G, STAR_NU_X = 5e-4, 1e5, 30.0, 30.0  # panel D, as Fig. 3


@dataclass(frozen=True)
class Size:
    """CV_K of the runs and of `ShotNoise`; neurons over K, length, start of counting, step [ms]; CV_K, K of theory."""

    cv_k: tuple[float, ...]
    spikes: tuple[float, ...]
    n_per_k: float
    end: float
    start: float
    dt: float
    theory: tuple[float, ...] = (0.02, 0.05, 0.1, 0.15)
    k: tuple[float, ...] = (3e3, 1e4, 1e5, 1e6, 1e7)

    @property
    def gigabytes(self) -> float:
        """One byte a pair of neurons, twice while they are wired, and the program."""
        n = self.n_per_k * float(NETWORK["k"])
        return 0.9 + 2.2 * 1.25 * n * 2.25 * n / 1e9

    @property
    def seconds(self) -> float:
        """Measured: about 7 s a second of biology at 10,000 + 2,500 neurons in steps of 0.05 ms."""
        each = 10.0 + 7e-3 * self.end * (0.05 / self.dt) * self.n_per_k / 10.0
        return 40.0 + len(self.cv_k) * each + (50.0 + 10.0 * len(self.spikes) if self.spikes else 0.0)


@dataclass(frozen=True)
class Run:
    """Rates [Hz] and CVs of all neurons."""

    rate: NDArray[np.float64]
    cv: NDArray[np.float64]

    def many(self) -> NDArray[np.float64]:
        """The CVs of neurons with many intervals."""
        return self.cv[self.rate >= REGULAR]


@dataclass(frozen=True)
class Theory:
    """Mean [Hz], spread over it and share of silent neurons, and neurons that were drawn."""

    mean: float
    spread: float
    silent: float
    drawn: Run


@dataclass(frozen=True)
class Data:
    """Runs by CV_K; of theory mean, spread [Hz] and share of silent neurons; the same of spikes; CV_K* over K."""

    size: Size
    runs: dict[float, Run]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    silent: NDArray[np.float64]
    spikes: dict[float, Theory]
    samples: dict[float, Run]
    a: NDArray[np.float64]
    star: NDArray[np.float64]
    own_star: float


def _run(cv_k: float, size: Size) -> Run:
    n = round(size.n_per_k * NETWORK["k"])
    net = jn.networks.conductance_based(nu_x=NU_X, cv_k=cv_k, n_e=n, n_i=n // 4, n_x=n, **NETWORK)
    record = {"rate": jn.record.Rate(start=size.start), "cv": jn.record.CV(start=size.start)}
    sol = jn.simulate(net, 0.0, size.end, dt=size.dt, key=jax.random.key(0), record=record)
    rate, cv = (np.concatenate([np.asarray(sol[what][name], float) for name in ("E", "I")]) for what in ("rate", "cv"))
    return Run(rate, cv)


def _of_spikes(cv_k: float, size: Size) -> Theory:
    found = rate_distribution(jn.networks.conductance_based(nu_x=NU_X, cv_k=cv_k, **NETWORK), noise=ShotNoise())
    silent = float(found.fraction_silent(size.end - size.start))
    return Theory(float(found.mean), float(found.sd / found.mean), silent, _drawn(found))


def _drawn(found: RateDistribution) -> Run:
    sample = found.sample(SAMPLES, key=jax.random.key(1))
    return Run(np.asarray(sample.rate), np.asarray(sample.cv))


def compute(size: Size) -> Data:
    """Runs, distributions by (F2), and the critical heterogeneity."""
    runs = {cv_k: _run(cv_k, size) for cv_k in size.cv_k}
    mean, sd, silent, samples = [], [], [], {}
    for cv_k in sorted({*size.theory, *size.cv_k}):
        net = jn.networks.conductance_based(nu_x=NU_X, cv_k=cv_k, **NETWORK)
        found = rate_distribution(net, noise=NOISE)
        mean.append(float(found.mean))
        sd.append(float(found.sd))
        silent.append(float(found.fraction_silent(size.end - size.start)))
        if cv_k in size.cv_k:
            samples[cv_k] = _drawn(found)
    spikes = {cv_k: _of_spikes(cv_k, size) for cv_k in size.spikes}
    like = jn.networks.conductance_based(a=STAR_A, k=STAR_K, g=STAR_G, nu_x=STAR_NU_X)
    a = np.asarray(scale_efficacy(np.array(size.k), like=like))
    nets = [open_network(a=x, k=k, nu_x=STAR_NU_X, g=STAR_G) for x, k in zip(a, size.k, strict=True)]
    star = [float(critical_heterogeneity(net).cv_k) for net in nets]
    own = critical_heterogeneity(open_network(a=NETWORK["a"], k=NETWORK["k"], nu_x=NU_X, g=NETWORK["g"]))
    return Data(
        size, runs, np.array(mean), np.array(sd), np.array(silent), spikes, samples, a, np.array(star), float(own.cv_k)
    )


def check(data: Data) -> Findings:
    """What the caption and section VI say."""
    found, size = Findings(), data.size
    every = sorted({*size.theory, *size.cv_k})
    spread, name = data.sd / data.mean, type(NOISE).__name__
    slope = spread / np.array(every)
    small = np.array(every) <= 0.1
    found.claim(
        np.ptp(slope[small]) < 0.5 * slope[small].max(),
        f"in theory sd/mean grows about linearly with CV_K below CV_K* = {data.own_star:.3f}",
    )
    for cv_k, run in data.runs.items():
        at = every.index(cv_k)
        found.gap(
            f"CV_K {cv_k:g}: runs {run.rate.mean():.2f} Hz, sd/mean {_spread(run, size):.3f}, silent "
            f"{np.mean(run.rate == 0.0):.2%}; {name} {data.mean[at]:.2f} Hz, {spread[at]:.3f}, {data.silent[at]:.2%}"
        )
    runs = [run for _, run in sorted(data.runs.items())]
    found.claim(
        np.all(np.diff([r.rate.std() / r.rate.mean() for r in runs]) > 0.0), "in runs the spread grows with CV_K"
    )
    quiet = [np.mean(r.rate == 0.0) for r in runs]
    found.claim(quiet[-1] >= quiet[0], f"and so does the share of silent neurons: {quiet[0]:.2%} to {quiet[-1]:.2%}")
    cvs = [f"{run.many().mean():.2f} ({data.samples[cv_k].many().mean():.2f})" for cv_k, run in data.runs.items()]
    found.gap(
        f"the CV of neurons from {REGULAR:g} Hz on is {', '.join(cvs)} in runs (by {name}): a window of 1 s takes "
        "0.04, and that trains of the network are more regular than a Poisson process is left out of theory"
    )
    ratio = data.star / data.a
    slopes = np.diff(np.log(data.star)) / np.diff(np.log(data.a))
    found.claim(
        abs(slopes[-1] - 1.0) < 0.2,
        f"CV_K* falls as a at large K: local slope {slopes[-1]:.2f}, CV_K*/a {ratio[-1]:.0f}",
    )
    found.gap(
        f"runs of {size.end / 1000.0:g} s in steps of {size.dt:g} ms (20 s in the paper); such a step loses 13% of the "
        "rate at a = 0.01, nu_X = 20 Hz"
    )
    for cv_k, seen in data.spikes.items():
        found.gap(
            f"CV_K {cv_k:g}: (F2) by ShotNoise {seen.mean:.2f} Hz, sd/mean {seen.spread:.3f}, silent "
            f"{seen.silent:.2%}, CV from {REGULAR:g} Hz on {seen.drawn.many().mean():.2f}"
        )
    return found


def _spread(run: Run, size: Size) -> float:
    """sd/mean of the rates without what the noise of counts adds, whose variance is that of a Poisson process."""
    mean, counted = run.rate.mean(), (size.end - size.start) / 1000.0
    return float(np.sqrt(max(run.rate.var() - mean / counted, 0.0)) / mean)


def _bins(top: float, counted: float) -> NDArray[np.float64]:
    """Edges [Hz] that hold the same number of counts in `counted` seconds each."""
    width = max(1, round(top / 30.0 * counted)) / counted
    return np.arange(-0.5 / counted, top + width, width)


def _density(axes: Any, values: NDArray[np.float64], edges: NDArray[np.float64], look: str, **how: Any) -> None:
    density, _ = np.histogram(values, bins=edges, density=True)
    axes.plot(0.5 * (edges[1:] + edges[:-1]), density, look, **how)


def draw(data: Data) -> Any:
    """The figure."""
    figure, grid = panels(2, 2, width=7.2, height=5.6)
    (a, b), (c, d) = grid
    every = sorted({*data.size.theory, *data.size.cv_k})
    for (cv_k, run), colour in zip(data.runs.items(), series(len(data.runs)), strict=True):
        edges = _bins(float(np.quantile(run.rate, 0.998)), (data.size.end - data.size.start) / 1000.0)
        look = dict(color=colour, ms=3, lw=1.0)
        _density(a, run.rate, edges, "o", **look, label=f"$CV_K$ = {cv_k:g}")
        _density(a, data.samples[cv_k].rate, edges, "-", **look)
        _density(b, run.many(), CV_EDGES, "o", **look)
        _density(b, data.samples[cv_k].many(), CV_EDGES, "-", **look)
        if cv_k in data.spikes:
            spikes = dict(color="black", lw=1.2)
            _density(a, data.spikes[cv_k].drawn.rate, edges, ":", **spikes, label=f"{cv_k:g}, by spikes")
            _density(b, data.spikes[cv_k].drawn.many(), CV_EDGES, ":", **spikes)
    a.set(xlabel="rate of a neuron (Hz)", ylabel="density (1/Hz)", yscale="log", ylim=(1e-4, 0.2))
    a.set_title("dots: run, lines: (F3)")
    a.legend()
    b.set(xlabel="CV of a neuron's intervals (1)", ylabel="density (1)", ylim=(0.0, None))
    b.set_title(f"from {REGULAR:g} Hz on")
    c.plot(every, data.sd / data.mean, color=GREEN, label=r"$\Delta\nu/\nu$, (F2)")
    c.plot(list(data.runs), [_spread(run, data.size) for run in data.runs.values()], "o", color=GREEN, label="runs")
    c.plot(list(data.spikes), [x.spread for x in data.spikes.values()], "x", color="black", ms=6, label="by spikes")
    c.set(xlabel="$CV_K$ (1)", ylabel=r"$\Delta\nu/\nu$ (1)", ylim=(0.0, None), xlim=(0.0, None))
    c.legend(loc="upper left")
    right = c.twinx()
    right.plot(every, data.silent, "--", color=BROWN, label="silent, (F3)")
    right.plot(
        list(data.runs),
        [np.mean(r.rate == 0.0) for r in data.runs.values()],
        "s",
        color=BROWN,
        label="silent, runs",
    )
    right.set(ylabel="silent neurons (share)", ylim=(0.0, None))
    right.spines["right"].set_visible(True)
    right.legend(loc="lower right")
    d.plot(data.size.k, data.star, "o-", color=GREEN, ms=4, label="$CV_K^*$")
    d.set(xscale="log", yscale="log", xlabel="in-degree $K$ (1)", ylabel="$CV_K^*$ (1)")
    scale = data.star[-1] / data.a[-1]
    d.plot(data.size.k, scale * data.a, "--", color=BROWN, label=f"{scale:.0f} $a$")
    d.legend()
    letters(grid.ravel())
    return figure


SMALL = Size((0.05, 0.1, 0.2), (0.05,), 10.0, 1_100.0, 100.0, 0.05)
PAPER = Size((0.01, 0.05, 0.1, 0.2), (0.05, 0.1), 10.0, 20_100.0, 100.0, 0.05)
FIGURE = Figure(
    "neurons whose in-degrees differ", compute, check, draw, SMALL, PAPER,
    lambda size: Cost(size.seconds, size.gigabytes), not_run="20 s at each CV_K.",
)  # fmt: skip
