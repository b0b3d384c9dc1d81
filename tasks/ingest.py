"""Read the source into one corpus with stable row ids; set aside what cannot be read.

``python -m tasks ingest --fingerprint data/source.json --corpus data/corpus.parquet --rejected reports/rejected.parquet
--report reports/ingest.json`` (the stage ``source`` writes the fingerprint).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator, model_validator

from wenhuo.console import say
from wenhuo.errors import DataError, SourceError
from wenhuo.files import read_json, whole, write_json
from wenhuo.reading.labels import LabelNames, label_names, plain_label, read_label_names
from wenhuo.settings import Section

if TYPE_CHECKING:
    from wenhuo.reading.ingest import Account

Name = Annotated[str, Field(min_length=1)]


class Params(Section):
    """What is read and how its columns and labels are called."""

    source: Name = Field(
        "sample",
        description="What is read: sample, a file, a folder, a URL, or hf://owner/name[/configuration][@revision].",
    )
    text: Name | None = Field(None, description="Name of the text column; null finds it where there is no doubt.")
    label: Name | None = Field(None, description="Name of the label column; null finds it where there is no doubt.")
    columns: tuple[Name, ...] | None = Field(
        None, description="Names of the columns, at least two, of files without a header; null means text and label."
    )
    label_names: dict[str, str] | tuple[str, ...] | str | None = Field(
        None, description="Names for numeric labels: a mapping, a list (place = label), or a file with one name a line."
    )
    quotes: bool | None = Field(None, description="Whether quotes enclose fields; null means in CSV yes, in TSV no.")
    max_rejected: float = Field(
        0.05, ge=0, le=1, description="Share of the rows, 0 to 1, that may be unreadable before the stage fails."
    )

    @field_validator("source")
    @classmethod
    def _source_has_a_form(cls, source: str) -> str:
        from wenhuo.reading.hub import parse_hub

        if not source.strip():
            raise ValueError("name a source: sample, a file, a folder, a URL or hf://owner/name")
        if source.startswith("hf://"):
            parse_hub(source)
        return source

    @field_validator("columns")
    @classmethod
    def _columns_differ(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if columns is not None and (len(columns) < 2 or len(set(columns)) < len(columns)):
            raise ValueError(f"name at least two different columns, not {', '.join(columns)}")
        return columns

    @field_validator("label_names", mode="before")
    @classmethod
    def _names_are_texts(cls, given: Any) -> Any:
        names = (
            list(given.values())
            if isinstance(given, Mapping)
            else list(given)
            if isinstance(given, list | tuple)
            else []
        )
        if not (given is None or (isinstance(given, str) and given.strip()) or names):
            raise ValueError(
                "give a mapping such as {0: negative, 1: positive}, a list of names, or a file with one name a line"
            )
        if wrong := [name for name in names if not isinstance(name, str) or not name.strip()]:
            raise ValueError(f"a name must be a text, not {wrong[0]!r} (quote it if it is meant so)")
        if isinstance(given, list | tuple) and len(set(names)) < len(names):
            raise ValueError("a name stands there twice; use a mapping to give two labels one name")
        return {str(plain_label(key)): name for key, name in given.items()} if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _two_columns(self) -> Params:
        if self.text is not None and self.text == self.label:
            raise ValueError(f"text and label are both the column {self.text}")
        unknown = [name for name in (self.text, self.label) if name and self.columns and name not in self.columns]
        if unknown:
            raise ValueError(f"the column {unknown[0]} is not among columns: {', '.join(self.columns or ())}")
        return self


def names_file(params: Params) -> str | None:
    """The path of the file with the labels' names, where they stand in one."""
    return params.label_names if isinstance(params.label_names, str) else None


def cache_beside(fingerprint: Path) -> Path:
    """Where hashes of local files are kept: beside the fingerprint, ignored by git, an output of no stage."""
    return fingerprint.parent / ".source-cache.json"


def run(params: Params, *, fingerprint: Path, corpus: Path, rejected: Path, report: Path) -> None:
    """Write the corpus, the rejected rows and a report.

    Args:
        params: the section ``ingest``.
        fingerprint: what the stage ``source`` wrote.
        corpus: Parquet: id, text, label, split, origin, row; metadata ``wenhuo``.
        rejected: Parquet: origin, row, reason, content.
        report: JSON: rows per file, split and label, encodings, columns, rejected rows by reason.

    Raises:
        SourceError: the source cannot be reached, or changed since the stage ``source``.
        DataError: a file is not what it seems, a label has no name, or too many rows cannot be read.
    """
    from wenhuo.reading.columns import Wanted
    from wenhuo.reading.ingest import read_into
    from wenhuo.reading.sources import check_unchanged, readings

    if not fingerprint.is_file():
        raise SourceError(
            f"{fingerprint} does not exist", "run the stage source first, or `dvc repro`, which runs both"
        )
    found, cache = read_json(fingerprint), cache_beside(fingerprint)
    check_unchanged(found, params.source, names_file(params), cache)
    wanted = Wanted(params.text, params.label, params.columns, params.quotes, params.label_names is not None)
    with whole(corpus) as corpus_made, whole(rejected) as rejected_made:
        files = readings(params.source, found, wanted, fingerprint.parent)
        account = read_into(files, _given_names(params), found, corpus_made, rejected_made)
        check_unchanged(found, params.source, names_file(params), cache)
    write_json(report, account.report())
    _check(account, params, rejected)
    for line in account.lines():
        say(line)


def _given_names(params: Params) -> LabelNames | None:
    given = params.label_names
    return label_names(read_label_names(Path(given).expanduser()) if isinstance(given, str) else given)


def _check(account: Account, params: Params, rejected: Path) -> None:
    bad, total = account.rejected, account.rows + account.rejected
    if bad > params.max_rejected * total:
        why = ", ".join(f"{reason} {count:,}" for reason, count in account.reasons.most_common())
        raise DataError(
            f"{bad:,} of {total:,} rows of {account.source} cannot be read ({why}), more than ingest.max_rejected"
            f" = {params.max_rejected:g} allows",
            f"look at {rejected}, then mend the source or raise ingest.max_rejected",
        )
    if not account.rows:
        raise DataError(f"{account.source} holds no rows that can be read", "give a source with labelled texts")
