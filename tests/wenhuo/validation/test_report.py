"""The page stands by itself, shows what it should, and nothing from outside can become markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.pages.histograms import histograms
from wenhuo.pages.wording import observed, percent, plural
from wenhuo.validation.measures import CORPUS_FIELDS, measure
from wenhuo.validation.report import render_report
from wenhuo.validation.summary import LABEL_CHARACTERS, LABELS_SHOWN, length_edges, summarise
from wenhuo.validation.verdicts import Verdict

SCHEMA = {name: getattr(pl, kind) for name, kind in CORPUS_FIELDS.items()}
HOSTILE = "</bdi><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"
ROWS = [
    {"text": f"第{n}家酒店", "label": "ab"[n % 2], "split": ("train", "validation", "test")[n // 2 % 3]}
    for n in range(24)
]


def verdict(**changes: Any) -> Verdict:
    values: dict[str, Any] = {
        "name": "no_html",
        "level": "warning",
        "description": "No text holds HTML.",
        "success": True,
        "observed": 0,
        "unit": "offenders",
        "rows": 0,
        "share": 0.0,
        "note": "",
        "expectation": "expect_column_sum_to_be_between",
        "arguments": {"column": "has_html", "max_value": 0},
        "where": {},
        "own": False,
        "offenders": [],
    }
    return Verdict(**values | changes)


def summary_of(
    folder: Path,
    rows: list[dict[str, Any]],
    verdicts: list[Verdict] | None = None,
    *,
    about: dict[str, Any] | None = None,
    max_labels: int = 500,
) -> dict[str, Any]:
    full = [{"id": f"i{n}", "origin": "x.csv", "row": n, "source": "x"} | row for n, row in enumerate(rows)]
    pl.DataFrame(full, schema=SCHEMA).write_parquet(folder / "corpus.parquet")
    return summarise(
        measure(folder / "corpus.parquet"), verdicts or [verdict()], about=about or {}, max_labels=max_labels
    )


class Elements(HTMLParser):
    """What a browser would make of a page: elements with their attributes, and the visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(" ".join(data.split()))

    def visible(self) -> str:
        return " ".join(self.text)


def test_the_page_needs_no_network_no_script_and_no_other_file(tmp_path: Path) -> None:
    page = render_report(summary_of(tmp_path, ROWS))
    elements = Elements(page).elements
    assert not {"script", "link", "iframe", "object", "embed", "img"} & {tag for tag, _ in elements}
    assert not {"src", "href", "srcset", "action"} & {name for _, attributes in elements for name in attributes}
    assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page
    assert "@import" not in page


def test_markup_in_names_from_outside_is_shown_and_never_obeyed(tmp_path: Path) -> None:
    rows = [row | {"label": HOSTILE} if n % 2 else row for n, row in enumerate(ROWS)]
    hostile = verdict(
        success=False, rows=1, observed=1, note=HOSTILE, offenders=[{"id": HOSTILE, "origin": HOSTILE, "row": 3}]
    )
    page = render_report(summary_of(tmp_path, rows, [hostile], about={"source": HOSTILE}))
    elements = Elements(page)
    assert not {"script", "img"} & {tag for tag, _ in elements.elements}
    assert "<script>alert(1)" in elements.visible()
    assert "{{7*7}}" in elements.visible()


def test_the_page_is_accessible(tmp_path: Path) -> None:
    elements = Elements(render_report(summary_of(tmp_path, ROWS))).elements
    named = [attributes for tag, attributes in elements if tag == "svg"]
    assert named
    assert all(attributes.get("role") == "img" and attributes.get("aria-label") for attributes in named)
    assert all(attributes.get("scope") for tag, attributes in elements if tag == "th")
    assert [tag for tag, _ in elements if tag in ("h1", "h2", "h3")] == ["h1", *["h2"] * 5]
    assert ("html", {"lang": "en"}) in elements


@pytest.mark.parametrize("synthetic", [True, False])
def test_a_made_corpus_is_called_synthetic(tmp_path: Path, synthetic: bool) -> None:
    page = Elements(render_report(summary_of(tmp_path, ROWS, about={"source": "sample", "synthetic": synthetic})))
    assert ("synthetic" in page.visible()) is synthetic


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        ([verdict()], "every expectation is met"),
        ([verdict(success=False, observed=3)], "Fit to go on, with 1 warning."),
        ([verdict(success=False, level="error"), verdict(success=False)], "Not fit to go on: 1 error and 1 warning."),
        ([verdict(success=False, level="error"), verdict(level="error", success=False)], "Not fit to go on: 2 errors."),
    ],
)
def test_the_headline_says_the_verdict(tmp_path: Path, verdicts: list[Verdict], headline: str) -> None:
    summary = summary_of(tmp_path, ROWS, verdicts)
    assert headline in Elements(render_report(summary)).visible()
    assert summary["success"] is not any(v.level == "error" and not v.success for v in verdicts)


