"""The law of the number of spikes in a step: strategies for `jn.PoissonDrive(counts=)`."""

from ._network import GaussianCounts as GaussianCounts, PoissonCounts as PoissonCounts
