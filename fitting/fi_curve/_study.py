"""LIF and exponential integrate-and-fire neurons against the f-I curve of a conductance-based one."""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import jaxneuro as jn
from jaxneuro import FitResult
from jaxneuro._fit import text_table

LEAKY, EXPONENTIAL = "fi_lif", "fi_eif"
SCATTER = 1.0  # Hz


class Table(eqx.Module):
    """Firing rates [Hz] at currents [uA/cm2]."""

    current: Float[Array, " n"]
    rate: Float[Array, " n"]


class Leaky(eqx.Module):
    """The f-I curve of a LIF neuron of membrane time constant tau_m, with a threshold 15 and a reset 5 mV above rest.

    `resistance` [mV cm2/uA] turns the current into mV.
    """

    tau_m: Float[Array, ""]
    resistance: Float[Array, ""]
    t_ref: Float[Array, ""]

    def free_parameters(self):
        return {name: jn.bounds.Positive() for name in ("tau_m", "resistance", "t_ref")}

    def predict(self, current: Array) -> Array:
        model = jn.LIF(tau_m=self.tau_m, v_rest=0.0, v_th=15.0, v_reset=5.0, t_ref=self.t_ref)
        return jn.theory.fi_curve(model, self.resistance * current)

    def residuals(self, data: Table) -> Array:
        return data.rate - self.predict(data.current)


class Exponential(eqx.Module):
    """The same of an exponential integrate-and-fire neuron, whose spikes start at 15 mV with the sharpness delta_t."""

    tau_m: Float[Array, ""]
    resistance: Float[Array, ""]
    t_ref: Float[Array, ""]
    delta_t: Float[Array, ""]

    def free_parameters(self):
        return {name: jn.bounds.Positive() for name in ("tau_m", "resistance", "t_ref", "delta_t")}

    def predict(self, current: Array) -> Array:
        model = jn.neurons.eif(
            v_rest=0.0, v_t=15.0, delta_t=self.delta_t, v_peak=45.0, v_reset=5.0, tau_m=self.tau_m, t_ref=self.t_ref
        )
        return jn.theory.fi_curve(model, self.resistance * current)

    def residuals(self, data: Table) -> Array:
        return data.rate - self.predict(data.current)


@dataclass(frozen=True)
class Study:
    """The fits by name and the table they were made to."""

    fits: dict[str, FitResult]
    data: Table


def make_table(seed: int = 0, scatter: float = SCATTER) -> Table:
    """Simulated rates of the fast-spiking interneuron of Wang and Buzsaki, with some scatter, where it fires."""
    current = np.concatenate([np.linspace(0.2, 0.5, 7), np.linspace(0.6, 3.0, 13)])
    rate = np.asarray(jn.analysis.fi_curve(jn.neurons.wang_buzsaki(), current, duration=1_000.0, dt=0.04))
    rng = np.random.default_rng(seed)
    return Table(jnp.asarray(current), jnp.asarray(rate + scatter * rng.normal(size=rate.shape)))


def run(data: Table | None = None) -> Study:
    """Fits both neurons."""
    table = make_table() if data is None else data
    start = dict(tau_m=jnp.asarray(10.0), resistance=jnp.asarray(90.0), t_ref=jnp.asarray(1.0))
    leaky = jn.fit(Leaky(**start), table, starts=4, spread=0.2)
    exponential = jn.fit(Exponential(**start, delta_t=jnp.asarray(2.0)), table, starts=4, spread=0.2)
    return Study({LEAKY: leaky, EXPONENTIAL: exponential}, table)


def report(study: Study) -> str:
    """Everything as text."""
    units = {"tau_m": "ms", "resistance": "mV cm2/uA", "t_ref": "ms", "delta_t": "mV"}
    rows = []
    for key, unit in units.items():
        cells = []
        for fit in study.fits.values():
            known = key in fit.params
            cells.append("{:.3g} ({:.3g} to {:.3g})".format(fit.params[key], *fit.ci95[key]) if known else "")
        rows.append([f"{key}, {unit}", *cells])
    rows.append(["rms, Hz", *[f"{fit.rms:.3g}" for fit in study.fits.values()]])
    rows.append(["AICc", *[f"{fit.aicc:.4g}" for fit in study.fits.values()]])
    head = f"F-I CURVE of the Wang-Buzsaki neuron, simulated, with {SCATTER:g} Hz of scatter; 95% intervals in brackets"
    return f"{head}\n\n{text_table(['parameter', 'LIF', 'EIF'], rows)}"
