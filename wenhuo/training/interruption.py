"""Signals that end a training between two steps, when it has saved what it knows."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

from wenhuo.errors import WenhuoError

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(WenhuoError):  # noqa: N818 - it is no error: somebody asked
    """A signal asked the training to end; a checkpoint has been saved."""


class StopRequest:
    """While it is entered, SIGTERM and SIGINT are a request to save and stop after the present step.

    Attributes:
        asked: whether one has come.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
