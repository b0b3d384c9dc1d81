"""Which column is the text and which the label: as named, or found where there is no doubt."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wenhuo.errors import DataError

TEXT_NAMES = frozenset(
    (
        *("text", "text_a", "text_b", "sentence", "sentence1", "sentence2", "review", "comment", "content", "title"),
        *("headline", "document", "body", "utterance", "query", "tweet"),
        *("文本", "内容", "评论", "评价", "正文", "标题", "句子", "文章", "文本内容", "评论内容", "文字"),
    )
)
LABEL_NAMES = frozenset(
    (
        *(
            "label",
            "labels",
            "class",
            "category",
            "sentiment",
            "target",
            "class_label",
            "label_id",
            "polarity",
            "intent",
        ),
        *("topic", "标签", "类别", "分类", "情感", "情感倾向", "类目", "意图", "标注", "情感标签"),
    )
)
"""Two names of one kind in a file (``text_a`` and ``text_b``, ``title`` and ``content``) are a doubt, so an error."""

PLAIN_COLUMNS = ("text", "label")


class Wanted(NamedTuple):
    """What the parameters say about the columns of all files of a source.

    Attributes:
        text: name of the text column; None finds it.
        label: name of the label column; None finds it.
        columns: names of the columns of files without a header; None: ``text`` and ``label``, where there is no header.
        quotes: whether quotes enclose fields; None: in CSV yes, in TSV and plain text no.
        named: whether the parameters name the labels, so that names which a file brings are not used.
        sheet: the sheet of a workbook; None: its first.
    """

    text: str | None = None
    label: str | None = None
    columns: tuple[str, ...] | None = None
    quotes: bool | None = None
    named: bool = False
    sheet: str | None = None


class Columns(NamedTuple):
    """The names of the two columns used, as the file spells them."""

    text: str
    label: str


def find_columns(names: Sequence[str], wanted: Wanted, where: str) -> Columns:
    """The text and the label column among ``names``.

    Args:
        names: all columns of the file, in their order.
        wanted: what the parameters name.
        where: the file's name for messages.

    Raises:
        DataError: a column is doubled, missing, or in doubt; the columns are listed.
    """
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(
            f"{where}: the column {doubled[0]!r} stands there twice; columns: {_listed(names)}", "rename or remove one"
        )
    text = _named(wanted.text, "text", names, where) or _known(names, TEXT_NAMES, wanted.label)
    label = _named(wanted.label, "label", names, where) or _known(names, LABEL_NAMES, wanted.text)
    if len(names) == 2 and bool(text) != bool(label):
        other = next(name for name in names if name != (text or label))
        text, label = text or other, label or other
    if not text or not label:
        raise _doubt("label" if text else "text", names, where)
    return Columns(text, label)


def is_header(fields: Sequence[str], wanted: Wanted) -> bool:
    """Does this first line name columns? It holds a known or given name, and no field that is a number."""
    given = {name for name in (wanted.text, wanted.label) if name}
    found = any(field in given or plain_name(field) in TEXT_NAMES | LABEL_NAMES for field in fields)
    return found and not any(_is_number(field) for field in fields)


def plain_name(name: str) -> str:
    """A column's name as it is compared: without white space, quotes and capitals."""
    return name.strip().strip("\"'").casefold()


def _named(name: str | None, role: str, names: Sequence[str], where: str) -> str | None:
    if name is None or name in names:
        return name
    close = difflib.get_close_matches(name, names, n=1)
    guess = f" (did you mean {close[0]}?)" if close else ""
    raise DataError(
        f"{where} has no column {name!r}{guess}; columns: {_listed(names)}",
        f"set ingest.{role} to the name of one of them",
    )


def _known(names: Sequence[str], known: Iterable[str], taken: str | None) -> str | None:
    found = [name for name in names if plain_name(name) in known and name != taken]
    return found[0] if len(found) == 1 else None


def _doubt(role: str, names: Sequence[str], where: str) -> DataError:
    known = TEXT_NAMES if role == "text" else LABEL_NAMES
    several = [name for name in names if plain_name(name) in known]
    what = (
        f"several columns could be the {role} ({_listed(several)})" if several else f"no column is plainly the {role}"
    )
    hint = f"set ingest.{role} to the name of the column, or ingest.columns if the file has no header"
    return DataError(f"{where}: {what}; columns: {_listed(names)}", hint)


def _listed(names: Sequence[str]) -> str:
    shown = [name if len(name) <= 40 else name[:39] + "…" for name in names[:30]]
    return ", ".join(shown) + (f" and {len(names) - 30} more" if len(names) > 30 else "")


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
