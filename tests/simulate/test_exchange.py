"""A solution to xarray, pandas, Neo and NWB and back: values, times and units are those of the run."""

import sys
from datetime import datetime

import jax
import neo
import numpy as np
import pynwb
import pytest
import quantities as pq

import jaxneuro as jn

R, OF = jn.record, jn.statistics.SpikeTrains.of_times


@pytest.fixture(scope="module")
def sol():
    net = jn.Network(
        {"E": jn.Population(jn.LIF(), 5), "X": jn.Population(jn.Poisson(200.0), 3)},
        drives=[jn.WhiteNoiseDrive("E", mu=25.0, sigma=4.0)],
    )
    record = {
        "rate": R.Rate(), "spikes": R.Spikes(), "v": R.Trace("E.v", every=5), "psth": R.PopulationRate(width=5.0),
        "p": R.Histogram("E.v", low=0.0, high=20.0, bins=4),
    }  # fmt: skip
    return jn.simulate(net, 0.0, 60.0, dt=0.2, key=jax.random.key(0), record=record)


@pytest.fixture(scope="module")
def squid():
    record = {"v": R.Trace("v"), "i": R.Trace("input.current"), "spikes": R.Spikes(), "m": R.Trace("m_na")}
    return jn.simulate(
        jn.Population(jn.HodgkinHuxley(), 2), 0.0, 12.0, dt=0.05, key=jax.random.key(0), stimulus=10.0, record=record
    )


def same_trains(one, other):
    np.testing.assert_array_equal(one.raster(), other.raster())
    assert (one.dt, int(one.first_step)) == (other.dt, int(other.first_step))
    assert (one.shares is None) == (other.shares is None)
    if one.shares is not None:
        np.testing.assert_array_equal(one.shares, other.shares)


def test_units_are_those_of_the_recorders_and_the_model(sol, squid):
    assert sol.units == {"rate": "Hz", "spikes": "ms", "v": "mV", "psth": "Hz", "p": "1/mV"}
    assert squid.units == {"v": "mV", "i": "uA/cm2", "spikes": "ms"}
    assert jax.tree.map(lambda x: x, sol).units == sol.units


def test_xarray_has_every_record_with_its_unit_and_axis(sol):
    data = sol.to_xarray()
    np.testing.assert_array_equal(data["rate_E"], sol["rate"]["E"])
    assert data["rate_E"].dims == ("neuron_E",)
    assert data["v"].dims == ("time_v", "neuron_v")
    np.testing.assert_array_equal(data["time_v"], sol.times["v"])
    assert (data["v"].attrs["units"], data["time_v"].attrs["units"]) == ("mV", "ms")
    np.testing.assert_array_equal(data["psth_X"], sol["psth"]["X"])
    np.testing.assert_array_equal(data["p_values"], sol["p"].values)
    trains = sol["spikes"]["E"].times
    for neuron in range(5):
        own = data["spikes_E"].values[data["neuron_spikes_E"].values == neuron]
        np.testing.assert_array_equal(own, trains[neuron])
    assert data.attrs == {"t0_ms": 0.0, "t1_ms": 60.0, "dt_ms": 0.2, "result": data.attrs["result"]}


def test_pandas_has_a_row_a_value_and_spikes_come_back(sol):
    tables = sol.to_pandas()
    spikes = tables["spikes"]
    assert list(spikes.columns) == ["population", "neuron", "time"]
    own = spikes[spikes.population == "X"]
    back = OF([own.time[own.neuron == i] for i in range(3)], t1=60.0, dt=0.2)
    same_trains(back, sol["spikes"]["X"])
    v = tables["v"]
    assert v.attrs["column_units"] == {"time": "ms", "v": "mV"}
    np.testing.assert_array_equal(v.pivot(index="time", columns="neuron", values="v"), sol["v"])
    rate = tables["rate"]
    np.testing.assert_array_equal(rate[rate.population == "E"]["rate"], sol["rate"]["E"])


