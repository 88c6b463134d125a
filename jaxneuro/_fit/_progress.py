"""A progress line on standard error."""

import sys


class ProgressLine:
    """Shows "what: done of total" on one line; silent where `show` is false, or None and no terminal reads it."""

    def __init__(self, what: str, show: bool | None):
        self._what = what
        self._show = sys.stderr.isatty() if show is None else show

    def __call__(self, step: str, done: int, total: int) -> None:
        """Updates the line; ends it where `done` equals `total`."""
        if not self._show:
            return
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{self._what}: {step} {done} of {total}{end}")
        sys.stderr.flush()
