"""Planted defects break just the expectation that is about them, at its level; odd tables get clear verdicts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from wenhuo.validation.expectations import all_checks
from wenhuo.validation.limits import Limits
from wenhuo.validation.measures import CORPUS_FIELDS, measure
from wenhuo.validation.suite import places
from wenhuo.validation.tallies import tallies
from wenhuo.validation.verdicts import EXAMPLES, Verdict, hold, prepare

SCHEMA = {name: getattr(pl, kind) for name, kind in CORPUS_FIELDS.items()}
SOUND = [
    {"text": f"第{n}家酒店很干净", "label": "ab"[n // 3 % 2], "split": ("train", "validation", "test")[n % 3]}
    for n in range(60)
]
MORE = [row | {"label": "c", "text": f"再说，{row['text']}"} for row in SOUND]
ROOT = Path(__file__).resolve().parents[3]


def judge(
    folder: Path, rows: list[dict[str, Any]], label_order: list[str] | None = None, **limits: Any
) -> dict[str, Verdict]:
    numbered = [
        {"id": f"i{n}", "text": "", "label": "a", "split": None, "origin": "x.csv", "row": n, "source": "x"} | row
        for n, row in enumerate(rows)
    ]
    path = folder / "corpus.parquet"
    pl.DataFrame(numbered, schema=SCHEMA).write_parquet(path)
    return judge_file(path, label_order, **limits)


def judge_file(path: Path, label_order: list[str] | None = None, **limits: Any) -> dict[str, Verdict]:
    checks = all_checks(Limits(**limits), label_order)
    measures = measure(path, label_order)
    batches = tallies(path, measures, label_order) | {"rows": measures.rows}
    verdicts = hold(batches, checks, prepare(checks), lambda positions: places(path, positions))
    return {verdict.name: verdict for verdict in verdicts}


def broken(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {name: verdict.level for name, verdict in verdicts.items() if not verdict.success}


def test_a_sound_corpus_meets_every_expectation(tmp_path: Path) -> None:
    verdicts = judge(tmp_path, SOUND, ["a", "b"])
    assert broken(verdicts) == {}
    assert len(verdicts) >= 12
    assert all(verdict.observed is not None for verdict in verdicts.values())


def changed(number: int, **values: Any) -> list[dict[str, Any]]:
    return [row | values if n == number else row for n, row in enumerate(SOUND)]


PLANTED: list[tuple[str, list[dict[str, Any]], dict[str, Any], dict[str, str]]] = [
    ("few rows", SOUND, {"min_rows": 61}, {"enough_rows": "error"}),
    ("equal ids", changed(3, id="i4"), {}, {"ids_unique": "error"}),
    ("no id", changed(3, id=None), {}, {"ids_present": "error"}),
    ("no text", changed(3, text=None), {}, {"texts_present": "error", "no_blank_texts": "warning"}),
    ("no label", changed(3, label=None), {}, {"labels_present": "error"}),
    ("unknown split", changed(3, split="dev"), {}, {"splits_known": "error"}),
    (
        "a label only in test",
        changed(2, label="c"),
        {"min_label_rows": 1},
        {"labels_known_in_train": "error", "labels_in_every_split": "warning"},
    ),
    (
        "a class of one row",
        changed(0, label="c"),
        {},
        {"labels_in_every_split": "warning", "rows_per_label": "warning"},
    ),
    ("one label", [row | {"label": "a"} for row in SOUND], {"max_largest_label": 1}, {"number_of_labels": "error"}),
    ("many labels", [*SOUND, *MORE], {"max_labels": 2}, {"number_of_labels": "error"}),
    (
        "twin labels",
        [row | {"label": row["label"].replace("a", "Ａ" if n < 30 else "a")} for n, row in enumerate(SOUND)],
        {"min_label_rows": 1},
        {"label_names_differ": "warning"},
    ),
    ("a large label", SOUND, {"max_largest_label": 0.4}, {"largest_label": "warning"}),
    ("leak into test", changed(2, text=" " + SOUND[0]["text"]), {}, {"test_apart_from_train": "warning"}),
    ("leak into validation", changed(1, text=SOUND[0]["text"]), {}, {"validation_apart_from_train": "warning"}),
    ("test and validation", changed(2, text=SOUND[1]["text"]), {}, {"test_apart_from_validation": "warning"}),
    ("contradiction", changed(3, text=SOUND[0]["text"]), {}, {"labels_agree": "warning"}),
    ("repeats", changed(6, text=SOUND[0]["text"]), {"max_repeats": 0.01}, {"few_repeats": "warning"}),
    ("a blank text", changed(3, text="\u3000"), {}, {"no_blank_texts": "warning"}),
    (
        "blank texts",
        changed(3, text=" "),
        {"max_blank": 0.01},
        {"no_blank_texts": "warning", "few_blank_texts": "error"},
    ),
    ("a long text", changed(3, text="长" * 100_000), {}, {"lengths": "warning"}),
    ("not Chinese", SOUND, {"min_chinese": 0.99}, {"share_of_chinese": "warning"}),
    ("HTML", changed(3, text="好<br/>"), {}, {"no_html": "warning"}),
    ("controls", changed(3, text="好\u200b"), {}, {"no_controls": "warning"}),
    ("U+FFFD", changed(3, text="好\ufffd"), {}, {"no_replacement_characters": "warning"}),
    ("mojibake", changed(3, text="锟斤拷"), {}, {"no_mojibake": "warning"}),
]


@pytest.mark.parametrize(("rows", "limits", "expected"), [case[1:] for case in PLANTED], ids=[c[0] for c in PLANTED])
def test_a_planted_defect_breaks_its_expectations_and_no_other(
    tmp_path: Path, rows: list[dict[str, Any]], limits: dict[str, Any], expected: dict[str, str]
) -> None:
    assert broken(judge(tmp_path, rows, **limits)) == expected


def test_declared_labels_must_hold_all_labels_and_should_all_be_used(tmp_path: Path) -> None:
    verdicts = judge(tmp_path, SOUND, ["a", "c", "d"])
    assert broken(verdicts) == {"labels_declared": "error", "declared_labels_used": "warning"}
    assert verdicts["labels_declared"].observed == 30
    assert (verdicts["declared_labels_used"].observed, verdicts["declared_labels_used"].note) == (2, "c, d")


def test_offenders_say_which_rows_and_where(tmp_path: Path) -> None:
    verdict = judge(tmp_path, changed(7, text="<b>好</b>"))["no_html"]
    assert verdict.offenders == [{"id": "i7", "origin": "x.csv", "row": 7}]
    assert (verdict.observed, verdict.rows, verdict.share) == (1, 1, 1 / 60)


def test_offenders_are_no_more_than_a_person_reads(tmp_path: Path) -> None:
    verdict = judge(tmp_path, [row | {"text": f"<b>{n}"} for n, row in enumerate(SOUND)])["no_html"]
    assert (verdict.rows, len(verdict.offenders)) == (60, EXAMPLES)


def test_an_empty_corpus_is_refused_without_a_crash(tmp_path: Path) -> None:
    verdicts = judge(tmp_path, [], ["a"])
    assert {name for name, level in broken(verdicts).items() if level == "error"} == {
        "enough_rows",
        "number_of_labels",
        "few_blank_texts",
    }
    assert verdicts["enough_rows"].observed == 0
    assert verdicts["share_of_chinese"].note == "there was nothing to measure"


@pytest.mark.parametrize(
    ("column", "error"), [("id", "ids_present"), ("text", "texts_present"), ("label", "labels_present")]
)
def test_a_column_of_nulls_is_refused_without_a_crash(tmp_path: Path, column: str, error: str) -> None:
    verdicts = judge(tmp_path, [row | {column: None} for row in SOUND])
    assert verdicts[error].observed == 60
    assert not verdicts[error].success
    assert not any(verdict.note == "it could not be evaluated" for verdict in verdicts.values())


def test_a_missing_field_is_named_and_the_rest_still_measured(tmp_path: Path) -> None:
    path = tmp_path / "corpus.parquet"
    pl.DataFrame({"id": ["i1", "i2"], "text": ["好", "<br>"]}).write_parquet(path)
    verdicts = judge_file(path)
    assert not verdicts["fields"].success
    assert verdicts["fields"].note == "label, split, origin, row, source"
    assert verdicts["no_html"].observed == 1


def test_results_hold_no_text_of_any_row(tmp_path: Path) -> None:
    secret = "谁都不该看见的一句话"
    rows = [row | {"text": f"<b>{secret}\u200b\ufffd锟斤拷"} for row in SOUND]
    verdicts = judge(tmp_path, rows, max_characters=3)
    assert len(broken(verdicts)) > 5
    published = json.dumps([asdict(verdict) for verdict in verdicts.values()], ensure_ascii=False)
    assert secret not in published
    assert secret[2:6] not in published


def test_great_expectations_is_silent_and_leaves_the_home_directory_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    script = "import sys; from test_expectations import judge, SOUND, Path; judge(Path(sys.argv[1]), SOUND)"
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, tmp_path],
        cwd=ROOT,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": paths, "POLARS_MAX_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert list(home.iterdir()) == []
