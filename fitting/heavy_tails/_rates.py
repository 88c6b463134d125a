"""Rates over the exponent of the weights: of one neuron, of the published network in theory, and of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import jaxneuro as jn
from jaxneuro.theory import JumpsOver, Leapover, StableNoise, afferents, stable_lif_rate

NEURON: dict[str, Any] = {"tau": 20.0, "v_th": 20.0, "v_reset": 10.0, "t_ref": 2.0}
MU, SIGMA = 15.0, 5.0
# C_E J [mV] of the published network, which smaller ones keep; one inhibitory synapse for four excitatory ones.
STRENGTH, PUBLISHED = 80.0, 4_000
WARM_UP, MEASURED, DT = 200.0, 600.0, 0.1
# Newton's steps of a rate; of the interval in which the maximum is searched, halvings.
STEPS, HALVINGS = 30, 10
CLOSE = 1e-9
# Of the inputs in a step this share counts as the tail: few enough for single weights to make it.
TAIL = 3e-3
Alphas = Float[np.ndarray, "alphas"]


@dataclass(frozen=True)
class Size:
    """Exponents of the runs, excitatory in-degree and neurons of the network; the neurons whose input is looked at."""

    alphas: tuple[float, ...]
    c_e: int
    n_e: int
    looked_at: int = 800


@dataclass(frozen=True)
class Theory:
    """Rates [Hz] over alpha: of Brunel's neuron both ways, of the published and of the smaller network."""

    alphas: Alphas
    direct: Alphas
    closure: Alphas
    published: Alphas
    small: Alphas
    top: tuple[float, float]


@dataclass(frozen=True)
class Runs:
    """One row for each exponent: theory and run [Hz], SD of rates over neurons [Hz], CV, Hill exponent of the input."""

    size: Size
    theory: Alphas
    rate: Alphas
    sd: Alphas
    cv: Alphas
    hill: Alphas


@jax.jit
def _response(
    alpha: Float[Array, ""], nu: Float[Array, ""], c_e: Float[Array, ""]
) -> tuple[Float[Array, ""], tuple[Float[Array, ""], Float[Array, ""]]]:
    """The rate of neurons whose sources fire at `nu` [Hz], and its derivatives by alpha and `nu`."""

    def rate(alpha: Any, nu: Any) -> Any:
        net = jn.networks.wardak_gong(alpha=alpha, j=STRENGTH / c_e, c_e=c_e, c_i=c_e / 4.0)
        return StableNoise().rate(afferents(net, {"E": nu, "I": nu})["E"])

    return jax.value_and_grad(rate, argnums=(0, 1))(alpha, nu)


def field(alpha: float, c_e: float = PUBLISHED, start: float = 20.0) -> tuple[float, float]:
    """The self-consistent rate [Hz] of the network of that exponent and in-degree, and its derivative by alpha.

    nu = F(alpha, nu) by Newton's method; d nu/d alpha = F_alpha/(1 - F_nu). `RuntimeError` where it is not found.
    """
    nu = start
    for _ in range(STEPS):
        value, (by_alpha, by_nu) = (x for x in _response(*(jnp.asarray(x, float) for x in (alpha, nu, c_e))))
        slope = 1.0 - float(by_nu)
        step = (float(value) - nu) / slope
        nu = max(nu + step, 0.5 * nu)
        if abs(step) < CLOSE * nu:
            return nu, float(by_alpha) / slope
    raise RuntimeError(f"No rate was found at alpha = {alpha:g} in {STEPS} steps.")


def fields(alphas: Alphas, c_e: float) -> Alphas:
    """Those rates [Hz], from the largest exponent down, each begun at the last."""
    found, nu = np.zeros_like(alphas), 20.0
    for i in np.argsort(-alphas):
        found[i] = nu = field(float(alphas[i]), c_e, nu)[0]
    return found


def maximum(low: float = 1.15, high: float = 1.2) -> tuple[float, float]:
    """Exponent and rate [Hz] where the published network fires most, by halving at the sign of the derivative."""
    nu = 55.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        nu, slope = field(middle, PUBLISHED, nu)
        low, high = (middle, high) if slope > 0.0 else (low, middle)
    return 0.5 * (low + high), nu


def theory(size: Size, points: int = 19) -> Theory:
    """All of it, at `points` exponents from 1.1 to 2 and more where the networks have their maximum."""
    alphas = np.union1d(np.linspace(1.1, 2.0, points), np.linspace(1.11, 1.25, 15))
    direct, closure = (
        np.asarray(stable_lif_rate(MU, SIGMA, alpha=alphas, beta=0.0, **NEURON, boundary=boundary))
        for boundary in (JumpsOver(), Leapover())
    )
    return Theory(alphas, direct, closure, fields(alphas, PUBLISHED), fields(alphas, size.c_e), maximum())


def hill(values: Float[np.ndarray, "..."], share: float) -> float:
    """The exponent of the upper tail: 1 over the mean of log(x/x_k) of the `share` of values above the k-th."""
    k = max(round(share * values.size), 1)
    top = np.sort(np.partition(values.ravel(), values.size - k - 1)[-k - 1 :])
    return float(1.0 / np.mean(np.log(top[1:] / top[0])))


def runs(size: Size, seed: int = 0) -> Runs:
    """600 ms of each network after 200."""
    rows = [_run(alpha, size, seed) for alpha in size.alphas]
    by_theory = fields(np.array(size.alphas), size.c_e)
    return Runs(size, by_theory, *(np.array(column) for column in zip(*rows, strict=True)))


def _run(alpha: float, size: Size, seed: int) -> Sequence[float]:
    net = jn.networks.wardak_gong(
        alpha=alpha, j=STRENGTH / size.c_e, c_e=size.c_e, c_i=size.c_e // 4, n_e=size.n_e, n_i=size.n_e // 4
    )
    record = {
        "rate": jn.record.Rate(start=WARM_UP),
        "cv": jn.record.CV(start=WARM_UP),
        "kick": jn.record.Trace("E.input.kick", neurons=slice(0, size.looked_at), start=WARM_UP),
    }
    sol = jn.simulate(net, 0.0, WARM_UP + MEASURED, dt=DT, key=jax.random.key(seed), record=record)
    rate, cv = (np.concatenate([np.asarray(sol[name][kind]) for kind in "EI"]) for name in ("rate", "cv"))
    tail = hill(np.asarray(sol["kick"]), TAIL) if alpha < 2.0 else np.nan
    return float(rate.mean()), float(rate.std()), float(np.nanmean(cv)), tail
