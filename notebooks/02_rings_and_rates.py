# %% [markdown]
# # Rings, bumps and the E/I pair
#
# Rate models are frozen objects like networks of neurons: the same ring is simulated and solved in closed form.
# `JAXNEURO_NOTEBOOK_SIZE=full` takes more units.

# %%
import os

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxneuro as jn

FULL = os.environ.get("JAXNEURO_NOTEBOOK_SIZE", "small") == "full"
N = 512 if FULL else 128
plt.rcParams.update(jn.plot.style())

# %% [markdown]
# ## A bump that nobody drew
#
# Units on a ring excite their neighbours and inhibit the rest, J(theta) = J_0 + J_1 cos theta. For J_1 > 2 uniform
# input is answered by a bump whose width and height are known in closed form.

# %%
ring = jn.networks.ring(n=N, j0=-2.0, j1=3.0, i0=1.0)
sol = jn.simulate(ring, 0.0, 300.0, dt=0.5)
bump = jn.theory.ring_bump(j0=-2.0, j1=3.0, i0=1.0)
print(bump)

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), layout="constrained")
jn.plot.bump(sol, ax=left)
jn.plot.tuning(ring.angles(), {"simulated": sol["rate"][-1], "theory": bump.rate(ring.angles())}, ax=right)
right.lines[1].set(linestyle="--", color="k")
right.legend(frameon=False)
right.set(xlabel=r"angle from the centre (rad)")

settled = jn.simulate(ring, 300.0, 2_000.0, dt=0.5, state=sol.state)["rate"][-1]
np.testing.assert_allclose(settled, bump.rate(ring.angles()), atol=2e-3)

# %% [markdown]
# How the width changes with J_1, by the derivative of the closed form and by a difference:

# %%
slope = jax.grad(lambda j1: jn.theory.ring_bump(j0=-2.0, j1=j1).half_width)(3.0)
ends = [float(jn.theory.ring_bump(j0=-2.0, j1=j1).half_width) for j1 in (2.99, 3.01)]
print(f"d theta_c / d J_1 = {float(slope):.4f}, by a difference {(ends[1] - ends[0]) / 0.02:.4f}")
np.testing.assert_allclose(slope, (ends[1] - ends[0]) / 0.02, rtol=1e-2)

# %% [markdown]
# ## What a ring does over (J_0, J_1)

# %%
ax = jn.plot.ring_diagram()
ax.plot(-2.0, 3.0, "k*", markersize=10)
assert int(jn.theory.ring_regime(j0=-2.0, j1=3.0)) == jn.theory.RingRegime.bump

# %% [markdown]
# ## Tuning that does not widen with contrast
#
# With a tuned input the width of the answer depends on the shape of the input and not on its strength.

# %%
contrasts = (0.5, 1.0, 2.0)
curves = {f"contrast {c:g}": jn.theory.ring_tuning(j0=-5.0, j1=1.5, i0=c, i1=c).rate(ring.angles()) for c in contrasts}
ax = jn.plot.tuning(ring.angles(), curves)
widths = [float(jn.theory.ring_tuning(j0=-5.0, j1=1.5, i0=c, i1=c).half_width) for c in contrasts]
assert np.ptp(widths) < 1e-6

# %% [markdown]
# ## A bump that integrates a velocity
#
# A kernel with a sine beside its cosine pushes the bump along: the ring adds up the velocity of a head.

# %%


def velocity(t):
    return 0.006 * jnp.sin(2 * jnp.pi * t / 800.0)


compass = jn.networks.ring(n=N, j0=-2.0, j1=4.0, tau=5.0, velocity=velocity)
sol = jn.simulate(compass, 0.0, 1_600.0, dt=0.5, solver=jn.RungeKutta4())
times = np.asarray(sol.times["rate"])
angle = np.unwrap(np.asarray(jn.analysis.decode(sol["rate"]).angle))
integral = 0.006 * 800.0 / (2 * np.pi) * (1 - np.cos(2 * np.pi * times / 800.0))

ax = jn.plot.bump(sol)
ax.plot(times, integral, "w--", linewidth=1.0, label="integral of the velocity")
ax.legend(loc="lower right", labelcolor="w", frameon=False)
assert np.max(np.abs(angle - angle[0] - integral)) < 0.05

# %% [markdown]
# ## A bump behind a moving stimulus
#
# A faster stimulus leaves the bump further behind, until it loses it. Theory is exact for many units.

# %%


def cue(i1, velocity, t):
    return i1 * jnp.cos(ring.angles() - velocity * t)


@jax.jit
@jax.vmap
def behind(velocity):
    follower = jn.networks.ring(n=N, j0=-2.0, j1=4.0)
    stimulus = jax.tree_util.Partial(cue, 0.1, velocity)
    run = jn.simulate(follower, 0.0, 3_000.0, dt=2.0, stimulus=stimulus, solver=jn.RungeKutta4(), throw=False)
    return jnp.angle(jnp.exp(1j * (velocity * 3_000.0 - jn.analysis.decode(run["rate"][-1]).angle)))


