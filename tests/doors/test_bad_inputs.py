"""Bad inputs to public calls: each is refused in one sentence that names the argument; none raw, none silent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from calls import CALLS, KEY, MATRIX, cases
from containers import UNITS

import jaxneuro as jn

NAN, INF = float("nan"), float("inf")
HUGE = 10**12
ALWAYS_WRONG = {
    "text": "20",
    "complex": 1j,
    "true": True,
    "unit": 3.0 * UNITS.second,
    "masked": np.ma.array([1.0, 2.0], mask=[True, False]),
    "missing": [1.0, None],
    "dict": {"a": 1.0},
    "ragged": [[1.0], [1.0, 2.0]],
}


def sentence(call) -> str:
    """What a bad call says: a `ValueError` in one line."""
    with pytest.raises(ValueError, match=r"(?s).") as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said, said
    assert "`" in said, said
    return said


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("wrong", list(ALWAYS_WRONG))
def test_what_is_no_number_is_refused_by_every_call(wrong, record_property):
    seen, faults = 0, []
    for name, argument in cases("numbers") + cases("lists"):
        if argument == "n_failures" and wrong == "missing":
            continue
        try:
            said = f"returned {CALLS[name](**{argument: ALWAYS_WRONG[wrong]})}"
        except ValueError as error:
            said = str(error)
            if "\n" not in said and (f"`{argument}`" in said or "`trains[0]`" in said):
                seen += 1
                continue
        except Exception as error:
            said = repr(error)
        faults.append(f"{name}({argument}): {said[:150]}")
    assert not faults, "\n".join(faults)
    record_property("counted", f"{wrong}: refused by {seen} arguments of {len(CALLS)} calls")
    assert seen > 100


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("wrong", [0.0, -1.0, NAN, INF], ids=str)
def test_what_has_to_be_positive_is(wrong):
    for name, argument in cases("positive"):
        said = sentence(lambda name=name, argument=argument: CALLS[name](**{argument: wrong}))
        assert f"`{argument}`" in said, f"{name}({argument}): {said}"


def net(**changed):
    given = dict(populations={"E": jn.Population(jn.LIF(), 4)}, projections=[], drives=[])
    return jn.Network(**{**given, **changed})


def run(**changed):
    given = dict(model=net(), t0=0.0, t1=1.0, dt=0.1, key=KEY)
    given |= changed
    return jn.simulate(given.pop("model"), given.pop("t0"), given.pop("t1"), **given)


def projection(pre="E", post="E", **changed):
    given = dict(weight=0.1, connectivity=jn.FixedInDegree(2), delay=1.0)
    return jn.Projection(pre, post, jn.DeltaCurrent(), **{**given, **changed})


def loss(w, batch, key):
    return jnp.sum(w)


def train(**changed):
    import optax

    given = dict(steps=1, optimiser=optax.sgd(0.1), key=KEY)
    batches, f = changed.pop("batches", lambda step: None), changed.pop("loss", loss)
    return jn.train(jnp.zeros(2), f, batches, **{**given, **changed})


TABLE = jn.laws.PSPTable([10.0, 20.0, 30.0], [2.0, 1.0, 0.5], [True, False, True])
HAND = {
    "run: no key": lambda: run(key=None),
    "run: seed": lambda: run(key=3),
    "run: model": lambda: run(model=3),
    "run: class": lambda: run(model=jn.LIF),
    "run: t1 with unit": lambda: run(t1=1.0 * UNITS.second),
    "run: t1 text": lambda: run(t1="1"),
    "run: t1 before t0": lambda: run(t1=-1.0),
    "run: t1 nan": lambda: run(t1=NAN),
    "run: t1 inf": lambda: run(t1=INF),
    "run: t1 list": lambda: run(t1=[1.0]),
    "run: t1 off the grid": lambda: run(t1=1.05),
    "run: t1 of too many steps": lambda: run(t1=1e12),
    "run: dt 0": lambda: run(dt=0.0),
    "run: dt negative": lambda: run(dt=-0.1),
    "run: dt true": lambda: run(dt=True),
    "run: record list": lambda: run(record=[jn.record.Rate()]),
    "run: record class": lambda: run(record={"r": jn.record.Rate}),
    "run: record of nobody": lambda: run(record={"r": jn.record.Rate("X")}),
    "run: record start late": lambda: run(record={"r": jn.record.Rate(start=5.0)}),
    "run: trace of nothing": lambda: run(record={"v": jn.record.Trace("E.x")}),
    "run: trace mask": lambda: run(record={"v": jn.record.Trace("E.v", neurons=[True, False])}),
    "run: trace beyond": lambda: run(record={"v": jn.record.Trace("E.v", neurons=[4])}),
    "run: trace floats": lambda: run(record={"v": jn.record.Trace("E.v", neurons=[0.0, 1.0])}),
    "run: trace every 0": lambda: run(record={"v": jn.record.Trace("E.v", every=0)}),
    "run: stimulus of nobody": lambda: run(stimulus={"X": 1.0}),
    "run: stimulus length": lambda: run(stimulus={"E": [1.0, 2.0, 3.0]}),
    "run: stimulus text": lambda: run(stimulus={"E": "a"}),
    "run: stimulus nan": lambda: run(stimulus={"E": NAN}),
    "run: stimulus unit": lambda: run(stimulus={"E": 1.0 * UNITS.mV}),
    "run: stimulus function": lambda: run(stimulus={"E": lambda t: jnp.ones(3)}),
    "run: state": lambda: run(state=3),
    "run: wiring": lambda: run(wiring=3),
    "population n 0": lambda: jn.Population(jn.LIF(), 0),
    "population n float": lambda: jn.Population(jn.LIF(), 2.5),
    "population n true": lambda: jn.Population(jn.LIF(), True),
    "population n text": lambda: jn.Population(jn.LIF(), "4"),
    "population model": lambda: jn.Population(3, 4),
    "population length": lambda: net(populations={"E": jn.Population(jn.LIF(tau_m=[2.0, 5.0, 7.0]), 2)}),
    "network empty": lambda: net(populations={}),
    "network list": lambda: net(populations=[jn.Population(jn.LIF(), 4)]),
    "network projection of nobody": lambda: net(projections=[projection("X")]),
    "network projection to nobody": lambda: net(projections=[projection("E", "X")]),
    "network drive to nobody": lambda: net(drives=[jn.WhiteNoiseDrive("X", mu=1.0, sigma=1.0)]),
    "projection post empty": lambda: projection(post=()),
    "projection post twice": lambda: projection(post=("E", "E")),
    "projection post number": lambda: projection(post=3),
    "projection weight nan": lambda: projection(weight=NAN),
    "projection weight text": lambda: projection(weight="0.1"),
    "projection weight unit": lambda: projection(weight=0.1 * UNITS.mV),
    "projection delay": lambda: projection(delay=-1.0),
    "projection delay unit": lambda: projection(delay=1.0 * UNITS.ms),
    "projection delay nan": lambda: projection(delay=NAN),
    "projection connectivity": lambda: projection(connectivity=3),
    "in-degree negative": lambda: jn.FixedInDegree(-1),
    "in-degree list": lambda: jn.FixedInDegree([1, 2]),
    "in-degree text": lambda: jn.FixedInDegree("10"),
    "bernoulli": lambda: jn.Bernoulli(1.5),
    "bernoulli nan": lambda: jn.Bernoulli(NAN),
    "weights vector": lambda: jn.Weights([1.0, 2.0]),
    "weights ragged": lambda: jn.Weights([[1.0], [1.0, 2.0]]),
    "weights nan": lambda: jn.Weights([[NAN, 1.0], [1.0, 1.0]]),
    "sparse mask": lambda: jn.SparseWeights([1.0, 1.0], post=[True, False], pre=[0, 1], n_pre=2, n_post=2),
    "stp synapse": lambda: jn.ShortTermPlasticity(3, u_0=0.5, tau_rec=100.0),
    "stp u_0": lambda: jn.ShortTermPlasticity(jn.DeltaCurrent(), u_0=1.5, tau_rec=100.0),
    "stp u_0 list": lambda: jn.ShortTermPlasticity(jn.DeltaCurrent(), u_0=[0.1, 0.2], tau_rec=100.0),
    "release sites": lambda: jn.StochasticRelease(jn.ExponentialCurrent(5.0), n_sites=0, p=0.5),
    "release p": lambda: jn.StochasticRelease(jn.ExponentialCurrent(5.0), n_sites=1, p=1.5),
    "release p list": lambda: jn.StochasticRelease(jn.ExponentialCurrent(5.0), n_sites=1, p=[0.1, 0.2]),
    "rate of lengths": lambda: jn.theory.lif_rate(
        jnp.ones(3), jnp.ones(2), tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0
    ),
    "ou lengths": lambda: jn.theory.ou_moments(np.ones(3), mu=np.ones(2), sigma=1.0, tau=20.0, v_0=0.0),
    "rate reset": lambda: jn.theory.lif_rate(1.0, 1.0, tau=20.0, v_th=10.0, v_reset=10.0, t_ref=2.0),
    "table lengths": lambda: jn.laws.PSPTable([1.0, 2.0], [1.0], [True, False]),
    "table zero": lambda: jn.laws.PSPTable([1.0, 0.0], [1.0, 1.0], [True, False]),
    "table empty": lambda: jn.laws.PSPTable([], [], []),
    "table label": lambda: jn.laws.PSPTable([1.0, 2.0], [1.0, 1.0], ["E", "X"]),
    "table label missing": lambda: jn.laws.PSPTable([1.0, 2.0], [1.0, 1.0], ["E", None]),
    "table label number": lambda: jn.laws.PSPTable([1.0, 2.0], [1.0, 1.0], [0, 1]),
    "law k": lambda: jn.laws.CurrentScaling()(-1.0),
    "law k text": lambda: jn.laws.CurrentScaling()("100"),
    "law kind": lambda: jn.laws.CurrentScaling()(100.0, inhibitory="X"),
    "fit class": lambda: jn.fit(jn.laws.CurrentScaling, TABLE),
    "fit data": lambda: jn.fit(jn.laws.CurrentScaling(), [1.0, 2.0]),
    "fit starts": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, starts=0),
    "fit starts float": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, starts=2.5),
    "fit bootstrap": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, bootstrap=1),
    "fit spread": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, spread=-1.0),
    "fit free text": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, free="j0"),
    "fit free unknown": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, free=["x"]),
    "fit bounds": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, bounds={"j0": (0, 1)}),
    "fit key": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, key=3),
    "compare list": lambda: jn.compare([1, 2]),
    "compare numbers": lambda: jn.compare({"a": 1}),
    "compare nothing": lambda: jn.compare({}),
    "train steps": lambda: train(steps=0),
    "train steps text": lambda: train(steps="3"),
    "train optimiser": lambda: train(optimiser="adam"),
    "train key": lambda: train(key=0),
    "train batches": lambda: train(batches=3),
    "train loss": lambda: train(loss=3),
    "train patience": lambda: train(patience=3),
    "train nothing": lambda: jn.train(3, loss, None, **dict(steps=1, optimiser=None, key=KEY)),
    "sweep over": lambda: jn.sweep(lambda p, k: {}, over={}, key=KEY),
    "sweep text": lambda: jn.sweep(lambda p, k: {}, over={"a": ["x"]}, key=KEY),
    "sweep unit": lambda: jn.sweep(lambda p, k: {}, over={"a": np.ones(2) * UNITS.ms}, key=KEY),
    "sweep masked": lambda: jn.sweep(lambda p, k: {}, over={"a": np.ma.array([1, 2], mask=[0, 1])}, key=KEY),
    "sweep twice": lambda: jn.sweep(lambda p, k: {}, over={"a": [1.0, 1.0]}, key=KEY),
    "sweep seeds": lambda: jn.sweep(lambda p, k: {}, over={"a": [1.0, 2.0]}, seeds=0, key=KEY),
    "trains order": lambda: jn.statistics.isi_cv([[2.0, 1.0]]),
    "trains nan": lambda: jn.statistics.isi_cv([[1.0, NAN]]),
    "trains unit": lambda: jn.statistics.isi_cv([np.array([1.0, 2.0]) * UNITS.second]),
    "counts span": lambda: jn.statistics.spike_counts([[1.0]], width=1.0),
    "counts width": lambda: jn.statistics.fano([[1.0]], window=-1.0, t0=0.0, t1=10.0),
    "raster of numbers": lambda: jn.statistics.SpikeTrains.of(np.eye(3), dt=0.1),
    "poisson rate": lambda: jn.statistics.poisson_trains(-1.0, 0.0, 10.0, n=1, key=KEY),
    "poisson unit": lambda: jn.statistics.poisson_trains(5.0 / UNITS.second, 0.0, 10.0, n=1, key=KEY),
    "poisson n": lambda: jn.statistics.poisson_trains(1.0, 0.0, 10.0, n=0, key=KEY),
    "chi vector": lambda: jn.statistics.chi([1.0, 2.0]),
    "labels": lambda: jn.learning.cross_entropy(jnp.zeros((2, 3)), [0.0, 1.0]),
    "labels class": lambda: jn.learning.cross_entropy(jnp.zeros((2, 3)), [0, 3]),
    "labels missing": lambda: jn.learning.cross_entropy(jnp.zeros((2, 3)), [0, None]),
    "rate matrix": lambda: jn.RateNetwork(m=[[1.0, 2.0]], h=1.0),
    "rate tau length": lambda: jn.RateNetwork(m=MATRIX, h=1.0, tau=[1.0, 2.0, 3.0]),
    "dale": lambda: jn.bounds.Dale([1.0, 0.5]),
    "interval": lambda: jn.bounds.Interval(1.0, 1.0),
    "histogram order": lambda: jn.quantal.AmplitudeHistogram([1.0], [0.5], [1.0], n_failures=0),
    "histogram width": lambda: jn.quantal.AmplitudeHistogram.from_amplitudes([1.0], bin_width="a", n_failures=0),
    "histogram nan": lambda: jn.quantal.AmplitudeHistogram.from_amplitudes([NAN], bin_width=0.1, n_failures=0),
    "quanta left out": lambda: jn.quantal.QuantalRelease(m=25.0, max_quanta=30),
    "temperature": lambda: jn.HodgkinHuxley(temperature=300.0),
    "surrogate width": lambda: jn.surrogate.FastSigmoid(width=[1.0, 2.0]),
    "brunel g": lambda: jn.networks.brunel(g="5"),
    "brunel n_e": lambda: jn.networks.brunel(n_e=-1),
    "ring of too many": lambda: jn.networks.ring(HUGE),
    "ring of a sheet of too many": lambda: jn.Ring(100_000, j=[[0.0, 1.0], [1.0, 0.0]]),
    "compartments too many": lambda: jn.Section(length=100.0, diameter=1.0, n=HUGE),
    "bins too many": lambda: jn.record.Histogram("E.v", low=0.0, high=1.0, bins=HUGE),
    "run: spike times too many": lambda: run(record={"t": jn.record.SpikeTimes("E", 10**9)}),
    "run: trace too long": lambda: run(t1=1e8, record={"v": jn.record.Trace("E.v")}),
    "run: binary too many": lambda: run(model=jn.networks.binary(k=5, n_e=HUGE, n_i=10)),
    "run: sources too many": lambda: run(model=jn.Population(jn.Poisson(5.0), HUGE)),
    "in-degree too large": lambda: jn.wire(net(projections=[projection(connectivity=jn.FixedInDegree(HUGE))]), key=KEY),
    "poisson trains too many": lambda: jn.statistics.poisson_trains(5.0, 0.0, 10.0, n=HUGE, key=KEY),
    "bernoulli trains too many": lambda: jn.statistics.bernoulli_trains(5.0, 0.0, 1.0, n=HUGE, dt=1.0, key=KEY),
    "poisson spikes too many": lambda: jn.learning.poisson_spikes([5.0], n_steps=HUGE, dt=1.0, key=KEY),
    "latencies too many": lambda: jn.learning.latency_spikes([0.5], n_steps=HUGE, dt=1.0),
    "pattern too long": lambda: jn.learning.pattern(HUGE, dt=1.0, key=KEY),
    "events too many": lambda: jn.simulate_events(net(), 10.0, spikes={}, most=HUGE),
    "trials too many": lambda: jn.quantal.QuantalRelease(sigma_0=0.1).sample(HUGE, key=KEY),
    "quanta too many": lambda: jn.quantal.QuantalRelease(max_quanta=HUGE),
    "starts too many": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, starts=HUGE),
    "bootstrap too large": lambda: jn.fit(jn.laws.CurrentScaling(), TABLE, bootstrap=HUGE),
    "sweep too large": lambda: jn.sweep(lambda p, k: {}, over={"a": [1.0, 2.0]}, seeds=HUGE, key=KEY),
    "fixed points too many": lambda: jn.analysis.fixed_points(jn.networks.ei_rate(), n_starts=HUGE),
    "slow points too many": lambda: jn.analysis.slow_points(jn.networks.ei_rate(), n_starts=HUGE),
    "nullclines too fine": lambda: jn.analysis.nullclines(jn.networks.ei_rate(), box=(0.0, 60.0), n=HUGE),
    "counts too many": lambda: jn.theory.PoissonField(n_counts=HUGE),
    "seed as key": lambda: run(key=2**70),
    "seed as key of a sweep": lambda: jn.sweep(lambda p, k: {}, over={"a": [1.0, 2.0]}, key=2**70),
    "trace samples": lambda: jn.recordings.VoltageTrace(np.zeros(3), np.zeros(5), dt=0.1),
}


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize("name", list(HAND))
def test_a_bad_call_is_one_sentence(name):
    sentence(HAND[name])


def test_there_are_two_hundred(record_property):
    automatic = len(cases("numbers") + cases("lists")) * len(ALWAYS_WRONG) + 4 * len(cases("positive"))
    record_property("counted", f"{len(HAND)} bad calls by hand, {automatic} by table of call, argument and wrong value")
    assert len(HAND) + 4 * len(cases("positive")) >= 200


def test_figures_without_matplotlib_say_what_to_install(monkeypatch):
    import sys

    from jaxneuro._fit._plot import plot_result

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Figures need matplotlib: pip install .*\[plot\]'"):
        plot_result(None, None, axes=None, label=None)


def test_the_sentence_of_a_fit_that_did_not_converge_is_whole():
    assert str(jn.results.FitCode.NOT_CONVERGED.value).endswith("need fewer of them free.")
    assert jax.tree.leaves(jn.results.FitCode.NOT_CONVERGED.value)
