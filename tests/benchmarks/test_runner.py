"""The benchmark runner lists itself, peers need nothing installed, and the errata's evidence holds."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from benchmarks import brunel_batch, growth, hopfield, rates
from benchmarks._plain import dense, scatter, simulator, weights
from benchmarks._report import not_measured, table

pytestmark = pytest.mark.example

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    return subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_the_list_names_every_benchmark():
    listed = {line.split()[0] for line in run("-m", "benchmarks").splitlines()}
    assert listed >= {"lif_rate", "import_time", "errata", "brunel_peers", "brunel_batch", "growth"}


def test_peers_need_only_the_standard_library():
    assert "nnmt" in run("-S", "-m", "benchmarks.peers", "--help")


def test_committed_results_have_the_shape():
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        report = json.loads(path.read_text())
        assert report.keys() >= {"benchmark", "versions", "device", "rows"}
        for row in report["rows"]:
            assert row.keys() >= {"what", "ours", "peer", "ratio", "unit"}


def test_a_row_may_say_that_it_is_not_measured():
    text = table([not_measured("a batch", "ms", "no GPU")])
    assert "not measured: no GPU" in text
    assert "absent" not in text


SMALL = dict(n_e=400, n_i=100, c_e=40, c_i=10)


def test_plain_loops_deliver_the_same():
    matrix = weights(jn.wire(jn.networks.brunel(**SMALL), key=jax.random.key(0)))
    assert matrix.shape == (500, 500)
    np.testing.assert_allclose(matrix.sum(axis=0), 40 * 0.1 - 10 * 0.5, rtol=1e-5)
    counts = []
    for make in (dense, scatter):
        deliver, stored = make(matrix)
        spikes = jax.random.bernoulli(jax.random.key(1), 0.1, (500,))
        counts.append(np.asarray(deliver(stored, spikes)))
        # About 10 spikes a neuron: the loop runs.
        assert float(jnp.mean(simulator(deliver, 500)(stored, jax.random.key(2), 1_000))) > 1
    # Float32 sums of about 5 terms of 0.5 in another order.
    np.testing.assert_allclose(counts[0], counts[1], atol=1e-5)


@pytest.mark.parametrize("dtype", brunel_batch.DTYPES, ids=brunel_batch.name_of)
def test_rows_of_a_batch_run_anywhere(dtype):
    batched = brunel_batch.Batch(dtype, 15.0, **SMALL)
    row = brunel_batch.batch_row(batched, 2, dtype, 1)
    assert min(row["ours"], row["peer"]) > 0
    assert "bare product" in row["note"]


def test_rows_of_growth(tmp_path):
    rows = [
        row
        for case in [growth.Case("batch", "default", 2, n=500, in_degree=50, batch=2, duration=15.0)]
        for row in growth.measure(case, 1)
    ]
    assert [row["unit"] for row in rows] == ["ms", "ns"]
    growth.draw(rows, str(tmp_path / "growth.png"))
    assert (tmp_path / "growth.png").stat().st_size > 0


def test_rows_of_rates():
    rows = rates.run(batch=2, n=8, steps=20, ring=16, diagram=3, rounds=1, counts=(4,))
    assert [row["unit"] for row in rows] == [*["s"] * 3, "ms", *["s"] * 3, "%", "GB/s"]
    assert all(row["ours"] > 0 for row in rows[:-1])
    assert "after 20 steps the rates agree to" in rows[0]["note"]
    assert " of 9; off the lines " in rows[-2]["note"]


def test_rows_of_hopfield():
    # 1,000 units: recall at a third of the capacity, none at three times it.
    rows = hopfield.run(n=1_000, loads=(0.05, 0.4), networks=1, recalled=3)
    assert rows[0]["ours"] == pytest.approx(rows[0]["peer"], abs=2e-3)
    assert rows[1]["ours"] < 0.6
    assert rows[1]["peer"] is None


@pytest.mark.slow
def test_evidence_of_the_errata(tmp_path):
    run("-m", "benchmarks", "errata", "--json", str(tmp_path / "errata.json"))
    assert len(json.loads((tmp_path / "errata.json").read_text())["rows"]) >= 3
