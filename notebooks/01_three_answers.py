# %% [markdown]
# # One network, three answers
#
# A network is described once. The same object is simulated, solved in mean field, differentiated
# and fitted. It is Brunel's network of 12,500 neurons; `JAXNEURO_NOTEBOOK_SIZE=full` runs it for 2 s
# instead of 0.5 s.

# %%
import os

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
DURATION = 2_000.0 if FULL else 500.0
key = jax.random.key(0)
plt.rcParams.update(jn.plot.style())

net = jn.networks.brunel(g=5.0, nu_ext_over_nu_thr=2.0)

# %% [markdown]
# ## First answer: simulate it
#
# Rates, coefficients of variation and the population rate are gathered while the network runs.

# %%
record = {
    "rate": jn.record.Rate(start=100.0),
    "cv": jn.record.CV(start=100.0),
    "spikes": jn.record.Spikes(start=DURATION - 200.0),
    "population_rate": jn.record.PopulationRate(width=1.0),
}
wiring = jn.wire(net, key=key)
sol = jn.simulate(net, 0.0, DURATION, dt=0.1, key=key, wiring=wiring, record=record)
print(sol)

# %% [markdown]
# ## Second answer: solve its mean field
#
# The self-consistent rate under the diffusion approximation, and every other state there may be.

# %%
mf = jn.theory.mean_field(net)
print(mf)

# %% [markdown]
# ## Both in one figure
#
# The rates agree within a few percent. The CV does not: mean field takes the input for Poisson
# spike trains, while the neurons of this network fire more regularly than that and partly in step.
# `python -m benchmarks brunel` takes these assumptions apart one at a time.

# %%
figure = jn.plot.overlay(sol, mf)

simulated = sol.mean("rate")["E"].value
assert abs(simulated / float(mf.rate["E"]) - 1) < 0.1
assert sol.mean("cv")["E"].value < float(mf.cv["E"])

# %% [markdown]
# ## Its derivative
#
# The mean field is an implicit function of every number of the network: the derivative costs one
# more linear solve. Against a difference of two solves:

# %%


def rate(g):
    return jn.theory.mean_field(jn.networks.brunel(g=g)).rate["E"]


slope = jax.grad(rate)(5.0)
difference = (rate(5.01) - rate(4.99)) / 0.02
print(f"d rate / d g = {slope:.3f} Hz by the implicit function theorem, {difference:.3f} Hz by differences")
np.testing.assert_allclose(slope, difference, rtol=2e-2)

# %% [markdown]
# ## Theory and simulation over a range
#
# One `vmap` gives the whole theory curve; the runs share one wiring.

# %%
ratios = jnp.linspace(1.2, 4.0, 57)
curves = jax.vmap(lambda r: jn.theory.mean_field(jn.networks.brunel(nu_ext_over_nu_thr=r), throw=False))(ratios)
tried = [1.5, 2.0, 3.0, 4.0]
runs = [
    jn.simulate(jn.networks.brunel(nu_ext_over_nu_thr=r), 0.0, DURATION, dt=0.1, key=key, wiring=wiring, record=record)
    for r in tried
]

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for ax, name, curve, label in zip(
    axes, ("rate", "cv"), (curves.rate["E"], curves.cv["E"]), ("firing rate (Hz)", "CV of ISI"), strict=True
):
    ax.plot(ratios, curve, color="k", label="mean field")
    ax.plot(tried, [run.mean(name)["E"].value for run in runs], "o", color=jn.plot.COLOURS[0], label="simulated")
    ax.set(xlabel=r"external rate, $\nu_\mathrm{ext} / \nu_\mathrm{thr}$", ylabel=label, ylim=(0, None))
    ax.legend()

predicted = [float(jn.theory.mean_field(jn.networks.brunel(nu_ext_over_nu_thr=r)).rate["E"]) for r in tried]
np.testing.assert_allclose([run.mean("rate")["E"].value for run in runs], predicted, rtol=0.1)

# %% [markdown]
# ## Third answer: fit it
#
# A rate was measured at four external rates; which strength of inhibition made it? The model that
# is fitted holds the network's parameter and says how far its mean field is from the data.

# %%
import equinox as eqx
from jaxtyping import Array, Float


class Measured(eqx.Module):
    """External rates over threshold, and the firing rates [Hz] that they gave."""

    ratio: Float[Array, "n"]
    rate: Float[Array, "n"]


class InhibitionStrength(eqx.Module):
    """Brunel's network as a function of g, compared with measured rates on a logarithmic scale."""

    g: Float[Array, ""]

    def residuals(self, data):
        def predicted(ratio):
            net = jn.networks.brunel(g=self.g, nu_ext_over_nu_thr=ratio)
            return jn.theory.mean_field(net, throw=False).rate["E"]

        return jnp.log(data.rate) - jnp.log(jax.vmap(predicted)(data.ratio))


measured = Measured(jnp.asarray(tried), jnp.stack([jnp.mean(run["rate"]["E"]) for run in runs]))
result = jn.fit(InhibitionStrength(jnp.asarray(4.5)), measured, starts=1)
print(result)
assert abs(float(result.params["g"]) - 5.0) < 0.2

# %%
plt.close("all")
