"""Table I: how distance from threshold, fluctuations, time constants and robustness go with K, as local exponents."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import jaxneuro as jn
from jaxneuro.theory import EffectiveNoise, LongFilter, lif_rate_filtered, scale_efficacy

from ._figure import Cost, Figure, Findings
from ._membrane import RESET, T_REF, TAU_LEAK, THRESHOLD, Membrane
from ._slopes import State, local_exponents, network, state
from ._style import letters, panels

A, K, NU_X = 1.6e-3, 1e3, 40.0  # nu_X [Hz]
IN_DEGREES = np.geomspace(1e3, 1e8, 6)
ALPHA = 0.5
TAU_S = 20.0  # ms: far above tau at every K
ROWS = ("a ~ 1/log K", "a ~ K^-1/2", "tau_S >> tau")
QUANTITIES = ("distance", "sd", "time", "cv_k")
LEAST, SHARE = 1e-3, 0.01  # CV_K*: this share of the neurons fires below this rate [Hz]
GAMMA, NEURONS = 0.25, 4_000  # of slow synapses, drawn
NAMES = {"distance": "theta - mu", "sd": "sigma_V", "time": "tau_V", "cv_k": "CV_K*"}


@dataclass(frozen=True)
class Data:
    """States by row and in-degree, efficacies by row, and the current-based network.

    With slow synapses `cv_k` leaves out that inputs fire at different rates, and `with_rates` does not.
    """

    k: NDArray[np.float64]
    a: dict[str, NDArray[np.float64]]
    states: dict[str, list[State]]
    currents: list[State]
    with_rates: NDArray[np.float64]
    growth: NDArray[np.float64]

    def exponents(self, row: str, quantity: str) -> NDArray[np.float64]:
        """Local exponents of one quantity."""
        return local_exponents(self.k, np.array([getattr(s, quantity) for s in self.states[row]]))


def _currents(k: float) -> State:
    """The balanced network: J = 0.1 mV at K = 1,000, falling as 1/sqrt(K), external input in proportion to sqrt(K)."""
    j = 0.1 * np.sqrt(1e3 / k)
    drive = 2.0 * np.sqrt(k / 1e3)
    net = jn.networks.brunel(g=8.0, nu_ext_over_nu_thr=drive, n_e=10**9, n_i=10**9, c_e=k, c_i=k / 4.0, j=j)
    return state(net, of_k=False)


def _slow_rates(a: float, k: float, r_e: Any, r_i: Any) -> NDArray[np.float64]:
    """Rates [Hz] of neurons with slow synapses whose inputs fire at r_E and r_I [Hz]."""
    m = Membrane(a=a, k=k, g=20.0, gamma=GAMMA, r_e=r_e, r_i=r_i)
    how: dict[str, Any] = dict(tau=m.tau, tau_s=TAU_S, v_th=THRESHOLD, v_reset=RESET, t_ref=T_REF, regime=LongFilter())
    return np.asarray(lif_rate_filtered(m.mu, m.sigma(m.mu), **how))


def _of_in_degrees(a: float, k: float, nu: float) -> float:
    """CV_K* of slow synapses where all inputs fire at nu [Hz], which is (F1) without Delta nu^2/K."""
    z = np.random.default_rng(0).normal(size=(3, NEURONS))
    low, high = np.log(1e-7), 0.0
    for _ in range(20):
        middle = 0.5 * (low + high)
        external, excitation, inhibition = 1.0 + np.exp(middle) * z
        rates = _slow_rates(a, k, NU_X * external + nu * excitation, nu * inhibition)
        low, high = (middle, high) if np.mean(rates < LEAST) < SHARE else (low, middle)
    return float(np.exp(0.5 * (low + high)))


def _growth(a: float, k: float, nu: float, spread: float = 0.1) -> float:
    """The variance of rates over that of the neurons from which equal numbers of inputs come, by Delta nu^2/K."""
    z = spread * np.random.default_rng(0).normal(size=(2, NEURONS))
    rates = _slow_rates(a, k, NU_X + nu * (1.0 + z[0] / np.sqrt(k)), nu * (1.0 + z[1] / np.sqrt(GAMMA * k)))
    return float(np.var(rates / rates.mean()) / spread**2)


def compute(size: tuple[float, ...]) -> Data:
    """Self-consistent states along the scalings."""
    k = np.array(size)
    like = jn.networks.conductance_based(a=A, k=K, g=20.0, nu_x=NU_X)
    held, falling = np.asarray(scale_efficacy(k, like=like)), A * (K / k) ** ALPHA
    a: dict[str, NDArray[np.float64]] = dict(zip(ROWS, (held, falling, held), strict=True))
    states: dict[str, list[State]] = {}
    for row in ROWS:
        slow = row == ROWS[-1]
        how: dict[str, Any] = dict(tau_s=TAU_S, noise=EffectiveNoise(LongFilter())) if slow else {}
        given = dict(tau_s=TAU_S) if slow else {}
        states[row] = [state(network(a=x, k=y, nu_x=NU_X, **given), **how) for x, y in zip(a[row], k, strict=True)]
    slow = states[ROWS[-1]]
    with_rates = np.array([s.cv_k for s in slow])
    alone = [_of_in_degrees(x, y, s.rate) for x, y, s in zip(a[ROWS[-1]], k, slow, strict=True)]
    states[ROWS[-1]] = [dataclasses.replace(s, cv_k=x) for s, x in zip(slow, alone, strict=True)]
    growth = np.array([_growth(x, y, s.rate) for x, y, s in zip(a[ROWS[-1]], k, slow, strict=True)])
    return Data(k, a, states, [_currents(x) for x in k], with_rates, growth)


def _table(data: Data) -> str:
    lines = [f"Local exponents d log/d log K, nu_X = {NU_X:g} Hz, between the in-degrees"]
    ends = " ".join(f"{low:.0e}-{high:.0e}"[:12].rjust(13) for low, high in zip(data.k[:-1], data.k[1:], strict=True))
    lines.append(f"{'':26s}{ends}")
    for row in ROWS:
        shown = {"a": local_exponents(data.k, data.a[row])} | {NAMES[q]: data.exponents(row, q) for q in QUANTITIES}
        for name, values in shown.items():
            lines.append(f"{row:14s}{name:12s}" + " ".join(f"{x:13.3f}" for x in values))
    for name in ("distance", "sd", "time"):
        values = local_exponents(data.k, np.array([getattr(s, name) for s in data.currents]))
        lines.append(f"{'J ~ K^-1/2':14s}{NAMES[name]:12s}" + " ".join(f"{x:13.3f}" for x in values))
    return "\n".join(lines)


def check(data: Data) -> Findings:
    """What the table says, at the largest in-degrees."""
    found = Findings()
    found.table(_table(data))
    log, root, slow = ROWS

    def last(row: str, quantity: str) -> float:
        return float(data.exponents(row, quantity)[-1])

    slope = float(local_exponents(data.k, data.a[log])[-1])
    found.claim(
        abs(last(log, "distance")) < 0.02, f"{log}: theta - mu tends to a constant ({last(log, 'distance'):.3f})"
    )
    found.claim(abs(last(log, "sd") - 0.5 * slope) < 0.02, f"sigma_V goes as sqrt(a), {last(log, 'sd'):.3f}")
    found.claim(abs(last(log, "time") + 1.0 + slope) < 0.02, f"tau_V as 1/(a K), {last(log, 'time'):.3f}")
    found.claim(abs(last(log, "cv_k") - slope) < 0.03, f"CV_K* as a, {last(log, 'cv_k'):.3f} beside {slope:.3f}")
    for quantity in ("distance", "sd"):
        off = last(root, quantity) + 0.5 * ALPHA
        found.claim(abs(off) < 0.06, f"{root}: {NAMES[quantity]} goes as K^(-alpha/2), {last(root, quantity):.3f}")
    found.claim(abs(last(root, "time") + 1.0 - ALPHA) < 0.03, f"tau_V as K^(alpha - 1), {last(root, 'time'):.3f}")
    found.gap(
        f"the table has CV_K* as K^-alpha = {-ALPHA:g}; the local exponent is {last(root, 'cv_k'):.3f}: it follows "
        f"K^(-alpha/2), as the distance from threshold does"
    )
    for quantity in ("distance", "sd", "cv_k"):
        value = last(slow, quantity)
        found.claim(abs(value + 0.5) < 0.06, f"{slow}: {NAMES[quantity]} goes as 1/sqrt(K), {value:.3f}")
    listed = ", ".join("none" if np.isnan(x) else f"{x:.3f}" for x in data.with_rates)
    found.gap(
        "this CV_K* leaves out Delta nu^2/K of (F1), that inputs fire at different rates, as the paper does; with it "
        f"`critical_heterogeneity` finds {listed} from K = 10^3 to 10^8"
    )
    found.claim(
        np.all(data.growth > 1.0),
        "for with slow synapses rates differ at equal in-degrees too: on its way through a neuron their variance grows "
        + ", ".join(f"{x:.1f}" for x in data.growth) + "-fold",
    )  # fmt: skip
    found.claim(abs(last(slow, "time")) < 0.01, "tau_V is tau_S")
    balanced = [
        local_exponents(data.k, np.array([getattr(s, q) for s in data.currents]))[-1] for q in ("distance", "sd")
    ]
    found.claim(
        np.max(np.abs(balanced)) < 0.1,
        f"J ~ K^-1/2: theta - mu and sigma_V stay, {balanced[0]:.3f} and {balanced[1]:.3f}",
    )
    cvs = [s.cv for row in ROWS[:2] for s in data.states[row]]
    found.claim(min(cvs) > 0.5, f"firing is irregular: CV {min(cvs):.2f} to {max(cvs):.2f}")
    found.gap("CV_K* of the current-based network is not computed: the theory of unequal in-degrees is of conductances")
    return found


def draw(data: Data) -> Any:
    """The quantities over K."""
    figure, grid = panels(1, 4, height=2.8)
    axes = grid.ravel()
    labels = {
        "distance": r"distance $\theta - \mu$ (mV)",
        "sd": r"fluctuations $\sigma_V$ (mV)",
        "time": r"correlation time $\tau_V$ (ms)",
        "cv_k": "$CV_K^*$ (1)",
    }
    looks = dict(zip(ROWS, (("-", "o"), ("--", "s"), (":", "^")), strict=True))
    labels_of = dict(zip(ROWS, (r"$a \sim 1/\log K$", r"$a \sim K^{-1/2}$", r"$\tau_S \gg \tau$"), strict=True))
    for axis, (quantity, name) in zip(axes, labels.items(), strict=True):
        for row, (ls, marker) in looks.items():
            values = [getattr(s, quantity) for s in data.states[row]]
            axis.plot(data.k, values, color="black", ls=ls, marker=marker, ms=3, label=labels_of[row])
        if quantity != "cv_k":
            values = [getattr(s, quantity) for s in data.currents]
            axis.plot(data.k, values, color="0.6", marker="x", ms=4, label=r"currents, $J \sim K^{-1/2}$")
        axis.set(xscale="log", yscale="log", xlabel="in-degree $K$ (1)", ylabel=name)
    axes[2].axhline(TAU_LEAK, color="0.8", lw=0.8, zorder=0)
    axes[2].text(data.k[-1], 0.8 * TAU_LEAK, r"$\tau_L$", color="0.4", ha="right", va="top")
    axes[0].legend(loc="lower left")
    letters(axes)
    return figure


FIGURE = Figure(
    "Table I as local exponents, K = 1e3 to 1e8", compute, check, draw, tuple(IN_DEGREES), tuple(IN_DEGREES),
    lambda size: Cost(60.0, 1.2),
)  # fmt: skip
