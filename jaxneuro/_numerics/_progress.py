"""A progress line on standard error, with the time that is left."""

import sys
import time

_SECONDS_BETWEEN = 0.2


class ProgressLine:
    """Shows "what: 12 of 64 unit, 40 s left"; silent where `show` is false, or None and no terminal reads it."""

    def __init__(self, what: str, unit: str, total: int, show: bool | None):
        self._what, self._unit, self._total = what, unit, total
        self._show = sys.stderr.isatty() if show is None else show
        self._shown = time.monotonic()
        # Time is counted from the first that finish: what goes before is compilation.
        self._first: tuple[float, int] | None = None
        self._width = 0
        self._open = False

    def __call__(self, done: int) -> None:
        """Updates the line; ends it where `done` equals the total."""
        now = time.monotonic()
        if self._first is None and done > 0:
            self._first = (now, done)
        last = done >= self._total
        if not self._show or not (done == 0 or last or now - self._shown > _SECONDS_BETWEEN):
            return
        self._shown = now
        text = f"{self._what}: {done} of {self._total} {self._unit}"
        if self._first is not None and self._first[1] < done < self._total:
            started, before = self._first
            text += f", {_duration((now - started) / (done - before) * (self._total - done))} left"
        sys.stderr.write(f"\r{text:{self._width}s}" + ("\n" if last else ""))
        sys.stderr.flush()
        self._width, self._open = len(text), not last

    def close(self) -> None:
        """Ends a line that was left open, so that what follows stands on its own."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
