"""Numerical tools that know nothing of neurons."""

from ._check import (
    check_finite as check_finite,
    check_nonnegative as check_nonnegative,
    check_positive as check_positive,
)
from ._leaf import as_leaf as as_leaf, is_concrete as is_concrete, leaf as leaf
