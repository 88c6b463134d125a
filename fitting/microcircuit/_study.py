"""The eight external rates, and what theory and a run give with them."""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import jaxneuro as jn
from jaxneuro.theory import EffectiveNoise, ShortFilter, mean_field

# Rates of the network of full size by NEST: Potjans and Diesmann (2014), doi:10.1093/cercor/bhs358.
TARGETS = (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829)
PUBLISHED = 8.0
# Newton's steps, in logarithms of the external rates; no step is longer than this.
STEPS, LONGEST = 12, 0.2
CLOSE = 1e-6
# Of a run [ms] the first third is left out, and a spectrum takes 200 ms of the rest.
LEAST_RUN = 300.0


@dataclass(frozen=True)
class Study:
    """Rates [Hz] by population: asked for, of theory with published and with fitted input, and of a run."""

    targets: Float[np.ndarray, "8"]
    external: Float[np.ndarray, "8"]
    published: Float[np.ndarray, "8"]
    fitted: Float[np.ndarray, "8"]
    cv: Float[np.ndarray, "8"]
    scale: float
    solution: jn.Solution | None


@eqx.filter_jit
def theory(external: Float[Array, "8"]) -> tuple[Float[Array, "8"], Float[Array, "8"]]:
    """Rates [Hz] and CVs of the full network in mean field with these external rates [Hz]."""
    found = mean_field(jn.networks.microcircuit(rate=external), noise=EffectiveNoise(ShortFilter()), throw=False)
    return jnp.stack(list(found.rate.values())), jnp.stack(list(found.cv.values()))


@eqx.filter_jit
def _miss_and_slope(log_external: Float[Array, "8"], targets: Float[Array, "8"]) -> tuple[Array, Array]:
    def miss(x: Array) -> tuple[Array, Array]:
        value = jnp.log(theory(jnp.exp(x))[0]) - jnp.log(targets)
        return value, value

    slope, value = jax.jacrev(miss, has_aux=True)(log_external)
    return value, slope


def fit_external(targets: Float[np.ndarray, "8"], told: Callable[[str], None] = print) -> Float[np.ndarray, "8"]:
    """The external rates [Hz] with which theory has the rates `targets` [Hz]; `RuntimeError` where it finds none.

    Newton's method on log rates, with the implicit derivatives of the mean field: eight unknowns, eight equations.
    """
    x = jnp.full(8, np.log(PUBLISHED))
    for step in range(STEPS):
        value, slope = _miss_and_slope(x, jnp.asarray(targets, x.dtype))
        worst = float(jnp.max(jnp.abs(value)))
        told(f"step {step}: rates within {100.0 * np.expm1(worst):.2g}%")
        if worst < CLOSE:
            return np.exp(np.asarray(x))
        x = x - jnp.clip(jnp.linalg.solve(slope, value), -LONGEST, LONGEST)
    raise RuntimeError(f"No external rates were found in {STEPS} steps that give the rates asked for.")


def run(
    scale: float = 0.1,
    duration: float = 1_500.0,
    seed: int = 0,
    told: Callable[[str], None] = print,
    *,
    published: bool = False,
) -> Study:
    """Fits, and runs a network of `scale` times the neurons and synapses for `duration` [ms]; of 0 ms none.

    With `published` the external rates are the published ones, and nothing is fitted. Raises `ValueError` where `scale`
    or `duration` is no such number.
    """
    if not (duration == 0.0 or LEAST_RUN <= duration < np.inf):
        raise ValueError(f"`duration` has to be 0 for no run, or at least {LEAST_RUN:g} ms; got {duration:g}.")
    jn.networks.microcircuit(scale, scale)  # a size that is none is refused before the fit
    targets = np.array(TARGETS)
    external = np.full(8, PUBLISHED) if published else fit_external(targets, told)
    by_default = np.asarray(theory(jnp.full(8, PUBLISHED))[0])
    fitted, cv = (np.asarray(x) for x in theory(jnp.asarray(external)))
    solution = simulate(external, scale, duration, seed) if duration else None
    return Study(targets, external, by_default, fitted, cv, scale, solution)


def simulate(external: Float[np.ndarray, "8"], scale: float, duration: float, seed: int) -> jn.Solution:
    """A run of which the first third, at most 500 ms, is left out."""
    net, start = jn.networks.microcircuit(scale, scale, rate=external), min(500.0, round(duration / 3.0))
    record = {
        "rate": jn.record.Rate(start=start),
        "cv": jn.record.CV(start=start),
        "spikes": jn.record.Spikes(*net.names, start=max(start, duration - 300.0)),
        "spectrum": jn.record.Spectrum(start=start),
    }
    return jn.simulate(net, 0.0, duration, dt=0.1, key=jax.random.key(seed), record=record)


def measured(study: Study) -> dict[str, Float[np.ndarray, "8"]]:
    """Means over neurons of the run, by record."""
    if study.solution is None:
        return {}
    return {name: np.array([mean.value for mean in study.solution.mean(name).values()]) for name in ("rate", "cv")}


def report(study: Study) -> str:
    """A table by population."""
    of_run = measured(study)
    head = "      asked   theory, 8 Hz   external   theory   CV"
    lines = [head + (f"   run at {study.scale:g}   CV" if of_run else "")]
    for i, name in enumerate(jn.networks.microcircuit().names):
        row = f"{name:5s} {study.targets[i]:5.3f}   {study.published[i]:12.3f}   {study.external[i]:8.3f}"
        row += f"   {study.fitted[i]:6.3f}   {study.cv[i]:.2f}"
        lines.append(row + (f"   {of_run['rate'][i]:10.3f}   {of_run['cv'][i]:.2f}" if of_run else ""))
    return "\n".join([*lines, "rates in Hz; theory is of the full network"])


def to_json(study: Study) -> dict:
    """The table as numbers."""
    fields = ("targets", "external", "published", "fitted", "cv")
    known = {name: getattr(study, name).tolist() for name in fields}
    return known | {"scale": study.scale, "run": {name: values.tolist() for name, values in measured(study).items()}}
