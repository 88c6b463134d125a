"""In which order binary units are updated."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, UInt

from ..._numerics import PoissonTable, Shown, is_concrete
from ._plan import BinaryPlan
from ._updates import parallel_step, sequential_step


class AbstractAdvance(eqx.Module):
    """A step of the network, with what it needs computed once."""

    @abc.abstractmethod
    def step(
        self, plan: BinaryPlan, words: UInt[Array, "words"], outside: Float[Array, "n"], key: PRNGKeyArray
    ) -> UInt[Array, "words"]:
        """The state after a step; `outside` is the field from outside, less the threshold."""


class AbstractUpdate(Shown):
    """An order of updates."""

    @abc.abstractmethod
    def prepare(self, plan: BinaryPlan) -> AbstractAdvance:
        """What makes a step of a run."""

    def check(self, taus: list[tuple[str, Float[Array, ""]]], dt: float) -> None:
        """Raises `ValueError` where populations of these tau [ms] cannot be updated so in steps of `dt` [ms]."""


class _OneByOne(AbstractAdvance):
    table: PoissonTable

    def step(self, plan: BinaryPlan, words: Any, outside: Any, key: PRNGKeyArray) -> UInt[Array, "words"]:
        return sequential_step(plan, self.table, words, outside, key)


class _AllAtOnce(AbstractAdvance):
    def step(self, plan: BinaryPlan, words: Any, outside: Any, key: PRNGKeyArray) -> UInt[Array, "words"]:
        return parallel_step(plan, words, outside, key)


class Sequential(AbstractUpdate):
    """One unit at a time, each after independent random intervals of mean `tau`.

    The updates of the network are one Poisson process of rate sum_p n_p / tau_p; each takes a unit
    drawn at random, with odds 1 / tau, and sets it by the field of that moment. In a step of dt
    their number is Poisson and their order is kept; dt only says how often recorders look and how
    often a stimulus changes.

    The order is exact although updates are computed in blocks: the fields of a block's updates are
    counted once, then corrected for the changes of earlier updates of the block, until none is left
    to correct.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.binary(k=20, n_e=100, n_i=100, m0=0.2)
    >>> record = {"activity": jn.record.PopulationActivity(), "mean": jn.record.MeanActivity()}
    >>> record = record | {"states": jn.record.UnitStates()}
    >>> sol = jn.simulate(net, 0.0, 20.0, dt=1.0, key=jax.random.key(0), update=jn.update.Sequential(), record=record)
    >>> sol["activity"]["E"].shape, sol["mean"]["E"].shape, sol["states"]["E"].as_array().shape
    ((20,), (100,), (20, 100))

    ```

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, section 2.
    """

    def prepare(self, plan: BinaryPlan) -> AbstractAdvance:
        """With the law of the number of updates in a step."""
        return _OneByOne(PoissonTable(jnp.sum(plan.per_step)))


class Parallel(AbstractUpdate):
    """All units at once, every `tau`: each by the fields before the update. `dt` has to be `tau`.

    ```python
    >>> import jax, jaxneuro as jn
    >>> net = jn.networks.binary(k=20, n_e=100, n_i=100, m0=0.2, tau_e=10.0, tau_i=10.0)
    >>> record = {"activity": jn.record.PopulationActivity()}
    >>> sol = jn.simulate(net, 0.0, 50.0, dt=10.0, key=jax.random.key(0), update=jn.update.Parallel(), record=record)
    >>> sol["activity"]["E"].shape
    (5,)

    ```

    Source: Little (1974), doi:10.1016/0025-5564(74)90031-5.
    """

    def prepare(self, plan: BinaryPlan) -> AbstractAdvance:
        """Nothing to compute."""
        return _AllAtOnce()

    def check(self, taus: list[tuple[str, Float[Array, ""]]], dt: float) -> None:
        """Raises `ValueError` where a step is not the time between two updates."""
        for name, tau in taus:
            if is_concrete(tau) and abs(float(tau) - dt) > 1e-6 * dt:
                raise ValueError(
                    f"`dt` has to be `tau` under `Parallel()`, one update a step; got dt = {dt:g} ms and "
                    f"tau = {float(tau):g} ms in {name!r}."
                )
