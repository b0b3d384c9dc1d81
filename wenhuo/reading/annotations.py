"""Exports of the annotation tools doccano and Label Studio, known by their structure.

- Label Studio, JSON: tasks with ``data`` and ``annotations`` (long ago ``completions``), whose ``result`` holds choices
  by the ``from_name`` of their control. ``ingest.text`` names a field of ``data``, ``ingest.label`` a ``from_name``.
- Label Studio, JSON-MIN and CSV: one flat record an annotation, so several for a task that several people annotated.
- doccano, JSON and JSON lines: a label list, read like any other JSON; its CSV puts several labels together with #.

A task is one row when all who annotated it agree on one label. Otherwise it is rejected, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from wenhuo.errors import DataError
from wenhuo.reading.charset import Charset
from wenhuo.reading.columns import Columns, Wanted, find_columns
from wenhuo.reading.delimited import Layout, read_fields
from wenhuo.reading.jsonrecords import CHUNK_RECORDS, Record, json_records, written
from wenhuo.reading.labels import plain_label
from wenhuo.reading.records import (
    CANCELLED,
    DISAGREE,
    MISSING_COLUMNS,
    NO_ANNOTATION,
    NO_LABEL,
    NOT_AN_OBJECT,
    NOT_ONE_VALUE,
    SEVERAL_LABELS,
    Chunk,
    Rejected,
    reject,
    settle,
)

LABEL_STUDIO, DOCCANO = "Label Studio", "doccano"

_KEPT_BY_LABEL_STUDIO = {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"}
_KEPT_BY_DOCCANO = {"id", "Comments"}


class Task(NamedTuple):
    """What one record says of a task.

    Attributes:
        row: the record's number.
        key: what tells the task from the next one, such as its id.
        text: its text, as it stands there.
        answers: what each annotation says, a list of labels; or why there are none.
        raw: the record as it stands there, for the rejected rows.
        blank: whether there is no record but an empty line.
    """

    row: int
    key: str
    text: Any
    answers: list[list[str]] | str
    raw: str
    blank: bool = False


def flat_export(names: Sequence[str]) -> str | None:
    """The tool whose flat export has these columns, or None."""
    found = set(names)
    if {"annotation_id", "annotator", "lead_time"} <= found:
        return LABEL_STUDIO
    doccano = {"id", "label"} <= found <= {"id", "label", "text", "data", "Comments"}
    return DOCCANO if doccano and found & {"data", "Comments"} else None


def content_names(names: Sequence[str], wanted: Wanted) -> list[str]:
    """The columns of an export but for those in which the tool keeps its own books."""
    kept = _KEPT_BY_LABEL_STUDIO if flat_export(names) == LABEL_STUDIO else _KEPT_BY_DOCCANO
    return [name for name in names if name not in kept or name in (wanted.text, wanted.label)]


def is_task_export(records: Sequence[Record]) -> bool:
    """Are these the tasks of a full export of Label Studio?"""
    values = [record.value for record in records if isinstance(record.value, dict)]
    return bool(values) and all(_annotations(value) is not None for value in values)


def task_columns(records: Sequence[Record], wanted: Wanted, where: str) -> Columns:
    """The field of ``data`` that is the text, and the ``from_name`` of the choice that is the label.

    Raises:
        DataError: there are several, or none.
    """
    tasks = [record.value for record in records if isinstance(record.value, dict)]
    fields = list(dict.fromkeys(name for task in tasks for name in task["data"]))
    choices = list(dict.fromkeys(name for task in tasks for one in _annotations(task) or () for name in _choices(one)))
    if wanted.label is None and len(choices) != 1:
        what = f"several choices ({', '.join(choices)})" if choices else "no choice among its first annotations"
        raise DataError(f"{where}: {what} could be the label", "set ingest.label to the from_name of the choice")
    label = wanted.label or choices[0]
    if choices and label not in choices:
        shown = ", ".join(choices)
        raise DataError(
            f"{where} has no choice {label!r}; choices: {shown}", "set ingest.label to a choice's from_name"
        )
    if wanted.text is None and len(fields) == 1:
        return Columns(fields[0], label)
    others = [name for name in fields if name != label]
    return Columns(find_columns([*others, label], wanted._replace(label=label), where).text, label)


def read_tasks(path: Path, charset: Charset, columns: Columns) -> Iterator[Chunk]:
    """The rows of a full export of Label Studio, a chunk at a time."""
    return _settled(_task(record, columns) for record in json_records(path, charset))


def read_flat_json(path: Path, charset: Charset, columns: Columns, tool: str) -> Iterator[Chunk]:
    """The rows of JSON-MIN of Label Studio, or of JSON of doccano, a chunk at a time."""
    return _settled(_flat_task(record, columns, tool) for record in json_records(path, charset))


def read_flat_csv(path: Path, charset: Charset, layout: Layout, columns: Columns, tool: str) -> Iterator[Chunk]:
    """The rows of a CSV export, a chunk at a time."""
    return _settled(_csv_tasks(path, charset, layout, columns, tool))


def _csv_tasks(path: Path, charset: Charset, layout: Layout, columns: Columns, tool: str) -> Iterator[Task]:
    text, label = layout.names.index(columns.text), layout.names.index(columns.label)
    key = layout.names.index("id") if tool == LABEL_STUDIO and "id" in layout.names else None
    for part, blank in read_fields(path, charset, layout):
        tasks = [Task(bad.row, f"row {bad.row}", None, bad.reason, bad.content) for bad in part.rejected]
        for row, fields in zip(part.numbers, part.fields, strict=True):
            task = f"row {row}" if key is None else fields[key]
            tasks.append(Task(row, task, fields[text], [_split(fields[label], tool)], layout.delimiter.join(fields)))
        yield from sorted(tasks, key=lambda task: task.row)
        yield from [Task(0, "", None, "", "", blank=True)] * blank


def _task(record: Record, columns: Columns) -> Task:
    value, raw = record.value, record.raw or written(record.value)
    if not isinstance(value, dict):
        return _no_task(record, raw)
    found = _annotations(value)
    if found is None or columns.text not in value["data"]:
        return Task(record.row, f"row {record.row}", None, MISSING_COLUMNS, raw)
    whole = [one for one in found if not (one.get("was_cancelled") or one.get("skipped"))]
    whole = [one for one in whole if one.get("ground_truth")] or whole
    answers = [_choices(one).get(columns.label, []) for one in whole]
    missing = CANCELLED if found else NO_ANNOTATION
    return Task(record.row, f"row {record.row}", value["data"][columns.text], answers if whole else missing, raw)


def _flat_task(record: Record, columns: Columns, tool: str) -> Task:
    value, raw = record.value, record.raw or written(record.value)
    if not isinstance(value, dict):
        return _no_task(record, raw)
    if columns.text not in value:
        return Task(record.row, f"row {record.row}", None, MISSING_COLUMNS, raw)
    key = str(value["id"]) if tool == LABEL_STUDIO and "id" in value else f"row {record.row}"
    return Task(record.row, key, value[columns.text], [_labels(value.get(columns.label))], raw)


def _no_task(record: Record, raw: str) -> Task:
    blank = record.value is None and not record.fault and not record.raw
    return Task(record.row, f"row {record.row}", None, record.fault or NOT_AN_OBJECT, raw, blank)


def _annotations(task: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The annotations of a task; None where the record is none."""
    found = task.get("annotations", task.get("completions"))
    whole = isinstance(task.get("data"), dict) and isinstance(found, list)
    return found if whole and all(isinstance(one, dict) for one in found) else None


