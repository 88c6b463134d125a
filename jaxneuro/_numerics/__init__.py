"""Numerical tools that know nothing of neurons."""

from ._bijection import (
    AbstractBijection as AbstractBijection,
    Interval as Interval,
    Positive as Positive,
    Unbounded as Unbounded,
)
from ._check import (
    check_finite as check_finite,
    check_nonnegative as check_nonnegative,
    check_positive as check_positive,
)
from ._files import replacing as replacing, write_text as write_text
from ._lambert_w import lambert_w as lambert_w, wright_omega as wright_omega
from ._leaf import as_leaf as as_leaf, is_concrete as is_concrete, leaf as leaf
