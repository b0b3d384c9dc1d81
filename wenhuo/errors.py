"""What can go wrong in a way that a person can mend, as a small tree.

WenhuoError
├── SettingsError      params.yaml: unknown, missing or unfit parameters, all reported together
├── SourceError        a file, folder, URL or hub data set that cannot be found or read
├── DataError          what was read does not fit: columns, labels, splits, too many rejected rows
├── ValidationError    an expectation of level "error" was not met
├── ModelError         a model folder that is damaged, unknown or refused
├── TrackingError      the MLflow server or store
└── GraphError         dvc.yaml, dvc.lock, the DVC repository

Each is raised where the mistake is seen and printed once, at the edge (``python -m tasks``, ``wenhuo``,
``python -m flows.retrain``): what is wrong and where on one line, what to do on the next.
"""

from __future__ import annotations

import sys
from collections.abc import Callable


class WenhuoError(Exception):
    """A mistake or fault that the person at the keyboard can mend; exit code 1.

    Args:
        what: what is wrong and where (file, row, column, parameter), one sentence without a full stop.
        hint: what to do about it, one sentence.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}\n  → {self.hint}" if self.hint else self.what


class SettingsError(WenhuoError):
    """A parameter is unknown, missing or unfit."""


class SourceError(WenhuoError):
    """A source cannot be found or read."""


class DataError(WenhuoError):
    """What was read does not fit: columns, labels, splits."""


class ValidationError(WenhuoError):
    """The data break an expectation of level ``error``."""


class ModelError(WenhuoError):
    """A model folder is damaged, unknown or refused."""


class TrackingError(WenhuoError):
    """MLflow cannot be reached or answers with an error."""


class GraphError(WenhuoError):
    """The stage graph or its lock file cannot be read."""


def exit_code(work: Callable[[], int | None]) -> int:
    """Do the work of a command, and say on standard error what the user can mend.

    Returns:
        What the work returns, 0 for nothing; 1 after a :class:`WenhuoError`; 130 after Ctrl-C, as shells have it.
    """
    try:
        return work() or 0
    except WenhuoError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