def _choices(annotation: Mapping[str, Any]) -> dict[str, list[str]]:
    """The labels chosen in an annotation, by the ``from_name`` of the choice."""
    chosen: dict[str, list[str]] = {}
    results = annotation.get("result")
    for result in results if isinstance(results, list) else []:
        value = result.get("value") if isinstance(result, dict) else None
        if isinstance(value, dict) and isinstance(value.get("choices"), list):
            chosen.setdefault(str(result.get("from_name")), []).extend(map(str, value["choices"]))
    return chosen


def _split(label: str, tool: str) -> list[str]:
    """The labels in a cell; Label Studio writes several as JSON, doccano puts a # between them."""
    if tool == DOCCANO:
        parts = label.split("#")
        return parts if all(parts) else [label] if label else []
    try:
        return _labels(orjson.loads(label)) if label.startswith(("{", "[")) else [label] if label else []
    except orjson.JSONDecodeError:
        return [label]


def _labels(value: Any) -> list[str]:
    """The labels in a value of a flat record: one, a list, or ``{"choices": […]}``, or a list of these."""
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        return [str(choice) for choice in value["choices"]]
    if isinstance(value, list):
        return [label for item in value for label in _labels(item)]
    found = None if isinstance(value, dict) else plain_label(value)
    return [written(value)] if isinstance(value, dict) else [found] if found else []


def _settled(tasks: Iterator[Task]) -> Iterator[Chunk]:
    """Chunks of whole tasks: the records of one task stand one after the other."""
    groups = (list(group) for _, group in groupby(tasks, key=lambda task: task.key))
    while part := list(islice(groups, CHUNK_RECORDS)):
        yield _decide(part)


def _decide(groups: Sequence[list[Task]]) -> Chunk:
    """The rows that tasks come to: one where all annotations agree on one label."""
    texts: list[str | None] = []
    labels: list[str | None] = []
    rows: list[int] = []
    rejected: list[Rejected] = []
    blank = again = 0
    for records in groups:
        first = records[0]
        label, fault = _agreed(records)
        if first.blank:
            blank += len(records)
        elif fault or not isinstance(first.text, str):
            rejected += [reject(one.row, fault or NOT_ONE_VALUE, one.raw) for one in records]
        else:
            again += sum(len(one.answers) for one in records) - 1
            texts.append(first.text)
            labels.append(label)
            rows.append(first.row)
    chunk = settle(texts, labels, rows, rejected, blank)
    chunk.again = again
    return chunk


def _agreed(records: Iterable[Task]) -> tuple[str | None, str]:
    """The one label of all annotations that give any, or why there is none."""
    answers: list[list[str]] = []
    for record in records:
        if isinstance(record.answers, str):
            return None, record.answers
        answers += [answer for answer in record.answers if answer]
    if not answers:
        return None, NO_LABEL
    if any(len(answer) > 1 for answer in answers):
        return None, SEVERAL_LABELS
    return (None, DISAGREE) if len({answer[0] for answer in answers}) > 1 else (answers[0][0], "")
