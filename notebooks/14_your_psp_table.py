# %% [markdown]
# # Do my amplitudes fall as one over the root of K?
#
# Neurons with more synapses have weaker ones. Balanced networks of currents ask for 1/sqrt(K), networks of
# conductances for more, of order 1/log K times what a conductance does to the potential (Sanzeni, Histed and Brunel
# 2022). You have a table, one row a recording: **which law, with which error, and what would a synapse of cortex have,
# at K = 10,000?** Put your file's name below. The one that is there is **synthetic**, drawn so that fits of it come
# out as those published of cultures (Barral and Reyes 2016), whose data are not public. The answer for it is asserted
# at the end; `JAXNEURO_NOTEBOOK_SIZE=full` takes more resamples.

# %%
import json
import os
import tempfile
from importlib import import_module, util
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
KEY = jax.random.key(0)
plt.rcParams.update(jn.plot.style())
HERE = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "fitting" / "data").is_dir())
TABLE = HERE / "fitting" / "data" / "barral_reyes_2016_SYNTHETIC.csv"

# %% [markdown]
# ## Read it
#
# Columns `n_connections`, `psp_mv` and `synapse`, or names that you give. A row that does not fit is refused by its
# line.

# %%
data = jn.io.read_psp_csv(TABLE)
print(data)
wrong = Path(tempfile.mkdtemp()) / "wrong.csv"
wrong.write_text("n_connections,psp_mv,synapse\n100,1.2,E\n200,-0.7,E\n")
try:
    jn.io.read_psp_csv(wrong)
except ValueError as error:
    refused = str(error)
    print(refused)

# %% [markdown]
# ## Three laws, one comparison
#
# Fits are in the logarithm of the amplitude. AICc counts parameters; smaller is better, by two or more.

# %%
laws = {"power": jn.laws.PowerLaw(), "current": jn.laws.CurrentScaling(), "conductance": jn.laws.ConductanceScaling()}
fits = {name: jn.fit(law, data, bootstrap=500 if FULL else 50, key=KEY) for name, law in laws.items()}
for result in fits.values():
    print(result, end="\n\n")
compared = jn.compare(fits, refit=False)
print(compared)
figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
_ = jn.plot.laws(fits, k=np.geomspace(20, 20_000, 60), ax=ax)

# %% [markdown]
# ## How sure?
#
# An interval is only as good as the parabola behind it. The profile holds one parameter and fits the rest, resamples
# draw recordings again: where all three agree the error can be believed.

# %%
power = fits["power"]
exponent = next(name for name in power.params if name.startswith("beta"))
profile = power.profile(exponent, points=11)
figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.2), layout="constrained")
jn.plot.profile(profile, ax=axes[0])
jn.plot.bootstrap(power, exponent, ax=axes[1])
print(f"exponent {power.params[exponent]:.3f}; 95% {power.ci95[exponent]}, by profile {profile.ci95}, "
      f"by resamples {power.bootstrap.ci95[exponent]}")  # fmt: skip

# %% [markdown]
# ## A synapse of cortex
#
# What each law says far beyond the table, with its error. In a running notebook with `ipywidgets` the slider moves K.

# %%


def predicted(k=10_000):
    for name, result in fits.items():
        told = result.predict(np.asarray([float(k)]))
        print(f"K = {k}, {name:12s} J_E = {float(told.value[0]):.2f} mV, {float(told.low[0]):.2f} to "
              f"{float(told.high[0]):.2f}")  # fmt: skip


predicted()
if util.find_spec("ipywidgets"):
    import_module("ipywidgets").interact(predicted, k=(100, 20_000, 100))

# %% [markdown]
# ## Keep it
#
# All of it as JSON; `jaxneuro fit psp.csv --law all --json fit.json --figure fit.png` does the same from a shell.

# %%
path = Path(tempfile.mkdtemp()) / "fit.json"
jn.io.write_fits(path, fits)
kept = json.loads(path.read_text())
print(", ".join(kept))

# %% [markdown]
# **The answer**, for the synthetic table: yes, as far as it goes. The exponent's interval holds 1/2, a free exponent
# describes the recordings no better than 1/sqrt(K), and the law of conductances describes them worse. What hangs on it
# lies where nobody measured: at K = 10,000 the law of conductances has synapses three times as strong. That is what to
# measure next.

# %%
low, high = power.ci95[exponent]
assert low < 0.5 < high
assert profile.ci95[0] < 0.5 < profile.ci95[1]
scores = dict(zip(compared.names, compared.aicc, strict=True))
assert abs(scores["power"] - scores["current"]) < 2.0
assert scores["conductance"] > scores["current"] + 10.0
current, conductance = (float(fits[name].predict(np.asarray([1e4])).value[0]) for name in ("current", "conductance"))
assert 2.5 < conductance / current < 4.0
assert "line 3" in refused

# %%
plt.close("all")
