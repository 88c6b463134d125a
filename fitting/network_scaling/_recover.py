"""How often a fit through the mean field finds what made the data, and how often AICc names the law."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro import FitResult
from jaxneuro.theory import AbstractNoise

from ._laws import AbstractScaling, GainScaling, PowerScaling, Recordings, conditions

POWER, GAIN = "a ~ K^-alpha", "gain kept (D10)"
# Called, they are the law that makes data, and where fits start, which is not at the truth.
TRUE: dict[str, Callable[..., AbstractScaling]] = {POWER: PowerScaling, GAIN: GainScaling}
STARTS: dict[str, Callable[..., AbstractScaling]] = {
    POWER: partial(PowerScaling, 0.0018, 0.4),
    GAIN: partial(GainScaling, 0.0018),
}
IN_DEGREES = (250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
ERROR = 0.03
OF = {POWER: "alpha", GAIN: "a"}  # the parameter whose intervals are counted


@dataclass(frozen=True)
class Recovered:
    """Data sets of one law, each fitted by both: `fits` by the name of the law that was fitted."""

    made_by: str
    data: list[Recordings]
    fits: list[dict[str, FitResult]]

    @property
    def parameter(self) -> str:
        return OF[self.made_by]

    @property
    def true(self) -> float:
        return float(getattr(TRUE[self.made_by](), self.parameter))

    @cached_property
    def errors(self) -> np.ndarray:
        """Of the fitted parameter of the law that made the data, in its standard errors."""
        own = [fits[self.made_by] for fits in self.fits]
        return np.array([(fit.params[self.parameter] - self.true) / fit.stderr[self.parameter] for fit in own])

    @cached_property
    def held(self) -> int:
        """How many 95% intervals hold the truth."""
        ends = [fits[self.made_by].ci95[self.parameter] for fits in self.fits]
        return sum(low <= self.true <= high for low, high in ends)

    @cached_property
    def named(self) -> int:
        """How often AICc names the law that made the data."""
        return sum(jn.compare(fits, refit=False).names[0] == self.made_by for fits in self.fits)

    @cached_property
    def least_margin(self) -> float:
        """By how much AICc is in favour of that law where it is least so."""
        other = next(name for name in TRUE if name != self.made_by)
        return min(fits[other].aicc - fits[self.made_by].aicc for fits in self.fits)


def recordings(law: AbstractScaling, sets: int, seed: int) -> list[Recordings]:
    """Rates and CVs in mean field with independent relative errors."""
    k, nu_x = (jnp.asarray(x) for x in conditions(IN_DEGREES))
    clean = [np.asarray(x) for x in law.solve(k, nu_x)]
    made = []
    for number in range(sets):
        rng = np.random.default_rng([seed, number])
        rate, cv = (x * np.exp(ERROR * rng.normal(size=x.shape)) for x in clean)
        made.append(Recordings(k, nu_x, jnp.asarray(rate), jnp.asarray(cv)))
    return made


def fit_theory(start: AbstractScaling, data: Recordings) -> FitResult:
    """By the gradient through the mean field."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what is wanted is the interval
        return jn.fit(start, data, optimiser=jn.optimiser.GaussNewton(tolerance=0.01), starts=1, progress=False)


def recover(made_by: str, sets: int, seed: int = 0, noise: AbstractNoise | None = None) -> Recovered:
    """Makes data by one law and fits both, all by one theory of the noise, `ItoNoise()` by default."""
    data = recordings(TRUE[made_by](noise=noise), sets, seed + list(TRUE).index(made_by))
    fits = [{name: fit_theory(start(noise=noise), one) for name, start in STARTS.items()} for one in data]
    return Recovered(made_by, data, fits)
