"""States of a network over two parameters, their stability, and the lines between."""

import inspect
import itertools
import numbers
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import ArrayLike, Bool, Float, Int

from .._network import Network
from .._numerics import Shown, as_leaf, check_finite, told
from ._effective_input import checked_noise
from ._noise import AbstractNoise
from ._phase_atlas import Atlas
from ._phase_lines import Boundary, boundaries, refined


class PhaseMap(Shown):
    """States over two parameters by rising rate, NaN beyond the last, and the lines between regimes.

    - `axes`: {name: values}, the first and the second axis of every array.
    - `rate` [Hz], `cv`: {population: (first, second, states)}.
    - `growth` [1/s], `frequency` [Hz], `stable`, `complete`: of the leading mode of each state, as in
      `Stability`, (first, second, states).
    - `n_states`: how many self-consistent states there are.
    - `boundaries`: the lines.
    """

    axes: dict[str, Float[np.ndarray, "_"]]
    rate: dict[str, Float[np.ndarray, "nx ny states"]]
    cv: dict[str, Float[np.ndarray, "nx ny states"]]
    growth: Float[np.ndarray, "nx ny states"]
    frequency: Float[np.ndarray, "nx ny states"]
    stable: Bool[np.ndarray, "nx ny states"]
    complete: Bool[np.ndarray, "nx ny states"]
    n_states: Int[np.ndarray, "nx ny"]
    boundaries: tuple[Boundary, ...]

    def highest(self, values: np.ndarray) -> np.ndarray:
        """Of an array over states the values at the state of highest rate, (first, second)."""
        last = np.maximum(self.n_states - 1, 0)[..., None]
        return np.take_along_axis(values, last, axis=2)[..., 0]

    def __str__(self) -> str:
        size = " x ".join(f"{name} {v[0]:g} to {v[-1]:g} ({v.size})" for name, v in self.axes.items())
        calm = np.mean(self.highest(self.stable))
        lines = [f"Phase map over {size}: up to {self.n_states.max()} states; the highest is stable on {calm:.0%}."]
        for line in self.boundaries:
            state = "highest" if line.highest else "lowest"
            if line.saddle_node:
                what = "saddle-node"
            else:
                what = f"{state} state: oscillations of {line.frequency.min():.3g} to {line.frequency.max():.3g} Hz"
            lines.append(f"  {what}, {len(line.points)} vertices")
        return "\n".join(lines)


def phase_boundaries(
    network: Callable[..., Network],
    *,
    over: Mapping[str, ArrayLike | Sequence[float]],
    noise: AbstractNoise | None = None,
    refine: int = 3,
    progress: bool | None = None,
) -> PhaseMap:
    """All self-consistent states of a network over two of its parameters, and where they lose stability.

    At every point of the grid all states of `mean_field`, low, intermediate, high and quiescent,
    with their rates, CVs and leading modes (`brunel_stability`). Lines are drawn where the leading
    mode of the highest or of the lowest state starts to grow, by bisection along the edges of the
    grid to a sixty-fourth, and where states come and go (saddle-node), to a thousandth. They are
    sought on a finer grid where states come and go or the highest rate more than doubles over an
    interval, as the slow oscillations of Brunel's network want that live on a strip below 0.1 nu_thr.
    Elsewhere a region narrower than the grid is not seen.

    **Arguments:**

    - `network`: a function of keywords that returns a `Network`, such as `jn.networks.brunel`, or a
      `functools.partial` of it.
    - `over`: {keyword: values}, two of them; the values rise.
    - `noise`: a theory of the noise that has a `response`, `EffectiveNoise()` by default.
    - `refine`: how often such intervals are halved; 0 takes the grid as it is.
    - `progress`: whether a line is shown on standard error, by default on a terminal.

    **Returns:** a `PhaseMap`, in numpy.

    Raises `ValueError` where `over` has not two axes of two or more rising values, otherwise as
    `brunel_stability`.

    Derivatives: none; take those of `brunel_stability` at a point.

    ```python
    >>> import jaxneuro as jn
    >>> axes = {"g": [4.5, 6.0], "nu_ext_over_nu_thr": [2.0, 4.0]}
    >>> seen = jn.theory.phase_boundaries(jn.networks.brunel, over=axes)
    >>> seen.highest(seen.stable).tolist(), len(seen.boundaries)
    ([[True, True], [True, False]], 1)
    >>> ax = jn.plot.phase_diagram(seen)

    ```

    Source: Brunel (2000), doi:10.1023/A:1008925309027, Figs. 2 and 7.
    """
    axes, theory = _axes(over), checked_noise(noise)
    _check_takes(network, tuple(axes))
    if isinstance(refine, bool) or not isinstance(refine, numbers.Integral) or refine < 0:
        raise ValueError(f"`refine` has to be a whole number of at least 0; got {told(refine)}.")
    if not isinstance(progress, bool | None):
        raise ValueError(f"`progress` has to be True, False or None; got {told(progress)}.")
    for corner in itertools.product(*((values[0], values[-1]) for values in axes.values())):
        network(**dict(zip(axes, map(float, corner), strict=True)))  # known values are refused where they are wrong
    atlas = Atlas(network, tuple(axes), theory, progress)
    seen = atlas.grid(axes)
    lines = boundaries(atlas, refined(atlas, axes, int(refine)))
    return PhaseMap(axes=axes, boundaries=lines, **vars(seen))


def _check_takes(network: Callable[..., Network], names: tuple[str, ...]) -> None:
    if not callable(network):
        raise ValueError(
            "`network` has to be a function of keywords that returns a Network, such as `jn.networks.brunel`; "
            f"got {type(network).__name__}."
        )
    parameters = inspect.signature(network).parameters
    if any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in names:
        if name not in parameters:
            raise ValueError(f"`over` names {name!r}, which `network` does not take; it takes {', '.join(parameters)}.")
        if parameters[name].annotation in (int, int | None, bool, str):
            raise ValueError(f"`over` names {name!r}, which is no continuous parameter of `network`.")


def _axes(over: Mapping[str, ArrayLike | Sequence[float]]) -> dict[str, np.ndarray]:
    if not isinstance(over, Mapping) or len(over) != 2:
        raise ValueError("`over` has to be a dict of two {keyword: values}.")
    axes = {}
    for name, values in over.items():
        axis = np.asarray(as_leaf(values, f"over[{name!r}]"))
        check_finite(f"over[{name!r}]", axis)
        if axis.ndim != 1 or axis.size < 2 or not np.all(np.diff(axis) > 0):
            raise ValueError(f"`over[{name!r}]` has to hold two or more rising values; got {values}.")
        axes[name] = axis
    return axes
