# %% [markdown]
# # One sweep on a laptop, a GPU or a cluster: are the numbers the same?
#
# A grid that takes a minute on a laptop takes a week at the size of a paper, and then it moves: to a GPU, to several,
# to many jobs of a queue, of which some are killed. **What has to be written anew for that, and does a result depend
# on where it was made?** The answer is asserted at the end. `JAXNEURO_NOTEBOOK_SIZE=full` takes more points and longer
# runs.

# %%
import os
import tempfile
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
import xarray

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
plt.rcParams.update(jn.plot.style())
print(f"here: {jax.devices()}")

# %% [markdown]
# ## Say it once
#
# A function of a point and a key. The wiring is drawn outside, once for all runs; `throw=False` and `result` let one
# bad point be a bad point.

# %%
SIZES = dict(n_e=4_000, n_i=1_000, c_e=400, c_i=100, j=0.2) if FULL else dict(n_e=400, n_i=100, c_e=40, c_i=10, j=0.5)
wiring = jn.wire(jn.networks.brunel(**SIZES), key=jax.random.key(0))


def run(point, key):
    net = jn.networks.brunel(point["g"], point["nu_ext_over_nu_thr"], **SIZES)
    sol = jn.simulate(net, 0.0, 1_000.0 if FULL else 100.0, dt=0.1, key=key, wiring=wiring, throw=False)
    return {"rate": sol["rate"]["E"].mean(), "result": sol.result}


over = {"g": np.linspace(3.0, 8.0, 11 if FULL else 6), "nu_ext_over_nu_thr": np.array([1.0, 2.0, 4.0])}
same = dict(key=jax.random.key(1), seeds=2, attributes={"rate": {"units": "Hz"}}, progress=False)

# %% [markdown]
# ## A laptop: threads
#
# The default on a CPU: a run fills a core, so that as many go at once as there are cores. How many there are changes
# no bit.

# %%
laptop = jn.sweep(run, over=over, **same)
alone = jn.sweep(run, over=over, execution=jn.Threads(1), **same)
print(laptop["rate"].mean("seed").to_pandas().round(1))
figure = jn.plot.sweep(laptop)

# %% [markdown]
# ## A GPU, or several: side by side
#
# On a GPU the default is `Vectorised()`, as many runs in one program as memory holds; `Devices()` takes all GPUs of a
# machine. Nothing else changes. Both run on a CPU too, so that it can be tried here; a sum that is taken in another
# order is rounded otherwise, and the chaos of spikes makes another raster of the same law.

# %%
gpu = jn.sweep(run, over=over, execution=jn.Vectorised(12), **same)
several = jn.sweep(run, over=over, execution=jn.Devices(len(jax.devices()), chunk=12), **same)

# %% [markdown]
# ## A cluster: one script, many jobs
#
# Each job takes a part of one axis, and a store of its own. A seed has the same key at every point, whichever job it
# falls to. Under SLURM this is the script, and `sbatch --array=0-2 sweep.sh` starts three:
#
# ```
# #!/bin/bash
# #SBATCH --time=04:00:00 --cpus-per-task=4 --requeue
# python sweep.py $SLURM_ARRAY_TASK_ID $SLURM_ARRAY_TASK_COUNT
# ```
#
# With `resume=True` the same line goes on where a killed job stopped: what had been stored is not computed again.

# %%
folder = Path(tempfile.mkdtemp())


def job(task, count):
    part = over | {"g": over["g"][task::count]}
    return jn.sweep(run, over=part, store=str(folder / f"part{task}.zarr"), resume=True, **same)


for task in range(3):
    job(task, 3)
again = job(0, 3)  # requeued: it reads what is there
cluster = xarray.concat(
    [jn.open_sweep(str(folder / f"part{task}.zarr")) for task in range(3)], "g", combine_attrs="drop"
).sortby("g")

figure, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
for ratio, colour in zip(over["nu_ext_over_nu_thr"], jn.plot.COLOURS, strict=False):
    for grid, mark, name in ((laptop, "-", "laptop"), (gpu, "o", "side by side"), (cluster, "x", "three jobs")):
        rate = grid["rate"].sel(nu_ext_over_nu_thr=ratio).mean("seed")
        ax.plot(over["g"], rate, mark, color=colour, label=name if ratio == 1.0 else None)
ax.set(xlabel="$g$", ylabel="rate of E (Hz)", yscale="log")
_ = ax.legend()

# %% [markdown]
# **The answer.** Nothing but the keyword `execution=`, and for jobs which part of the axis each takes. Threads, cores
# and jobs change no bit; runs side by side differ by rounding, which changes single spikes and leaves rates within the
# scatter of seeds. What was requeued is what was there.

# %%
np.testing.assert_array_equal(laptop["rate"], alone["rate"])
np.testing.assert_array_equal(laptop["rate"], cluster["rate"])
np.testing.assert_array_equal(gpu["rate"], several["rate"])
assert again.identical(jn.open_sweep(str(folder / "part0.zarr")).load())
ratio = (gpu["rate"] / laptop["rate"]).mean("seed")
print(f"side by side over one after another: {float(ratio.min()):.3f} to {float(ratio.max()):.3f}")
assert abs(ratio - 1.0).max() < 0.1
codes = laptop["result"].attrs
said = dict(zip(codes["flag_values"], codes["flag_meanings"].split(), strict=True))
assert {said[code] for code in np.unique(laptop["result"])} == {"successful"}

# %%
plt.close("all")
