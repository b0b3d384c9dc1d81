"""``wenhuo explain``: neighbours and their suspect labels, what is said beside, the terminal, JSON and the page."""

import json

import polars as pl
import pytest
from typer.testing import CliRunner

from tests.wenhuo.pages.test_pages import CHROMIUM, browser, glyphs_differ, opened  # noqa: F401 - a fixture
from wenhuo.cli import app
from wenhuo.errors import DataError, ModelError, SettingsError
from wenhuo.explaining.explain import explain
from wenhuo.explaining.explanation import Word, strongest
from wenhuo.explaining.page import render_explanation
from wenhuo.files import write_text

PLAIN = {"label": None, "neighbours": 3, "among": None}
EVIL = "推荐<script>alert(1)</script>&amp;<img src=x>\"'"


@pytest.mark.parametrize("model", ["linear", "mini"])
def test_the_nearest_train_row_of_a_train_row_is_itself_and_its_suspect_label_is_told(project, model):
    first = pl.read_parquet("data/split/train.parquet").row(0, named=True)
    found = explain(first["text"], model, **PLAIN)
    best = found.neighbours.rows[0]
    assert (best.id, best.label) == (first["id"], first["label"])
    assert best.similarity == pytest.approx(1, abs=1e-6)
    assert (best.suggested, best.flagged, best.action) == ("positive", True, "drop")
    assert [row.similarity for row in found.neighbours.rows] == sorted(
        (row.similarity for row in found.neighbours.rows), reverse=True
    )
    assert (found.neighbours.looked_at, found.neighbours.total) == (240, 240)


def test_a_sample_of_train_is_said_to_be_one(project):
    found = explain("房间干净", "linear", label=None, neighbours=3, among=50)
    assert found.neighbours.looked_at == 50
    assert any("50 of 240" in note for note in found.notes)


def test_other_train_rows_than_the_models_are_said_to_be_others(project):
    about = json.loads((project / "data/split/dataset.json").read_text())
    assert not any("not those" in note for note in explain("干净", "linear", **PLAIN).notes)
    (project / "data/split/dataset.json").write_text(json.dumps(about | {"hash": {"train": "x"}}))
    assert any("not those" in note for note in explain("干净", "linear", **PLAIN).notes)


def test_outside_a_project_there_are_no_neighbours_and_that_is_said(linear_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = explain("房间干净", str(linear_model), **PLAIN)
    assert found.neighbours is None and any("data/split" in note for note in found.notes)


def test_what_cleaning_did_and_what_was_not_read_is_said(project):
    found = explain("<b>房间　干净</b>" + "好" * 100, "mini", **PLAIN)
    assert found.text.startswith("房间 干净")
    assert any("Cleaning" in note for note in found.notes)
    assert any("66 characters of 105" in note for note in found.notes)  # a space is no token; two of 40 are special
    assert explain("房间干净", "mini", **PLAIN).notes == []


def test_a_label_can_be_chosen(project):
    found = explain("房间干净", "linear", label="negative", neighbours=0, among=None)
    assert (found.label, found.predicted) == ("negative", "positive")
    assert found.found.log_odds < 0
    with pytest.raises(SettingsError, match="no such label"):
        explain("房间干净", "linear", label="好", neighbours=0, among=None)


def test_a_text_of_which_nothing_is_left_and_unknown_models_are_refused(project):
    with pytest.raises(DataError, match="nothing of the text"):
        explain(" \u200b<br> ", "linear", **PLAIN)
    with pytest.raises(ModelError, match="no model nonsense"):
        explain("好", "nonsense", **PLAIN)
    with pytest.raises(ModelError, match="no champion here"):
        explain("好", None, **PLAIN)


def test_words_are_listed_once_by_strength():
    found = [Word("好", 0, 1.0), Word("差", 1, -1.5), Word("好", 2, 1.0), Word("，", 3, 0.0)]
    assert strongest(found, 5) == [Word("好", 0, 2.0), Word("差", 1, -1.5)]
    assert strongest(found, 1) == [Word("好", 0, 2.0)]


def test_the_terminal_says_without_colours_what_they_say(project):
    said = CliRunner().invoke(app, ["explain", "这家酒店干净，[red]推荐", "--model", "linear"], env={"COLUMNS": "100"})
    assert said.exit_code == 0, said.output
    assert "这家酒店干净，[red]推荐" in said.output and "\x1b[" not in said.output
    words = [line.split() for line in said.output.splitlines() if "█" in line or "▒" in line]
    assert words[0][0] in {"干净", "推荐"} and float(words[0][1]) > 0
    assert "nearest train rows" in said.output


def test_of_a_long_stretch_that_is_not_read_the_terminal_shows_the_length(project):
    said = CliRunner().invoke(app, ["explain", "干净" + "好" * 500, "--model", "mini", "--neighbours", "0"])
    assert "… 464 characters …" in said.output and "好" * 80 not in said.output


def test_json_holds_all_of_it_and_nothing_else(project):
    said = CliRunner().invoke(app, ["explain", "这家酒店干净", "--model", "mini", "--json", "--neighbours", "1"])
    found = json.loads(said.stdout)
    assert found["label"] == "positive" and len(found["characters"]) == 6 and found["complete"]
    change = found["log_odds"]["text"] - found["log_odds"]["no_text"] - found["log_odds"]["gap"]
    assert sum(found["characters"]) == pytest.approx(change)
    assert found["neighbours"]["rows"][0]["label"] == "positive"


def test_texts_and_labels_are_escaped(project):
    page = render_explanation(explain(EVIL, "linear", **PLAIN))
    assert "<script" not in page and "<img" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize(
    "settings", [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}}]
)
def test_the_page_is_drawn_and_asks_for_nothing(project, browser, settings):  # noqa: F811
    path = project / "why.html"
    text = pl.read_parquet("data/split/train.parquet")["text"][0]
    write_text(path, render_explanation(explain(text + "推荐", "linear", **PLAIN)))
    page, asked, complaints = opened(browser, path, **settings)
    assert (asked, complaints) == ([path.as_uri()], [])
    assert page.locator(".weighed").inner_text() == text + "推荐"
    grounds = {
        kind: page.locator(f".weighed .{kind}").first.evaluate("one => getComputedStyle(one).backgroundColor")
        for kind in ("for", "against")
    }
    assert len(set(grounds.values())) == 2 and "rgba(0, 0, 0, 0)" not in grounds.values()
    bars = [box for bar in page.locator("svg rect.fill").all() if (box := bar.bounding_box())]
    assert bars and max(box["width"] for box in bars) > 20
    assert "looks wrong: positive is suggested" in page.locator(".suspect").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert glyphs_differ(page)
    page.close()
