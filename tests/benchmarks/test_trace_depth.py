"""How much of the package is entered while a run is traced."""

from benchmarks.trace_depth import entered


def test_a_run_is_traced_through_at_most_two_thirds_of_the_functions_of_0_1_0():
    # Version 0.1.0 entered 700, counted by the same script.
    assert entered().total() <= 2 / 3 * 700
