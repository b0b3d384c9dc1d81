"""What was decided about models, one line a decision, appended and never rewritten: ``reports/decisions.jsonl``.

A line holds the SHA-256 of the line before it (``previous``; null in the first), so that a line which was changed,
taken out or put in breaks the chain after it. Reading verifies the chain and says where it breaks; nothing mends it,
and what is appended after a break is chained to the last line there is. A line that a killed process left half-written
cannot be read, but stays, and the next line seals it. What was cut off at the end breaks no chain: the versions in the
registry bear the hashes of their decisions, which then stand in no line.

The file depends on what was run here before, so it is no output of the graph (docs/decisions/0006).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import orjson
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

DECISIONS = "decisions.jsonl"
GATE = "gate"
Word = Literal["promoted", "challenger", "refused", "rolled back", "found"]


class Decision(BaseModel):
    """A line; fields of later releases are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    when: str = Field(description="UTC, to the second.")
    model: str = Field(description="The registered model.")
    verdict: Word = Field(description="found: the registry had another champion than the decisions before say.")
    reason: str
    version: int | None = Field(None, description="What was decided about; null where nothing was registered.")
    before: int | None = Field(None, description="The champion before the decision.")
    champion: int | None = Field(None, description="The champion after it.")
    by: str = Field(GATE, description="Who decided: gate, or a person.")
    why: str | None = Field(None, description="What that person gave as the reason.")
    candidate: str | None = Field(None, description="The candidate's name in params.yaml.")
    key: str | None = Field(None, description="Of the stage that trained it.")
    test_set: str | None = Field(None, description="Hash of the test set that it was measured on.")
    checks: list[dict[str, Any]] = Field([], description="Name, passed and reason of each question of the gate.")
    previous: str | None = Field(None, description="SHA-256 of the line before, in hexadecimal.")
    hash: str = Field("", exclude=True, description="SHA-256 of this line, in hexadecimal; stands in the next one.")


@dataclass(frozen=True)
class Chain:
    """The decisions, oldest first; what is wrong with the chain; lines that were left half-written."""

    decisions: list[Decision]
    broken: list[str]
    torn: list[str]
    last: str | None

    def of(self, model: str) -> list[Decision]:
        """The decisions about one registered model."""
        return [decision for decision in self.decisions if decision.model == model]

    def serving(self, model: str) -> list[Decision]:
        """Those that changed the champion of a model."""
        return [decision for decision in self.of(model) if decision.champion != decision.before]

    def champion(self, model: str) -> int | None:
        """The champion that the last decision about a model left."""
        known = self.of(model)
        return known[-1].champion if known else None

    def stack(self, model: str) -> list[int]:
        """The champions that can be gone back to, the present one last: a promotion adds one, going back takes off."""
        stack: list[int] = []
        for decision in self.serving(model):
            if decision.champion is None:
                continue
            if decision.verdict == "rolled back" and decision.champion in stack:
                del stack[stack.index(decision.champion) + 1 :]
            else:
                stack = [number for number in stack if number != decision.champion] + [decision.champion]
        return stack

    def taken_back(self, model: str, version: int) -> Decision | None:
        """The decision by which a person went back from a version, unless a person has promoted it since."""
        found = None
        for decision in self.serving(model):
            if decision.verdict == "rolled back" and decision.before == version:
                found = decision
            elif decision.champion == version:
                found = None
        return found


def read(reports: Path) -> Chain:
    """Read and verify the decisions in a folder; none where there is no file."""
    path = reports / DECISIONS
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    decisions, broken, torn = [], [], []
    last: str | None = None
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        found, trouble = _parse(line)
        if found is None:
            torn.append(f"line {number} cannot be read: {trouble}")
        else:
            decisions.append(found)
            if found.previous != last:
                broken.append(f"line {number} does not follow from the line before it: one of them was changed")
        last = sha256(line).hexdigest()
    return Chain(decisions, broken, torn, last)


def _parse(line: bytes) -> tuple[Decision | None, str]:
    try:
        values = orjson.loads(line)
        return Decision.model_validate({**values, "hash": sha256(line).hexdigest()}), ""
    except orjson.JSONDecodeError:
        return None, "it is cut off, or no JSON"
    except (ValidationError, TypeError) as error:
        return None, " ".join(str(error).split())[:120]


@contextmanager
def locked(reports: Path) -> Iterator[None]:
    """Hold the decisions, and the registry with them, for one process; a process that dies lets go. May be nested."""
    reports.mkdir(parents=True, exist_ok=True)
    with FileLock(reports.resolve() / f".{DECISIONS}.lock", is_singleton=True):  # one path, or it waits for itself
        yield


def append(reports: Path, values: Mapping[str, Any]) -> Decision:
    """Add a decision to the end, on the disk when this returns.

    Args:
        reports: the folder.
        values: those of :class:`Decision`; ``when`` and ``previous`` are filled in here.
    """
    with locked(reports):
        path = reports / DECISIONS
        now = datetime.now(UTC).isoformat(timespec="seconds")
        given = {**values, "when": now, "previous": read(reports).last}
        line = orjson.dumps(Decision.model_validate(given).model_dump(mode="json"))
        with path.open("a+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            torn = size > 0 and file.read(1) != b"\n"
            file.write((b"\n" if torn else b"") + line + b"\n")
            os.fsync(file.fileno())
    return Decision.model_validate({**given, "hash": sha256(line).hexdigest()})
