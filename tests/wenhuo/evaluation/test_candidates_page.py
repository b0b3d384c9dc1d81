"""The page says who wins and why, as the figures have it; the same material gives the same bytes."""

import re
from dataclasses import replace

import pytest

from tests.wenhuo.evaluation.conftest import course, make
from wenhuo.blending.options import Blend
from wenhuo.evaluation.calibration import calibration
from wenhuo.evaluation.courses import courses
from wenhuo.evaluation.material import Material, Shown
from wenhuo.evaluation.page import render_candidates
from wenhuo.evaluation.verdict import reasons
from wenhuo.models.folder import Card

LABELS = ["差评", "好评"]


def said(material):
    linear = {name for name in material.candidates if name.startswith("linear")}
    return " ".join(reasons(material.summary, linear))


def test_the_same_material_gives_the_same_bytes_and_asks_for_nothing(material):
    page = render_candidates(material, shown=20)
    assert page == render_candidates(make(LABELS, {"linear": 8, "mini": 12}), shown=20)
    assert not re.search(r"""(src|href)=["'](?!#)|url\(|@import|<script""", page)
    assert "&lt;b&gt;房间" in page
    assert "<b>房间" not in page
    headings = re.findall(r"<h2[^>]*>([^<]+)", page)
    assert headings == [
        "Who wins, and why",
        "Candidates compared",
        "Before and after",
        "What was trained",
        "How training went",
        "What is taken for what",
        "Parts of test",
        "Errors by kind",
        "Robustness",
        "What the probabilities are worth",
        "Surest errors",
    ]


def test_no_text_and_no_error_is_shown_when_none_is_asked_for(material):
    page = render_candidates(material, shown=0)
    assert "房间" not in page
    assert "Surest errors" not in page
    assert "<code>evaluate.examples</code> is 0" in page
    assert "Right among the rows drawn" in page


def test_every_figure_of_every_part_is_there(material):
    page = render_candidates(material, shown=0)
    for splits in material.summary["candidates"].values():
        assert list(splits) == ["validation", "test", "test_leak_free"]
        for figures in splits.values():
            for name in ("macro_f1", "accuracy"):
                low, high = figures["intervals"][name]
                assert f"{figures[name]:.1%}" in page
                assert f"{low:.1%} – {high:.1%}" in page
    assert "48 rows" not in page
    assert "192 rows; rows that do not stand in" in page
    assert "lora" in page
    assert ">80<" in page
    assert "1.0%" in page


def test_the_winner_is_called_sure_only_where_it_is():
    sure, unsure = make(LABELS, {"linear": 3, "mini": 60}), make(LABELS, {"linear": 12, "mini": 13})
    assert sure.summary["winner"] == unsure.summary["winner"] == "mini"
    assert sure.summary["lead"]["over"] == "linear"
    assert sure.summary["lead"]["interval"][0] > 0 > unsure.summary["lead"]["interval"][0]
    assert "may be chance" not in said(sure)
    assert "may be chance" in said(unsure)


def test_the_linear_baseline_is_named_whoever_wins():
    assert "No candidate of another kind beats the linear baseline" in said(make(LABELS, {"linear": 60, "mini": 3}))
    assert "linear is the linear baseline" in said(make(LABELS, {"linear": 3, "mini": 60}))
    third = make(LABELS, {"linear": 3, "mini": 30, "large": 60})
    assert third.summary["lead"]["over"] == "mini"
    assert re.search(r"The linear baseline linear is [\d.]+ points behind", said(third))
    assert "baseline" not in said(make(LABELS, {"mini": 3}))


def test_equals_and_a_candidate_alone_are_told():
    assert "linear is its equal" in said(make(LABELS, {"mini": 8, "linear": 8}))
    alone = make(LABELS, {"linear": 8})
    assert alone.summary["lead"] is None
    assert "no other candidate" in said(alone)
    assert "The same sentences" in render_candidates(alone, shown=3)


def test_a_better_figure_on_test_is_told_and_changes_nothing(material):
    summary = dict(material.summary)
    measures = {name: dict(splits) for name, splits in summary["candidates"].items()}
    measures["linear"]["test"] = measures["linear"]["test"] | {"macro_f1": 0.999}
    assert summary["winner"] == "mini"
    told = " ".join(reasons(summary | {"candidates": measures}, {"linear"}))
    assert "On test linear has a higher macro-F1; test chooses nothing" in told


def test_courses_are_drawn_to_one_scale_with_the_baseline_and_the_epoch_that_was_kept(material):
    network = material.candidates["mini"]
    shown = {"a": network, "b": Shown(network.options, network.answers, course(0.7))}
    first, second = courses(shown, ("linear", 0.75))
    for kind in ("loss", "score"):
        assert first[kind]["ticks"] == second[kind]["ticks"]
    assert first["score"]["level"]["y"] == second["score"]["level"]["y"]
    assert first["score"]["kept"]["y"] < first["score"]["level"]["y"] < second["score"]["kept"]["y"]
    second_epoch = first["score"]["lines"]["main"]["dots"][1]
    assert first["score"]["kept"]["x"] == second_epoch["x"], "of equals the first"
    heights = [dot["y"] for dot in first["loss"]["lines"]["main"]["dots"]]
    assert heights == sorted(heights), "the loss falls"
    assert courses({"linear": material.candidates["linear"]}, None) == []


@pytest.mark.parametrize("labels", [8, 40])
def test_many_labels_become_counts_and_then_pairs(labels):
    names = [f"第{number}类" for number in range(labels)]
    page = render_candidates(make(names, {"linear": 8, "mini": 12}), shown=2)
    if labels > 12:
        assert "most often taken for another" in page
        assert page.count('<th scope="row"><bdi>第1类</bdi></th><td><bdi>第2类</bdi></td>') == 2
    else:
        assert page.count('<table class="matrix">') == 2
        assert '<td class="figure right">' in page


def test_a_label_without_rows_no_intervals_and_no_test_rows_are_no_trouble():
    material = make(["差评", "好评", "无"], {"linear": 8, "mini": 12}, bootstrap=0, rows=2)
    page = render_candidates(material, shown=20)
    assert "between" in page
    assert " – " not in page.split("compared")[2]


def test_a_blend_has_no_before_no_temperature_and_names_its_members():
    made = make(LABELS, {"linear": 8, "mini": 12, "both": 20})
    card = Card(kind="blend", labels=LABELS, cleaning={}, members={"linear": 0.4, "mini": 0.7}, trained_on={})
    one = made.candidates["both"]
    shown = dict(made.candidates)
    shown["both"] = Shown(Blend(of=["linear", "mini"]), replace(one.answers, card=card))
    answers = {name: told.answers for name, told in shown.items()}
    summary = dict(made.summary) | {"calibration": calibration(answers, made.parts, LABELS)}
    page = render_candidates(Material(summary, made.parts, shown), shown=5)
    assert "0.40 × linear + 0.70 × mini" in page
    assert "A blend has no temperature of its own" in page
    untrained = page.split("Right among the rows drawn")[1].split("</table>")[0]
    assert re.search(r"both</bdi></th><td class=\"figure\">–</td>", untrained)
    assert shown["both"].chosen(13)["weights"] == {"linear": 0.4, "mini": 0.7}
    assert page.count("<figcaption><strong><bdi>both") == 1  # coverage, and no course
