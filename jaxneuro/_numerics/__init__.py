"""Numerical tools that know nothing of neurons."""

from ._bijection import (
    AbstractBijection as AbstractBijection,
    Dale as Dale,
    Interval as Interval,
    Positive as Positive,
    Unbounded as Unbounded,
)
from ._bits import random_bits as random_bits
from ._by_content import by_content as by_content
from ._check import (
    MOST as MOST,
    check_broadcast as check_broadcast,
    check_count as check_count,
    check_finite as check_finite,
    check_nonnegative as check_nonnegative,
    check_positive as check_positive,
    check_precision as check_precision,
    check_yes_or_no as check_yes_or_no,
    in_a_line as in_a_line,
    is_one_float as is_one_float,
    told as told,
)
from ._clock import (
    check_dt as check_dt,
    count_steps as count_steps,
    delay_steps as delay_steps,
    distinguishes_steps as distinguishes_steps,
    last_distinguished as last_distinguished,
    run_steps as run_steps,
    to_milliseconds as to_milliseconds,
    whole_steps as whole_steps,
)
from ._compensated import added as added, remainder as remainder
from ._dawson import (
    dawson as dawson,
    dawson_derivative as dawson_derivative,
    dawson_difference as dawson_difference,
    exponential_integral as exponential_integral,
)
from ._dependence import uses_first as uses_first
from ._document import Decoder as Decoder, Encoder as Encoder, known_classes as known_classes, name_of as name_of
from ._erfcx import erfcx as erfcx
from ._exponential import (
    exponential as exponential,
    exponential_less_one as exponential_less_one,
    log_one_plus as log_one_plus,
)
from ._files import (
    as_path as as_path,
    check_target as check_target,
    replacing as replacing,
    write_text as write_text,
)
from ._hash import hashed_share as hashed_share
from ._horner import horner as horner
from ._implicit import implicit_by as implicit_by, implicit_root as implicit_root, implicit_roots as implicit_roots
from ._install import install as install
from ._json import as_json as as_json, from_json as from_json
from ._keys import check_key as check_key, default_key as default_key, role_key as role_key, step_keys as step_keys
from ._lambert_w import lambert_w as lambert_w, wright_omega as wright_omega
from ._leaf import (
    as_known as as_known,
    as_leaf as as_leaf,
    is_concrete as is_concrete,
    kept_known as kept_known,
    violates as violates,
)
from ._log_gamma import log_gamma as log_gamma, log_gamma_of_known as log_gamma_of_known
from ._memory import free_memory as free_memory
from ._moment import (
    moment as moment,
    moment_difference as moment_difference,
    moment_integral as moment_integral,
)
from ._moments import Moments as Moments
from ._one_at_a_time import one_at_a_time as one_at_a_time
from ._outside_theory import OutsideTheoryWarning as OutsideTheoryWarning
from ._palette import COLOURS as COLOURS, KIND_COLOURS as KIND_COLOURS
from ._phi import (
    decayed as decayed,
    decayed_behind as decayed_behind,
    log_ratio_over_difference as log_ratio_over_difference,
    phi as phi,
)
from ._physical import read_unit as read_unit
from ._platform import platform as platform
from ._pointwise import pointwise as pointwise
from ._poisson import LARGEST_MEAN as LARGEST_MEAN, PoissonTable as PoissonTable, below_probability as below_probability
from ._polynomials import TAIL_AT_ZERO as TAIL_AT_ZERO
from ._progress import ProgressLine as ProgressLine
from ._quadrature import Rule as Rule, gauss_legendre as gauss_legendre
from ._read import (
    is_real as is_real,
    read_array as read_array,
    read_indices as read_indices,
    read_labels as read_labels,
    read_marks as read_marks,
    read_numbers as read_numbers,
)
from ._relax import (
    bounded_exp as bounded_exp,
    growth as growth,
    linoid as linoid,
    linoid_from as linoid_from,
    relaxation_change as relaxation_change,
    relaxed as relaxed,
)
from ._result import Result as Result
from ._shown import Shown as Shown, html_table as html_table, shown_value as shown_value, units_of as units_of
from ._tail import tail as tail, tail_difference as tail_difference, tail_integral as tail_integral
from ._traced import (
    as_callable as as_callable,
    as_callable_of as as_callable_of,
    as_elementwise as as_elementwise,
)
from ._two_float import TwoFloat as TwoFloat
from ._undefined import where_defined as where_defined
from ._written_out import scan_steps as scan_steps