velocities = np.linspace(0.0005, 0.006, 8)
fine = np.linspace(0.0, 0.0063, 200)
lag = behind(jnp.asarray(velocities))
theory = jn.theory.ring_tracking(j0=-2.0, j1=4.0, i1=0.1, velocity=fine)
fastest = float(theory.most_velocity[0])

figure, ax = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
ax.plot(1e3 * fine, theory.lag, label="theory")
ax.plot(1e3 * velocities, lag, "k.", label="simulated")
ax.axvline(1e3 * fastest, color="0.6", linestyle=":", label="left behind")
ax.set(xlabel="velocity of the stimulus (rad/s)", ylabel="lag of the bump (rad)")
ax.legend(frameon=False)
exact = jn.theory.ring_tracking(j0=-2.0, j1=4.0, i1=0.1, velocity=velocities).lag
np.testing.assert_allclose(lag, exact, atol=0.02)

# %% [markdown]
# ## Where a bump drifts to
#
# Units whose inputs differ break the symmetry: the bump drifts to a few places. Its drift is the projection of what is
# uneven on the direction in which the bump is free.

# %%
still = jn.networks.ring(n=N, j0=-2.0, j1=3.0)
resting = jn.simulate(still, 0.0, 3_000.0, dt=1.0)["rate"][-1]
uneven = 0.02 * jnp.cos(2 * still.angles() + 1.0)
motion = jn.theory.bump_motion(still, resting, stimulus=uneven)
starts = jnp.stack([jnp.roll(resting, int(k)) for k in range(0, N, N // 16)])


@jax.jit
@jax.vmap
def angles_from(start):
    net = jn.networks.ring(n=N, j0=-2.0, j1=3.0, start=start)
    run = jn.simulate(net, 0.0, 4_000.0, dt=2.0, stimulus=uneven, throw=False)
    return jn.analysis.decode(run["rate"]).angle


paths = np.asarray(angles_from(starts))
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.2), layout="constrained", sharey=True)
# A bump that passes pi is at -pi: no line is drawn between the two.
unbroken = np.where(np.abs(np.diff(paths, prepend=paths[:, :1])) > np.pi, np.nan, paths)
left.plot(2e-3 * np.arange(1, 2_001), unbroken.T, "k", linewidth=0.7)
left.set(xlabel="time (s)", ylabel="place of the bump (rad)", ylim=(-np.pi, np.pi))
right.plot(motion.drift, motion.angle)
right.axvline(0.0, color="0.6", linewidth=0.8)
right.set(xlabel="drift in theory (rad/s)")
rests = np.interp(paths[:, -1], motion.angle, motion.drift, period=2 * np.pi)
assert np.abs(rests).max() < 0.05 * np.abs(motion.drift).max()

# %% [markdown]
# ## A sheet is a ring of two angles
#
# Coefficients in a table make a kernel of two angles; everything else is the same.

# %%
table = jnp.asarray([[-8.0, 3.0], [3.0, 6.0]])
side = 32
theta, phi = jn.Ring(side, j=table).angles()[..., 0].ravel(), jn.Ring(side, j=table).angles()[..., 1].ravel()
seed = 1.0 + 0.1 * jnp.cos(theta - 1.0) + 0.1 * jnp.cos(phi + 0.5)
surface = jn.Ring(side, j=table, i=1.0, start=seed)
final = jn.simulate(surface, 0.0, 1_000.0, dt=1.0)["rate"][-1]
jn.plot.sheet(final)
place = jn.analysis.decode(final, n_angles=2)
np.testing.assert_allclose(place.angle, [1.0, -0.5], atol=0.1)

# %% [markdown]
# ## The E/I pair and its Hopf bifurcation
#
# Slow inhibition makes the pair oscillate. The code finds where, and the run beyond it is bounded by the rectification.

# %%
hopf = jn.analysis.hopf(jn.networks.ei_rate(), where=lambda m: m.tau_i, bracket=(20.0, 90.0))
print(hopf)
assert abs(float(hopf.value) - 40.0) < 1e-3

figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.0), layout="constrained")
for ax, tau_i in zip(axes, (30.0, 50.0), strict=True):
    pair = jn.networks.ei_rate(tau_i=tau_i, start=(40.0, 5.0))
    run = jn.simulate(pair, 0.0, 2_000.0, dt=0.2, solver=jn.RungeKutta4())
    found = jn.analysis.fixed_points(pair, box=(0.0, 60.0))
    jn.plot.phase_plane(pair, box=((0.0, 0.0), (80.0, 45.0)), runs=[run], fixed_points=found, ax=ax)
    ax.set_title(rf"$\tau_I$ = {tau_i:g} ms: {found.labels[0]}")

# %%
plt.close("all")
