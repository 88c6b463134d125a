"""What keeps a parameter where it is allowed: strategies for `jn.fit(bounds=)`."""

from ._numerics import Dale as Dale, Interval as Interval, Positive as Positive, Unbounded as Unbounded
