"""The card's figures are those of metrics.json: every one of them is read back out of the Markdown and the page."""

import pytest
from ruamel.yaml import YAML

from tests.wenhuo.cards.conftest import CALIBRATION, NAMES, material_of, without
from tests.wenhuo.cards.reading import markdown_tables, page_figures, shows, value_at
from wenhuo.cards.markdown import render_description, render_markdown
from wenhuo.cards.measured import KINDS, ORDER, figure_name
from wenhuo.cards.page import render_card
from wenhuo.evaluation.page import PARTS
from wenhuo.metrics.classification import FIGURES


def test_every_figure_of_the_page_is_the_one_of_metrics_json(card):
    found = page_figures(render_card(card))
    for one in found:
        value = value_at(card.summary, one["data-figure"])
        assert (float(one["data-value"]) if one["data-value"] else None) == value, one
        ends = [float(one[name]) for name in ("data-low", "data-high") if name in one]
        assert shows(one["text"], value, ends), one
    assert len(found) > 200


def test_no_figure_of_metrics_json_is_missing_on_the_page(card):
    there = {one["data-figure"] for one in page_figures(render_card(card))}
    for name in NAMES:
        for split in PARTS:
            assert there >= {f"candidates/{name}/{split}/{figure}" for figure in FIGURES}
        for kind in KINDS:
            at = f"robustness/candidates/{name}/{kind}"
            assert there >= {
                f"{at}/{part}" for part in ("accuracy", "macro_f1", "changed_texts", "changed_answers", "fall")
            }
    for part in ("slices", "error_kinds"):
        places = {path.split("/")[2] for path in there if path.startswith(f"{part}/mini/")}
        assert len(places) == len(card.summary[part]["mini"]) > 2
    for place in range(len(CALIBRATION["test"]["coverage_curve"])):
        assert f"calibration/mini/test/coverage_curve/{place}/accuracy" in there


def test_intervals_stand_beside_every_figure_that_has_one(card):
    beside = {one["data-figure"] for one in page_figures(render_card(card)) if "data-low" in one}
    for name in NAMES:
        for split, measure in card.summary["candidates"][name].items():
            held = {f"candidates/{name}/{split}/{figure}" for figure, ends in measure["intervals"].items() if ends}
            assert held & {f"candidates/{name}/{split}/{figure}" for figure in FIGURES} <= beside


def test_every_figure_of_the_markdown_is_the_one_of_metrics_json(card):
    tables = markdown_tables(render_markdown(card))
    seen = 0
    for split, (before, rows) in zip(ORDER, tables["Figures"], strict=False):
        assert before.startswith(f"{PARTS[split][0]}, {card.figures[split]['rows']}")
        assert [row["Figure"] for row in rows] == [figure_name(name) for name in FIGURES]
        for name, row in zip(FIGURES, rows, strict=True):
            for who in NAMES:
                measure = card.summary["candidates"][who][split]
                assert shows(row[who], measure[name], measure["intervals"].get(name)), (split, name, who)
                seen += 1
    assert set(ORDER) == set(PARTS)
    assert seen == len(PARTS) * len(FIGURES) * 2


def test_labels_slices_errors_and_rewritten_texts_in_markdown(card):
    tables, summary = markdown_tables(render_markdown(card)), card.summary
    for row in tables["Figures"][3][1]:
        one = summary["candidates"]["mini"]["test"]["per_class"][row["Label"]]
        shown = [row[name] for name in ("precision", "recall", "F1", "rows")]
        assert all(map(shows, shown, [one[name] for name in ("precision", "recall", "f1", "support")]))
    for row, one in zip(tables["Parts of test"][0][1], summary["slices"]["mini"], strict=True):
        assert (row["Part of test"], row["by"]) == (one["slice"], one["by"])
        assert shows(row["accuracy"], one["accuracy"], one["interval"])
        assert shows(row["macro-F1"], one["macro_f1"])
        assert shows(row["rows"], one["rows"])
    for row, one in zip(tables["Errors by kind"][0][1], summary["error_kinds"]["mini"], strict=True):
        assert shows(row["errors"], one["errors"])
        assert shows(row["of all errors"], one["share"])
    for who, (_, rows) in zip(("mini", "linear"), tables["Robustness"], strict=True):
        for row, (kind, one) in zip(rows, summary["robustness"]["candidates"][who].items(), strict=True):
            assert row["Texts"] == KINDS[kind]
            assert shows(row["accuracy"], one["accuracy"], one["interval"])
            assert shows(row["accuracy lost"], one["fall"], one.get("fall_interval"))


def test_calibration_in_markdown(card):
    text = render_markdown(card)
    (_, errors), (_, answered), (_, coverage) = markdown_tables(text)["What its probabilities are worth"]
    for split in ("validation", "test"):
        assert shows(errors[0][split], card.figures[split]["calibration_error"])
    assert "Temperature, fitted on validation: 1.3125" in text
    assert "Below a probability of 0.6250 it gives no label" in text
    assert "95.0% of its answers" in text
    assert [shows(errors[1][split], 0.0525) for split in ("validation", "test")] == [True, True]
    assert [shows(row["accuracy"], 0.975) for row in answered] == [True, True]
    for row, one in zip(coverage, CALIBRATION["test"]["coverage_curve"], strict=True):
        assert shows(row["Answer from"], one["threshold"])
        assert shows(row["accuracy"], one["accuracy"])


def test_the_front_matter_is_yaml_and_says_the_figures_of_test(card):
    text = render_markdown(card)
    told = YAML(typ="safe").load(text.split("---\n")[1])
    assert (told["language"], told["pipeline_tag"]) == ("zh", "text-classification")
    assert "license" not in told
    assert "synthetic-data" in told["tags"]
    (results,) = told["model-index"][0]["results"]
    values = {one["name"]: one["value"] for one in results["metrics"]}
    assert values == {"accuracy": card.figures["test"]["accuracy"], "macro-F1": card.figures["test"]["macro_f1"]}


def test_confusions_add_up_to_the_rows_of_test(card):
    (_, rows) = markdown_tables(render_markdown(card))["What is taken for what"][0]
    counts = [int(row[label]) for row in rows for label in card.labels]
    assert sum(counts) == card.figures["test"]["rows"]
    right = sum(int(row[row["Label"]]) for row in rows)
    assert right / sum(counts) == pytest.approx(card.figures["test"]["accuracy"], abs=1e-6)


def test_what_is_not_known_is_left_out():
    old = without(material_of(["a", "b"]), "calibration", "robustness", "slices", "error_kinds", "parameters", "lead")
    for text in (render_markdown(old), render_card(old), render_description(old, "elsewhere")):
        assert "Parts of test" not in text
        assert "Robustness" not in text
        assert "Temperature" not in text
    assert "calibration error" in render_markdown(old)
