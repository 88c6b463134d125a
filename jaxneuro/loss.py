"""What a fit makes small: strategies for `jn.fit(loss=)`."""

from ._fit import LeastSquares as LeastSquares, Likelihood as Likelihood, LogNormalScatter as LogNormalScatter
