"""Normally distributed in-degrees, of which none should be negative."""

import warnings

import numpy as np
from jaxtyping import Array, Float

from .._numerics import is_concrete
from ..laws import OutsideTheoryWarning

# At this standard deviation over the mean one in-degree in a hundred is negative: 1/2.326.
_MOST_CV = 0.429858


def warn_of_negative(name: str, cv: Float[Array, "..."], *, stacklevel: int) -> None:
    """Warns where over 1% of in-degrees of a known coefficient of variation `cv` would be negative."""
    if not is_concrete(cv):
        return
    most = float(np.max(np.asarray(cv)))
    if most > _MOST_CV:
        warnings.warn(
            f"`{name}`: at a standard deviation of {most:.3g} times the mean over 1% of the in-degrees "
            "would be negative: runs cut them at 0, and theory is of normal ones.",
            OutsideTheoryWarning,
            stacklevel=stacklevel + 1,
        )
