"""A solution as a block of Neo."""

from typing import TYPE_CHECKING

from ..._numerics import install
from ._over_time import over_time

if TYPE_CHECKING:
    import neo

    from .._solution import Solution


def as_neo(sol: "Solution") -> "neo.Block":
    """A block of one segment."""
    try:
        import neo
        import quantities as pq
    except ImportError as error:
        raise ImportError(f"`to_neo` needs Neo: {install('exchange')} (there is no {error.name}).") from error
    all_trains, all_series = over_time(sol, "to_neo")
    block, segment = neo.Block(name="jaxneuro"), neo.Segment(name="run", index=0)
    block.segments.append(segment)
    for trains in all_trains:
        about = {"record": trains.name, "population": trains.population, "dt_ms": trains.step, "inside": trains.inside}
        for neuron, times in enumerate(trains.times):
            own = neo.SpikeTrain(
                times, units="ms", t_start=trains.begin * pq.ms, t_stop=trains.end * pq.ms,
                sampling_rate=1.0 / trains.step / pq.ms, neuron=neuron,
                name=f"{trains.population or trains.name} {neuron}",
                **about,
            )  # fmt: skip
            segment.spiketrains.append(own)
    for series in all_series:
        unit = series.unit.replace("cm2", "cm**2").replace("^", "**")
        signal = neo.AnalogSignal(
            series.values, units="dimensionless" if unit == "1" else unit, t_start=series.start * pq.ms,
            sampling_period=series.step * pq.ms, name=series.name, unit=series.unit,
        )  # fmt: skip
        segment.analogsignals.append(signal)
    return block
