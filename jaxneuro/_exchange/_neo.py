"""Recordings out of Neo."""

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import as_path, check_dt, install, told
from ..statistics import SpikeTrains
from ._recording import Recording, Signal, decimal, in_our_unit, trains_of

if TYPE_CHECKING:
    import neo


def read_neo(
    source: "neo.Block | neo.Segment | str | os.PathLike", *, segment: int = 0, dt: float | None = None
) -> Recording:
    """Reads spikes and signals out of a block or a segment of Neo, or a file that Neo reads, in ms, mV, Hz and pA.

    Trains with one annotation `population`, as `Solution.to_neo` writes them, are one population, the others are that
    of the name "spikes". They are what a run takes as `stimulus={name: spikes}` of a `SpikeSource`.

    **Arguments:** `source`; `segment`, which of a block; `dt`, the steps of spikes [ms], where the trains do not have
    that of a run: a spike goes to the end of its step.

    **Returns:** a `results.Recording`: `spikes`, `signals` and `voltage_trace`.

    Raises `ValueError` where a signal has no unit, a neuron two spikes in one step, there is no such segment, or the
    file is a pickle, which would run code; `ImportError` without Neo.

    ```python
    >>> import neo, quantities as pq, jaxneuro as jn
    >>> segment = neo.Segment()
    >>> segment.spiketrains.append(neo.SpikeTrain([0.01, 0.02], units="s", t_stop=0.05))
    >>> segment.analogsignals.append(neo.AnalogSignal([[-0.065]] * 4, units="V", sampling_rate=10 * pq.kHz, name="v"))
    >>> jn.io.read_neo(segment, dt=0.1)
    Recording
      spikes 'spikes': 2 spikes of 1 neurons
      signal 'v': Signal(4 x 1 [mV], from 0 ms on every 0.1 ms)

    ```
    """
    try:
        import neo
    except ImportError as error:
        raise ImportError(f"`read_neo` needs Neo: {install('exchange')} (there is no {error.name}).") from error
    dt = None if dt is None else check_dt(dt)
    own = source if isinstance(source, neo.Segment) else _segment(_block(source), segment)
    groups: dict[tuple[str, str], list[Any]] = {}
    for train in own.spiketrains:
        notes = train.annotations
        groups.setdefault((str(notes.get("record", "")), str(notes.get("population", ""))), []).append(train)
    names = [population or record or "spikes" for record, population in groups]
    twice = len(set(names)) < len(names)
    spikes = {
        f"{record}_{population}" if twice and record else name: _population(name, trains, dt)
        for ((record, population), trains), name in zip(groups.items(), names, strict=True)
    }
    signals = {}
    for i, signal in enumerate(own.analogsignals):
        name = signal.name or f"signal {i}"
        unit = str(signal.units.dimensionality)
        # Neo has this of a signal that came without a unit too.
        known = signal.annotations.get("unit", "" if unit == "dimensionless" else unit)
        values, ours = in_our_unit(f"`source`: the signal {name!r}", signal.magnitude, known)
        start, step = (decimal(float(x.rescale("ms").magnitude)) for x in (signal.t_start, signal.sampling_period))
        signals[name] = Signal(values, ours, start, step)
    return Recording(spikes, signals)


def _block(source: Any) -> "neo.Block":
    """The block that is given or in a file."""
    import neo
    from neo.io import get_io

    if isinstance(source, neo.Block):
        return source
    if not isinstance(source, str | os.PathLike):
        raise ValueError(f"`source` has to be a block or a segment of Neo, or the path of a file; got {told(source)}.")
    path = as_path("source", source)
    if not path.exists():
        raise FileNotFoundError(f"`source` {path} does not exist.")
    if path.suffix.lower() in (".pkl", ".pickle"):
        raise ValueError(f"`source` {path} is a pickle, which may run any code: save it in another format.")
    try:
        return get_io(str(path)).read_block()
    except Exception as error:  # of whatever reader there is
        raise ValueError(f"`source` {path}: Neo cannot read it ({error}).") from None


def _segment(block: "neo.Block", segment: int) -> "neo.Segment":
    if not 0 <= segment < len(block.segments):
        raise ValueError(f"`segment` is {segment}; the block has {len(block.segments)}, counted from 0.")
    return block.segments[segment]


def _population(name: str, trains: list[Any], dt: float | None) -> SpikeTrains:
    """The trains of one population in the order of their neurons."""
    ordered = sorted(trains, key=lambda train: train.annotations.get("neuron", 0))
    what = f"`source`: the spikes of {name!r}"
    try:
        times = [np.asarray(train.rescale("ms").magnitude, float) for train in ordered]
        ends = [(float(t.t_start.rescale("ms")), float(t.t_stop.rescale("ms"))) for t in ordered]
    except ValueError:
        raise ValueError(f"{what} have no unit of time: write it into the file.") from None
    begin, end = decimal(min(b for b, _ in ends)), decimal(max(e for _, e in ends))
    own = ordered[0].annotations
    return trains_of(what, times, begin, end, own.get("dt_ms") if dt is None else dt, bool(own.get("inside", False)))
