"""What was read: rows per source, file, split and label, and why rows were rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wenhuo.reading.formats import Reading
from wenhuo.splits import UNDIVIDED


@dataclass
class FileAccount:
    """What was read of one file."""

    reading: Reading
    rows: int = 0
    blank: int = 0
    again: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass
class Account:
    """What was read of all sources."""

    sources: Sequence[Mapping[str, Any]]
    ignored: list[str]
    files: list[FileAccount] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The one source's address, or the names of several."""
        return str(self.sources[0]["source"]) if len(self.sources) == 1 else " + ".join(self.names)

    @property
    def names(self) -> list[str]:
        """The names of the sources."""
        return [str(source["name"]) for source in self.sources]

    @property
    def synthetic(self) -> bool:
        """Whether the built-in sample is among the sources."""
        return any(source["kind"] == "sample" for source in self.sources)

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
        return _splits(self.files)

    def metadata(self) -> dict[str, Any]:
        """What the corpus says about itself."""
        about = {"source": self.source, "synthetic": self.synthetic, "label_order": self.order or None}
        return about | {"sources": self.names}

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
            "sources": {str(source["name"]): self._source_report(source) for source in self.sources},
            "files": {self.file_name(file.reading): _file_report(file) for file in self.files},
            "ignored": self.ignored,
        }

    def file_name(self, reading: Reading) -> str:
        """A file's name in the report: several sources may have files of one name."""
        return reading.origin if len(self.sources) == 1 else f"{reading.source}: {reading.origin}"

    def lines(self) -> list[str]:
        """The same in a few lines for a person."""
        encodings = dict.fromkeys(file.reading.encoding or file.reading.format for file in self.files)
        source = f"{self.source}{' (synthetic)' if self.synthetic else ''}"
        counted = f"{_listed(self.splits)}; {len(self.labels)} labels; {', '.join(encodings)}"
        said = [f"read {self.rows:,} rows from {source}: {counted}"]
        if len(self.sources) > 1:
            parts = {name: sum(file.rows for file in self._files_of(name)) for name in self.names}
            said.append(f"by source: {_listed(parts)}")
        aside = [f"set aside {self.rejected:,} rows: {_listed(dict(self.reasons.most_common()))}"]
        aside = aside if self.rejected else []
        aside += [f"ignored: {', '.join(self.ignored)}"] if self.ignored else []
        return said + ["; ".join(aside)] * bool(aside)

    def _files_of(self, name: str) -> list[FileAccount]:
        return [file for file in self.files if file.reading.source == name]

    def _source_report(self, source: Mapping[str, Any]) -> dict[str, Any]:
        files = self._files_of(str(source["name"]))
        return {
            "source": source["source"],
            "kind": source["kind"],
            "rows": sum(file.rows for file in files),
            "rejected": sum(file.reasons.total() for file in files),
            "splits": dict(_splits(files)),
        }


def _splits(files: Iterable[FileAccount]) -> Counter[str]:
    counts = Counter[str]()
    for file in files:
        counts[file.reading.split or UNDIVIDED] += file.rows
    return counts


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _file_report(file: FileAccount) -> dict[str, Any]:
    reading = file.reading
    report = {
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
    return report | ({"further_annotations": file.again} if file.again else {})
