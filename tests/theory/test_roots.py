"""The search for the roots of one equation, against polynomials whose roots are known."""

import jax.numpy as jnp
import numpy as np

from jaxneuro.theory._roots import search_line


def test_two_roots_between_two_points_of_the_grid():
    """(3 - x) ((x - a)^2 - 1e-6) on 512 points 0.057 apart, none of which lies between a - 1e-3 and a + 1e-3."""
    a = np.array([1.03, -8.697, -17.281])
    step = (np.log(500.0) - np.log(1e-10)) / 511
    apart = (a - np.log(1e-10)) / step % 1.0 * step
    assert np.all((apart > 2e-3) & (apart < step - 2e-3))
    for middle in a:
        found = search_line(lambda x, a=middle: (3.0 - x) * ((x - a) ** 2 - 1e-6), jnp.log(jnp.asarray(500.0)))
        roots = np.sort(np.asarray(found.log_rates[:, 0])[np.asarray(found.found)])
        np.testing.assert_allclose(roots, [middle - 1e-3, middle + 1e-3, 3.0], atol=1e-9)
