"""One reader sees every number, label, mask and unit: the same values in every container, and what would be lost."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from containers import UNITS, lossy, same_number, same_numbers

import jaxneuro as jn
from jaxneuro._numerics import as_leaf, read_indices, read_labels, to_milliseconds

VALUES = [3.0, 5.0, 6.0]
KINDS = {"e": False, "i": True}


@pytest.mark.parametrize("kind", list(same_numbers(VALUES)))
def test_numbers_are_the_same_in_every_container(kind):
    leaf = as_leaf(same_numbers(VALUES)[kind], "tau")
    assert leaf.dtype == jnp.result_type(float)
    assert leaf.tolist() == VALUES
    assert not leaf.weak_type


@pytest.mark.parametrize("kind", list(same_number(3.0)))
def test_a_scalar_is_the_same_in_every_form(kind):
    given = same_number(3.0)[kind]
    leaf = as_leaf(given, "tau")
    assert leaf.shape == ()
    assert float(leaf) == 3.0
    assert to_milliseconds("t1", given) == 3.0


@pytest.mark.parametrize("kind", list(lossy(VALUES)))
def test_what_would_be_lost_is_refused_by_name(kind):
    with pytest.raises(ValueError, match=r"^`tau` (has|is) [^\n]*$"):
        as_leaf(lossy(VALUES)[kind], "tau")


def test_a_unit_is_named(as_users_run):
    for value in (0.02 * UNITS.second, xr.DataArray(0.02, attrs={"units": "second"})):
        with pytest.raises(ValueError, match="`tau_m` has the unit second"):
            jn.LIF(tau_m=value)
        with pytest.raises(ValueError, match="`t1` has the unit second"):
            jn.simulate(jn.networks.ei_rate(), 0.0, value, dt=0.1)


def test_numbers_beside_traced_ones_keep_their_derivative():
    gradient = jax.grad(lambda x: jnp.sum(as_leaf([x, 2.0, [x]][:2], "tau") ** 2))(3.0)
    assert float(gradient) == 6.0
    assert jax.jit(lambda x: as_leaf([[x, 2.0], [1, x]], "tau"))(3.0).tolist() == [[3.0, 2.0], [1.0, 3.0]]


LABELS = {
    "list": ["E", "I", "e"],
    "numpy": np.array(["E", "I", "e"]),
    "bytes": np.array([b"E", b"I", b"e"]),
    "object": np.array(["E", "I", "e"], dtype=object),
    "pandas": pd.Series(["E", "I", "e"]),
    "category": pd.Series(["E", "I", "e"], dtype="category"),
    "xarray": xr.DataArray(["E", "I ", "e"]),
    "true and false": [False, True, False],
    "pandas boolean": pd.Series([False, True, False], dtype="boolean"),
    "jax": jnp.asarray([False, True, False]),
}


@pytest.mark.parametrize("kind", list(LABELS))
def test_labels_are_read_in_every_container(kind):
    assert np.asarray(read_labels(LABELS[kind], "inhibitory", KINDS)).tolist() == [False, True, False]


MISSING = {
    "none": ["E", None],
    "nan": ["E", float("nan")],
    "pandas": pd.Series(["E", None]),
    "pandas object": pd.Series(["E", np.nan], dtype=object),
    "pandas boolean": pd.Series([False, None], dtype="boolean"),
    "masked": np.ma.array([False, True], mask=[False, True]),
    "unknown": ["E", "X"],
    "empty": ["E", ""],
    "numbers": [0, 1],
    "jax numbers": jnp.asarray([0, 1]),
    "mixed": ["E", True],
}


@pytest.mark.parametrize("kind", list(MISSING))
def test_a_label_that_is_missing_or_unknown_is_refused(kind):
    with pytest.raises(ValueError, match=r"^`inhibitory` has [^\n]*$"):
        read_labels(MISSING[kind], "inhibitory", KINDS)


def test_a_column_of_labels_makes_the_same_table(as_users_run):
    # Inhibitory amplitudes are 3 times the excitatory ones: with labels lost, j0 and g come out wrong.
    k = np.geomspace(50.0, 1600.0, 12)
    kind = np.arange(12) % 3 == 0
    psp = 20.0 / np.sqrt(k) * np.where(kind, 3.0, 1.0)
    table = pd.DataFrame({"k": k, "psp": psp, "kind": np.where(kind, "I", "E")})
    found = jn.fit(jn.laws.CurrentScaling(), jn.laws.PSPTable(table["k"], table["psp"], table["kind"]))
    assert found.params["j0"] == pytest.approx(20.0, rel=1e-4)
    assert found.params["g"] == pytest.approx(3.0, rel=1e-4)
    assert float(jn.laws.CurrentScaling(j0=2.0, g=3.0)(4.0, inhibitory="I")) == pytest.approx(3.0)


def test_indices_and_masks():
    for given in ([0, 2], np.array([0, 2], np.uint8), jnp.asarray([0, 2]), pd.Series([0, 2])):
        chosen, of = read_indices(given, "neurons")
        assert (chosen.tolist(), of) == ([0, 2], None)
    for given in ([True, False, True], jnp.asarray([True, False, True]), pd.Series([True, False, True])):
        chosen, of = read_indices(given, "neurons")
        assert (chosen.tolist(), of) == ([0, 2], 3)
    for given in ([0.0, 2.0], 1.7, "a", True, None, np.eye(2, dtype=int), [2**70], np.ma.array([0, 1], mask=[0, 1])):
        with pytest.raises(ValueError, match=r"^`neurons` [^\n]*$"):
            read_indices(given, "neurons")


def test_a_mask_of_neurons_is_no_list_of_the_indices_0_and_1():
    record = {name: jn.record.Trace("v", neurons=given) for name, given in (("mask", [False, False, True]), ("i", [2]))}
    population = jn.Population(jn.LIF(v_rest=np.array([1.0, 2.0, 3.0])), 3)
    net = jn.Network({"E": population}, drives=[jn.WhiteNoiseDrive("E", mu=30.0, sigma=0.0)])
    sol = jn.simulate(net, 0.0, 1.0, dt=0.5, key=jax.random.key(0), record=record)
    assert np.array_equal(sol["mask"], sol["i"])
    for wrong in ([True, False], [0.5], slice(0, 1.5)):
        with pytest.raises(ValueError, match="`neurons`"):
            jn.simulate(net, 0.0, 1.0, dt=0.5, key=jax.random.key(0), record={"v": jn.record.Trace("v", neurons=wrong)})
