"""What a surrogate gradient is worth: the audit of a rate's derivatives, over lengths of a run and widths.

200 LIF neurons under white noise, which mean-field theory describes exactly but for the step, and a recurrent network
with weights so large that derivatives grow.
"""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

from ._report import Row, compared

SEEDS, STEP = 16, 0.5
NAMES = ("mu", "sigma")


def uncoupled(p: jax.Array) -> jn.Network:
    cells = jn.Population(jn.LIF(v_reset=10.0), 200, initial=jn.initial.UniformPotential(0.0, 20.0))
    return jn.Network({"E": cells}, drives=[jn.WhiteNoiseDrive("E", mu=p[0], sigma=p[1])])


def audited(duration: float, width: float) -> list[Row]:
    audit = jn.audit_gradient(
        uncoupled, lambda sol: jnp.mean(sol["rate"]["E"]), [22.0, 4.0], t1=duration + 50.0, dt=0.1, seeds=SEEDS,
        key=jax.random.key(0), surrogate=jn.surrogate.Triangular(width), step=STEP, names=NAMES,
        record={"rate": jn.record.Rate(start=50.0)}, theory=lambda net: jn.theory.mean_field(net).rate["E"],
    )  # fmt: skip
    rows = []
    for i, name in enumerate(NAMES):
        for estimate in ("surrogate", "smoothed", "mean field"):
            e, reference = audit.estimates[estimate], audit.estimates["differences"]
            note = (
                f"peer: differences of +-{STEP} with common random numbers; standard errors {e.error[i]:.2g} and "
                f"{reference.error[i]:.2g}; cosine {audit.cosine(estimate):.3f}"
            )
            what = f"{duration:g} ms, width {width:g}: d rate / d {name}, {estimate}"
            rows.append(compared(what, "Hz/mV", [float(e.mean[i])], [float(reference.mean[i])], note))
    return rows


def horizon(strength: float) -> Row:
    matrix = jnp.asarray(np.random.default_rng(0).normal(0.0, 1.0, (100, 100)))

    def coupled(p: jax.Array) -> jn.Network:
        cells = jn.Population(jn.LIF(v_reset=10.0, t_ref=0.0), 100, initial=jn.initial.UniformPotential(0.0, 20.0))
        delta, weights = jn.DeltaCurrent(), jn.Weights(matrix)
        return jn.Network(
            {"E": cells},
            [jn.Projection("E", "E", delta, weight=p[0], connectivity=weights, delay=1.0)],
            [jn.WhiteNoiseDrive("E", mu=18.0, sigma=3.0)],
        )

    audit = jn.audit_gradient(
        coupled, lambda sol: jnp.mean(sol["rate"]["E"]), [strength], t1=100.0, dt=0.5, seeds=4, step=0.1 * strength,
        key=jax.random.key(0), surrogate=jn.surrogate.FastSigmoid(2.0), names=("J",),
    )  # fmt: skip
    surrogate, reference = audit.estimates["surrogate"], audit.estimates["differences"]
    note = (
        f"d rate / d J: surrogate {surrogate.mean[0]:.3g} +- {surrogate.error[0]:.2g}, differences "
        f"{reference.mean[0]:.3g} +- {reference.error[0]:.2g}"
    )
    return compared(f"growth of a derivative, weights of SD {strength:g} mV", "1/ms", [audit.growth], None, note)


def run() -> list[Row]:
    return [*audited(5.0, 2.0), *audited(100.0, 2.0), *audited(100.0, 0.2), horizon(0.5), horizon(4.0)]
