"""The made tasks are learned by networks that the public calls train: `python -m benchmarks tasks`, small."""

import jax
import pytest

from benchmarks import tasks
from jaxneuro import learning

pytestmark = pytest.mark.filterwarnings("ignore::jaxneuro.results.TrainingWarning")
# One of them in every run of the tests, the others with the proofs.
MARKS = {"delayed XOR": pytest.mark.slow}


def small(name):
    """The task with shorter trials and fewer steps."""
    if name == "delayed XOR":
        return tasks.Decision(lambda n, key: learning.delayed_xor(n, cue=10, delay=10, key=key), 40, last=10, steps=60)
    if name == "cue accumulation":
        make = lambda n, key: learning.cue_accumulation(n, n_cues=3, wait=15, key=key)  # noqa: E731
        return tasks.Decision(make, 20, last=10, steps=40)
    return tasks.Generation(n_steps=100, steps=60, rate=1e-2)


@pytest.mark.parametrize("name", [pytest.param(n, marks=MARKS.get(n, pytest.mark.proof)) for n in tasks.TASKS])
def test_training_lowers_the_loss(name):
    with jax.numpy_dtype_promotion("standard"):
        found = tasks.outcome(small(name), 0, batch=32, hidden=40, test=200)
    assert found.last_loss < 0.5 * found.first_loss
    if name == "pattern generation":
        assert found.after < 0.7
    else:
        assert found.after > 0.8
