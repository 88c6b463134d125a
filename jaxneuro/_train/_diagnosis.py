"""What goes wrong in training without an error: found in the history of a run, with what to try."""

import numpy as np

# A neuron faster than this exceeds every cortical neuron: its derivatives are those of a runaway.
_FASTEST = 500.0
# Steps over which a loss has to move, at the least.
_WINDOW = 20


class TrainingWarning(UserWarning):
    """Training goes on, but something in it is likely not as wanted.

    ```python
    >>> import warnings, jaxneuro as jn
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", jn.results.TrainingWarning)
    ...     pass                                                              # a call that is known to warn of it

    ```
    """


class Finding:
    """What was found, and what to try."""

    def __init__(self, kind: str, text: str):
        self.kind, self.text = kind, text

    def __repr__(self) -> str:
        return f"{self.kind}: {self.text}"


def diagnose(
    loss: np.ndarray,
    norms: np.ndarray,
    names: list[str],
    slowest: dict[str, np.ndarray],
    fastest: dict[str, np.ndarray],
) -> list[Finding]:
    """Findings of a run.

    `loss` (steps,); `norms` (steps, leaves) of the gradient by leaf, called `names`; by population the share of silent
    neurons, `slowest`, and the highest rate [Hz], `fastest`, at each step.
    """
    found = []
    recent = slice(-_WINDOW, None)
    for name, shares in slowest.items():
        if shares.size and np.mean(shares[recent]) > 0.5:
            text = (
                f"{100 * np.mean(shares[recent]):.0f}% of {name!r} are silent, and learn from spikes that nearly came "
                "alone. Try larger initial weights or input, a wider surrogate, or `jn.learning.rate_bounds(low=...)`."
            )
            found.append(Finding("dead units", text))
    for name, rates in fastest.items():
        if rates.size and np.median(rates[recent]) > _FASTEST:
            text = (
                f"a neuron of {name!r} fires at {np.median(rates[recent]):.0f} Hz. Try smaller weights, inhibition, a "
                "lower learning rate, or `jn.learning.rate_bounds(high=...)`."
            )
            found.append(Finding("exploding units", text))
    for name, column in zip(names, norms.T, strict=True):
        if column.size and np.all(column[recent] == 0):
            text = (
                f"the gradient of {name} is exactly 0: no path leads from it to the loss, or every spike on the path "
                "lies beyond the surrogate. Check the loss, give the run a `surrogate`, or take a wider one."
            )
            found.append(Finding("vanished gradient", text))
    total = np.sqrt(np.sum(norms.astype(float) ** 2, axis=1))  # a square may leave the range of float32
    total = total[total > 0]  # what wakes does not explode
    jumps = [total[i] / np.median(total[:i]) for i in range(3, total.size)]
    if jumps and max(jumps) > 1e4:
        text = (
            f"the norm of the gradient was {max(jumps):.2g} times what it was before. Try `optax.clip_by_global_norm`, "
            "a narrower or dampened surrogate, or `jn.adjoint.Truncated`."
        )
        found.append(Finding("exploding gradient", text))
    if loss.size >= 2 * _WINDOW:
        before, now = loss[-2 * _WINDOW : -_WINDOW], loss[recent]
        noise = np.std(np.concatenate([before, now])) / np.sqrt(_WINDOW)
        gain = np.mean(before) - np.mean(now)
        # Of a loss that starts at 0 or below: where it is no lower than it began.
        little = 0.5 * loss[0] if loss[0] > 0 else loss[0] - 1e-3 * abs(loss[0]) - noise
        if gain < 1e-3 * abs(np.mean(before)) + noise and np.mean(now) > little:
            text = (
                f"over {2 * _WINDOW} steps it went from {np.mean(before):.4g} to {np.mean(now):.4g}, and began at "
                f"{loss[0]:.4g}. Try another learning rate or a schedule, and `jn.audit_gradient`."
            )
            found.append(Finding("loss stopped moving", text))
    return found
