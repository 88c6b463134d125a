"""The examples in the docstrings run."""

import doctest

import pytest

from jaxneuro import io, laws, quantal
from jaxneuro._fit import _compare, _fit, _loss
from jaxneuro._numerics import _bijection, _lambert_w

MODULES = [io, laws, quantal, _compare, _fit, _loss, _bijection, _lambert_w]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_run(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
