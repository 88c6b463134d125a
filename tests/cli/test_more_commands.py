"""`explain`, `completion`, networks without spikes, `--quiet` and `--dask`."""

import json
import subprocess

import pytest

import jaxneuro as jn
from jaxneuro.cli import build_parser, main
from jaxneuro.cli._networks import LEFT_OUT, RUN, SOLVED, SWEPT


def test_every_named_network_is_in_a_command_or_told_why_not():
    named = {name for name in dir(jn.networks) if not name.startswith("_") and callable(getattr(jn.networks, name))}
    for offered in (RUN, SOLVED, SWEPT):
        assert named - set(offered) <= set(LEFT_OUT), named - set(offered)
    assert set(LEFT_OUT) <= named


LEFT = {
    "simulate hopfield": "this is not for 'hopfield': it is made of patterns",
    "theory ring": "this is not for 'ring': it has no spikes",
    "sweep microcircuit": "this is not for 'microcircuit': its numbers choose its wiring",
    "explain memory": "this is not for 'memory': it is made of a decoder",
    "completion ksh": "invalid choice: 'ksh'",
}


@pytest.mark.parametrize("words", LEFT)
def test_what_does_not_apply_is_refused_by_name(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert LEFT[words] in capsys.readouterr().err


@pytest.mark.usefixtures("as_users_run")
def test_explain_prints_and_writes_what_the_call_says(capsys):
    sizes = dict(n_e=80, n_i=20, c_e=16, c_i=4)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in sizes.items()]
    assert main(["explain", "brunel", *words, "--duration", "30", "--batch", "3", "--json", "-"]) == 0
    captured = capsys.readouterr()
    about = jn.explain(jn.networks.brunel(**sizes), t1=30.0, dt=0.1, batch=3)
    written = json.loads(captured.out)
    assert str(about) in captured.err
    assert (written["batch"], written["measured"]) == (3, None)
    assert [p["synapses"] for p in written["projections"]] == [p.synapses for p in about.projections]
    assert written["memory"]["state"] == about.memory.state


def test_explain_refuses_a_batch_of_none(capsys):
    assert main(["explain", "ring", "--batch", "0"]) == 2
    assert "`batch`" in capsys.readouterr().err


@pytest.mark.usefixtures("as_users_run")
def test_a_network_without_spikes_is_run(capsys):
    assert main(["simulate", "supralinear", "--duration", "20", "--json", "-", "--quiet"]) == 0
    captured = capsys.readouterr()
    rate = jn.simulate(jn.networks.supralinear(), 0.0, 20.0, dt=0.1)["rate"][-1]
    assert json.loads(captured.out) == {"network": "supralinear", "at_the_end": {"rate": rate.tolist()}}
    assert captured.err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_hold_every_command_network_and_option(shell, capsys, tmp_path):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("simulate", "explain", "keane_gong", "nu-ext-over-nu-thr", "zsh"):
        assert word in script
    if shell == "bash":
        path = tmp_path / "complete.sh"
        path.write_text(
            f'{script}\nCOMP_WORDS=(jaxneuro sweep brunel --see)\nCOMP_CWORD=3\n_jaxneuro\necho "${{COMPREPLY[@]}}"\n'
        )
        assert subprocess.run(["bash", path], capture_output=True, text=True).stdout.split() == ["--seeds", "--seed"]


def test_every_command_can_be_quiet():
    found = build_parser()
    commands = next(action.choices for action in found._actions if isinstance(action.choices, dict))
    for name, parser in commands.items():
        inner = next((a.choices for a in parser._actions if isinstance(a.choices, dict)), {name: parser})
        for own in inner.values():
            flags = [flag for action in own._actions for flag in action.option_strings]
            assert "--quiet" in flags or name == "completion"


def test_a_scheduler_that_does_not_answer_is_one_sentence(capsys, monkeypatch):
    monkeypatch.setattr("jaxneuro.cli._sweep._DASK_TIMEOUT", 0.2)
    words = ["sweep", "brunel", "--n-e", "80", "--n-i", "20", "--c-e", "16", "--c-i", "4", "--over", "g=3,4"]
    assert main([*words, "--duration", "5", "--dask", "tcp://127.0.0.1:9"]) == 2
    assert "`--dask` tcp://127.0.0.1:9: no scheduler of Dask answers there." in capsys.readouterr().err
