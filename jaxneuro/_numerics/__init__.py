"""Numerical tools that know nothing of neurons."""

from ._check import (
    check_finite as check_finite,
    check_nonnegative as check_nonnegative,
    check_positive as check_positive,
)
from ._clock import (
    check_dt as check_dt,
    count_steps as count_steps,
    delay_steps as delay_steps,
    to_milliseconds as to_milliseconds,
)
from ._keys import check_key as check_key, role_key as role_key, step_keys as step_keys
from ._leaf import as_leaf as as_leaf, is_concrete as is_concrete, leaf as leaf
from ._poisson import PoissonTable as PoissonTable
from ._result import Result as Result
