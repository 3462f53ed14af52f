"""A progress bar for work that takes hours."""

from __future__ import annotations

import sys
import time


def duration(seconds: float) -> str:
    """Returns a time for people, such as 2h05m."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f}s"
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h{minutes % 60:02d}m"


class Progress:
    """Shows how much of `total` is done: a bar on a terminal, else a line now and then."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._begin = time.monotonic()
        self._first: float | None = None  # done when we began
        self._printed = (-1.0, 0.0)  # share and time of the last line
        self._live = sys.stderr.isatty()

    def show(self, done: float, what: str) -> None:
        """Tells that so much is done, and what is under way."""
        if self._first is None:
            self._first = done
        share = min(1.0, done / self._total) if self._total else 1.0
        line = f"{share:6.1%}  ETA {self._remaining(done)}  {what}"
        if self._live:
            bar = "#" * round(30 * share)
            print(f"\r\033[K[{bar:<30}] {line}"[:110], end="", file=sys.stderr, flush=True)
            return
        now = time.monotonic()
        if share - self._printed[0] >= 0.05 or now - self._printed[1] >= 60:
            self._printed = (share, now)
            print(line, file=sys.stderr, flush=True)

    def _remaining(self, done: float) -> str:
        assert self._first is not None
        gained = done - self._first
        if done >= self._total:
            return "0s"
        if gained <= 0:
            return "?"
        elapsed = time.monotonic() - self._begin
        return duration(elapsed * (self._total - done) / gained)
