"""What is printed of models and answers: values with their units."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn


def test_a_neuron_shows_values_and_units():
    text = "LIF(tau_m=20 ms, v_rest=0 mV, v_th=20.5 mV, v_reset=10 mV, t_ref=2 ms, reset=Hard(detached=True))"
    assert repr(jn.LIF(v_th=20.5)) == text


def test_few_values_are_shown_and_of_many_shape_and_range():
    assert "tau_m=[10, 20] ms" in repr(jn.LIF(tau_m=np.array([10.0, 20.0])))
    assert "tau_m=(50,) from 10 to 20 ms" in repr(jn.LIF(tau_m=np.linspace(10.0, 20.0, 50)))
    assert "tau_m=(50,) of 20 ms" in repr(jn.LIF(tau_m=np.full(50, 20.0)))


def test_a_traced_value_shows_what_is_known():
    told = []
    jax.jit(lambda tau: told.append(repr(jn.LIF(tau_m=tau))) or tau)(jnp.asarray(20.0))
    assert re.search(r"tau_m=f\d\d\[\]", told[0])


@pytest.mark.parametrize(
    "net",
    [jn.networks.brunel(), jn.networks.conductance_neuron(a=0.01, k=1000, g=12.0, eta=1.8, gamma=0.25, nu_x=20.0)],
)
def test_a_network_shows_no_shapes_and_a_table(net):
    assert not re.search(r"[fi]\d\d\[", repr(net))
    table = net._repr_html_()
    assert re.search(r"tau_m=\d+ ms", table)
    assert table.count("<table>") >= 2


def test_a_mean_field_is_a_table_with_units():
    field = jn.theory.mean_field(jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0))
    assert repr(field) == str(field)
    table = field._repr_html_()
    assert "<th>rate [Hz]</th>" in table
    assert f"<td>{float(field.rate['E']):.5g}</td>" in table


def test_a_run_is_a_table():
    sol = jn.simulate(jn.Population(jn.LIF(), 3), 0.0, 50.0, dt=0.1, stimulus=30.0, key=jax.random.key(0))
    assert repr(sol) == str(sol)
    assert "<td>rate</td>" in sol._repr_html_()


def test_what_a_page_could_run_is_text():
    net = jn.Network({"<b>E</b>": jn.Population(jn.LIF(), 3)})
    assert "<b>" not in net._repr_html_()


def test_a_parameter_of_two_units_shows_none():
    net = jn.networks.brunel()
    assert "weight=0.1," in repr(net.projections[0])
