"""What a person says about what is read: the parameters, and the sources that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from wenhuo.reading.columns import Wanted
from wenhuo.reading.formats import bare_name, split_sheet
from wenhuo.reading.labels import LabelNames, label_names, plain_label, read_label_names
from wenhuo.settings import Section

Name = Annotated[str, Field(min_length=1)]
SourceName = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?$")
]


class ColumnOptions(Section):
    """How the columns and labels of files are called."""

    text: Name | None = Field(None, description="Name of the text column; null finds it where there is no doubt.")
    label: Name | None = Field(None, description="Name of the label column; null finds it where there is no doubt.")
    columns: tuple[Name, ...] | None = Field(
        None, description="Names of the columns, at least two, of files without a header; null means text and label."
    )
    label_names: dict[str, str] | tuple[str, ...] | str | None = Field(
        None, description="Names for numeric labels: a mapping, a list (place = label), or a file with one name a line."
    )
    quotes: bool | None = Field(None, description="Whether quotes enclose fields; null means in CSV yes, in TSV no.")

    @field_validator("columns")
    @classmethod
    def _columns_differ(cls, columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if columns is not None and (len(columns) < 2 or len(set(columns)) < len(columns)):
            raise ValueError(f"name at least two different columns, not {', '.join(columns)}")
        return columns

    @field_validator("label_names", mode="before")
    @classmethod
    def _names_are_texts(cls, given: Any) -> Any:
        named = list(given.values()) if isinstance(given, Mapping) else given
        names = list(named) if isinstance(named, list | tuple) else []
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
    def _two_columns(self) -> ColumnOptions:
        if self.text is not None and self.text == self.label:
            raise ValueError(f"text and label are both the column {self.text}")
        unknown = [name for name in (self.text, self.label) if name and self.columns and name not in self.columns]
        if unknown:
            raise ValueError(f"the column {unknown[0]} is not among columns: {', '.join(self.columns or ())}")
        return self


def _address(address: str) -> str:
    from wenhuo.reading.hub import parse_hub

    if not address.strip():
        raise ValueError("name a source: sample, a file, a glob, a folder, a URL or hf://owner/name")
    if address.startswith("hf://"):
        parse_hub(address)
    return address


class OneSource(ColumnOptions):
    """One of several sources, with what is different about its columns."""

    source: Name = Field(description="A file, a glob, a folder, a URL or hf://owner/name[/configuration][@revision].")

    _form = field_validator("source")(_address)


Described = Annotated[
    Annotated[Name, Tag("plain")] | Annotated[OneSource, Tag("described")],
    Discriminator(lambda given: "plain" if isinstance(given, str) else "described"),
]
Given = Annotated[
    Annotated[Name, Tag("one")]
    | Annotated[tuple[Name, ...], Tag("listed")]
    | Annotated[dict[SourceName, Described], Tag("named")],
    Discriminator(
        lambda given: "named" if isinstance(given, Mapping) else "listed" if isinstance(given, list | tuple) else "one"
    ),
]


class Options(ColumnOptions):
    """What is read and how its columns and labels are called."""

    source: Given = Field(
        "sample",
        description="What is read: sample, a file, a glob, a folder, a URL, hf://owner/name[/configuration][@revision];"
        " or several of them: a list, or a mapping of names to sources, each with its own columns where they differ.",
    )
    max_rejected: float = Field(
        0.05, ge=0, le=1, description="Share of the rows, 0 to 1, that may be unreadable before the stage fails."
    )

    @field_validator("source")
    @classmethod
    def _sources_have_a_form(cls, given: Any) -> Any:
        if not given:
            raise ValueError("name at least one source")
        values = list(given.values()) if isinstance(given, Mapping) else [given] if isinstance(given, str) else given
        addresses = [_address(value) for value in values if isinstance(value, str)]
        if not isinstance(given, Mapping) and (twice := [a for a in addresses if addresses.count(a) > 1]):
            raise ValueError(f"{twice[0]} stands there twice")
        return given

    @model_validator(mode="after")
    def _sources_fit(self) -> Options:
        for name, one in self.source.items() if isinstance(self.source, Mapping) else ():
            try:
                _filled(one, self) if isinstance(one, OneSource) else None
            except ValidationError as error:
                raise ValueError(f"source {name}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
        return self


@dataclass(frozen=True)
class Source:
    """One source, as the parameters describe it.

    Attributes:
        name: what its rows say in the column ``source``.
        address: a file, a glob, a folder, a URL, ``hf://…`` or ``sample``.
        wanted: what is said about its columns.
        label_names: names for its labels, or the path of a file with one name a line.
        several: whether it is one of several, so that even a single file's name says which split it is.
    """

    name: str
    address: str
    wanted: Wanted
    label_names: Mapping[str, str] | Sequence[str] | str | None = None
    several: bool = False

    @property
    def names_file(self) -> str | None:
        """The path of the file with the labels' names, where they stand in one."""
        return self.label_names if isinstance(self.label_names, str) else None

    def names(self) -> LabelNames | None:
        """The names of the labels, where any are given. Errors: ``read_label_names``."""
        from wenhuo.reading.local import given_path

        file = self.names_file
        return label_names(read_label_names(given_path(file)) if file else self.label_names)


def sources_of(options: Options) -> list[Source]:
    """The sources that these parameters mean, in the order given; what one leaves unsaid is said by the section."""
    given = options.source
    if isinstance(given, Mapping):
        described = [(name, OneSource(source=one) if isinstance(one, str) else one) for name, one in given.items()]
        found = [_source(name, one.source, _filled(one, options)) for name, one in described]
    else:
        addresses = [given] if isinstance(given, str) else list(given)
        found = [_source(name, a, options) for name, a in zip(short_names(addresses), addresses, strict=True)]
    return [replace(source, several=len(found) > 1) for source in found]


def short_names(addresses: Sequence[str]) -> list[str]:
    """A short name for each address: its last part without extensions; as many parts as make it different from others.

    >>> short_names(["data/raw/reviews.csv.gz", "hf://owner/name@main", "a/train.csv", "b/train.csv"])
    ['reviews', 'name', 'a/train', 'b/train']
    """
    parts = [_parts(address) for address in addresses]
    names = [part[-1] for part in parts]
    for depth in range(2, max(map(len, parts)) + 1):
        names = [
            "/".join(part[-depth:]) if names.count(name) > 1 else name for part, name in zip(parts, names, strict=True)
        ]
    return [
        f"{name}-{names[: place + 1].count(name)}" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


def _parts(address: str) -> list[str]:
    address = split_sheet(address)[0]
    hub = address.startswith("hf://")
    path = address[5:].partition("@")[0] if hub else unquote(urlsplit(address).path) if "://" in address else address
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..") and not set(part) & set("*?[")]
    parts = (parts[:2] if hub else parts) or ["source"]
    return parts if hub else [*parts[:-1], bare_name(parts[-1]) or parts[-1]]


def _filled(one: OneSource, section: Options) -> ColumnOptions:
    own = {name: value for name, value in one.model_dump(exclude={"source"}).items() if value is not None}
    return ColumnOptions(**{name: getattr(section, name) for name in ColumnOptions.model_fields} | own)


def _source(name: str, address: str, options: ColumnOptions) -> Source:
    address, sheet = split_sheet(address)
    named = options.label_names is not None
    wanted = Wanted(options.text, options.label, options.columns, options.quotes, named, sheet)
    return Source(name, address, wanted, options.label_names)
