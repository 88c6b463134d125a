"""Every public call gives the same result for the same value whatever its container, or one sentence."""

import jax
import numpy as np
import pytest
from calls import CALLS, cases
from containers import lossy, same_number, same_numbers

VALUES = [3.0, 5.0, 6.0]


def outcome(name, argument, value):
    """The numbers that a call returns or holds, or its sentence."""
    try:
        found = CALLS[name](**{argument: value})
    except ValueError as error:
        return "refused" if "\n" not in str(error) else str(error)
    return str([np.asarray(leaf).tolist() for leaf in jax.tree.leaves(found)])


def compare(kind, plain, containers):
    """Hands every container to every argument of a kind; returns how many calls agreed and how many refused."""
    agreed = refused = 0
    for name, argument in cases(kind):
        wanted = outcome(name, argument, plain)
        for container, value in containers.items():
            found = outcome(name, argument, value)
            assert found == wanted, f"{name}({argument}) of {container}: {found}, not {wanted}"
            agreed, refused = agreed + (wanted != "refused"), refused + (wanted == "refused")
    return agreed, refused


@pytest.mark.usefixtures("as_users_run")
def test_numbers(record_property):
    agreed, refused = compare("numbers", 1.0, same_number(1.0))
    record_property("counted", f"numbers: {agreed} calls gave the same result, {refused} the same refusal")
    assert agreed > 1_000
    assert refused < 0.1 * agreed


@pytest.mark.usefixtures("as_users_run")
def test_lists(record_property):
    agreed, refused = compare("lists", VALUES, same_numbers(VALUES))
    record_property("counted", f"lists: {agreed} calls gave the same result, {refused} the same refusal")
    assert agreed > 500
    assert refused < 0.1 * agreed


# Equinox flattens the arguments of every class before the class sees them.
@pytest.mark.filterwarnings("ignore:Python iterable type 'generator':DeprecationWarning")
@pytest.mark.usefixtures("as_users_run")
def test_what_would_be_lost(record_property):
    refused = 0
    for name, argument in cases("lists"):
        for container, value in lossy(VALUES).items():
            assert outcome(name, argument, value) == "refused", f"{name}({argument}) took {container}"
            refused += 1
    record_property("counted", f"{refused} calls refused a unit, a mask, a missing value, a date or what is no number")
    assert refused > 500
