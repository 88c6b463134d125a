"""Public calls, each with arguments that fit: what the tests of the doors hand their values to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from calls_of_networks import OF_NETWORKS

import jaxneuro as jn

KEY = jax.random.key(0)
T = jn.theory
S = jn.statistics
MATRIX = [[0.0, 0.5], [0.25, 0.0]]


@dataclass(frozen=True)
class Call:
    """A public call: `given` fits; `numbers` are the arguments that take a number, `lists` those that take three."""

    function: Callable[..., Any]
    given: dict[str, Any] = field(default_factory=dict)
    numbers: str = ""
    lists: str = ""
    positive: str = ""

    def __call__(self, **changed: Any) -> Any:
        return self.function(**{**self.given, **changed})


EI = dict(m_ee=1.0, m_ei=-1.0, m_ie=1.0, m_ii=0.0, gamma_e=-1.0, gamma_i=1.0, tau_e=10.0, tau_i=20.0)
LIF = dict(mu=15.0, sigma=5.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0)


def _rate(mu: Any, sigma: Any, **rest: Any) -> Any:
    return T.lif_rate(mu, sigma, **rest)


def _moments(t: Any, **rest: Any) -> Any:
    return T.ou_moments(t, **rest)


def _law(law: Any) -> Callable[..., Any]:
    return lambda k: law(k)


CALLS = {
    "LIF": Call(jn.LIF, {}, "tau_m v_rest v_th v_reset t_ref", "tau_m", "tau_m"),
    "LeakyIntegrator": Call(jn.LeakyIntegrator, {}, "tau_m v_rest", "tau_m", "tau_m"),
    "HodgkinHuxley": Call(
        jn.HodgkinHuxley, {}, "g_na g_k g_l e_na e_k e_l c_m bias temperature v_shift", "bias", "c_m"
    ),
    "IntegrateAndFire": Call(
        jn.IntegrateAndFire, {"curve": jn.LinearCurve()}, "tau_m v_peak v_reset t_ref a b tau_w v_w", "tau_m", "tau_m"
    ),
    "ExponentialCurve": Call(jn.ExponentialCurve, {}, "v_rest v_t delta_t", "v_t", "delta_t"),
    "QuadraticCurve": Call(jn.QuadraticCurve, {}, "v_rest v_c k", "v_c", "k"),
    "Binary": Call(jn.Binary, {}, "threshold temperature tau", "threshold", "tau"),
    "Poisson": Call(jn.Poisson, {"rate": 5.0}, "rate", "rate"),
    "EIRate": Call(jn.EIRate, EI, "m_ee m_ei m_ie m_ii gamma_e gamma_i tau_e tau_i", "", "tau_e tau_i"),
    "RateNetwork": Call(jn.RateNetwork, {"m": MATRIX, "h": 1.0, "tau": 10.0}, "h tau", "", "tau"),
    "ExponentialCurrent": Call(jn.ExponentialCurrent, {"tau": 5.0}, "tau", "", "tau"),
    "AlphaCurrent": Call(jn.AlphaCurrent, {"tau": 5.0}, "tau", "", "tau"),
    "RiseDecayCurrent": Call(
        jn.RiseDecayCurrent, {"tau_rise": 1.0, "tau_decay": 5.0}, "tau_rise tau_decay", "", "tau_rise"
    ),
    "ExponentialConductance": Call(jn.ExponentialConductance, {"tau": 5.0, "reversal": 0.0}, "tau reversal", "", "tau"),
    "DeltaConductance": Call(jn.DeltaConductance, {"reversal": 0.0}, "reversal"),
    "ShortTermPlasticity": Call(
        jn.ShortTermPlasticity,
        {"synapse": jn.DeltaCurrent(), "u_0": 0.5, "tau_rec": 100.0, "tau_facil": 50.0},
        "u_0 tau_rec tau_facil",
        "",
        "tau_rec tau_facil",
    ),
    "StochasticRelease": Call(
        jn.StochasticRelease, {"synapse": jn.ExponentialCurrent(5.0), "n_sites": 3, "p": 0.5}, "p"
    ),
    "PoissonDrive": Call(
        jn.PoissonDrive,
        {"targets": "E", "synapse": jn.DeltaCurrent(), "weight": 0.1, "n_sources": 10, "rate": 5.0},
        "weight n_sources rate",
        "weight rate",
    ),
    "WhiteNoiseDrive": Call(jn.WhiteNoiseDrive, {"targets": "E", "mu": 1.0, "sigma": 1.0}, "mu sigma", "mu"),
    "UniformPotential": Call(jn.initial.UniformPotential, {"low": 0.0, "high": 20.0}, "low high"),
    "FixedInDegree": Call(jn.FixedInDegree, {"k": 10}, "k"),
    "FixedTotalNumber": Call(jn.FixedTotalNumber, {"n": 10}, "n"),
    "microcircuit": Call(jn.networks.microcircuit, {"rate": 8.0, "current": 87.8, "g": 4.0}, "rate current g"),
    "Interval": Call(jn.bounds.Interval, {"lower": 0.0, "upper": 20.0}, "lower upper"),
    "PowerLaw": Call(jn.laws.PowerLaw, {}, "j0 beta g", "j0", "j0 g"),
    "CurrentScaling": Call(jn.laws.CurrentScaling, {}, "j0 g", "j0", "j0 g"),
    "ConductanceScaling": Call(
        jn.laws.ConductanceScaling, {"tau_bar": 0.2}, "v_bar g gamma_eta tau_bar v_rest e_e e_i", "g", "v_bar g"
    ),
    "QuantalRelease": Call(jn.quantal.QuantalRelease, {"sigma_0": 0.1}, "m u sigma_1 sigma_0 xi_0", "", "m u sigma_1"),
    "Linear": Call(jn.transfer.Linear, {}, "gain threshold", "gain"),
    "Sigmoid": Call(jn.transfer.Sigmoid, {}, "most midpoint width", "most", "width"),
    "Softplus": Call(jn.transfer.Softplus, {}, "gain threshold width", "gain", "width"),
    "FastSigmoid": Call(jn.surrogate.FastSigmoid, {}, "width scale", "", "width"),
    "lif_rate": Call(_rate, LIF, "mu sigma tau v_th v_reset t_ref", "mu", "tau"),
    "ou_moments": Call(
        _moments, dict(t=10.0, mu=15.0, sigma=5.0, tau=20.0, v_0=0.0, lag=1.0), "t mu sigma tau v_0 lag", "t", "tau"
    ),
    "poisson_counts": Call(S.poisson_counts, {"n": 1, "rate": 5.0, "width": 10.0}, "n rate width", "n", "width"),
    "interval_density": Call(S.interval_density, {"t": 3.0, "rate": 5.0, "t_ref": 1.0}, "t rate t_ref", "t", "rate"),
    "law of K": Call(_law(jn.laws.CurrentScaling()), {"k": 100.0}, "k", "k", "k"),
    "isi_cv": Call(lambda train: S.isi_cv([train]), {"train": [1.0, 2.0, 4.0]}, "", "train"),
    "spike_counts": Call(
        lambda train: S.spike_counts([train], width=5.0, t0=0.0, t1=10.0), {"train": [1.0, 2.0, 7.0]}, "", "train"
    ),
    "PSPTable": Call(
        jn.laws.PSPTable,
        {"n_connections": [10.0, 20.0, 30.0], "psp": [2.0, 1.0, 0.5], "inhibitory": [True, False, True]},
        "",
        "n_connections psp",
    ),
    "AmplitudeHistogram": Call(
        jn.quantal.AmplitudeHistogram,
        {"lower": [0.0, 1.0, 2.0], "upper": [8.0, 9.0, 10.0], "counts": [1.0, 2.0, 3.0], "n_failures": 3},
        "n_failures",
        "lower upper counts",
    ),
    "VoltageTrace": Call(
        lambda **k: jn.recordings.VoltageTrace(dt=0.1, **k),
        {"v": np.zeros(3), "current": np.zeros(3)},
        "",
        "v current",
    ),
}

# Channels have a conductance and a reversal potential, and some a number more.
CHANNELS = {
    **dict.fromkeys(["Leak", "Sodium", "Potassium", "AType", "CalciumT", "HCurrent"], ""),
    **dict.fromkeys(["ConnorStevensPotassium", "ConnorStevensSodium", "WangBuzsakiPotassium", "WangBuzsakiSodium"], ""),
    **dict.fromkeys(["TraubPotassium", "TraubSodium"], "v_t"),
    "CalciumL": "",
    "MType": "tau_max",
}
for _name, _more in CHANNELS.items():
    CALLS[_name] = Call(getattr(jn.channels, _name), {}, f"g e {_more}", "g", _more if _more == "tau_max" else "")
CALLS |= {name: Call(*parts) for name, parts in OF_NETWORKS.items()}
CALLS["izhikevich"] = Call(jn.neurons.izhikevich, {}, "a b c d", "c", "a")
CALLS["adaptive_lif"] = Call(jn.neurons.adaptive_lif, {}, "tau_m v_rest v_th v_reset", "", "tau_m")


def cases(kind: str) -> list[tuple[str, str]]:
    """All pairs of a call and an argument of a kind."""
    return [(name, argument) for name, call in CALLS.items() for argument in getattr(call, kind).split()]
