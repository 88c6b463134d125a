"""Correlated sources, and the recorders of skewness, pairs and lags: against closed forms and NumPy on traces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn
from jaxneuro.laws import OutsideTheoryWarning

DELTA, KEY = jn.DeltaCurrent(), jax.random.key(0)


def drive(correlation, **more):
    numbers = dict(weight=0.2, n_sources=100, rate=10.0) | more
    return jn.CorrelatedPoissonDrive("E", DELTA, correlation=correlation, **numbers)


def counts(one, n=200, steps=2_000, dt=0.5):
    table = one.table(dt)
    return np.asarray(jax.jit(lambda k: one.draw(k, jnp.arange(steps), dt, n, table))(KEY), float)


@pytest.mark.float32
@pytest.mark.parametrize("c", [0.0, 0.05, 1.0])
def test_counts_have_the_moments_of_a_compound_process(c):
    drawn = counts(drive(c), steps=1_000)
    mean = 100 * 10.0 * 0.5e-3
    # Of n sources with the variance m each and the covariance c m of every two.
    variance = mean * (1.0 + 99.0 * c)
    kurtosis = np.mean((drawn - mean) ** 4) / variance**2
    assert abs(drawn.mean() - mean) < 4 * np.sqrt(variance / drawn.size)
    assert abs(drawn.var() / variance - 1.0) < 4 * np.sqrt((kurtosis - 1.0) / drawn.size)
    if c == 1.0:
        assert set(np.unique(drawn)) <= {0.0, 100.0, 200.0}
    # Neurons have trains of their own.
    pairs = np.corrcoef(drawn[:, :20].T)[np.triu_indices(20, 1)]
    assert abs(pairs.mean()) < 4 / np.sqrt(1_000 * 20)


def test_a_shared_mother_correlates_neurons():
    """Counts of two neurons: the covariance c m of each of 100 x 100 pairs of sources."""
    drawn = counts(drive(0.2, shared=True), n=10, steps=8_000)
    mean = 0.5
    assert abs(drawn.mean() - mean) < 4 * np.sqrt(mean * 21.0 / 8_000)
    covariance = np.cov(drawn.T)[np.triu_indices(10, 1)].mean()
    assert abs(covariance / (100 * mean * 0.2) - 1.0) < 0.25


def skewness(c):
    """Cumulants of shot noise with jumps K and the rate R: R tau <K^k>/k."""
    n, rate, tau = 100, 10.0e-3, 20.0
    if c == 0.0:
        mothers, moments = n * rate, (1.0, 1.0)
    else:
        mothers, moments = rate / c, tuple(stats.binom(n, c).moment(k) for k in (2, 3))
    return mothers * tau * moments[1] / 3.0 / (mothers * tau * moments[0] / 2.0) ** 1.5


def recorded(c, duration, n=200):
    free = jn.Network({"E": jn.Population(jn.LIF(v_th=1e4), n)}, drives=[drive(c)])
    record = {"s": jn.record.VoltageSkewness("E", start=100.0), "v": jn.record.Trace("E.v", neurons=slice(0, 5))}
    return jn.simulate(free, 0.0, duration, dt=0.5, key=KEY, record=record)


def test_skewness_is_that_of_the_trace():
    np.testing.assert_allclose([skewness(0.0), skewness(0.05)], [0.210819, 0.582548], atol=1e-6)
    sol = recorded(0.05, 400.0, n=5)
    v = np.asarray(sol["v"], float)[200:]
    np.testing.assert_allclose(sol["s"]["E"], np.mean(stats.skew(v, axis=0)), rtol=1e-6)


@pytest.mark.proof
@pytest.mark.parametrize("c", [0.0, 0.05])
def test_skewness_of_free_potentials(c):
    # Steps of 0.05 ms: on the grid the cumulant k is that of sums exp(-k dt/tau), 0.1% off. Samples of 20 ms are
    # independent: 1,000 neurons over 10 s have an error of sqrt(6/500,000), and a bias of each of about -skewness/500.
    free = jn.Network({"E": jn.Population(jn.LIF(v_th=1e4), 1_000)}, drives=[drive(c)])
    record = {"s": jn.record.VoltageSkewness("E", start=200.0)}
    sol = jn.simulate(free, 0.0, 10_200.0, dt=0.05, key=KEY, record=record)
    np.testing.assert_allclose(sol["s"]["E"], skewness(c), rtol=0.02)


def test_pairs_of_neurons():
    """Two groups driven together, whose correlations NumPy takes from counts in bins."""
    lif = jn.LIF(t_ref=2.0)
    net = jn.Network(
        {"E": jn.Population(lif, 12), "I": jn.Population(lif, 6)},
        drives=[
            jn.CorrelatedPoissonDrive(
                ("E", "I"), DELTA, weight=0.5, n_sources=50, rate=50.0, correlation=0.3, shared=True
            )
        ],
    )
    record = {
        "pairs": jn.record.PairCorrelation(width=5.0, start=50.0),
        "E": jn.record.Raster("E"),
        "I": jn.record.Raster("I"),
    }
    sol = jn.simulate(net, 0.0, 550.0, dt=0.5, key=KEY, record=record)
    raster = {name: np.asarray(sol[name], float)[100:] for name in "EI"}
    bins = {name: r.reshape(100, 10, -1).sum(axis=1) for name, r in raster.items()}
    for a, b in (("E", "E"), ("E", "I"), ("I", "I")):
        cov = np.cov(np.concatenate([bins[a], bins[b]], axis=1).T, bias=True)
        n = bins[a].shape[1]
        block = cov[:n, n:] if a != b else cov[:n, :n] - np.diag(np.diag(cov[:n, :n]))
        pairs = block.size if a != b else n * (n - 1)
        scale = np.sqrt(bins[a].var(axis=0).mean() * bins[b].var(axis=0).mean())
        np.testing.assert_allclose(sol["pairs"][a][b], block.sum() / pairs / scale, rtol=1e-6)
    assert sol["pairs"]["E"]["I"] > 0.1


def test_pairs_of_binary_units():
    net = jn.networks.binary(k=20, n_e=100, n_i=100, external=jn.Bernoulli(0.2), n_x=100)
    record = {"pairs": jn.record.PairCorrelation("E", "X", width=1.0), "states": jn.record.UnitStates("E", "X")}
    sol = jn.simulate(net, 0.0, 100.0, dt=1.0, key=KEY, record=record)
    e, x = (np.asarray(sol["states"][name].as_array(), float) for name in "EX")
    cov = np.cov(np.concatenate([e, x], axis=1).T, bias=True)
    within = (cov[:100, :100].sum() - np.trace(cov[:100, :100])) / 9_900 / e.var(axis=0).mean()
    between = cov[:100, 100:].mean() / np.sqrt(e.var(axis=0).mean() * x.var(axis=0).mean())
    np.testing.assert_allclose([sol["pairs"]["E"]["E"], sol["pairs"]["X"]["E"]], [within, between], rtol=1e-6)


@pytest.mark.proof
def test_pairs_of_a_dense_binary_network():
    """N times the mean correlation of E pairs: about 2.1 whatever N, where shared inputs alone would make it grow as N.

    Runs of 20 s have an error of 0.15: 2.37 at N = 500 and 2.55 at 1,000, on one wiring each.
    """
    found = []
    for n in (500, 1_000):
        net = jn.networks.binary(k=0.2 * n, n_e=n, n_i=n, m0=0.1, external=jn.Bernoulli(0.2), n_x=n)
        record = {"pairs": jn.record.PairCorrelation(width=5.0, start=200.0)}
        sol = jn.simulate(net, 0.0, 20_000.0, dt=5.0, key=KEY, record=record)
        found.append(n * float(sol["pairs"]["E"]["E"]))
    np.testing.assert_allclose(np.mean(found), 2.1, rtol=0.2)
    assert abs(found[0] - found[1]) < 4 * 0.15 * np.sqrt(2.0)


def test_a_variable_lags_another():
    """Two membranes of different time constants under one slow wave: the lag of the phases, arctan(w tau)/w each."""
    period, dt = 50.0, 0.5
    w = 2.0 * np.pi / period
    wave = 10.0 * np.sin(w * dt * (np.arange(1_000) + 0.5))[:, None]
    net = jn.Network({name: jn.Population(jn.LIF(tau_m=tau, v_th=1e4), 2) for name, tau in (("A", 5.0), ("B", 12.0))})
    record = {"lag": jn.record.Lag("A.v", "B.v", max_lag=10.0, start=80.0)}
    sol = jn.simulate(net, 0.0, 500.0, dt=dt, key=KEY, record=record, stimulus={"A": wave, "B": wave})
    exact = (np.arctan(12.0 * w) - np.arctan(5.0 * w)) / w
    np.testing.assert_allclose(sol["lag"], exact, rtol=0.01)
    assert sol.lags["lag"].shape == sol.counts["lag"].shape == (41,)


def test_a_variance_of_heavy_tailed_input_is_told():
    net = jn.Network(
        {"E": jn.Population(jn.LIF(), 3)},
        drives=[jn.PoissonDrive("E", DELTA, weight=jn.ParetoWeight(0.1, 1.5), n_sources=10, rate=10.0)],
    )
    record = {"s": jn.record.VoltageSkewness("E")}
    with pytest.warns(OutsideTheoryWarning, match="takes a variance, and weights with a tail of `alpha` below 2"):
        jn.simulate(net, 0.0, 2.0, dt=0.5, key=KEY, record=record)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: drive(1.2), r"`correlation` has to lie in \[0, 1\]; got 1.2"),
        (lambda: drive(0.0, shared=True), "`correlation` of 0 has no mother train"),
        (lambda: drive(0.1, n_sources=10.5), "`n_sources` has to be a positive whole number"),
        (lambda: drive(0.1, rate=np.ones(3)), "`rate` has to be one number"),
        (lambda: drive(0.1, shared=2), "`shared` has to be True or False"),
        (lambda: jn.record.VoltageSkewness(start=-1.0), "`start` must not be negative"),
        (lambda: jn.record.PairCorrelation(start=-1.0), "`start` must not be negative"),
        (lambda: jn.record.Lag("A.v", "B.v", max_lag=0.0), "`max_lag` has to be positive"),
        (lambda: jn.theory.mean_field(jn.Network({"E": jn.Population(jn.LIF())}, drives=[drive(0.1)])), "to theory"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
