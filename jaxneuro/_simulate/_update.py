"""In which order the units of a binary network are updated."""

import equinox as eqx


class AbstractUpdate(eqx.Module):
    """An order of updates."""


class Sequential(AbstractUpdate):
    """One unit at a time, each after independent random intervals of mean `tau`.

    The updates of the network are one Poisson process of rate sum_p n_p / tau_p; each takes a unit
    drawn at random, with odds 1 / tau, and sets it by the field of that moment. In a step of dt
    their number is Poisson and their order is kept; dt only says how often recorders look and how
    often a stimulus changes.

    The order is exact although updates are computed in blocks: the fields of a block's updates are
    counted once, then corrected for the changes of earlier updates of the block, until none is left
    to correct.

    Source: van Vreeswijk and Sompolinsky (1998), doi:10.1162/089976698300017214, section 2.
    """


class Parallel(AbstractUpdate):
    """All units at once, every `tau`: each by the fields before the update. `dt` has to be `tau`.

    Source: Little (1974), doi:10.1016/0025-5564(74)90031-5.
    """
