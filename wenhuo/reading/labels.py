"""Labels: one spelling for each, and names for numeric ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wenhuo.errors import DataError, SourceError

_WHOLE_FLOAT = re.compile(r"[+-]?\d+\.0+")


def plain_text_label(label: str) -> str:
    """A label without the white space around it (full-width too); ``1.0``, as tables with gaps write it, is ``1``."""
    label = label.strip()
    return label.partition(".")[0] if _WHOLE_FLOAT.fullmatch(label) else label


def plain_label(value: Any) -> str | None:
    """A label from a typed file (JSON, Parquet, YAML) as text: 1 and 1.0 as ``1``, true as ``true``, null, NaN as None.

    Raises:
        ValueError: the value is a list, a mapping or bytes.
    """
    if value is None or value != value:
        return None
    if isinstance(value, str):
        return plain_text_label(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple, Mapping, bytes)):
        raise ValueError("not one value")
    return plain_text_label(str(value))


def only_label(value: Any) -> str | None:
    """A label, also where it is the one element of a list, as annotation tools write it; an empty list is no label.

    Raises:
        ValueError: the value is several labels, a mapping or bytes.
    """
    if isinstance(value, (list, tuple)) and len(value) <= 1:
        return plain_label(value[0]) if value else None
    return plain_label(value)


class LabelNames(NamedTuple):
    """Names for labels.

    Attributes:
        names: label as read to name; empty when labels are names already.
        order: all names in the order of their labels.
    """

    names: dict[str, str]
    order: list[str]

    def name(self, label: str, where: str) -> str:
        """The name of a label.

        Raises:
            DataError: it has none, and is not a name itself.
        """
        found = self.names.get(label)
        if found is None and label not in self.order:
            raise DataError(
                f"{where}: the label {label!r} has no name in ingest.label_names",
                f"add it; there are names for {', '.join(list(self.names)[:20])}",
            )
        return label if found is None else found


def label_names(given: Mapping[str, str] | Sequence[str] | None) -> LabelNames | None:
    """Names from a mapping, or from a list in which the place is the numeric label (0, 1, …)."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return LabelNames({str(number): name for number, name in enumerate(given)}, list(given))
    keys = list(given)
    if all(key.lstrip("+-").isdecimal() for key in keys):
        keys.sort(key=int)
    return LabelNames({key: given[key] for key in keys}, list(dict.fromkeys(given[key] for key in keys)))


def read_label_names(path: Path) -> list[str]:
    """The names in a file, one a line, in any encoding that ``charset`` knows.

    Raises:
        SourceError: there is no such file.
        DataError: it is empty, has an empty line between names, or a name twice.
    """
    from wenhuo.reading.charset import detect_charset
    from wenhuo.reading.lines import read_lines

    if not path.is_file():
        raise SourceError(
            f"ingest.label_names: there is no file {path}", "give a file with one name a line, or the names"
        )
    charset = detect_charset(path, path.name)
    names = [line.strip() for block in read_lines(path, charset) for line in block.lines]
    while names and not names[-1]:
        names.pop()
    mistake = _mistake(names)
    if mistake:
        raise DataError(f"{path}: {mistake}", "each line is the name of one label, the first that of label 0")
    return names


def _mistake(names: list[str]) -> str | None:
    if not names:
        return "the file holds no names"
    if "" in names:
        return f"line {names.index('') + 1} is empty"
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    return f"the name {twice!r} stands there twice" if twice else None
