"""The measured columns: what expectations may be about. docs/validation.md shows this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Column:
    """A measured column.

    Attributes:
        kind: ``name`` (a word or null), ``number`` (it may be null) or ``flag`` (true or false).
        meaning: what it says of a row.
    """

    kind: Literal["name", "number", "flag"]
    meaning: str


def _flag(meaning: str) -> Column:
    return Column("flag", meaning)


COLUMNS: dict[str, Column] = {
    "label": Column("name", "the row's label; null when it is missing or nothing but white space"),
    "split": Column("name", "train, validation, test, or null"),
    "source": Column("name", "the name of the source that the row came from"),
    "characters": Column("number", "characters of the text as read"),
    "chinese_share": Column("number", "share of Chinese ones among the characters that are not white space, 0 to 1"),
    "label_rows": Column("number", "rows with the row's label"),
    "label_share": Column("number", "the same as a share of all rows, 0 to 1"),
    "id_missing": _flag("the row has no id"),
    "id_repeated": _flag("another row has the same id"),
    "text_missing": _flag("there is no text at all, not even an empty one"),
    "label_missing": _flag("there is no label"),
    "split_unknown": _flag("the split is neither train nor validation nor test nor null"),
    "is_blank": _flag("the text is nothing but white space and unseen marks"),
    "has_html": _flag("the text holds tags, comments or entities of HTML"),
    "has_controls": _flag("the text holds control, zero-width or bidirectional marks"),
    "has_replacement_character": _flag("the text holds U+FFFD"),
    "has_mojibake": _flag("the text looks as if it was read in the wrong encoding"),
    "repeats_earlier": _flag("an earlier row of the same split has the same text, white space aside"),
    "test_in_train": _flag("a row of test whose text stands in train; rows of no split count as train"),
    "validation_in_train": _flag("a row of validation whose text stands in train"),
    "test_in_validation": _flag("a row of test whose text stands in validation"),
    "contradicts": _flag("the same text bears another label somewhere in the corpus"),
    "label_not_in_train": _flag("a row of validation or test whose label train lacks"),
    "label_not_in_all": _flag("one of the splits there are lacks the row's label"),
    "label_has_twin": _flag("another label differs only by width, case or white space"),
    "label_undeclared": _flag("the label is not among the declared ones"),
}
