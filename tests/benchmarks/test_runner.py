"""The benchmark runner lists itself, peers need nothing installed, and the errata's evidence holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    return subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_the_list_names_every_benchmark():
    listed = {line.split()[0] for line in run("-m", "benchmarks").splitlines()}
    assert listed >= {"lif_rate", "import_time", "errata"}


def test_peers_need_only_the_standard_library():
    assert "nnmt" in run("-S", "-m", "benchmarks.peers", "--help")


def test_committed_results_have_the_shape():
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        report = json.loads(path.read_text())
        assert report.keys() >= {"benchmark", "versions", "device", "rows"}
        for row in report["rows"]:
            assert row.keys() >= {"what", "ours", "peer", "ratio", "unit"}


@pytest.mark.slow
def test_evidence_of_the_errata(tmp_path):
    run("-m", "benchmarks", "errata", "--json", str(tmp_path / "errata.json"))
    assert len(json.loads((tmp_path / "errata.json").read_text())["rows"]) >= 3
