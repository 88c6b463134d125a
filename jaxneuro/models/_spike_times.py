"""Where in a step spikes are."""

from .._numerics import Shown


class AbstractSpikeTimes(Shown):
    """A treatment of the times of spikes."""

    def outdated(self) -> str | None:
        """What to write instead, in a sentence; None of what stands."""
        return None


class InsideSteps(AbstractSpikeTimes):
    """Spikes at their times inside the steps, found in closed form, with the exact derivatives of these times.

    ```python
    >>> import jaxneuro as jn
    >>> spike_times = jn.InsideSteps()

    ```

    Source: Morrison et al. (2007), doi:10.1162/neco.2007.19.1.47.
    """
