"""From sources to the corpus and an account of it.

``read_source`` needs no project: one address and a folder to write into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wenhuo.errors import DataError
from wenhuo.reading.account import Account, FileAccount
from wenhuo.reading.corpus import CorpusWriter, rejected_writer
from wenhuo.reading.formats import Reading
from wenhuo.reading.labels import LabelNames
from wenhuo.reading.options import Options, Source, sources_of
from wenhuo.reading.records import Chunk
from wenhuo.reading.sources import fingerprint, readings

MOST_LABELS = 10_000


def read_source(options: Options, folder: Path) -> Account:
    """Read what the options describe, with no project around: ``corpus.parquet`` and ``rejected.parquet`` in a folder.

    Args:
        options: at least the source, such as ``Options(source="reviews.xlsx", text="内容")``.
        folder: made when it is missing.

    Raises:
        SourceError: a source cannot be reached or read.
        DataError: a file is not what it seems, its columns are in doubt, or a label has no name.
    """
    sources = sources_of(options)
    found = fingerprint(sources, folder / ".source-cache.json")
    files = readings(sources, found, folder)
    return read_into(files, sources, found, folder / "corpus.parquet", folder / "rejected.parquet")


def read_into(
    files: Iterable[Reading], sources: Sequence[Source], found: Mapping[str, Any], corpus: Path, rejected: Path
) -> Account:
    """Write the rows of all readings into a corpus, and those that cannot be read beside it.

    Args:
        files: in the order in which they are read.
        sources: the sources that they belong to.
        found: the sources' fingerprint.
        corpus: Parquet file to write.
        rejected: Parquet file to write.

    Raises:
        SourceError: a source cannot be read.
        DataError: a file is not what it seems, or a label has no name.
    """
    names = {source.name: source.names() for source in sources}
    ignored = [name for source in found["sources"] for name in source["ignored"]]
    given = [name for named in names.values() if named for name in named.order]
    account = Account(found["sources"], ignored, order=list(dict.fromkeys(given)))
    files = iter(files)
    first = next(files)
    account.order = account.order or list(first.names or ())
    with CorpusWriter(corpus, account.metadata()) as writer, rejected_writer(rejected) as write_rejected:
        reading: Reading | None = first
        while reading is not None:
            file = FileAccount(reading)
            _check_names(account, reading)
            account.files.append(file)
            account.ignored += [name for name in reading.ignored if name not in account.ignored]
            for chunk in reading.chunks:
                _rename(chunk, names[reading.source], account.file_name(reading))
                writer.add(chunk, reading.split, reading.origin, reading.source)
                write_rejected(reading.origin, reading.source, chunk.rejected)
                _count(account, file, chunk)
            reading = next(files, None)
    return account


def _check_names(account: Account, reading: Reading) -> None:
    """Files of one source must number their labels alike; other sources may name and order theirs otherwise."""
    before = [file.reading.names for file in account.files if file.reading.source == reading.source]
    if reading.names and any(names != reading.names for names in before):
        earlier = next(names for names in before if names != reading.names)
        raise DataError(
            f"{account.file_name(reading)} names its labels {', '.join(reading.names[:10])}, the files before it"
            f" {', '.join((earlier or [])[:10]) or 'not at all'}",
            "give them one set of names with ingest.label_names",
        )


def _rename(chunk: Chunk, names: LabelNames | None, where: str) -> None:
    if names is None:
        return
    first = dict(zip(reversed(chunk.labels), reversed(chunk.rows), strict=True))
    renamed = {label: names.name(label, f"{where}, row {row}") for label, row in first.items()}
    chunk.labels = [renamed[label] for label in chunk.labels]


def _count(account: Account, file: FileAccount, chunk: Chunk) -> None:
    file.rows += len(chunk.texts)
    file.blank += chunk.blank
    file.again += chunk.again
    file.reasons.update(row.reason for row in chunk.rejected)
    account.labels.update(chunk.labels)
    if len(account.labels) > MOST_LABELS:
        column = file.reading.columns.label
        raise DataError(
            f"{account.file_name(file.reading)}: the column {column!r} has more than {MOST_LABELS:,} different values",
            "set ingest.label to the column that holds the label",
        )