def test_neo_and_back(sol, squid):
    segment = sol.to_neo().segments[0]
    assert len(segment.spiketrains) == 8
    train = segment.spiketrains[0]
    assert (train.annotations["population"], train.annotations["neuron"]) == ("E", 0)
    np.testing.assert_allclose(train.rescale("s").magnitude, sol["spikes"]["E"].times[0] / 1e3, rtol=1e-12)
    v = next(signal for signal in segment.analogsignals if signal.name == "v")
    np.testing.assert_allclose(v.rescale("V").magnitude, np.asarray(sol["v"]) / 1e3, rtol=1e-6)
    np.testing.assert_allclose(v.times.rescale("ms").magnitude, sol.times["v"], rtol=1e-12)
    for of in (sol, squid.__class__(**{**vars(squid), "records": {k: squid[k] for k in ("v", "i", "spikes")}})):
        back = jn.io.read_neo(of.to_neo())
        spikes = of["spikes"] if isinstance(of["spikes"], dict) else {"spikes": of["spikes"]}
        for name, trains in spikes.items():
            same_trains(back.spikes[name], trains)
        assert (back.signals["v"].unit, back.signals["v"].t0) == ("mV", of.times["v"][0])
        np.testing.assert_array_equal(back.signals["v"].values, of["v"])
        np.testing.assert_allclose(back.signals["v"].times, of.times["v"], rtol=1e-12)


def test_nwb_and_back(sol, squid, tmp_path):
    sol.to_nwb(tmp_path / "run.nwb")
    with pynwb.NWBHDF5IO(str(tmp_path / "run.nwb"), "r") as reader:
        file = reader.read()
        np.testing.assert_allclose(file.units["spike_times"][0], sol["spikes"]["E"].times[0] / 1e3, rtol=1e-12)
        series = file.acquisition["v"]
        assert (series.unit, series.conversion) == ("volts", 1e-3)
        np.testing.assert_array_equal(series.data[:], sol["v"])
    back = jn.io.read_nwb(tmp_path / "run.nwb")
    for name in ("E", "X"):
        same_trains(back.spikes[name], sol["spikes"][name])
    for name, values in {"v": sol["v"], "psth_E": np.asarray(sol["psth"]["E"])[:, None]}.items():
        np.testing.assert_array_equal(back.signals[name].values, values)
        np.testing.assert_allclose(back.signals[name].times, sol.times[name.partition("_")[0]], rtol=1e-12)
    assert (back.signals["v"].unit, back.signals["psth_E"].unit, back.signals["v"].dt) == ("mV", "Hz", 1.0)
    # What was read drives a network as what was recorded did.
    source = jn.Network({"X": jn.Population(jn.SpikeSource(), 3)})
    run = dict(dt=0.2, key=jax.random.key(0), record={"spikes": R.Spikes()})
    again = jn.simulate(source, 0.0, 60.0, stimulus={"X": back.spikes["X"]}, **run)
    same_trains(again["spikes"]["X"], sol["spikes"]["X"])


def test_a_squid_becomes_a_voltage_trace(squid, tmp_path):
    shown = squid.__class__(**{**vars(squid), "records": {k: squid[k] for k in ("v", "i", "spikes")}})
    shown.to_nwb(tmp_path / "squid.nwb", session_start=datetime.fromisoformat("2020-01-01T00:00:00+00:00"))
    for back in (jn.io.read_nwb(tmp_path / "squid.nwb"), jn.io.read_neo(shown.to_neo())):
        same_trains(back.spikes["spikes"], squid["spikes"])
        trace = back.voltage_trace("v", "i", channel=1)
        np.testing.assert_array_equal(trace.v, squid["v"][:, 1])
        np.testing.assert_array_equal(trace.current, squid["i"][:, 1])
        assert (trace.dt, trace.every) == (0.05, 1)


def test_units_of_other_files_are_converted():
    segment = neo.Segment()
    segment.analogsignals.append(neo.AnalogSignal([[-0.065], [-0.06]], units="V", sampling_rate=10 * pq.kHz, name="v"))
    segment.analogsignals.append(neo.AnalogSignal([[0.1]] * 4, units="nA", sampling_rate=20 * pq.kHz, name="i"))
    segment.spiketrains.append(neo.SpikeTrain([0.0101, 0.02], units="s", t_stop=0.05))
    back = jn.io.read_neo(segment, dt=0.5)
    assert back.spikes["spikes"].times[0].tolist() == [10.5, 20.0]
    trace = back.voltage_trace("v", "i", area=1000.0)
    # 100 pA over 1000 um2 = 1e-4 uA / 1e-5 cm2 = 10 uA/cm2.
    np.testing.assert_allclose(trace.current, 10.0, rtol=1e-6)
    np.testing.assert_allclose(trace.v, [-65.0, -60.0], rtol=1e-6)
    assert trace.every == 2


