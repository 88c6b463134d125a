"""Statistics that do not settle where the input has no variance."""

import warnings
from collections.abc import Mapping
from typing import Any

from .._network import Network
from .._numerics import OutsideTheoryWarning, violates
from .record import AbstractRecorder


def warn_of_tails(net: Network, record: Any) -> None:
    """Warns where a recorder takes a variance and weights are so heavy-tailed that their input has none."""
    if not isinstance(record, Mapping):
        return
    names = [n for n, r in record.items() if isinstance(r, AbstractRecorder) and r.takes_variance()]
    if not names:
        return
    laws = [projection.law for projection in net.projections]
    laws += [stream.weight for drive in net.drives for stream in _streams(drive)]
    tails = [tail for law in laws if (tail := law.tail()) is not None]
    if any(violates(lambda alpha: alpha >= 2.0, tail.alpha) for tail in tails):
        warnings.warn(
            f"`record[{names[0]!r}]` takes a variance, and weights with a tail of `alpha` below 2 give input that "
            "has none: what it gives grows with the run. Take `Histogram`, or quantiles of a `Trace`.",
            OutsideTheoryWarning,
            stacklevel=2,
        )


def _streams(drive: Any) -> tuple:
    try:
        return drive.afferent().streams
    except ValueError:  # a drive that says nothing to theory
        return ()
