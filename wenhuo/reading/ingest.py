"""From readings to the corpus and an account of it: rows per file, split and label, and why rows were rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from wenhuo.errors import DataError
from wenhuo.reading.corpus import CorpusWriter, rejected_writer
from wenhuo.reading.formats import Reading
from wenhuo.reading.labels import LabelNames
from wenhuo.reading.records import Chunk

MOST_LABELS = 10_000
UNDIVIDED = "undivided"


@dataclass
class FileAccount:
    """What was read of one file."""

    reading: Reading
    rows: int = 0
    blank: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass
class Account:
    """What was read of a source."""

    source: str
    synthetic: bool
    ignored: list[str]
    files: list[FileAccount] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows the corpus has."""
        return sum(file.rows for file in self.files)

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return self.reasons.total()

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were rejected for each reason."""
        return sum((file.reasons for file in self.files), Counter[str]())

    @property
    def splits(self) -> Counter[str]:
        """How many rows each split has."""
        counts = Counter[str]()
        for file in self.files:
            counts[file.reading.split or UNDIVIDED] += file.rows
        return counts

    def metadata(self) -> dict[str, Any]:
        """What the corpus says about itself."""
        return {"source": self.source, "synthetic": self.synthetic, "label_order": self.order or None}

    def report(self) -> dict[str, Any]:
        """All of it as JSON; labels in their order, or sorted."""
        labels = [name for name in self.order if name in self.labels] + sorted(set(self.labels) - set(self.order))
        return {
            "source": self.source,
            "synthetic": self.synthetic,
            "rows": self.rows,
            "rejected": self.rejected,
            "splits": dict(self.splits),
            "labels": {name: self.labels[name] for name in labels},
            "reasons": dict(sorted(self.reasons.items())),
            "files": {file.reading.origin: _file_report(file) for file in self.files},
            "ignored": self.ignored,
        }

    def lines(self) -> list[str]:
        """The same in one or two lines for a person."""
        splits = ", ".join(f"{name} {count:,}" for name, count in self.splits.items())
        encodings = dict.fromkeys(file.reading.encoding or file.reading.format for file in self.files)
        source = f"{self.source}{' (synthetic)' if self.synthetic else ''}"
        read = f"read {self.rows:,} rows from {source}: {splits}; {len(self.labels)} labels; {', '.join(encodings)}"
        why = ", ".join(f"{reason} {count:,}" for reason, count in self.reasons.most_common())
        aside = [f"set aside {self.rejected:,} rows: {why}"] if why else []
        return [read, "; ".join([*aside, *([f"ignored: {', '.join(self.ignored)}"] if self.ignored else [])])][
            : 1 + bool(aside or self.ignored)
        ]


def read_into(
    readings: Iterable[Reading], names: LabelNames | None, found: Mapping[str, Any], corpus: Path, rejected: Path
) -> Account:
    """Write the rows of all readings into a corpus, and those that cannot be read beside it.

    Args:
        readings: the files, in the order in which they are read.
        names: names for labels, where the parameters give any.
        found: the source's fingerprint.
        corpus: Parquet file to write.
        rejected: Parquet file to write.

    Raises:
        SourceError: a source cannot be read.
        DataError: a file is not what it seems, or a label has no name.
    """
    account = Account(
        found["source"], found["kind"] == "sample", list(found["ignored"]), order=list(names.order) if names else []
    )
    files = iter(readings)
    first = next(files)
    account.order = account.order or list(first.names or ())
    with CorpusWriter(corpus, account.metadata()) as writer, rejected_writer(rejected) as write_rejected:
        for reading in chain([first], files):
            file = FileAccount(reading)
            account.files.append(file)
            account.ignored += [name for name in reading.ignored if name not in account.ignored]
            _check_names(account, reading)
            for chunk in reading.chunks:
                if names:
                    _rename(chunk, names, reading)
                writer.add(chunk, reading.split, reading.origin)
                write_rejected(reading.origin, chunk.rejected)
                _count(account, file, chunk)
    return account


def _check_names(account: Account, reading: Reading) -> None:
    if reading.names and reading.names != account.order:
        raise DataError(
            f"{reading.origin} names its labels {', '.join(reading.names[:10])}, the files before it"
            f" {', '.join(account.order[:10]) or 'not at all'}",
            "give them one set of names with ingest.label_names",
        )


def _rename(chunk: Chunk, names: LabelNames, reading: Reading) -> None:
    first = dict(zip(reversed(chunk.labels), reversed(chunk.rows), strict=True))
    renamed = {label: names.name(label, f"{reading.origin}, row {row}") for label, row in first.items()}
    chunk.labels = [renamed[label] for label in chunk.labels]


def _count(account: Account, file: FileAccount, chunk: Chunk) -> None:
    file.rows += len(chunk.texts)
    file.blank += chunk.blank
    file.reasons.update(row.reason for row in chunk.rejected)
    account.labels.update(chunk.labels)
    if len(account.labels) > MOST_LABELS:
        column = file.reading.columns.label
        raise DataError(
            f"{file.reading.origin}: the column {column!r} has more than {MOST_LABELS:,} different values",
            "set ingest.label to the column that holds the label",
        )


def _file_report(file: FileAccount) -> dict[str, Any]:
    reading = file.reading
    return {
        "rows": file.rows,
        "rejected": file.reasons.total(),
        "empty_lines": file.blank,
        "split": reading.split,
        "format": reading.format,
        "encoding": reading.encoding,
        "text": reading.columns.text,
        "label": reading.columns.label,
        "reasons": dict(sorted(file.reasons.items())),
    }
