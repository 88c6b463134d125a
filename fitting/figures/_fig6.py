"""Fig. 6: synaptic time constants suppress one neuron, and not a network: runs beside theory of synapses at once."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import conductance_rate, linear_gain

from . import _slow_networks
from ._curves import network_rates
from ._figure import Cost, Figure, Findings
from ._membrane import RESET, T_REF, TAU_LEAK, THRESHOLD, Membrane
from ._slow_networks import NETWORK, Runs, Size
from ._style import TIMES, letters, panels

NEURON: dict[str, Any] = dict(a=0.01, k=1_000.0, g=8.0, gamma=0.25)
ETA = 1.5
# Looks of runs by tau_S [ms].
LOOKS = {tau_s: {name: look[name] for name in ("color", "marker")} for tau_s, look in TIMES.items()}
INPUTS = {"neuron": (5.0, 10.0, 20.0, 40.0), "trace": {"neuron": 5.0, "network": 20.0}}
LINE = np.geomspace(2.0, 160.0, 40)
SHOWN = 200.0  # ms of a trace


@dataclass(frozen=True)
class Data:
    """Rates of neurons (tau_S, nu_X), runs of networks, theory over `LINE`, and traces without spikes."""

    size: Size
    neuron: NDArray[np.float64]
    network: Runs
    at_once: dict[str, NDArray[np.float64]]
    traces: dict[str, dict[float, NDArray[np.float64]]]


def free(m: Membrane, tau_s: float, dt: float, key: Any) -> NDArray[np.float64]:
    """The potential [mV] of a neuron that never spikes."""
    lif = jn.LIF(tau_m=TAU_LEAK, v_rest=-80.0, v_th=1e6, v_reset=RESET, t_ref=T_REF)
    scale = TAU_LEAK / tau_s
    synapses = [jn.ExponentialConductance(tau=tau_s, reversal=e) for e in (0.0, -75.0)]
    given = ((m.a, m.k, m.r_e), (m.g * m.a, m.gamma * m.k, m.r_i))
    drives = [
        jn.PoissonDrive("E", synapse, weight=scale * weight, n_sources=k, rate=rate)
        for synapse, (weight, k, rate) in zip(synapses, given, strict=True)
    ]
    net = jn.Network({"E": jn.Population(lif, 1)}, drives=drives)
    sol = jn.simulate(net, 0.0, SHOWN, dt=dt, key=key, record={"v": jn.record.Trace("E.v")})
    return np.asarray(sol["v"])[:, 0]


def _neurons(size: Size) -> NDArray[np.float64]:
    rates = []
    for tau_s in size.tau_s:
        for nu_x in INPUTS["neuron"]:
            net = jn.networks.conductance_neuron(eta=ETA, nu_x=nu_x, tau_s=tau_s, n=200, **NEURON)
            record = {"rate": jn.record.Rate(start=100.0)}
            sol = jn.simulate(net, 0.0, 600.0, dt=size.dt, key=jax.random.key(1), record=record)
            rates.append(float(jnp.mean(sol["rate"]["E"])))
    return np.reshape(rates, (len(size.tau_s), -1))


def _traces(size: Size, network: Runs) -> dict[str, dict[float, NDArray[np.float64]]]:
    found: dict[str, dict[float, NDArray[np.float64]]] = {"neuron": {}, "network": {}}
    for i, tau_s in enumerate(size.tau_s):
        nu_x = INPUTS["trace"]["neuron"]
        alone = Membrane(**NEURON, r_e=nu_x, r_i=ETA * nu_x)
        nu_x = INPUTS["trace"]["network"]
        nu = float(np.interp(nu_x, size.nu_x, network.rate[i]))
        inside = Membrane(**NETWORK, r_e=nu_x + nu, r_i=nu)
        for name, m in (("neuron", alone), ("network", inside)):
            found[name][tau_s] = free(m, tau_s, size.dt, jax.random.key(3))
    return found


def compute(size: Size) -> Data:
    """Runs of neurons and of the network."""
    network = _slow_networks.run(size)
    at_once = {
        "neuron": np.asarray(conductance_rate(LINE, eta=ETA, **NEURON)),
        "network": network_rates(LINE, **NETWORK),
    }
    return Data(size, _neurons(size), network, at_once, _traces(size, network))


def membranes(kind: str, nu_x: Any, nu: Any) -> Membrane:
    """Neurons alone, or inside the network that fires at `nu`."""
    if kind == "neuron":
        return Membrane(**NEURON, r_e=nu_x, r_i=ETA * np.asarray(nu_x))
    return Membrane(**NETWORK, r_e=nu_x + nu, r_i=nu)


def check(data: Data) -> Findings:
    """What the caption and section VIII say."""
    found, size = Findings(), data.size
    inputs = np.array(INPUTS["neuron"])
    at = np.interp(inputs, LINE, data.at_once["neuron"])
    shares = data.neuron[:, -1] / at[-1]
    shown = ", ".join(f"{x:.2f} at {tau_s:g} ms" for x, tau_s in zip(shares, size.tau_s, strict=True))
    found.claim(
        np.all(np.diff(shares) < 0.0) and shares[-1] < 0.5,
        f"one neuron is suppressed: at {inputs[-1]:.0f} Hz its rate is {shown} of that at once",
    )
    tau_s = size.tau_s[0]
    ratio = tau_s / membranes("neuron", inputs, 0.0).tau
    off = data.neuron[0] / np.maximum(at, 1e-9)
    listed = ", ".join(f"{x:.2f} at tau_S/tau = {y:.2f}" for x, y in zip(off, ratio, strict=True))
    found.gap(f"with tau_S = {tau_s:g} ms the rate over that of diffusion at once is {listed}")
    gain = float(linear_gain(g=NETWORK["g"], gamma=NETWORK["gamma"]))
    top = np.array(size.nu_x)[-1]
    far = data.network.rate[:, -1] / (gain * top)
    found.claim(
        np.all(far > 0.5),
        "the network is not: it fires at "
        + ", ".join(f"{x:.0f}" for x in data.network.rate[:, -1])
        + f" Hz at {top:.0f} Hz",
    )
    found.claim(
        abs(far[-1] - 1.0) < 0.25, f"at {size.tau_s[-1]:g} ms its response comes to (21), {far[-1]:.2f} of it there"
    )
    mus = [membranes("network", np.array(size.nu_x), rate).mu for rate in data.network.rate]
    found.claim(
        mus[-1][-1] > mus[0][-1],
        f"by a mean closer to threshold: {THRESHOLD - mus[0][-1]:.2f} and {THRESHOLD - mus[-1][-1]:.2f} mV below it",
    )
    late = round(0.4 * SHOWN / size.dt)
    sd = [data.traces["network"][x][late:].std() for x in size.tau_s]
    found.claim(
        sd[-1] < sd[0], "and its free potential fluctuates less: SD " + ", ".join(f"{x:.2f}" for x in sd) + " mV"
    )
    found.gap(f"{2 * size.n:,} neurons in steps of {size.dt:g} ms, for {size.end:g} ms; 20,000 in the paper")
    return found


def _draw_column(axes: Any, data: Data, kind: str, limit: float) -> None:
    line_rate = data.at_once[kind]
    line = membranes(kind, LINE, line_rate)
    axes[0].plot(LINE, line_rate, color="black", label="at once, theory")
    axes[1].plot(LINE, line.tau, color="black")
    axes[2].plot(LINE, line.mu, color="black")
    axes[3].plot(LINE, line.sigma(line.mu) / np.sqrt(2.0), color="black")
    inputs = np.array(INPUTS["neuron"] if kind == "neuron" else data.size.nu_x)
    for i, tau_s in enumerate(data.size.tau_s):
        rate = data.neuron[i] if kind == "neuron" else data.network.rate[i]
        m, look = membranes(kind, inputs, rate), LOOKS[tau_s]
        axes[0].plot(inputs, rate, ms=4, lw=0.8, label=rf"runs, $\tau_S$ = {tau_s:g} ms", **look)
        axes[1].axhline(tau_s, color=look["color"], lw=0.8, ls="--")
        axes[2].plot(inputs, m.mu, ms=3, lw=0.8, **look)
        axes[3].plot(inputs, m.sigma(m.mu) * np.sqrt(0.5 * m.tau / (m.tau + tau_s)), ms=3, lw=0.8, **look)
        crossed = LINE[(tau_s / line.tau > 0.1) & (tau_s / line.tau < 1.0)]  # where synapses begin to matter
        for axis in (axes[0], axes[3]):
            across = np.full(crossed.size, 0.01 + 0.025 * i)
            axis.plot(crossed, across, color=look["color"], lw=2.5, transform=axis.get_xaxis_transform(), zorder=0)
    axes[2].axhline(THRESHOLD, color="0.5", lw=0.8, ls=":")
    names = ("rate (Hz)", r"time constant $\tau$ (ms)", r"mean $\mu$ (mV)", r"$\sigma_V$ (mV)")
    for axis, name in zip(axes, names, strict=True):
        axis.set(xlabel=r"input $\nu_X$ (Hz)", ylabel=name, xlim=(0.0, limit))
    axes[1].set_yscale("log")


def draw(data: Data) -> Any:
    """The figure."""
    figure, axes = panels(4, 4, width=12.0, height=9.0)
    _draw_column(axes[:, 0], data, "neuron", 42.0)
    _draw_column(axes[:, 1], data, "network", 1.05 * max(data.size.nu_x))
    _draw_column(axes[:, 2], data, "network", 25.0)
    gain = float(linear_gain(g=NETWORK["g"], gamma=NETWORK["gamma"]))
    for axis in axes[0, 1:3]:
        axis.plot(LINE, gain * LINE, "--", color="black", lw=0.9, label="(21)")
    top = 1.1 * float(data.network.rate.max())
    axes[0, 0].set_ylim(0.0, 1.1 * float(np.interp(42.0, LINE, data.at_once["neuron"])))
    axes[0, 1].set_ylim(0.0, top)
    axes[0, 2].set_ylim(0.0, 35.0)
    for axis, title in zip(axes[0], ("one neuron", "network", "network, low rates", "free potential"), strict=True):
        axis.set_title(title)
    for j, kind in enumerate(("neuron", "network")):
        for i, tau_s in enumerate(data.size.tau_s):
            axis, trace = axes[2 * j + i, 3], data.traces[kind][tau_s]
            axis.plot(data.size.dt * np.arange(trace.size), trace, color=LOOKS[tau_s]["color"], lw=0.5)
            axis.axhline(THRESHOLD, color="0.5", lw=0.8, ls=":")
            axis.set(xlabel="time (ms)", ylabel=f"{kind}, $V$ (mV)", ylim=(-72.0, -50.0))
    axes[0, 0].plot([], [], color="0.5", lw=2.5, label=r"$0.1 < \tau_S/\tau < 1$")
    axes[0, 0].legend()
    axes[0, 1].legend()
    letters([*axes[0], axes[2, 3]])
    return figure


FIGURE = Figure(
    "synaptic time constants: one neuron is suppressed, a network is not", compute, check, draw,
    _slow_networks.SMALL, _slow_networks.PAPER, lambda size: Cost(40.0 + size.seconds, size.gigabytes), float64=False,
    not_run="20,000 neurons for 2 s at each input; the paper's length is not printed.",
)  # fmt: skip