def of_a_segment(values=((1.0,),), units="mV", **k):
    segment = neo.Segment()
    segment.analogsignals.append(neo.AnalogSignal(values, units=units, sampling_rate=1 * pq.kHz, name="x"))
    return jn.io.read_neo(segment, **k)


REFUSED = {
    "no unit": (lambda s, d: of_a_segment(units="dimensionless"), "the signal 'x' has no unit"),
    "unit of a potential": (lambda s, d: of_a_segment(units="m").voltage_trace("x"), "`v` 'x' is in um"),
    "no such signal": (lambda s, d: of_a_segment().voltage_trace("y"), "`v` is 'y'; the signals are 'x'"),
    "no such channel": (lambda s, d: of_a_segment().voltage_trace("x", channel=1), "`channel` is 1; 'x' has 1"),
    "current in mV": (lambda s, d: of_a_segment().voltage_trace("x", "x"), "`current` 'x' is in mV"),
    "segment": (lambda s, d: jn.io.read_neo(s.to_neo(), segment=1), "`segment` is 1; the block has 1"),
    "source": (lambda s, d: jn.io.read_neo(3), "`source` has to be a block"),
    "no file": (lambda s, d: jn.io.read_neo(d / "no.nix"), "does not exist"),
    "pickle": (lambda s, d: jn.io.read_neo(d / "x.pkl"), "is a pickle, which may run any code"),
    "no NWB": (lambda s, d: jn.io.read_nwb(d / "x.pkl"), "is no file of NWB"),
    "no NWB file": (lambda s, d: jn.io.read_nwb(d / "no.nwb"), "does not exist"),
    "date": (lambda s, d: s.to_nwb(d / "x.nwb", session_start=datetime(2020, 1, 1)), "with a time zone"),
    "two in a step": (lambda s, d: OF([[1.1, 1.2]], t1=5.0, dt=1.0), "two spikes in one"),
    "outside": (lambda s, d: OF([[7.0]], t1=5.0, dt=1.0), "7 ms, outside of 0 to 5"),
    "nan": (lambda s, d: OF([[np.nan]], t1=5.0, dt=1.0), "nan ms, outside of 0 to 5"),
    "no dt": (lambda s, d: jn.io.read_neo(neo_of([1.0])), "nothing says in which steps its spikes are: give `dt`"),
    "batch": (lambda s, d: jax.tree.map(lambda x: x[None], s).to_pandas(), "This is a batch of"),
    "gates": (lambda s, d: without_unit(s).to_neo(), "the unit of `v` is not known"),
    "rates": (lambda s, d: rates(s).to_nwb(d / "x.nwb"), "`to_nwb` is for spikes and records over time"),
}  # fmt: skip


def neo_of(times):
    segment = neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain(times, units="ms", t_stop=5.0))
    return segment


def without_unit(sol):
    return sol.__class__(**{**vars(sol), "named_units": ()})


def rates(sol):
    return sol.__class__(**{**vars(sol), "records": {"rate": sol["rate"]}})


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_sentence(case, sol, tmp_path):
    (tmp_path / "x.pkl").write_bytes(b"no")
    call, sentence = REFUSED[case]
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        call(sol, tmp_path)


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("xarray", lambda s: s.to_xarray()),
        ("pandas", lambda s: s.to_pandas()),
        ("neo", lambda s: s.to_neo()),
        ("pynwb", lambda s: s.to_nwb("x.nwb")),
        ("neo", lambda s: jn.io.read_neo("x.nix")),
        ("pynwb", lambda s: jn.io.read_nwb("x.nwb")),
    ],
)
def test_what_is_not_installed_is_named(module, call, sol, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"needs .*pip install -e .*\[exchange\]"):
        call(sol)
