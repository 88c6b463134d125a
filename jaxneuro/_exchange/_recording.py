"""What a file holds, in the units of the package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from .._numerics import check_positive, read_unit
from ..recordings import VoltageTrace
from ..statistics import SpikeTrains

# 1 pA over 1 um2 of membrane, in uA/cm2.
_DENSITY = 100.0


@dataclass(frozen=True, eq=False)
class Signal:
    """A signal in equal steps: `values` (time, channels) in `unit`, from `t0` [ms] on every `dt` [ms]."""

    values: Shaped[np.ndarray, "time channels"]
    unit: str
    t0: float
    dt: float

    @property
    def times(self) -> Float[np.ndarray, "time"]:
        """The times [ms]."""
        return self.t0 + self.dt * np.arange(len(self.values))

    def __repr__(self) -> str:
        n, channels = self.values.shape
        return f"Signal({n:,} x {channels:,} [{self.unit}], from {self.t0:g} ms on every {self.dt:g} ms)"


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file of recordings holds: `spikes` by population, as a `SpikeSource` takes them, and `signals` by name."""

    spikes: Mapping[str, SpikeTrains] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)

    def __repr__(self) -> str:
        lines = [f"  spikes {name!r}: {own}" for name, own in self.spikes.items()]
        lines += [f"  signal {name!r}: {own}" for name, own in self.signals.items()]
        return "\n".join(["Recording", *lines])

    def voltage_trace(
        self, v: str, current: str | None = None, *, channel: int = 0, area: float | None = None
    ) -> VoltageTrace:
        """A potential with the current that was injected, as a fit to a recording takes it.

        **Arguments:** `v`, the name of a signal in mV; `current`, of one in uA/cm2, or in pA with the `area` of the
        membrane [um2], in steps as long or a whole number of times shorter: its value at i is that of the step that
        ends with the sample i of `v`; None of a neuron left alone. `channel`, which column of both.

        Raises `ValueError` where there is no such signal or channel, its unit is another, or steps do not fit.
        """
        potential = self._signal("v", v, channel)
        if potential.unit != "mV":
            raise ValueError(f"`v` {v!r} is in {potential.unit}; a potential is in mV.")
        samples = potential.values[:, channel]
        if current is None:
            return VoltageTrace(samples, np.zeros(len(samples)), dt=potential.dt)
        injected = self._signal("current", current, channel)
        ratio = potential.dt / injected.dt
        every = round(ratio)
        if every < 1 or abs(ratio - every) > 1e-6 * ratio:
            raise ValueError(
                f"`current` {current!r} is in steps of {injected.dt:g} ms and `v` of {potential.dt:g} ms: the current "
                "needs equal or shorter ones, a whole number of which make one of `v`."
            )
        return VoltageTrace(samples, _density(current, injected, channel, area), dt=injected.dt, every=every)

    def _signal(self, argument: str, name: str, channel: int) -> Signal:
        if name not in self.signals:
            known = ", ".join(map(repr, self.signals)) or "none"
            raise ValueError(f"`{argument}` is {name!r}; the signals are {known}.")
        if not 0 <= channel < self.signals[name].values.shape[1]:
            raise ValueError(f"`channel` is {channel}; {name!r} has {self.signals[name].values.shape[1]}.")
        return self.signals[name]


def _density(name: str, injected: Signal, channel: int, area: float | None) -> np.ndarray:
    """The current [uA/cm2]."""
    own = injected.values[:, channel]
    if injected.unit == "uA/cm2" and area is None:
        return own
    if injected.unit != "pA":
        raise ValueError(f"`current` {name!r} is in {injected.unit}; it has to be in uA/cm2, or in pA with an `area`.")
    if area is None:
        raise ValueError(f"`current` {name!r} is in pA: give the `area` of the membrane in um2.")
    check_positive("area", area)
    return own * (_DENSITY / area)


def in_our_unit(what: str, values: Any, unit: str | None, factor: float = 1.0) -> tuple[np.ndarray, str]:
    """Values (time, channels) times `factor`, in the unit of the package where it has one, and that unit.

    Raises `ValueError` where there is none.
    """
    if unit is None or not unit.strip() or unit.strip().lower() in ("n.a.", "unknown", "a.u."):
        raise ValueError(f"{what} has no unit: write it into the file, 'dimensionless' of pure numbers.")
    known = np.asarray(values)
    known = known.reshape(len(known), -1)
    ours, by = read_unit(unit) or (unit, 1.0)
    total = float(f"{factor * by:.12g}")
    return (known if total == 1.0 else known * total), ours


def decimal(value: float) -> float:
    """A time [ms] as it was written: 0.1 where a rate of 10 kHz, or seconds, made 0.09999999999999999 of it."""
    return float(f"{value:.12g}")


def trains_of(
    what: str, times: Sequence[np.ndarray], begin: float, end: float, dt: float | None, inside: bool
) -> SpikeTrains:
    """The trains of a population; raises `ValueError` where nothing tells the step."""
    if dt is None:
        raise ValueError(f"{what}: nothing says in which steps its spikes are: give `dt` in ms.")
    first, last = np.floor(begin / dt + 1e-6), np.ceil(end / dt - 1e-6)
    return SpikeTrains.of_times(times, t0=first * dt, t1=last * dt, dt=dt, inside_steps=inside)
