"""The history of a project's data: what each version was like, one line a version, appended and never rewritten.

``reports/versions.jsonl`` depends on what was run here before, so it is no output of the graph: equal inputs still give
an equal ``dvc.lock``. A line is a version that was let through, or ``{"accepted": …}``, a person's word that a version
may differ as it does. A line that cannot be read is passed over, said, and kept.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from wenhuo.errors import DataError
from wenhuo.files import read_json

HISTORY = "versions.jsonl"
DRIFT_REPORT = "drift.json"
DRIFT_PAGE = "drift.html"
CODES = 0x110000  # Unicode's code points


def encode_alphabet(codes: np.ndarray[Any, Any]) -> str:
    """Code points in rising order as text: the steps from one to the next, 7 bits a byte (LEB128), in Base64.

    The 5,000 characters of a Chinese corpus take 8 kilobytes; the same on every machine, which no compression promises.
    """
    steps = np.diff(codes.astype(np.int64), prepend=0)
    written = bytearray()
    for step in steps.tolist():
        while step > 0x7F:
            written.append(step & 0x7F | 0x80)
            step >>= 7
        written.append(step)
    return base64.b64encode(bytes(written)).decode("ascii")


def decode_alphabet(text: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The code points that ``encode_alphabet`` was given.

    Raises:
        ValueError: it is no such text.
    """
    codes: list[int] = []
    code = step = shift = 0
    for byte in base64.b64decode(text, validate=True):
        step |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # the last byte of a step
            code, step, shift = code + step, 0, 0
            codes.append(code)
    if code >= CODES:
        raise ValueError("it holds what is no character")
    return np.array(codes, dtype=np.int64)


def _sound(alphabet: str) -> str:
    decode_alphabet(alphabet)
    return alphabet


class Version(BaseModel):
    """What a data version was like, without any of its texts; fields of later releases are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    corpus: str = Field(description="SHA-256 of the corpus file, in hexadecimal.")
    source: str | None = Field(None, description="What it was read from.")
    when: str | None = Field(None, description="When it was first let through here, UTC; null where that is not known.")
    rows: dict[str, int] = Field(description="Rows: all, and of each split there is.")
    sources: dict[str, int] = Field(description="Rows of each source.")
    labels: dict[str, int] | None = Field(description="Rows of each label; null when there are too many to be labels.")
    lengths: dict[str, int] = Field(description="Rows by the length of their text: least characters of a bin to rows.")
    quantiles: dict[str, int] = Field(description="Characters of a text: median, p90, p99, longest.")
    characters: int = Field(description="Characters of all texts.")
    alphabet: Annotated[str, AfterValidator(_sound)] = Field(
        description="The characters that occur, see encode_alphabet."
    )


@dataclass(frozen=True)
class History:
    """What the history says.

    Attributes:
        versions: those that were let through, oldest first; a version stands there again when one came back to it.
        accepted: corpora that a person accepted.
        unreadable: for each line that cannot be read, its number and why.
    """

    versions: list[Version]
    accepted: frozenset[str]
    unreadable: list[str]

    def before(self, corpus: str) -> Version | None:
        """The version that a corpus is compared with: the last one that is not the same."""
        return next((version for version in reversed(self.versions) if version.corpus != corpus), None)


def read_history(path: Path) -> History:
    """The history in a file; an empty one when there is none."""
    versions, accepted, unreadable = [], set(), []
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
            if "accepted" in value:
                accepted.add(str(value["accepted"]))
            else:
                versions.append(Version.model_validate(value))
        except (orjson.JSONDecodeError, ValidationError, TypeError) as error:
            unreadable.append(f"line {number}: {_reason(error)}")
    return History(versions, frozenset(accepted), unreadable)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}" if first["loc"] else first["msg"].lower()
    return " ".join(str(error).split()).partition(": line")[0]


def remember(path: Path, version: Mapping[str, Any], *, now: bool = True) -> None:
    """Append a version that was let through.

    Args:
        path: the history.
        version: the values of :class:`Version`.
        now: it was let through now; otherwise its time is not known.
    """
    when = datetime.now(UTC).isoformat(timespec="seconds") if now else None
    _append(path, {**version, "when": when})


def accept(reports: Path) -> str:
    """Write down that the version which drifted may go on, and return its corpus's hash.

    Args:
        reports: the folder with drift.json.

    Raises:
        DataError: there is no drift.json, or nothing in it waits to be accepted.
    """
    try:
        report = read_json(reports / DRIFT_REPORT)
        corpus, errors, accepted = str(report["corpus"]), int(report["errors"]), bool(report["accepted"])
    except FileNotFoundError:
        raise DataError(
            f"{reports / DRIFT_REPORT} does not exist: nothing waits to be accepted", "run `dvc repro`"
        ) from None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise DataError(f"{reports / DRIFT_REPORT} cannot be read", "run `dvc repro validate --force`") from None
    if not errors:
        raise DataError("the last version was let through: nothing waits to be accepted", "run `dvc repro` on new data")
    if not accepted and corpus not in read_history(reports / HISTORY).accepted:
        _append(reports / HISTORY, {"accepted": corpus, "when": datetime.now(UTC).isoformat(timespec="seconds")})
    return corpus


def _append(path: Path, value: Mapping[str, Any]) -> None:
    """Add a line by one write; a last line that was cut off keeps a line of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0, 2)
        torn = file.tell() > 0 and _last_byte(path) != b"\n"
        file.write((b"\n" if torn else b"") + orjson.dumps(value) + b"\n")


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)
