"""The statistics that are gathered while a run goes on, against the raster of the same run."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

import jaxneuro as jn

DT, KEY = 0.1, jax.random.key(1)
FIRST, LAST, LATE = 103, 8000, 1200
RECORD = {
    "raster": jn.record.Spikes(),
    "late": jn.record.Spikes(start=LATE * DT),
    "fano": jn.record.Fano(window=50.0),
    "late_fano": jn.record.Fano("E", window=50.0, start=LATE * DT),
    "short_fano": jn.record.Fano(window=0.4),
    "synchrony": jn.record.Synchrony(width=2.0),
    "spectrum": jn.record.Spectrum(segment=64.0, width=0.5),
    "bartlett": jn.record.Spectrum(segment=50.0, width=1.0, taper=jn.statistics.Boxcar(), overlap=0.0, start=120.0),
    "auto": jn.record.Autocovariance(max_lag=20.0, width=0.5),
}


def small_net(delay=1.5):
    return jn.networks.brunel(n_e=80, n_i=20, c_e=16, c_i=4, j=0.5, delay=delay)


@pytest.fixture(scope="module")
def run():
    net = small_net()
    wiring = jn.wire(net, key=KEY)
    head = jn.simulate(net, 0.0, 10.3, dt=DT, key=KEY, wiring=wiring)  # records that begin inside a block
    return jn.simulate(net, 10.3, 800.0, dt=DT, key=KEY, wiring=wiring, state=head.state, record=RECORD)


def binned(trains, steps):
    raster = trains.raster()
    m = raster.shape[0] // steps
    return raster[: m * steps].reshape(m, steps, trains.n).sum(1)


@pytest.mark.parametrize(
    ("record", "raster", "steps"), [("fano", "raster", 500), ("late_fano", "late", 500), ("short_fano", "raster", 4)]
)
def test_fano(run, record, raster, steps):
    counts = binned(run[raster]["E"], steps)
    with np.errstate(invalid="ignore"):
        expected = counts.var(0, ddof=1) / counts.mean(0)
    np.testing.assert_allclose(run[record]["E"], expected, rtol=1e-9)
    np.testing.assert_allclose(jn.statistics.fano(run[raster]["E"], window=steps * DT), expected, rtol=1e-12)
    assert int(run.counts[record]["E"]) == counts.shape[0]


def test_synchrony(run):
    counts, found = binned(run["raster"]["E"], 20), run["synchrony"]["E"]
    total, n = counts.sum(1), 80
    covariances = np.cov(counts.T)
    pairs = covariances[~np.eye(n, dtype=bool)]
    np.testing.assert_allclose(found.covariance, pairs.mean(), rtol=1e-9)
    np.testing.assert_allclose(found.correlation, pairs.mean() / np.diag(covariances).mean(), rtol=1e-9)
    np.testing.assert_allclose(found.population_fano, total.var(ddof=1) / total.mean(), rtol=1e-9)
    np.testing.assert_allclose(found.chi, np.sqrt((total / n).var(ddof=1) / np.diag(covariances).mean()), rtol=1e-9)
    np.testing.assert_allclose(found.correlation, (n * found.chi**2 - 1) / (n - 1), rtol=1e-9)
    assert int(run.counts["synchrony"]["E"]) == int(found.n_bins) == counts.shape[0]
    for a, b in zip(
        jax.tree.leaves(jn.statistics.synchrony(run["raster"]["E"], width=2.0)), jax.tree.leaves(found), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    assert "chi" in str(run)


def test_spectrum(run):
    rate = binned(run["raster"]["E"], 5).mean(1) / 0.0005
    frequencies, expected = signal.welch(rate, fs=2000.0, window="hann", nperseg=128, return_onesided=False)
    half = slice(0, 65)
    np.testing.assert_allclose(run.frequencies["spectrum"], np.abs(frequencies[half]))
    np.testing.assert_allclose(run["spectrum"]["E"], expected[half], rtol=1e-9, atol=1e-12)
    same = jn.statistics.power_spectrum(run["raster"]["E"], width=0.5, segment=64.0)
    np.testing.assert_allclose(same.density, run["spectrum"]["E"], rtol=1e-9, atol=1e-12)
    assert int(same.n_segments) == int(run.counts["spectrum"]["E"]) == (rate.size - 128) // 64 + 1


def test_bartlett_spectrum_holds_the_variance(run):
    rate = binned(run["late"]["I"], 10).mean(1) / 0.001
    _, expected = signal.welch(rate, fs=1000.0, window="boxcar", nperseg=50, noverlap=0, return_onesided=False)
    found = run["bartlett"]["I"]
    np.testing.assert_allclose(found, expected[:26], rtol=1e-9, atol=1e-12)
    segments = rate[: rate.size // 50 * 50].reshape(-1, 50)
    two_sided = 2 * found.sum() - found[0] - found[-1]
    np.testing.assert_allclose(two_sided * 20.0, segments.var(axis=1).mean(), rtol=1e-9)  # Parseval


def test_autocovariance(run):
    rate = binned(run["raster"]["E"], 5).mean(1) / 0.0005
    centred, m = rate - rate.mean(), rate.size
    full = signal.correlate(centred, centred)[m - 1 : m + 40] / (m - np.arange(41))
    np.testing.assert_allclose(run["auto"]["E"], full, rtol=1e-9, atol=1e-9 * full[0])
    np.testing.assert_allclose(run.lags["auto"], np.arange(41) * 0.5)
    np.testing.assert_array_equal(run.counts["auto"]["E"], m - np.arange(41))
    same = jn.statistics.autocovariance(run["raster"]["E"], width=0.5, max_lag=20.0)
    np.testing.assert_allclose(same.values, run["auto"]["E"], rtol=1e-9, atol=1e-9 * full[0])


@pytest.mark.float32
def test_records_do_not_depend_on_the_blocks():
    # Integer counts and one weight of 0: the same spikes in blocks of 1, 7 and 64 steps.
    record = {name: r for name, r in RECORD.items() if name not in ("raster", "late")}
    drive = jn.PoissonDrive("E", jn.DeltaCurrent(), weight=0.1, n_sources=1_000, rate=20.0)

    def records(delay):
        silent = jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.0, connectivity=jn.AllToAll(), delay=delay)
        net = jn.Network({"E": jn.Population(jn.LIF(), 20)}, [silent], [drive])
        return jn.simulate(net, 0.0, 300.0, dt=DT, key=KEY, record=record).records

    reference = records(0.1)
    assert float(jnp.nansum(reference["fano"]["E"])) > 0
    for delay in (0.7, 6.4):
        for a, b in zip(jax.tree.leaves(records(delay)), jax.tree.leaves(reference), strict=True):
            # Sums of float products are reordered by the compiler in another program.
            np.testing.assert_allclose(a, b, rtol=2e-5 if a.dtype == jnp.float32 else 1e-12, atol=1e-6)


def test_under_vmap_each_record_is_that_of_its_run():
    net = small_net()
    wiring = jn.wire(net, key=KEY)
    record = {name: RECORD[name] for name in ("fano", "synchrony", "spectrum", "auto")}

    def run_at(g):
        net = jn.networks.brunel(g, n_e=80, n_i=20, c_e=16, c_i=4, j=0.5)
        return jn.simulate(net, 0.0, 200.0, dt=DT, key=KEY, wiring=wiring, record=record, throw=False)

    values = jnp.array([3.0, 6.0])
    batch = eqx.filter_vmap(run_at)(values)
    for a, b in zip(jax.tree.leaves(batch.records), jax.tree.leaves(run_at(values[1]).records), strict=True):
        np.testing.assert_allclose(a[1], b, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(batch.frequencies["spectrum"][0], batch.frequencies["spectrum"][1])


@pytest.mark.float32
def test_a_poisson_population_has_a_flat_spectrum_and_no_synchrony():
    rate, n, duration = 40.0, 500, 4_000.0
    record = {
        "fano": jn.record.Fano(window=20.0),
        "synchrony": jn.record.Synchrony(width=1.0),
        "spectrum": jn.record.Spectrum(segment=40.0, width=0.5, taper=jn.statistics.Boxcar(), overlap=0.0),
    }
    sol = jn.simulate(jn.Population(jn.Poisson(rate), n), 0.0, duration, dt=DT, key=KEY, record=record)
    binomial = 1 - rate * DT / 1000
    density = np.asarray(sol["spectrum"])[1:-1]
    # The mean over the frequencies of a periodogram is the variance of the binned rate, of 8,000 bins.
    assert abs(density.mean() / (rate / n * binomial) - 1) < 4 * np.sqrt(2 / 8_000)
    # Each frequency is an average of 100 independent exponentials.
    assert np.abs(density / (rate / n) - 1).max() < 5 * 0.1
    assert abs(np.nanmean(sol["fano"]) - binomial) < 4 * np.sqrt(2 / 199 / n)
    assert abs(sol["synchrony"].correlation) < 4 * np.sqrt(2 / 3_999) / n
    assert abs(sol["synchrony"].population_fano - binomial) < 4 * np.sqrt(2 / 3_999)


def test_silence_is_nan_with_its_count_and_too_short_a_run_is_refused():
    record = {"fano": jn.record.Fano(window=40.0), "synchrony": jn.record.Synchrony(width=40.0)}
    silent = jn.simulate(jn.Population(jn.LIF(), 3), 0.0, 100.0, dt=DT, key=KEY, record=record)
    assert np.isnan(silent["fano"]).all()
    assert np.isnan(silent["synchrony"].correlation)
    assert int(silent.counts["fano"]) == int(silent["synchrony"].n_bins) == 2
    with pytest.raises(ValueError, match="`synchrony` is no record of neurons"):
        silent.mean("synchrony")
    for name, argument in (("fano", "window"), ("synchrony", "width")):
        with pytest.raises(ValueError, match=f"`{argument}` has to fit at least twice into the recorded time, 60 ms"):
            jn.simulate(jn.Population(jn.LIF(), 3), 0.0, 60.0, dt=DT, key=KEY, record={name: record[name]})


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("recorder", "message"),
    [
        (lambda: jn.record.Fano(window=0.25), "`window` has to be a multiple of dt"),
        (lambda: jn.record.Fano(window=0.0), "`window` has to be at least dt"),
        (lambda: jn.record.Fano(window=1e4), "`window` has to fit at least twice"),
        (lambda: jn.record.Fano("X"), "names the population 'X'"),
        (lambda: jn.record.Fano(3), "takes names of populations"),
        (lambda: jn.record.Synchrony(width=-1.0), "`width` has to be at least dt"),
        (lambda: jn.record.Synchrony(start=10.0), "`start` has to lie before the end"),
        (lambda: jn.record.Spectrum(segment=20.0), "`segment` has to fit into the recorded time"),
        (lambda: jn.record.Spectrum(segment=1.0), "`segment` has to be at least four bins"),
        (lambda: jn.record.Spectrum(segment=5.25), "`segment` has to be a multiple"),
        (lambda: jn.record.Spectrum(segment=5.0, overlap=1.0), "`overlap` has to be a fraction"),
        (lambda: jn.record.Spectrum(segment=5.0, taper="hann"), "`taper` has to be `Hann"),
        (lambda: jn.record.Autocovariance(max_lag=10.0), "`max_lag` has to be shorter"),
        (lambda: jn.record.Autocovariance(max_lag=-1.0), "`max_lag` must not be negative"),
    ],
)
def test_errors_name_the_argument(recorder, message):
    with pytest.raises(ValueError, match=message):
        jn.simulate(jn.Population(jn.LIF(), 3), 0.0, 10.0, dt=DT, key=KEY, record={"x": recorder()})
