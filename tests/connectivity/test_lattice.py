"""Lattices on a torus, and targets drawn near their sources."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.connectivity import Group

X64 = jnp.result_type(float) == jnp.float64


def sheet(rows, columns, spacing):
    lattice = jn.Lattice(rows, columns, spacing=spacing)
    return Group(lattice.n, lattice)


def test_distances_are_the_shortest_over_all_images():
    fine, coarse = jn.Lattice(4, 6, spacing=0.5), jn.Lattice(2, 3, spacing=1.0)
    for own, others in ((fine, fine), (fine, coarse), (coarse, fine)):
        places = [
            np.array([(r * one.spacing, c * one.spacing) for r in range(one.rows) for c in range(one.columns)])
            for one in (own, others)
        ]
        images = [(2.0 * a, 3.0 * b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        apart = [np.linalg.norm(places[0][:, None] - places[1][None] + image, axis=2) for image in images]
        np.testing.assert_allclose(own.distances(others), np.min(apart, axis=0), rtol=1e-6)
    np.testing.assert_allclose(fine.distances(coarse, of=np.array([7])), fine.distances(coarse)[7:8])
    assert jn.Population(jn.LIF(), positions=coarse).n == 6


def test_targets_are_a_wrapped_gaussian():
    pre, post = sheet(16, 24, 0.25), sheet(8, 12, 0.5)
    rule = jn.SpatialRandom(out_degree=400, width=0.8)
    pairs = rule.draw(np.random.default_rng(1), pre, post, False)
    assert np.array_equal(np.bincount(pairs.source), np.full(pre.n, 400))
    for place, other, side in zip(
        pre.positions.places(pairs.source), post.positions.places(pairs.target), (4.0, 6.0), strict=True
    ):
        # Around a circle the mean of exp(2 pi i x/side) is exp(-2 pi^2 width^2/side^2), and less by rounding to sites.
        wave = np.exp(2j * np.pi * (other - place) / side)
        exact = np.exp(-2.0 * (np.pi * 0.8 / side) ** 2) * np.sinc(0.5 / side)
        assert abs(wave.mean() - exact) < 0.01
    # Pairs are named more than once, and all counts of targets are those of binomials.
    counts = np.bincount(pairs.target, minlength=post.n)
    moments = rule.in_degree(pre, post, False)
    assert counts.mean() == pytest.approx(float(moments.mean)) == 400 * 4
    assert counts.var() == pytest.approx(float(moments.variance), rel=0.4)  # of 96 counts: 3 standard errors


@pytest.mark.float32
def test_moments_of_the_in_degree_are_those_of_every_pair():
    pre, post, width = sheet(3, 4, 2.0), sheet(6, 8, 1.0), 1.3
    chances = np.ones((post.n, pre.n))
    fine = (np.arange(400) + 0.5) / 400 - 0.5  # within a site
    for axis, side in ((0, 6.0), (1, 8.0)):
        own, other = pre.positions.places(np.arange(pre.n))[axis], post.positions.places(np.arange(post.n))[axis]
        x = other[:, None, None, None] - own[:, None, None] + side * np.arange(-8, 9)[:, None] + fine
        density = np.exp(-0.5 * (x / width) ** 2) / (width * np.sqrt(2.0 * np.pi))
        chances *= density.sum(axis=2).mean(axis=2)
    k = 7.0
    moments = jn.SpatialRandom(out_degree=k, width=width).in_degree(pre, post, False)
    variance = k * (chances * (1.0 - chances)).sum(axis=1).mean() + (k * chances.sum(axis=1)).var()
    np.testing.assert_allclose(moments.mean, k * 12 / 48, rtol=1e-6)
    np.testing.assert_allclose(moments.variance, variance, rtol=1e-5)

    def variance_of(width):
        return jn.SpatialRandom(out_degree=k, width=width).in_degree(pre, post, False).variance

    step = 1e-2
    slope = (variance_of(width + step) - variance_of(width - step)) / (2.0 * step)
    np.testing.assert_allclose(jax.grad(variance_of)(width), slope, rtol=1e-3)


def network(pre, post, **changed):
    rule = jn.SpatialRandom(**{**dict(out_degree=2, width=0.5), **changed})
    populations = {
        name: jn.Population(jn.LIF(), None if place is not None else 4, positions=place)
        for name, place in (("E", pre), ("I", post))
    }
    return jn.Network(
        populations, [jn.Projection("E", "I", jn.DeltaCurrent(), weight=0.1, connectivity=rule, delay=1.0)]
    )


SHEET = jn.Lattice(2, 2, spacing=0.5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: jn.Lattice(0, 2), "`rows`"),
        (lambda: jn.Lattice(2, 2.0), "`columns`"),
        (lambda: jn.Lattice(2, 2, spacing=0.0), "`spacing`"),
        (lambda: jn.Lattice(2, 2, spacing=[1.0, 2.0]), "`spacing`"),
        (lambda: jax.grad(lambda s: jn.Lattice(2, 2, spacing=s).sides[0])(1.0), "`spacing` has to be known"),
        (lambda: jn.SpatialRandom(out_degree=-1, width=0.1), "`out_degree`"),
        (lambda: jn.SpatialRandom(out_degree=1, width=0.0), "`width`"),
        (lambda: network(SHEET, SHEET, width=1.5), "wider than the torus"),
        (lambda: network(SHEET, None), "`positions` have to be a `Lattice`"),
        (lambda: network(SHEET, jn.Lattice(2, 2)), "tori of sides"),
        (lambda: jn.wire(network(SHEET, SHEET, out_degree=1.5), key=jax.random.key(0)), "has to be an integer"),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_refusals(call, said):
    with pytest.raises(ValueError, match=said):
        call()
