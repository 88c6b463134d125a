"""Tasks that are made and not loaded: spikes of many trials, and what each should be taken for."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from .._numerics import Shown, check_count, check_key, check_nonnegative, check_positive, told


class Trials(Shown):
    """Spikes of trials, for a `SpikeSource`, and their classes."""

    spikes: Bool[Array, "trials time n"]
    labels: Int[Array, "trials"]


def randman(
    n_trials: int,
    *,
    n_classes: int = 10,
    n: int = 20,
    n_steps: int = 100,
    dimension: int = 1,
    alpha: float = 2.0,
    cutoff: int = 10,
    key: PRNGKeyArray,
) -> Trials:
    """Classes that are random smooth manifolds of spike times: each neuron spikes once, at f(x) of a hidden point x.

        f(x) = product over dimensions j of sum over k of k^-alpha a_k sin(2 pi (k x_j b_k + c_k)),

    a, b, c uniform on [0, 1] for every class and neuron, and f scaled to run from the first to the last step over the
    manifold. Nothing but the times tells classes apart: every neuron spikes once in every trial.

    **Arguments:** `n_trials`, of classes drawn at random; `dimension` of the manifold; `alpha`, the larger the
    smoother; `cutoff`, how many k; `key`, of manifolds and trials, which are split to train
    and to test.

    Raises `ValueError` where a number is not positive, or a count not whole.

    ```python
    >>> import jax, jaxneuro as jn
    >>> trials = jn.learning.randman(6, n_classes=3, n=5, n_steps=40, key=jax.random.key(0))
    >>> trials.spikes.shape, trials.spikes.sum(axis=1).tolist()[0]
    ((6, 40, 5), [1, 1, 1, 1, 1])

    ```

    Source: Zenke and Vogels (2021), doi:10.1162/neco_a_01367, methods; the scaling is over 1,000 points of a manifold.
    """
    _check(key, n_trials=n_trials, n_classes=n_classes, n=n, n_steps=n_steps, dimension=dimension, cutoff=cutoff)
    check_positive("alpha", alpha)
    manifolds, points, classes = jax.random.split(key, 3)
    a, b, c = jax.random.uniform(manifolds, (3, n_classes, n, dimension, cutoff))
    k = jnp.arange(1, cutoff + 1, dtype=a.dtype)

    def f(label: Int[Array, ""], x: Float[Array, "dimension"]) -> Float[Array, "n"]:
        waves = jnp.sin(2.0 * jnp.pi * (k * x[:, None] * b[label] + c[label]))
        return jnp.prod(jnp.sum(k**-alpha * a[label] * waves, axis=-1), axis=-1)

    labels = jax.random.randint(classes, (n_trials,), 0, n_classes)
    grid = jax.random.uniform(jax.random.fold_in(manifolds, 1), (1_000, dimension), a.dtype)
    every = jax.vmap(lambda c: jax.vmap(lambda x: f(c, x))(grid))(jnp.arange(n_classes))
    low, high = jnp.min(every, axis=1)[labels], jnp.max(every, axis=1)[labels]
    x = jax.random.uniform(points, (n_trials, dimension), a.dtype)
    share = (jax.vmap(f)(labels, x) - low) / (high - low)
    steps = jnp.clip((share * n_steps).astype(jnp.int32), 0, n_steps - 1)
    return Trials(jnp.arange(n_steps, dtype=jnp.int32)[:, None] == steps[:, None], labels)


def delayed_xor(
    n_trials: int,
    *,
    n: int = 20,
    cue: int = 20,
    delay: int = 40,
    p: float = 0.2,
    background: float = 0.01,
    key: PRNGKeyArray,
) -> Trials:
    """Two cues, each of one of two groups of neurons, with a delay between: was it the same group twice?

    **Arguments:** `n`, neurons of a group; `cue` and `delay`, in steps: a trial is cue, delay, cue, delay; `p`, the
    probability of a spike in a step within a cue; `background`, outside. The label is 1 where the groups differ.

    Raises `ValueError` where a count is not positive and whole, or `p` or `background` is no probability.

    ```python
    >>> import jax, jaxneuro as jn
    >>> jn.learning.delayed_xor(3, n=5, key=jax.random.key(0)).spikes.shape
    (3, 120, 10)

    ```
    """
    _check(key, n_trials=n_trials, n=n, cue=cue, delay=delay)
    _check_probabilities(p=p, background=background)
    choice, draw = jax.random.split(key)
    groups = jax.random.bernoulli(choice, 0.5, (n_trials, 2))
    step = jnp.arange(2 * (cue + delay), dtype=jnp.int32)
    which, inside = step // (cue + delay), step % (cue + delay) < cue
    second = jnp.arange(2 * n) >= n
    active = inside[None, :, None] & (groups[:, which, None] == second)
    spikes = jax.random.uniform(draw, active.shape) < jnp.where(active, p, background)
    return Trials(spikes, (groups[:, 0] != groups[:, 1]).astype(jnp.int32))


def cue_accumulation(
    n_trials: int,
    *,
    n_cues: int = 7,
    n: int = 10,
    cue: int = 10,
    pause: int = 5,
    wait: int = 50,
    p: float = 0.4,
    background: float = 0.01,
    key: PRNGKeyArray,
) -> Trials:
    """Cues on the left and on the right, one after another, and a wait: which were more?

    **Arguments:** `n_cues`, an odd number; `n`, neurons of a side; `cue`, `pause` and `wait`, in steps; `p` and
    `background` as of `delayed_xor`. The label is 1 where the right (the second `n` neurons) had more.

    Raises `ValueError` where a count is not positive and whole, `n_cues` is even, or `p` or `background` is no
    probability.

    ```python
    >>> import jax, jaxneuro as jn
    >>> jn.learning.cue_accumulation(3, key=jax.random.key(0)).spikes.shape
    (3, 155, 20)

    ```

    Source: Bellec et al. (2020), doi:10.1038/s41467-020-17236-y, after Morcos and Harvey (2016).
    """
    _check(key, n_trials=n_trials, n_cues=n_cues, n=n, cue=cue, pause=pause, wait=wait)
    _check_probabilities(p=p, background=background)
    if n_cues % 2 == 0:
        raise ValueError(f"`n_cues` has to be odd, so that one side has more; got {n_cues}.")
    choice, draw = jax.random.split(key)
    right = jax.random.bernoulli(choice, 0.5, (n_trials, n_cues))
    step = jnp.arange(n_cues * (cue + pause) + wait, dtype=jnp.int32)
    which, inside = step // (cue + pause), step % (cue + pause) < cue
    on, side = inside & (which < n_cues), jnp.arange(2 * n) >= n
    active = on[None, :, None] & (right[:, jnp.minimum(which, n_cues - 1), None] == side)
    spikes = jax.random.uniform(draw, active.shape) < jnp.where(active, p, background)
    return Trials(spikes, (2 * jnp.sum(right, axis=1, dtype=jnp.int32) > n_cues).astype(jnp.int32))


def pattern(n_steps: int, *, dt: float, n_out: int = 3, key: PRNGKeyArray) -> Float[Array, "time n_out"]:
    """Smooth targets to be generated: sums of sines of 1, 2, 3 and 5 Hz, random in phase and height, within [-1, 1].

    **Arguments:** `n_steps`; `dt` [ms]; `n_out`, how many; `key`.

    Raises `ValueError` where a number is not positive, or a count not whole.

    ```python
    >>> import jax, jaxneuro as jn
    >>> jn.learning.pattern(1_000, dt=1.0, key=jax.random.key(0)).shape
    (1000, 3)

    ```

    Source: Bellec et al. (2020), doi:10.1038/s41467-020-17236-y, supplementary note on pattern generation.
    """
    _check(key, n_steps=n_steps, n_out=n_out)
    check_positive("dt", dt)
    phases, heights = jax.random.uniform(key, (2, 4, n_out))
    t = jnp.arange(1, n_steps + 1, dtype=phases.dtype) * (dt / 1000.0)
    waves = (0.5 + heights) * jnp.sin(
        2.0 * jnp.pi * (jnp.asarray([1.0, 2.0, 3.0, 5.0])[:, None] * t[:, None, None] + phases)
    )
    total = jnp.sum(waves, axis=1)
    return total / jnp.max(jnp.abs(total), axis=0)


def _check(key: PRNGKeyArray, **numbers: int) -> None:
    check_key(key)
    for name, value in numbers.items():
        check_count(name, value)


def _check_probabilities(**shares: float) -> None:
    for name, value in shares.items():
        check_nonnegative(name, value)
        if value > 1:
            raise ValueError(f"`{name}` is the probability of a spike in a step, at most 1; got {told(value)}.")
