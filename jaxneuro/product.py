"""How a ring sums over its weights: strategies for `jn.Ring(product=)`."""

from .models import FFT as FFT, Dense as Dense, LowRank as LowRank
