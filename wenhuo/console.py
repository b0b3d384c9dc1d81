"""What a command says while it works: lines on standard output, a progress bar on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0


def say(message: str) -> None:
    """Print one line at once, so that a log follower sees it when it happens."""
    print(message, flush=True)


def track(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Yield ``items``, showing how far along we are: a bar in a terminal, elsewhere a line every ten seconds."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        yield from bar(items, what, total, console=Console(stderr=True), transient=True)
        return
    spoken = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - spoken > SECONDS_BETWEEN_LINES:
            spoken = time.monotonic()
            say(f"{what}: {count:,}" + (f" of {total:,}" if total else ""))
