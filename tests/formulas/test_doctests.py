"""The examples in the docstrings run and print what they say."""

import doctest
import importlib

import pytest

MODULES = ["_rate", "_variability", "_density", "_kramers", "_input"]


@pytest.mark.float32
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(f"jaxneuro._formulas.{name}"))
    assert result.attempted > 1
    assert result.failed == 0
