"""The made tasks are learned by networks that the public calls train: `python -m benchmarks tasks`, small."""

import equinox as eqx
import jax
import numpy as np
import pytest

from benchmarks import tasks
from jaxneuro import learning

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::jaxneuro.TrainingWarning"),
]


def small(name):
    """The task with shorter trials and fewer steps."""
    if name == "delayed XOR":
        return tasks.Decision(lambda n, key: learning.delayed_xor(n, cue=10, delay=10, key=key), 40, last=10, steps=60)
    if name == "cue accumulation":
        make = lambda n, key: learning.cue_accumulation(n, n_cues=3, wait=15, key=key)  # noqa: E731
        return tasks.Decision(make, 20, last=10, steps=40)
    return tasks.Generation(n_steps=100, steps=60, rate=1e-2)


@pytest.mark.parametrize("name", tasks.TASKS)
def test_training_lowers_the_loss(name):
    with jax.numpy_dtype_promotion("standard"):
        found = tasks.outcome(small(name), 0, batch=32, hidden=40, test=200)
    assert found.last_loss < 0.5 * found.first_loss
    if name == "pattern generation":
        assert found.after < 0.7
    else:
        assert found.after > 0.8


def test_every_weight_has_a_gradient_in_every_task():
    for name in tasks.TASKS:
        task = small(name)
        p = tasks.start(task.n_in, task.n_out, jax.random.key(0), hidden=40)
        gradient = eqx.filter_jit(jax.grad(lambda p, trials: task.loss(p, trials)[0]))(
            p, task.batch(8, jax.random.key(1))
        )
        for leaf in jax.tree_util.tree_leaves(gradient):
            assert np.all(np.isfinite(leaf))
            assert np.any(leaf != 0)
