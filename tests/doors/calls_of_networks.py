"""Laws, rules, drives, named networks and the formulas of conductances and of heavy tails: see `calls.py`."""

from typing import Any

import jaxneuro as jn

T = jn.theory
N = jn.networks
CONDUCTANCES = dict(a=0.01, k=1000.0, g=12.0, eta=1.8, gamma=0.25)
THRESHOLDS = dict(v_th=20.0, v_reset=10.0, t_ref=2.0)
STABLE = dict(mu=15.0, sigma=5.0, alpha=1.5, beta=0.0, tau=20.0, **THRESHOLDS)


def _conductance_rate(nu_x: Any, **rest: Any) -> Any:
    return T.conductance_rate(nu_x, **rest)


def _stable_rate(mu: Any, sigma: Any, **rest: Any) -> Any:
    return T.stable_lif_rate(mu, sigma, **rest)


def _filtered_rate(mu: Any, sigma: Any, **rest: Any) -> Any:
    return T.lif_rate_filtered(mu, sigma, **rest)


# {name: (function, arguments that fit, those that take a number, lists, those that have to be positive)}
OF_NETWORKS: dict[str, tuple] = {
    "ParetoWeight": (jn.ParetoWeight, {"mean": 0.2, "alpha": 1.6}, "mean", "", "alpha"),
    "LogNormalWeight": (jn.LogNormalWeight, {"mean": 0.2, "cv": 0.5}, "mean cv"),
    "NormalWeight": (jn.NormalWeight, {"mean": 0.2, "cv": 0.5}, "mean cv"),
    "UniformDelay": (jn.UniformDelay, {"low": 0.5, "high": 2.0}, "low high"),
    "NormalDelay": (jn.NormalDelay, {"mean_before": 1.5, "sd": 0.7, "low": 0.5, "high": 3.0}, "mean_before sd low"),
    "LogNormalDelay": (jn.LogNormalDelay, {"mean_before": 1.5, "cv": 0.7, "low": 0.5, "high": 3.0}, "cv low"),
    "GaussianInDegree": (jn.GaussianInDegree, {"k": 10, "cv": 0.1}, "k cv"),
    "Bernoulli": (jn.Bernoulli, {"p": 0.1}, "p"),
    "Lattice": (lambda spacing: jn.Lattice(4, 4, spacing=spacing), {"spacing": 1.0}, "spacing", "", "spacing"),
    "GaussianKernel": (jn.GaussianKernel, {"sigma": 2.0, "cutoff": 3.0}, "sigma cutoff", "", "sigma cutoff"),
    "FlatKernel": (jn.FlatKernel, {"cutoff": 3.0}, "cutoff", "", "cutoff"),
    "SpatialRandom": (jn.SpatialRandom, {"out_degree": 5.0, "width": 0.2}, "out_degree width", "", "width"),
    "ConstantConductance": (jn.ConstantConductance, {"targets": "E", "g": 0.3, "reversal": 0.0}, "g reversal"),
    "OUConductanceDrive": (
        jn.OUConductanceDrive,
        {"targets": "E", "reversal": 0.0, "mean": 0.3, "sd": 0.1, "tau": 5.0},
        "reversal mean sd tau",
        "",
        "tau",
    ),
    "OUCurrentDrive": (
        jn.OUCurrentDrive, {"targets": "E", "mean": 0.3, "sigma": 0.1, "tau": 5.0}, "mean sigma tau", "", "tau"
    ),
    "CorrelatedPoissonDrive": (
        jn.CorrelatedPoissonDrive,
        {"targets": "E", "synapse": jn.DeltaCurrent(), "weight": 0.1, "n_sources": 9, "rate": 5.0, "correlation": 0.1},
        "weight rate correlation",
    ),
    "InwardRectifierCurve": (
        jn.InwardRectifierCurve,
        {"g": 0.5, "v_half": -90.0, "slope": 5.0, "reversal": -95.0},
        "g v_half slope reversal",
        "",
        "slope",
    ),
    "spatial_balanced": (
        lambda **k: N.spatial_balanced(side=8, **k), {"width_rec": 0.25, "width_ffwd": 0.1, "rate": 5.0}, "rate"
    ),
    "keane_gong": (lambda **k: N.keane_gong(side=32, cutoff_e=5.0, **k), {"inhibition": 1.0}, "inhibition"),
    "wardak_gong": (N.wardak_gong, {"alpha": 1.5, "eta": 1.0, "j": 0.02, "g": 4.0}, "eta j g"),
    "conductance_neuron": (N.conductance_neuron, {**CONDUCTANCES, "nu_x": 20.0}, "k g eta gamma nu_x"),
    "conductance_based": (N.conductance_based, {"a": 0.0016, "k": 1000.0, "tau_m": 20.0}, "k g gamma nu_x tau_m"),
    "brunel": (N.brunel, {}, "g nu_ext_over_nu_thr j tau_m t_ref", "", "tau_m"),
    "conductance_rate": (
        _conductance_rate, {"nu_x": 20.0, **CONDUCTANCES}, "nu_x k g eta gamma tau_m t_ref", "nu_x", "tau_m"
    ),
    "stable_lif_rate": (_stable_rate, STABLE, "mu sigma beta tau t_ref", "", "tau"),
    "lif_rate_filtered": (
        _filtered_rate, dict(mu=15.0, sigma=5.0, tau=20.0, tau_s=5.0, **THRESHOLDS), "mu sigma tau tau_s", "mu", "tau"
    ),
    "linear_gain": (T.linear_gain, {"g": 20.0, "gamma": 0.25}, "g gamma", "g"),
}  # fmt: skip
