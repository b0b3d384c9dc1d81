"""Exports of doccano and Label Studio, with the faults that annotated data have."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from wenhuo.errors import DataError
from wenhuo.reading import records
from wenhuo.reading.columns import Wanted
from wenhuo.reading.formats import open_file

ANY = Wanted()
Rows = list[tuple[int, str, str]]


def _read(path: Path, wanted: Wanted = ANY) -> tuple[str, Rows, list[tuple[int, str]], int]:
    """Format, rows, rejected rows, and how many further annotations agreed."""
    reading = open_file(path, path.name, None, wanted)
    rows: Rows = []
    rejected, again = [], 0
    for chunk in reading.chunks:
        rows += list(zip(chunk.rows, chunk.texts, chunk.labels, strict=True))
        rejected += [(bad.row, bad.reason) for bad in chunk.rejected]
        again += chunk.again
    return reading.format, rows, rejected, again


def _lines(path: Path, items: list[Any]) -> Path:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")
    return path


def _csv(path: Path, rows: list[list[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.mark.parametrize("text", ["text", "data"])
@pytest.mark.parametrize("comments", [{}, {"Comments": []}])
@pytest.mark.parametrize("array", [False, True])
def test_doccano_json(tmp_path: Path, text: str, comments: dict[str, Any], array: bool) -> None:
    labels: list[Any] = [["好评"], [], ["好评", "差评"], ["差评"], [[0, 2, "PER"]]]
    items = [{"id": n, text: f"第{n}条", "label": label} | comments for n, label in enumerate(labels, start=1)]
    path = tmp_path / "export.json"
    path.write_text(json.dumps(items)) if array else _lines(path, items)
    kind, rows, rejected, _ = _read(path)
    assert kind == ("json (doccano)" if text == "data" or comments else "json")
    assert rows == [(1, "第1条", "好评"), (4, "第4条", "差评")]
    assert rejected[:2] == [(2, records.NO_LABEL), (3, records.SEVERAL_LABELS)]
    assert [row for row, _ in rejected] == [2, 3, 5]


def test_doccano_csv(tmp_path: Path) -> None:
    rows = [["id", "data", "label"], [1, "很好", "C#"], [2, "一般", "好评#差评"], [3, "无", ""], [4, "坏", "差评"]]
    kind, found, rejected, _ = _read(_csv(tmp_path / "export.csv", rows))
    assert kind == "csv (doccano)"
    assert found == [(2, "很好", "C#"), (5, "坏", "差评")]
    assert rejected == [(3, records.SEVERAL_LABELS), (4, records.NO_LABEL)]


def test_a_hash_in_a_label_of_any_other_file_is_a_hash(tmp_path: Path) -> None:
    kind, found, _, _ = _read(_csv(tmp_path / "a.csv", [["id", "text", "label"], [1, "好", "a#b"]]))
    assert (kind, found) == ("csv", [(2, "好", "a#b")])


def _annotation(*labels: str, control: str = "情感", **more: Any) -> dict[str, Any]:
    result = [{"value": {"choices": list(labels)}, "from_name": control, "to_name": "text", "type": "choices"}]
    return {"id": 1, "result": result if labels else [], "was_cancelled": False, **more}


def _task(number: int, *annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {
        "id": number,
        "data": {"review": f"第{number}条"} | data,
        "annotations": list(annotations),
        "predictions": [],
    }


TASKS = [
    (_task(1, _annotation("好评")), "好评"),
    (_task(2), records.NO_ANNOTATION),
    (_task(3, _annotation("好评", was_cancelled=True)), records.CANCELLED),
    (_task(4, _annotation("好评"), _annotation("差评")), records.DISAGREE),
    (_task(5, _annotation("好评"), _annotation("好评")), "好评"),
    (_task(6, _annotation("好评", "差评")), records.SEVERAL_LABELS),
    (_task(7, _annotation()), records.NO_LABEL),
    (_task(8, _annotation("差评"), _annotation("好评", was_cancelled=True)), "差评"),
    (_task(9, _annotation("差评"), _annotation("好评", ground_truth=True)), "好评"),
    (_task(10, _annotation("好评"), review=None), records.NOT_ONE_VALUE),
    ({"id": 11, "data": {}, "annotations": []}, records.MISSING_COLUMNS),
    ({"id": 12}, records.MISSING_COLUMNS),
    (["no task"], records.NOT_AN_OBJECT),
    (_task(14, _annotation("中评"), _annotation()), "中评"),
]


@pytest.mark.parametrize("array", [True, False])
def test_label_studio_json(tmp_path: Path, array: bool) -> None:
    path, items = tmp_path / "export.json", [item for item, _ in TASKS if item != {"id": 12}]
    path.write_text(json.dumps(items, indent=2)) if array else _lines(path, items)
    kind, rows, rejected, again = _read(path)
    expected = [(row, said) for row, (_, said) in enumerate((t for t in TASKS if t[0] != {"id": 12}), start=1)]
    faults = {value for name, value in vars(records).items() if name.isupper() and isinstance(value, str)}
    assert kind == "json (Label Studio)"
    assert [(row, label) for row, _, label in rows] == [(row, said) for row, said in expected if said not in faults]
    assert rejected == [(row, said) for row, said in expected if said in faults]
    assert rows[0][1] == "第1条"
    assert again == 2, "task 5 by a second annotator; the one of task 14 who chose nothing"


def test_a_record_without_annotations_makes_it_no_export_of_label_studio(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column is plainly the text"):
        _read(_lines(tmp_path / "a.jsonl", [item for item, _ in TASKS]))


def test_old_exports_of_label_studio(tmp_path: Path) -> None:
    task = {"id": 1, "data": {"text": "好"}, "completions": [_annotation("好评") | {"skipped": False}]}
    assert _read(_lines(tmp_path / "a.jsonl", [task]))[1] == [(1, "好", "好评")]


def test_several_choices_and_fields_are_a_doubt_until_they_are_named(tmp_path: Path) -> None:
    both = _annotation("好评")
    both["result"] += _annotation("酒店", control="领域")["result"]
    path = _lines(tmp_path / "a.jsonl", [_task(1, both, title="标题", 情感="x")])
    with pytest.raises(DataError, match=r"several choices \(情感, 领域\)") as error:
        _read(path)
    assert "from_name" in error.value.hint
    with pytest.raises(DataError, match=r"several columns could be the text \(review, title\)"):
        _read(path, Wanted(label="领域"))
    assert _read(path, Wanted(text="title", label="领域"))[1] == [(1, "标题", "酒店")]
    assert _read(path, Wanted(text="review", label="情感"))[1] == [(1, "第1条", "好评")]
    with pytest.raises(DataError, match="no choice 'none'; choices: 情感, 领域"):
        _read(path, Wanted(label="none"))
    with pytest.raises(DataError, match="no column 'none'"):
        _read(path, Wanted(text="none", label="情感"))
    with pytest.raises(DataError, match="no choice among"):
        _read(_lines(path, [_task(1)]))
    tasks = [*(_task(n) for n in range(1, 200)), _task(200, _annotation("好评"))]
    assert _read(_lines(path, tasks), Wanted(label="情感"))[1] == [(200, "第200条", "好评")]


MINIMAL = [
    (1, "很好", "好评"),
    (2, "一般", {"choices": ["好评", "差评"]}),
    (3, "一般", "好评"),
    (3, "一般", "差评"),
    (4, "很差", "差评"),
    (4, "很差", "差评"),
    (5, "空", None),
]


def _minimal() -> list[dict[str, Any]]:
    rest = {"annotator": 1, "created_at": "2026", "updated_at": "2026", "lead_time": 1.5}
    return [
        {"review": text, "id": task, "stars": label, "annotation_id": place} | rest
        for place, (task, text, label) in enumerate(MINIMAL)
    ]


def _check_minimal(path: Path, kind: str, first: int) -> None:
    found = _read(path)
    assert found[0] == kind
    assert found[1] == [(first, "很好", "好评"), (first + 4, "很差", "差评")]
    assert found[2] == [
        (first + 1, records.SEVERAL_LABELS),
        (first + 2, records.DISAGREE),
        (first + 3, records.DISAGREE),
        (first + 6, records.NO_LABEL),
    ]
    assert found[3] == 1


def test_label_studio_json_min(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(_minimal()))
    _check_minimal(path, "json (Label Studio)", 1)


def test_label_studio_csv(tmp_path: Path) -> None:
    items = _minimal()
    rows = [[json.dumps(v, ensure_ascii=False) if isinstance(v, dict) else v for v in item.values()] for item in items]
    _check_minimal(_csv(tmp_path / "a.csv", [list(items[0]), *rows]), "csv (Label Studio)", 2)


def test_annotators_of_one_task_on_both_sides_of_a_block(tmp_path: Path) -> None:
    """The file is read in blocks of a mebibyte, and a task's records are not cut there."""
    header = ["text", "id", "label", "annotator", "annotation_id", "lead_time"]
    rows = [[f"{'很' * 100}{n // 2}", n // 2, "好评" if n % 2 else "差评", 1, n, 0] for n in range(10_000)]
    _, found, rejected, _ = _read(_csv(tmp_path / "a.csv", [header, *rows]))
    assert found == []
    assert {reason for _, reason in rejected} == {records.DISAGREE}
    assert len(rejected) == 10_000


def test_damaged_lines_of_an_export(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", [["id", "data", "label"], [1, "很好", "好评"], [2, "短"], [], [3, "坏", "差评"]])
    _, rows, rejected, _ = _read(path)
    assert rows == [(2, "很好", "好评"), (5, "坏", "差评")]
    assert rejected == [(3, records.MISSING_COLUMNS)]
