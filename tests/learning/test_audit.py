"""The gradient audit: exact where the loss is smooth, and what it says of spikes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

TAU, T1, DT = 20.0, 40.0, 0.5


def silent(p):
    cells = jn.Population(jn.LIF(tau_m=TAU, v_th=1e4), 30)
    return jn.Network({"E": cells}, drives=[jn.WhiteNoiseDrive("E", mu=p[0], sigma=1.0)])


def test_without_spikes_all_agree_with_the_closed_form():
    share = 1.0 - np.exp(-T1 / TAU)
    audit = jn.audit_gradient(
        silent, lambda sol: jnp.mean(sol["v"][-1]), [3.0], t1=T1, dt=DT, key=jax.random.key(0), seeds=3, step=0.5,
        surrogate=jn.surrogate.Triangular(1.0), record={"v": jn.record.Trace("E.v")}, names=("mu",),
        theory=lambda net: net.drives[0].mu * share,
    )  # fmt: skip
    for name in ("surrogate", "forward", "differences", "mean field"):
        np.testing.assert_allclose(audit.estimates[name].mean, share, rtol=1e-9)
        np.testing.assert_allclose(audit.estimates[name].sd, 0.0, atol=1e-9)
        assert audit.cosine(name) == pytest.approx(1.0)
    assert audit.growth == pytest.approx(-1.0 / TAU, rel=1e-9)
    assert audit.horizon == np.inf
    assert "shrink e-fold in 20 ms" in str(audit)


def test_a_truncated_gradient_misses_what_lies_before_the_cut():
    """The state counts as a number at 16 ms, the start of the block of 8 ms that holds the last multiple of 20 ms."""
    audit = jn.audit_gradient(
        silent, lambda sol: jnp.mean(sol["v"][-1]), [3.0], t1=T1, dt=DT, key=jax.random.key(0), seeds=2, step=0.5,
        surrogate=jn.surrogate.Triangular(1.0), record={"v": jn.record.Trace("E.v")},
        adjoint=jn.adjoint.Truncated(20.0),
    )  # fmt: skip
    for name, span in (("surrogate", T1 - 16.0), ("forward", T1 - 16.0), ("differences", T1)):
        np.testing.assert_allclose(audit.estimates[name].mean, 1.0 - np.exp(-span / TAU), rtol=1e-9)


@pytest.mark.slow
def test_spikes_differences_agree_with_theory_and_surrogates_do_not():
    def model(p):
        cells = jn.Population(jn.LIF(v_reset=10.0), 200, initial=jn.initial.UniformPotential(0.0, 20.0))
        return jn.Network({"E": cells}, drives=[jn.WhiteNoiseDrive("E", mu=p[0], sigma=4.0)])

    audit = jn.audit_gradient(
        model, lambda sol: jnp.mean(sol["rate"]["E"]), [22.0], t1=150.0, dt=0.1, key=jax.random.key(0), seeds=8,
        step=0.5, surrogate=jn.surrogate.Triangular(2.0), record={"rate": jn.record.Rate(start=50.0)},
        theory=lambda net: jn.theory.lif_rate(net.drives[0].mu, 4.0, tau=20.0, v_th=20.0, v_reset=10.0, t_ref=2.0),
        names=("mu",),
    )  # fmt: skip
    np.testing.assert_allclose(audit.estimates["forward"].mean, audit.estimates["surrogate"].mean, rtol=1e-9)
    assert abs(audit.bias("mean field")[0]) < 0.1 * audit.estimates["differences"].mean[0]
    assert audit.bias_in_errors("surrogate")[0] > 10.0
    matplotlib = pytest.importorskip("matplotlib")
    assert len(jn.plot.gradient_audit(audit).containers) == 5
    matplotlib.pyplot.close("all")


def test_a_chaotic_network_has_a_horizon():
    rng = np.random.default_rng(0)
    matrix = jnp.asarray(rng.normal(0.0, 6.0, (60, 60)))

    def model(p):
        cells = jn.Population(jn.LIF(v_reset=10.0, t_ref=0.0), 60, initial=jn.initial.UniformPotential(0.0, 20.0))
        return jn.Network(
            {"E": cells},
            [jn.Projection("E", "E", jn.DeltaCurrent(), weight=p[0], connectivity=jn.Weights(matrix), delay=1.0)],
            [jn.WhiteNoiseDrive("E", mu=18.0, sigma=3.0)],
        )

    audit = jn.audit_gradient(
        model, lambda sol: jnp.mean(sol["rate"]["E"]), [1.0], t1=60.0, dt=0.5, key=jax.random.key(0), seeds=2, step=0.1,
        surrogate=jn.surrogate.FastSigmoid(2.0),
    )  # fmt: skip
    assert 0 < audit.horizon < 60.0
    assert "derivatives grow e-fold in" in str(audit)


def test_wrong_arguments(as_users_run):
    common = dict(t1=5.0, dt=DT, key=jax.random.key(0), surrogate=jn.surrogate.Zero())
    with pytest.raises(ValueError, match="`at` has to be a vector"):
        jn.audit_gradient(silent, lambda sol: 0.0, 3.0, step=0.1, **common)
    with pytest.raises(ValueError, match="`step` has to be positive"):
        jn.audit_gradient(silent, lambda sol: 0.0, [3.0], step=0.0, **common)
    with pytest.raises(ValueError, match="`seeds` has to be at least 2"):
        jn.audit_gradient(silent, lambda sol: 0.0, [3.0], step=0.1, seeds=1, **common)
    for wrong, message in (
        (dict(at=[]), "`at` has to be a vector"),
        (dict(names="m"), "`names` has to hold one for each of the 1"),
        (dict(names=("mu", "sigma")), "`names` has to hold one for each of the 1"),
        (dict(step=[0.1, 0.1]), "`step` has to be a number or one a parameter"),
        (dict(surrogate=None), "`surrogate` has to be of"),
        (dict(loss=lambda sol: sol["rate"]["E"]), "`loss` has to give one float"),
        (dict(loss=lambda sol: None), "`loss` has to give one float; got None"),
        (dict(loss=None), "`loss` has to be a function; got None"),
        (dict(theory=3), "`theory` has to be a function; got 3"),
    ):
        given = dict(loss=lambda sol: 0.0, at=[3.0], step=0.1, seeds=2) | common | wrong
        with pytest.raises(ValueError, match=message):
            jn.audit_gradient(silent, given.pop("loss"), given.pop("at"), **given)
    # A rate is a finite number also where the potentials behind it are none.
    with pytest.raises(RuntimeError, match="2 of 2 runs failed"):
        jn.audit_gradient(
            silent,
            lambda sol: jnp.mean(sol["rate"]["E"]),
            [3.0],
            step=0.1,
            seeds=2,
            stimulus={"E": lambda t: jnp.where(t >= 0.0, jnp.inf, t)},
            **common,
        )
    with pytest.raises(RuntimeError, match="2 of 2 runs failed"):
        jn.audit_gradient(silent, lambda sol: jnp.nan * jnp.mean(sol["rate"]["E"]), [3.0], step=0.1, seeds=2, **common)
    with pytest.raises(ValueError, match="`adjoint` is of reverse mode"):
        jn.audit_gradient(silent, lambda sol: 0.0, [3.0], step=0.1, adjoint=jn.adjoint.Forward(), **common)
    with pytest.raises(ValueError, match="has to come from"):
        jn.plot.gradient_audit("audit")