def test_rows_lengths_and_overlaps_are_counted(tmp_path: Path) -> None:
    rows = [
        {"text": "好", "label": "a", "split": "train"},
        {"text": " 好", "label": "a", "split": "test"},
        {"text": "不好", "label": "b", "split": "train"},
        {"text": "不好", "label": "b", "split": "train"},
        {"text": "很不好的", "label": "b", "split": None},
    ]
    summary = summary_of(tmp_path, rows)
    assert summary["rows"] == {"all": 5, "train": 3, "test": 1, "undivided": 1}
    assert summary["labels"]["rows"][0] == {"label": "b", "all": 3, "train": 2, "test": 0, "undivided": 1}
    assert (summary["overlaps"]["test_in_train"], summary["overlaps"]["repeats_in_train"]) == (1, 1)
    assert summary["lengths"]["splits"]["train"]["median"] == 2
    for name, split in summary["lengths"]["splits"].items():
        assert sum(split["rows_by_bin"]) == summary["rows"][name]
    assert "not counted" in render_report(summary)


def test_too_many_labels_may_be_texts_and_are_not_named(tmp_path: Path) -> None:
    rows = [row | {"label": f"私人的话{n}"} for n, row in enumerate(ROWS)]
    summary = summary_of(tmp_path, rows, max_labels=20)
    assert summary["labels"]["number"] == len(ROWS)
    assert "私人" not in render_report(summary) + json.dumps(summary, ensure_ascii=False)


def test_long_tables_of_labels_are_cut_and_summed_up(tmp_path: Path) -> None:
    rows = [{"text": "好", "label": f"{n:03}" + "长" * 100} for n in range(100)]
    labels = summary_of(tmp_path, rows)["labels"]
    assert len(labels["rows"]) == LABELS_SHOWN
    assert labels["others"] == {"number": 100 - LABELS_SHOWN, "rows": 100 - LABELS_SHOWN}
    assert all(len(row["label"]) == LABEL_CHARACTERS + 1 for row in labels["rows"])


def test_an_empty_corpus_still_has_a_page(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [], [verdict(success=False, level="error", observed=None, note="nothing")])
    assert "No row has a label." in render_report(summary)


def test_rows_without_text_label_split_or_place_still_have_a_page(tmp_path: Path) -> None:
    nothing = dict.fromkeys(CORPUS_FIELDS)
    broken = verdict(success=False, rows=2, observed=2, offenders=[{"id": None, "origin": None, "row": None}])
    assert "no id" in render_report(summary_of(tmp_path, [nothing, nothing], [broken]))


def test_the_same_summary_gives_the_same_page(tmp_path: Path) -> None:
    assert render_report(summary_of(tmp_path, ROWS)) == render_report(summary_of(tmp_path, ROWS))


@given(lengths=st.lists(st.integers(0, 200_000), min_size=1, max_size=30))
def test_drawn_bars_stay_in_the_picture(lengths: list[int]) -> None:
    counts, edges = np.histogram(lengths, length_edges(max(lengths)))
    split = {
        "rows_by_bin": counts.tolist(),
        "median": sorted(lengths)[(len(lengths) - 1) // 2],
        "longest": max(lengths),
    }
    picture = histograms({"edges": edges.tolist(), "splits": {"train": split}})[0]
    assert picture["bars"]
    for bar in picture["bars"]:
        assert bar["x"] >= 0
        assert bar["x"] + bar["width"] <= 340
        assert 0 < bar["height"] <= 108.01 or bar["height"] == pytest.approx(0, abs=0.01)
    assert 0 <= picture["median_at"] <= 340
    assert picture["longest"] == max(lengths)


def test_figures_read_well() -> None:
    assert [percent(0), percent(0.0004), percent(0.2775), percent(1)] == ["0.0%", "< 0.1%", "27.8%", "100.0%"]
    assert [plural(1, "row"), plural(1200, "row")] == ["1 row", "1,200 rows"]
    assert observed({"observed": 0, "unit": "offenders", "note": ""}) == "none"
    assert observed({"observed": 333, "unit": "offenders", "note": ""}) == "333 rows"
    assert observed({"observed": 1, "unit": "unused labels", "note": ""}) == "1 unused label"
    assert observed({"observed": None, "unit": "share", "note": "nothing"}) == "nothing"
