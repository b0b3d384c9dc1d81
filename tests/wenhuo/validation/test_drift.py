"""Each planted change from one data version to the next breaks the expectation that is about it, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.validation.drift import compare
from wenhuo.validation.drift_page import headline, render_drift
from wenhuo.validation.limits import Drift, Limits
from wenhuo.validation.measures import CORPUS_FIELDS
from wenhuo.validation.own import Chosen
from wenhuo.validation.profile import bin_edges
from wenhuo.validation.succession import follow, top_up, version_of
from wenhuo.validation.suite import Validated, validate_corpus
from wenhuo.validation.summary import length_edges
from wenhuo.validation.versions import History, Version, read_history

SCHEMA = {name: getattr(pl, kind) for name, kind in CORPUS_FIELDS.items()}
PLAIN = Chosen({}, ())
ROWS = [
    {"text": f"第{n}家酒店很干净，房间也大"[: 5 + n // 3 % 9], "label": "ab"[n % 2], "split": split}
    for n in range(120)
    for split in ["train" if n % 3 else "test"]
]


def validated(folder: Path, rows: list[dict[str, Any]], limits: Limits | None = None) -> Validated:
    folder.mkdir(exist_ok=True)
    full = [{"id": f"i{n}", "origin": "x.csv", "row": n, "source": "x"} | row for n, row in enumerate(rows)]
    pl.DataFrame(full, schema=SCHEMA).write_parquet(folder / "corpus.parquet")
    return validate_corpus(folder / "corpus.parquet", limits or Limits())


def history_of(*versions: Validated) -> History:
    return History([Version.model_validate(one.summary["profile"]) for one in versions], frozenset(), [])


def step(folder: Path, rows: list[dict[str, Any]], chosen: Chosen = PLAIN, **limits: float) -> dict[str, Any]:
    """The report of a version of these rows after one of ROWS."""
    before, now = validated(folder / "before", ROWS), validated(folder / "now", rows)
    return follow(now, Drift(**limits), chosen, history_of(before))


def broken(report: dict[str, Any]) -> set[str]:
    return {verdict["name"] for verdict in report["expectations"] if not verdict["success"]}


def changed(**values: Any) -> list[dict[str, Any]]:
    return [row | values if n % 5 == 0 else row for n, row in enumerate(ROWS)]


def source(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"source": name} for row in rows]


PLANTED: list[tuple[str, list[dict[str, Any]], set[str]]] = [
    ("nothing", [*ROWS[1:], ROWS[0]], set()),
    ("rows gone", ROWS[:60], {"drift_rows", "drift_splits", "drift_sources"}),
    ("three times the rows", ROWS * 3, {"drift_rows", "drift_splits", "drift_sources"}),
    ("a split gone", [row for row in ROWS if row["split"] == "train"], {"drift_rows", "drift_splits", "drift_sources"}),
    ("a source replaced", source("y", ROWS), {"drift_sources"}),
    ("labels shifted", changed(label="a"), set()),
    ("labels shifted far", [row | {"label": "a" if n % 4 else "b"} for n, row in enumerate(ROWS)], {"drift_labels"}),
    ("a label new", [*ROWS, ROWS[0] | {"label": "c"}], {"drift_new_labels"}),
    ("a label gone", [row | {"label": "a"} for row in ROWS], {"drift_labels", "drift_lost_labels"}),
    ("longer texts", [row | {"text": row["text"] * 4} for row in ROWS], {"drift_lengths"}),
    ("new characters", changed(text="繁體"), {"drift_characters", "drift_lengths"}),
]


@pytest.mark.parametrize(("rows", "expected"), [case[1:] for case in PLANTED], ids=[case[0] for case in PLANTED])
def test_a_planted_change_is_found(tmp_path: Path, rows: list[dict[str, Any]], expected: set[str]) -> None:
    report = step(tmp_path, rows)
    assert broken(report) == expected
    assert all(verdict["level"] == "warning" for verdict in report["expectations"])
    assert (report["errors"], report["warnings"]) == (0, len(expected))
    assert render_drift(report) == render_drift(report)


def test_figures_are_right(tmp_path: Path) -> None:
    rows = [row | {"label": "a" if n % 4 else "b"} for n, row in enumerate(ROWS)]
    rows = [*rows[:-1], rows[-1] | {"text": rows[-1]["text"] + "鑫鑫森"}]
    changes = step(tmp_path, rows)["changes"]
    assert changes["label_shift"] == 0.25
    assert changes["rows"] == {"name": "all", "before": 120, "now": 120, "change": 0.0}
    characters = sum(len(row["text"]) for row in rows)
    assert changes["new_characters"]["share"] == pytest.approx(3 / characters, abs=1e-8)
    assert [(one["character"], one["times"]) for one in changes["new_characters"]["most"]] == [("鑫", 2), ("森", 1)]


def test_what_is_new_or_gone_is_named(tmp_path: Path) -> None:
    rows = [*(row for row in ROWS if row["label"] == "a"), *(row | {"label": "鑫"} for row in ROWS)]
    notes = {verdict["name"]: verdict["note"] for verdict in step(tmp_path, rows)["expectations"]}
    assert (notes["drift_new_labels"], notes["drift_lost_labels"]) == ("鑫", "b")


def test_levels_come_from_expectations_yaml(tmp_path: Path) -> None:
    chosen = Chosen({"drift_rows": "error", "drift_splits": "off"}, ())
    report = step(tmp_path, ROWS[:60], chosen)
    assert (report["errors"], report["warnings"]) == (1, 1)
    assert "drift_splits" not in {verdict["name"] for verdict in report["expectations"]}
    assert headline(report) == "Not like the version before it: 1\u00a0error and 1\u00a0warning."


def test_limits_are_kept(tmp_path: Path) -> None:
    assert broken(step(tmp_path, ROWS[:60], max_rows_lost=0.6)) == set()


def test_a_first_version_has_nothing_to_compare_with(tmp_path: Path) -> None:
    report = follow(validated(tmp_path, ROWS), Drift(), PLAIN, History([], frozenset(), []))
    assert (report["previous"], report["changes"], report["expectations"]) == (None, None, [])
    assert "nothing to compare" in headline(report)
    assert "Versions" in render_drift(report)


def test_too_many_labels_are_neither_kept_nor_compared(tmp_path: Path) -> None:
    rows = [row | {"label": f"私人的话{n}"} for n, row in enumerate(ROWS)]
    now = validated(tmp_path / "now", rows, Limits(max_labels=20))
    assert now.summary["profile"]["labels"] is None
    report = follow(now, Drift(), PLAIN, history_of(validated(tmp_path / "before", ROWS)))
    assert not {"drift_labels", "drift_new_labels"} & {verdict["name"] for verdict in report["expectations"]}
    assert "私人的话" not in render_drift(report)


def test_empty_versions_are_compared_without_a_crash(tmp_path: Path) -> None:
    empty, full = validated(tmp_path / "empty", []), validated(tmp_path / "full", ROWS)
    for now, before in ((empty, full), (full, empty)):
        report = follow(now, Drift(), PLAIN, history_of(before))
        assert "drift_rows" in broken(report)
        assert render_drift(report)


def test_no_text_is_kept(tmp_path: Path) -> None:
    secret = "谁都不该看见的一句话"
    report = step(tmp_path, [*ROWS, {"text": secret, "label": "a", "split": "train"}])
    assert secret[1:5] not in str(report) + render_drift(report)


def test_the_history_is_topped_up_with_the_version_that_the_lock_names(tmp_path: Path) -> None:
    locked = version_of(validated(tmp_path, ROWS).summary)
    assert locked is not None
    path = tmp_path / "versions.jsonl"
    top_up(path, locked, locked.corpus)
    assert not path.exists()
    for _ in range(2):
        top_up(path, locked, "another")
    assert [known.corpus for known in read_history(path).versions] == [locked.corpus]
    assert version_of({"rows": {}}) is None


def test_equal_corpora_have_equal_profiles(tmp_path: Path) -> None:
    one, two = (validated(tmp_path / name, ROWS).summary["profile"] for name in ("one", "two"))
    assert one == two
    assert "when" not in one


@given(longest=st.integers(0, 300_000))
def test_bins_of_the_report_are_made_of_those_of_the_history(longest: int) -> None:
    assert set(length_edges(longest)) <= set(bin_edges(2 * longest + 2))


LENGTHS = st.lists(st.integers(0, 5000), min_size=1, max_size=40)


@given(before=LENGTHS, now=LENGTHS)
def test_the_distance_of_binned_lengths_is_a_distance(before: list[int], now: list[int]) -> None:
    from wenhuo.validation.drift import _kolmogorov_smirnov
    from wenhuo.validation.profile import _lengths

    one, two = (_lengths(pl.Series(values, dtype=pl.Int32)) for values in (before, now))
    assert sum(one.values()) == len(before)
    distance = _kolmogorov_smirnov(one, two)
    assert distance == _kolmogorov_smirnov(two, one)
    assert distance is not None
    assert 0 <= distance <= 1
    assert _kolmogorov_smirnov(one, one) == 0


def test_compare_needs_no_labels(tmp_path: Path) -> None:
    now = validated(tmp_path, ROWS)
    version = Version.model_validate(now.summary["profile"])
    unlabelled = version.model_copy(update={"labels": None})
    assert compare(unlabelled, version, now.characters)["labels"] is None
