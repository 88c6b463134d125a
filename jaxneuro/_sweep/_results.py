"""What the runs of a sweep have given so far, in memory."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import Result
from ._execution import Finished, sentence_of
from ._grid import Grid
from ._outputs import Output, code_attributes

if TYPE_CHECKING:
    import xarray

RESULT = "result"
# The attribute that holds what was said of runs that raised.
ERRORS = "errors"
_RAISED = np.asarray(Result.run_raised._value)


class SweepWarning(UserWarning):
    """Runs of a sweep raised, or its store could not be written; the sweep went on.

    ```python
    >>> import warnings, jaxneuro as jn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", jn.results.SweepWarning)
    ...     pass                                                              # a call that is known to warn of it

    ```
    """


def with_result(outputs: list[Output]) -> list[Output]:
    """The outputs of `run`, and `result` where it returns none."""
    if any(output.name == RESULT for output in outputs):
        return outputs
    return [*outputs, Output(RESULT, (), np.dtype(_RAISED.dtype), code_attributes(Result))]


class Results:
    """Values of every output with the runs in front, which runs are done, and where and why some raised."""

    def __init__(self, grid: Grid, outputs: list[Output]):
        self.grid, self.outputs = grid, outputs
        self.values = [np.full((grid.n_runs, *o.shape), fill_of(o.dtype), o.dtype) for o in outputs]
        self.done = np.zeros(grid.n_runs, bool)
        self.sentences: dict[int, str] = {}

    def put(self, part: Finished) -> np.ndarray:
        """Keeps what has finished; returns the numbers of the runs that are new."""
        new = part.runs[~self.done[part.runs]]
        if part.error is not None:
            for run in new.tolist():
                self.sentences[run] = f"{self.grid.describe(run)}: {sentence_of(part.error)}"
            for output, whole in zip(self.outputs, self.values, strict=True):
                if output.name == RESULT and "run_raised" in output.attributes.get("flag_meanings", ""):
                    whole[new] = _RAISED
        else:
            rows = np.isin(part.runs, new)
            for whole, given in zip(self.values, part.values, strict=False):  # but for a `result` that is added
                whole[new] = given[rows]
        self.done[new] = True
        return new

    def take(self, runs: np.ndarray, found: Mapping[str, Any], lines: np.ndarray | None) -> None:
        """Takes what a store holds of runs: the values by name, and the sentences as lines of bytes."""
        for output, whole in zip(self.outputs, self.values, strict=True):
            whole[runs] = found[output.name].reshape(len(runs), *output.shape)
        if lines is not None:
            for run, line in zip(runs.tolist(), lines.reshape(len(runs), -1), strict=True):
                if line[0]:
                    self.sentences[run] = text_of(line)
        self.done[runs] = True

    def shaped(self, place: int) -> np.ndarray:
        """The values of one output over the dimensions of the sweep."""
        return self.values[place].reshape(self.grid.shape + self.outputs[place].shape)

    def dataset(self, own_dims: dict[str, tuple[str, ...]], attributes: dict[str, Any]) -> "xarray.Dataset":
        """All of it, labelled."""
        import xarray

        variables = {
            output.name: (self.grid.dims + own_dims.get(output.name, ()), self.shaped(place), output.attributes)
            for place, output in enumerate(self.outputs)
        }
        errors = {ERRORS: [text for _, text in sorted(self.sentences.items())]} if self.sentences else {}
        return xarray.Dataset(variables, self.grid.coordinates, {**attributes, **errors})


def fill_of(dtype: np.dtype) -> Any:
    """What stands where nothing is known."""
    return np.nan if dtype.kind == "f" else 0


def text_of(line: np.ndarray) -> str:
    """A sentence out of its bytes."""
    return bytes(line).rstrip(b"\0").decode(errors="ignore")
