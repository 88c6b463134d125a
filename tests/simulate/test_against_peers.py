"""Brunel's network against NEST and Brian2: rates, irregularity and the spectrum of the population, over wirings.

The references are files of a few kB; tests/references/make_brunel_references.py made them, says what was simulated and
how it was measured, and shares nothing with the package.
"""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxneuro as jn

REFERENCES = Path(__file__).resolve().parents[1] / "references"
BANDS = (10, 30, 60, 100, 150, 200, 300, 400, 500)
WIRINGS = 12


@cache
def reference(peer, point):
    """Columns and rows of one simulator at one (g, ratio)."""
    report = json.loads((REFERENCES / f"brunel_{peer}.json").read_text())
    rows = [row[3:] for row in report["rows"] if tuple(row[:2]) == point]
    return report["columns"][3:], np.array(rows)


@cache
def ours(point, wirings=WIRINGS):
    """One row a wiring, with the columns of the references."""
    net = jn.networks.brunel(*point)
    record = {
        "rate": jn.record.Rate(start=200.0),
        "cv": jn.record.CV(start=200.0),
        "spectrum": jn.record.Spectrum("E", width=1.0, segment=200.0, start=200.0),
    }
    rows = []
    for seed in range(wirings):
        key = jax.random.key(seed)
        wiring = jn.wire(net, key=key)
        sol = jn.simulate(net, 0.0, 1_000.0, dt=0.1, key=key, wiring=wiring, record=record)
        rates = [float(np.mean(sol["rate"][name])) for name in net.names]
        cvs = [float(np.nanmean(sol["cv"][name])) for name in net.names]
        frequencies, density = np.asarray(sol.frequencies["spectrum"]), np.asarray(sol["spectrum"]["E"])
        bands = [density[(frequencies >= low) & (frequencies < high)].mean() for low, high in pairwise(BANDS)]
        rows.append([*rates, *cvs, *bands])
    return np.array(rows)


def scores(a, b):
    """z of the difference of means, with the standard error from both samples' spread over wirings."""
    error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
    return (a.mean(axis=0) - b.mean(axis=0)) / error


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["nest", "brian2"])
def test_one_irregular_network_lies_among_those_of_peers(peer):
    columns, theirs = reference(peer, (5.0, 2.0))
    n = len(theirs)
    assert n >= 10
    t = (ours((5.0, 2.0), 1)[0] - theirs.mean(axis=0)) / (theirs.std(axis=0, ddof=1) * np.sqrt(1 + 1 / n))
    # Student's distribution of 11 degrees of freedom has |t| > 6.24 as often as the normal one |z| > 4.
    assert np.all(np.abs(t) < 6.24), dict(zip(columns, np.round(t, 2), strict=True))


# 12 + 12 wirings, and 12 numbers (4 means, 8 bands) in each of two simulators: 24 comparisons. With Student's
# distribution of 22 degrees of freedom |z| > 4 has the probability 6e-4 in each.
@pytest.mark.proof
@pytest.mark.parametrize("peer", ["nest", "brian2"])
def test_irregular_network_equals_peers(peer):
    columns, theirs = reference(peer, (5.0, 2.0))
    assert len(theirs) >= 10
    z = scores(ours((5.0, 2.0)), theirs)
    assert np.all(np.abs(z) < 4), dict(zip(columns, np.round(z, 2), strict=True))


# The same of a network that oscillates, by 12 + 12 wirings: with 6 + 6 the spread of a band is itself too uncertain.
@pytest.mark.proof
@pytest.mark.parametrize("peer", ["nest", "brian2"])
def test_oscillating_network_equals_peers(peer):
    columns, theirs = reference(peer, (6.0, 4.0))
    found = ours((6.0, 4.0))
    z = scores(found, theirs)
    assert np.all(np.abs(z) < 4), dict(zip(columns, np.round(z, 2), strict=True))
    # The peak of the fast oscillation lies in the same band.
    assert np.argmax(found.mean(axis=0)[4:]) == np.argmax(theirs.mean(axis=0)[4:])
