"""Every other public entry, called once on the smallest input that shows it works."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import xarray

import jaxneuro as jn
import jaxneuro.cli

KEY = jax.random.key(0)
A, S = jn.analysis, jn.statistics


def test_recorders_and_a_continued_run():
    net = jn.Network({"E": jn.Population(jn.LIF(), 20)}, drives=[jn.WhiteNoiseDrive("E", mu=25.0, sigma=4.0)])
    r = jn.record
    record = {
        "rate": r.Rate(), "cv": r.CV(), "spikes": r.Spikes("E"), "raster": r.Raster("E"), "v": r.Trace("E.v"),
        "psth": r.PopulationRate(width=5.0), "p": r.Histogram("E.v", low=0.0, high=20.0, bins=8),
        "fano": r.Fano(window=10.0), "synchrony": r.Synchrony(width=5.0), "spectrum": r.Spectrum(segment=10.0),
        "c": r.Autocovariance(max_lag=2.0),
    }  # fmt: skip
    run = dict(dt=0.5, key=KEY, record=record)
    sol = jn.simulate(net, 0.0, 40.0, **run)
    half = jn.simulate(net, 0.0, 20.0, **run)
    more = jn.simulate(net, half.t1, 40.0, state=half.state, **run)
    # Bits are promised of programs that are compiled as a user does.
    np.testing.assert_allclose(np.concatenate([half["v"], more["v"]]), sol["v"], rtol=1e-4, atol=1e-4)
    assert int(np.sum(sol["spikes"].counts)) == int(np.sum(sol.counts["rate"]["E"])) > 0
    assert all(np.size(jax.tree.leaves(sol[name])[0]) for name in record if name != "spikes")
    assert jn.plot.raster(sol["spikes"]) is not None


def test_a_single_population_and_release_at_random():
    sol = jn.simulate(jn.Population(jn.Poisson(50.0), 50), 0.0, 100.0, dt=1.0, key=KEY)
    assert 100 < int(np.sum(sol.counts["rate"])) < 400
    synapse = jn.StochasticRelease(jn.ExponentialCurrent(5.0), n_sites=3, p=0.5)
    net = jn.Network(
        {"in": jn.Population(jn.Poisson(100.0), 10), "out": jn.Population(jn.LeakyIntegrator(), 2)},
        [jn.Projection("in", "out", synapse, weight=1.0, connectivity=jn.AllToAll(), delay=1.0)],
    )
    v = jn.simulate(net, 0.0, 50.0, dt=1.0, key=KEY, record={"v": jn.record.Trace("out.v")})["v"]
    assert v.shape == (50, 2)
    assert np.any(v)


def test_binary_networks():
    net = jn.networks.binary(k=20, n_e=60, n_i=60, m0=0.2)
    wiring = jn.wire(net, key=KEY)
    record = {"m": jn.record.PopulationActivity()}

    def run(key):
        return jn.simulate(net, 0.0, 5.0, dt=1.0, key=key, wiring=wiring, record=record, throw=False)["m"]

    keys = jax.random.split(KEY, 2)
    first, many = jax.tree.leaves(run(keys[0])), jax.tree.leaves(jax.jit(jax.vmap(run))(keys))
    for one, batch in zip(first, many, strict=True):
        np.testing.assert_array_equal(one, batch[0])
    balance = jn.theory.mean_field(net, field=jn.theory.GaussianField()).balance
    np.testing.assert_allclose([balance["E"], balance["I"]], 0.2, rtol=1e-5)


@pytest.mark.parametrize("execution", [jn.Threads(2), jn.Vectorised(2)], ids=["threads", "vectorised"])
def test_sweeps(execution, tmp_path):
    projection = jn.Projection("E", "E", jn.DeltaCurrent(), weight=0.1, connectivity=jn.FixedInDegree(5), delay=1.0)
    net = jn.Network({"E": jn.Population(jn.LIF(), 80)}, [projection])
    wiring = jn.wire(net, key=KEY)

    def run(point, key):
        sol = jn.simulate(net, 0.0, 40.0, dt=0.5, key=key, wiring=wiring, stimulus={"E": point["i"]}, throw=False)
        return {"rate": sol["rate"]["E"], "result": sol.result}

    over, dims = {"i": [25.0, 35.0]}, {"rate": ("neuron",)}
    call = dict(over=over, seeds=2, key=KEY, dims=dims, execution=execution)
    grid = jn.sweep(run, store=tmp_path / "runs.zarr", **call)
    assert dict(grid["rate"].sizes) == {"i": 2, "seed": 2, "neuron": 80}
    assert float(grid["rate"].mean()) > 0.0
    np.testing.assert_array_equal(xarray.open_zarr(tmp_path / "runs.zarr")["rate"], grid["rate"])


def test_fits_and_their_files(tmp_path):
    k = np.geomspace(50.0, 1000.0, 8)
    lines = [f"{n},{20.0 / np.sqrt(n) * (1.0 + 0.05 * (-1) ** i)},{'EI'[i % 2]}" for i, n in enumerate(k)]
    path = tmp_path / "psp.csv"
    path.write_text("\n".join(["n_connections,psp_mv,synapse", *lines]))
    data = jn.io.read_psp_csv(path)
    result = jn.fit(jn.laws.PowerLaw(), data)
    np.testing.assert_allclose(result.params["beta"], 0.5, atol=0.05)
    jn.io.write_fits(tmp_path / "fit.json", {"power": result})
    assert '"beta"' in (tmp_path / "fit.json").read_text()
    assert list(jn.compare({"power": result}).names) == ["power"]


def test_training():
    def loss(w, batch, key):
        return jnp.mean((batch @ w - 1.0) ** 2)

    batch = jnp.asarray([[1.0, 2.0], [2.0, 1.0]])
    trained = jn.train(jnp.zeros(2), loss, lambda step: batch, steps=2, optimiser=optax.sgd(0.02), key=KEY)
    np.testing.assert_allclose(trained.loss, [1.0, (1.0 - 0.06 * 3.0) ** 2], rtol=1e-5)


def test_the_audit_of_a_gradient():
    def model(p):
        cells = jn.Population(jn.LIF(v_reset=10.0), 10, initial=jn.initial.UniformPotential(0.0, 20.0))
        return jn.Network({"E": cells}, drives=[jn.WhiteNoiseDrive("E", mu=p[0], sigma=4.0)])

    audit = jn.audit_gradient(
        model, lambda sol: jnp.mean(sol["rate"]["E"]), jnp.asarray([22.0]), t1=10.0, dt=1.0, seeds=2, key=KEY,
        surrogate=jn.surrogate.Triangular(2.0), step=0.5, names=("mu",),
    )  # fmt: skip
    assert {"differences", "forward", "smoothed", "surrogate"} <= set(audit.estimates)


def test_analysis():
    pair = jn.networks.ei_rate()
    found = A.hopf(pair, where=lambda m: m.tau_i, bracket=(20.0, 80.0))
    assert "40, 6.89" in str(found)
    np.testing.assert_allclose(
        A.jacobian(jn.networks.ei_rate(tau_i=40.0), [80 / 3, 50 / 3]), [[0.025, -0.1], [0.025, -0.025]], rtol=1e-5
    )
    theta = jn.Ring(64, j=[0.0]).angles()
    np.testing.assert_allclose(A.decode(1.0 + jnp.cos(theta - 0.7)).angle, 0.7, rtol=1e-4)
    seen = A.classify(jnp.array([37.0, 59.0]), 0.5, jnp.array([110.0, 180.0]), jnp.array([0.6, 1.1]))
    assert [str(A.State(int(code))) for code in seen] == ["AI", "fast SI"]


def test_theory_that_is_not_a_number():
    seen = jn.theory.effective_input(jn.networks.brunel(), {"E": 38.0, "I": 38.0})["E"]
    np.testing.assert_allclose([seen.mu, seen.sigma], [21.0, 7.688], rtol=1e-3)
    drive = jn.theory.poisson_input(1_000, 250, j=0.1, g=3.0, rate=20.0, tau_m=20.0, t=100.0)
    np.testing.assert_allclose([drive.mu, drive.sigma], [10.0, 3.606], rtol=1e-3)
    net = jn.RateNetwork([[0.5, 0.5], [0.5, 0.5]], transfer=jn.transfer.Linear())
    assert sorted(np.asarray(jn.theory.linear_modes(net).time_constants).round(3)) == [10.0, np.inf]
    assert int(jn.theory.ring_regime(j0=-2.0, j1=3.0)) == int(jn.theory.RingRegime.bump)
    np.testing.assert_allclose(jn.theory.ring_bump(j0=-2.0, j1=4.0).peak, 1.571, rtol=1e-3)


def test_statistics_of_trains():
    trains = [np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 12.0])]
    np.testing.assert_allclose(S.isi_cv(trains)[0], 0.0, atol=1e-12)
    assert S.spike_counts([np.array([1.0, 2.0, 7.0])], width=5.0, t0=0.0, t1=10.0).tolist() == [[2], [1]]
    np.testing.assert_allclose(S.fano([np.array([1.0, 2.0, 7.0])], window=5.0, t0=0.0, t1=10.0), [1 / 3])
    assert S.isi_histogram([np.array([1.0, 2.0, 5.0, 25.0])], width=2.0, longest=10.0).beyond == 1
    np.testing.assert_allclose(S.synchrony([np.array([1.0, 12.0, 13.0])] * 4, width=5.0, t0=0.0, t1=20.0).chi, 1.0)
    drawn = S.poisson_trains(20.0, 0.0, 1_000.0, n=3, key=KEY)
    assert len(drawn) == 3
    assert S.bernoulli_trains(100.0, 0.0, 100.0, n=5, dt=1.0, key=KEY).counts.shape == (5,)


def test_codes_and_losses_of_learning():
    spikes = jn.learning.latency_spikes([0.1, 0.3, 1.0], n_steps=30, dt=1.0)
    assert spikes.argmax(axis=0).tolist() == [0, 21, 4]
    assert jn.learning.poisson_spikes([0.0, 50.0], n_steps=10, dt=1.0, key=KEY).shape == (10, 2)
    np.testing.assert_allclose(jn.learning.cross_entropy(jnp.zeros((1, 2)), jnp.asarray([1])), np.log(2.0), rtol=1e-6)


def test_every_name_is_there():
    assert len([getattr(jn, name) for name in dir(jn)]) > 80
    assert jn.plot.tuning(np.linspace(-3.0, 3.0, 5), {"one": np.ones(5)}) is not None
    assert jaxneuro.cli.build_parser() is not None
