"""Steady conductances and time constants at each depolarisation, by least squares."""

from dataclasses import dataclass
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

import jaxneuro as jn
from jaxneuro import FitResult
from jaxneuro._fit import text_table

POTASSIUM, SODIUM = "hh_potassium", "hh_sodium"
SCATTER = 0.02  # of the made traces, relative to the largest conductance


class Clamped(eqx.Module):
    """Points of conductance [mS/cm2] against time [ms], each of a level of depolarisation [mV]."""

    time: Float[Array, " points"]
    level: Int[Array, " points"]
    conductance: Float[Array, " points"]
    levels: tuple[float, ...] = eqx.field(static=True)

    @property
    def depolarisations(self) -> np.ndarray:
        """Of each level [mV]."""
        return np.asarray(self.levels)


class Potassium(eqx.Module):
    """g = (g_inf^(1/4) - (g_inf^(1/4) - g_0^(1/4)) exp(-t/tau))^4 at each level, equation (11) of 1952."""

    g_inf: Float[Array, " levels"]
    tau: Float[Array, " levels"]
    g_0: Float[Array, ""]

    def free_parameters(self):
        return {"g_inf": jn.bounds.Positive(), "tau": jn.bounds.Positive()}

    def at(self, t: Array, level: Array) -> Array:
        end, start = self.g_inf[level] ** 0.25, self.g_0**0.25
        return (end - (end - start) * jnp.exp(-t / self.tau[level])) ** 4

    def residuals(self, data: Clamped) -> Array:
        return data.conductance - self.at(data.time, data.level)


class Sodium(eqx.Module):
    """g = g' (1 - exp(-t/tau_m))^3 exp(-t/tau_h) at each level, equation (19) of 1952."""

    g_prime: Float[Array, " levels"]
    tau_m: Float[Array, " levels"]
    tau_h: Float[Array, " levels"]

    def free_parameters(self):
        return {"g_prime": jn.bounds.Positive(), "tau_m": jn.bounds.Positive(), "tau_h": jn.bounds.Positive()}

    def at(self, t: Array, level: Array) -> Array:
        rise = -jnp.expm1(-t / self.tau_m[level])
        return self.g_prime[level] * rise**3 * jnp.exp(-t / self.tau_h[level])

    def residuals(self, data: Clamped) -> Array:
        return data.conductance - self.at(data.time, data.level)


@dataclass(frozen=True)
class Study:
    """The fits by name, the points they were made to, and the neuron whose rates they are held against."""

    fits: dict[str, FitResult]
    data: dict[str, Clamped]
    digitised: bool


def _points(time: np.ndarray, depolarisation: np.ndarray, conductance: np.ndarray) -> Clamped:
    levels, index = np.unique(depolarisation, return_inverse=True)
    return Clamped(jnp.asarray(time), jnp.asarray(index), jnp.asarray(conductance), tuple(map(float, levels)))


def read(folder: str | Path) -> dict[str, Clamped]:
    """The digitised points of Figs. 3 and 6 of Hodgkin and Huxley (1952) in `folder`, from 20 mV on."""
    files = {POTASSIUM: "hh1952_potassium_conductance.npz", SODIUM: "hh1952_sodium_conductance.npz"}
    missing = [name for name in files.values() if not (Path(folder) / name).exists()]
    if missing:
        raise FileNotFoundError(f"`folder` {folder} holds no {' and no '.join(missing)}.")
    found = {}
    for kind, name in files.items():
        with np.load(Path(folder) / name) as file:
            kept = file["depolarizations"] >= 20.0
            columns = [file[key][kept] for key in ("times", "depolarizations", "conductances")]
        found[kind] = _points(*columns)
    return found


def made(seed: int = 0) -> dict[str, Clamped]:
    """The same points of clamped squid axons that the package makes, with noise."""
    rng = np.random.default_rng(seed)
    levels = np.array([26.0, 38.0, 63.0, 88.0, 109.0])
    times = np.linspace(0.1, 9.0, 24)
    clamp = jn.analysis.voltage_clamp(jn.HodgkinHuxley(v_shift=0.0), levels, times, holding=0.0)
    found = {}
    for kind, channel in ((POTASSIUM, "k"), (SODIUM, "na")):
        g = np.asarray(clamp.conductances[channel])
        noisy = g + SCATTER * g.max() * rng.normal(size=g.shape)
        found[kind] = _points(np.tile(times, levels.size), np.repeat(levels, times.size), noisy.ravel())
    return found


def fit_potassium(data: Clamped) -> FitResult:
    """g_inf and tau_n at every level."""
    n = data.depolarisations.size
    start = Potassium(jnp.full(n, 15.0), jnp.full(n, 3.0), jnp.asarray(0.24))
    return jn.fit(start, data, starts=1)


def fit_sodium(data: Clamped) -> FitResult:
    """g', tau_m and tau_h at every level."""
    n = data.depolarisations.size
    start = Sodium(jnp.full(n, 30.0), jnp.full(n, 0.3), jnp.full(n, 1.5))
    return jn.fit(start, data, starts=1)


def run(data: dict[str, Clamped] | None = None) -> Study:
    """Fits `data`, such as the digitised points of `read`, or points that the package makes."""
    points = made() if data is None else data
    fits = {POTASSIUM: fit_potassium(points[POTASSIUM]), SODIUM: fit_sodium(points[SODIUM])}
    return Study(fits, points, data is not None)


def published(depolarisations: np.ndarray) -> dict[str, np.ndarray]:
    """tau_n, tau_m and tau_h [ms] by the equations of 1952 at 6.3 degrees."""
    moves = jn.HodgkinHuxley(v_shift=0.0).kinetics(jnp.asarray(depolarisations))
    names = {"tau_n": "n_k", "tau_m": "m_na", "tau_h": "h_na"}
    return {name: 1.0 / np.asarray(moves[gate].total) for name, gate in names.items()}


def _column(fit: FitResult, name: str, k: int) -> str:
    key = f"{name}[{k}]"
    low, high = fit.ci95[key]
    return f"{fit.params[key]:.3g} ({low:.3g} to {high:.3g})"


def report(study: Study) -> str:
    """Everything as text."""
    where = "digitised from Figs. 3 and 6 of Hodgkin and Huxley (1952)" if study.digitised else "made by the package"
    lines = [f"CONDUCTANCES UNDER VOLTAGE CLAMP, points {where}; 95% intervals in brackets"]
    k, na = study.data[POTASSIUM], study.data[SODIUM]
    tau = published(k.depolarisations)["tau_n"]
    rows = [
        [
            f"{v:g}",
            _column(study.fits[POTASSIUM], "g_inf", i),
            _column(study.fits[POTASSIUM], "tau", i),
            f"{tau[i]:.3g}",
        ]
        for i, v in enumerate(k.depolarisations)
    ]
    lines.append(text_table(["depolarisation, mV", "g_K at the end, mS/cm2", "tau_n, ms", "equation of 1952"], rows))
    known = published(na.depolarisations)
    fit = study.fits[SODIUM]
    rows = [
        [
            f"{v:g}", _column(fit, "g_prime", i), _column(fit, "tau_m", i), f"{known['tau_m'][i]:.3g}",
            _column(fit, "tau_h", i), f"{known['tau_h'][i]:.3g}",
        ]
        for i, v in enumerate(na.depolarisations)
    ]  # fmt: skip
    heads = ["depolarisation, mV", "g', mS/cm2", "tau_m, ms", "1952", "tau_h, ms", "1952"]
    lines.append(text_table(heads, rows))
    return "\n\n".join(lines)
