"""`jn.save`, `jn.load` and JSON: to the bit, by classes that are known, and one sentence for what is wrong."""

import json
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro._numerics import known_classes, name_of

MODELS = {
    "brunel": lambda: jn.networks.brunel(g=4.7),
    "conductance": jn.networks.conductance_based,
    "neuron": jn.networks.conductance_neuron,
    "rates": jn.networks.ei_rate,
    "ring": jn.networks.ring,
    "supralinear": jn.networks.supralinear,
    "binary": jn.networks.binary,
    "squid": jn.HodgkinHuxley,
    "laws": lambda: [jn.laws.PowerLaw(), jn.laws.CurrentScaling(), jn.laws.ConductanceScaling()],
    "values": lambda: {
        "numbers": (1, 2.5, float("nan"), float("-inf"), True, None, "text"),
        "arrays": {3: [np.float32(0.1), np.arange(4, dtype=np.int16), jnp.asarray([0.1, jnp.nan])]},
        "key": jax.random.key(7),
        "code": jn.Result.nonfinite_state,
        "state": jn.analysis.State.quiescent,
        "dtype": np.dtype("float32"),
        "empty": jnp.zeros((0, 3)),
    },
}


def leaves(x):
    """Every array as bytes, with its type."""
    found = []
    for leaf in jax.tree.leaves(x):
        is_key = eqx.is_array(leaf) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        held = np.asarray(jax.random.key_data(leaf) if is_key else leaf)
        found.append((held.dtype, held.shape, held.tobytes(), eqx.is_array(leaf)))
    return found


@pytest.mark.float32
@pytest.mark.parametrize("make", MODELS.values(), ids=list(MODELS))
def test_what_is_read_is_what_was_saved(make, tmp_path):
    x = make()
    jn.save(tmp_path / "x.jn", x)
    back = jn.load(tmp_path / "x.jn")
    assert jax.tree.structure(back) == jax.tree.structure(x)
    assert leaves(back) == leaves(x)
    if isinstance(x, jn.Network | jn.BinaryNetwork):
        again = type(x).from_json(x.to_json())
        assert jax.tree.structure(again) == jax.tree.structure(x)
        assert leaves(again) == leaves(x)


def test_a_run_goes_on_from_a_file(tmp_path):
    net = jn.networks.brunel(n_e=40, n_i=10, c_e=4, c_i=2, j=0.5)
    wiring = jn.wire(net, key=jax.random.key(0))
    sol = jn.simulate(net, 0.0, 5.0, dt=0.1, key=jax.random.key(1), wiring=wiring)
    jn.save(tmp_path / "x.jn", {"net": net, "wiring": wiring, "sol": sol})
    back = jn.load(tmp_path / "x.jn")
    assert leaves(back) == leaves({"net": net, "wiring": wiring, "sol": sol})
    assert back["sol"].t1 == sol.t1
    assert bool(back["sol"].result == jn.Result.successful)


class Own(eqx.Module):
    a: jax.Array


@pytest.mark.usefixtures("as_users_run")
def test_a_class_of_ones_own_is_given_and_never_imported(tmp_path):
    jn.save(tmp_path / "x.jn", Own(jnp.ones(3)))
    with pytest.raises(ValueError, match=r"holds '.*Own', which this package does not have: give the class"):
        jn.load(tmp_path / "x.jn")
    np.testing.assert_array_equal(jn.load(tmp_path / "x.jn", classes=[Own]).a, np.ones(3))
    with pytest.raises(ValueError, match="`classes` has to be a list of classes"):
        jn.load(tmp_path / "x.jn", classes=[3])
    line, _, rest = (tmp_path / "x.jn").read_bytes().partition(b"\n")
    (tmp_path / "x.jn").write_bytes(line.replace(name_of(Own).encode(), b"os.system") + b"\n" + rest)
    with pytest.raises(ValueError, match=r"holds 'os\.system'"):
        jn.load(tmp_path / "x.jn")


@pytest.mark.usefixtures("as_users_run")
def test_a_file_that_is_none_is_one_sentence(tmp_path):
    path = tmp_path / "x.jn"
    jn.save(path, jn.LIF())
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    for data in (whole[:-3], bytes(flipped)):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"is damaged: its arrays are not those that were saved"):
            jn.load(path)
    for data in (b"", b"{}\n", b"\x89PNG"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"is no file of `jn\.save`"):
            jn.load(path)
    header = json.loads(whole.partition(b"\n")[0]) | {"jaxneuro_file": 2}
    path.write_bytes(json.dumps(header).encode() + b"\n")
    with pytest.raises(ValueError, match="is of format 2, and this version of jaxneuro reads format 1"):
        jn.load(path)
    with pytest.raises(FileNotFoundError):
        jn.load(tmp_path / "nowhere.jn")
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"`x\['f'\]` is the function .*<lambda>, which no file can hold"):
        jn.save(path, {"f": lambda: 0})
    with pytest.raises(ValueError, match="`x` is not known inside jit"):
        jax.jit(lambda a: jn.save(path, a))(jnp.ones(2))
    assert path.read_bytes() == whole


@pytest.mark.usefixtures("as_users_run")
def test_a_text_that_is_no_network_is_one_sentence():
    text = jn.networks.brunel(n_e=80, n_i=20, c_e=8, c_i=2).to_json()
    for wrong, sentence in (
        ("{}", "`text` is not what `Network.to_json()` wrote"),
        (text.replace('"jaxneuro_json": 1', '"jaxneuro_json": 2'), "`text` is of format 2"),
        (
            text.replace("_lif.LIF", "_lif.Gone"),
            "`text`: it holds 'models._lif.Gone', which this package",
        ),
        (text.replace('"fields"', '"field"'), "`text` is damaged"),
        (jn.networks.binary().to_json(), "`text` holds a BinaryNetwork and not a Network"),
    ):
        with pytest.raises(ValueError, match=r"^`text`") as caught:
            jn.Network.from_json(wrong)
        assert sentence in str(caught.value)


def test_every_class_of_the_package_has_a_name_of_its_own():
    seen: dict[str, type] = {}
    for module in [m for name, m in sys.modules.items() if name.split(".")[0] == "jaxneuro"]:
        for thing in vars(module).values():
            if isinstance(thing, type) and thing.__module__.split(".")[0] == "jaxneuro":
                assert seen.setdefault(name_of(thing), thing) is thing, thing
    assert seen.items() <= known_classes().items()
