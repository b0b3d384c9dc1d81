"""Temperatures and coverage: measured rightly, told on the page with what was asked for, and silent where unknown."""

import re

import numpy as np
import pytest

from tests.wenhuo.evaluation.conftest import make
from wenhuo.evaluation.answers import Answers, Part
from wenhuo.evaluation.calibration import calibration
from wenhuo.evaluation.coverage import FEWEST, pictures, probabilities
from wenhuo.metrics.calibration import calibration_error, reliability
from wenhuo.metrics.classification import measure
from wenhuo.models.folder import Card
from wenhuo.models.temperature import tempered

LABELS = ["差评", "好评"]
ABOUT = {"kind": "linear", "labels": LABELS, "cleaning": {}, "encoder": {"kind": "ngrams"}, "trained_on": {}}


def honest(rows, seed):
    """Answers right as often as they say."""
    draw = np.random.default_rng(seed)
    sure = 0.5 + draw.random(rows) / 2
    truth = (draw.random(rows) > sure).astype(np.int64)
    part = Part([str(row) for row in range(rows)], [""] * rows, truth, np.zeros(rows, dtype=bool))
    return part, np.stack([sure, 1 - sure], axis=1)


def summary_of(rows=600, **values):
    """Two candidates: an honest one, and one that its temperature has made so."""
    found = {split: honest(rows, seed) for seed, split in enumerate(("validation", "test"))}
    parts = {split: part for split, (part, _) in found.items()}
    answers = {
        "linear": Answers({split: said for split, (_, said) in found.items()}, 1.0, Card(**ABOUT)),
        "mini": Answers({split: said for split, (_, said) in found.items()}, 1.0, Card(**ABOUT | values)),
    }
    measures = {
        name: {s: measure(parts[s].truth, one.by_split[s], LABELS, bootstrap=0, seed=1) for s in parts}
        for name, one in answers.items()
    }
    return {"candidates": measures, "calibration": calibration(answers, parts, LABELS)}, parts, answers


def test_figures_without_the_temperature_are_those_of_the_sharper_answers():
    summary, parts, answers = summary_of(temperature=2.5)
    said = tempered(answers["mini"].by_split["test"], 1 / 2.5)
    found = summary["calibration"]["mini"]["test"]["untempered"]
    expected = calibration_error(reliability(parts["test"].truth, said))
    assert found["calibration_error"] == pytest.approx(expected, abs=1e-6)
    assert found["calibration_error"] > summary["candidates"]["mini"]["test"]["calibration_error"] + 0.05
    same = summary["calibration"]["linear"]["test"]["untempered"]
    assert same == {name: summary["candidates"]["linear"]["test"][name] for name in same}


def test_the_shape_is_the_same_with_and_without_a_threshold():
    summary, parts, answers = summary_of(temperature=2.5, abstain_below=0.8, abstain_for=0.88)
    plain, found = summary["calibration"].values()
    assert (plain["temperature"], plain["abstain_below"], plain["abstain_for"]) == (1.0, None, None)
    assert "answered" not in plain["test"]
    held = answers["mini"].by_split["test"].max(1) >= 0.8
    right = (answers["mini"].by_split["test"].argmax(1) == parts["test"].truth)[held].mean()
    assert found["test"]["answered"]["rows"] == held.sum()
    assert found["test"]["answered"]["coverage"] == pytest.approx(held.mean(), abs=1e-6)
    assert found["test"]["answered"]["accuracy"] == pytest.approx(right, abs=1e-6)
    assert set(found["validation"]["coverage_curve"][0]) == {"threshold", "coverage", "accuracy", "rows"}


def test_all_pictures_have_the_same_scales_and_stay_inside():
    drawn = pictures(summary_of(temperature=2.5, abstain_below=0.8, abstain_for=0.88)[0]["calibration"])
    assert [one["name"] for one in drawn] == ["linear", "mini"]
    assert drawn[0]["ticks"] == drawn[1]["ticks"]
    for one in drawn:
        places = [float(value) for line in one["lines"].values() for value in re.findall(r"[\d.]+", line)]
        assert min(places) >= 12 and max(places) <= 340
    assert not drawn[0]["marks"] and set(drawn[1]["marks"]) == {"test", "validation"}
    assert pictures(summary_of(rows=FEWEST - 1)[0]["calibration"]) == []


def test_the_section_tells_what_was_asked_for_and_what_came_of_it():
    summary, _, _ = summary_of(temperature=2.5, abstain_below=0.8, abstain_for=0.88)
    section = probabilities(summary, ["linear", "mini"])
    mark = summary["calibration"]["mini"]["test"]["answered"]
    assert f"{mark['coverage']:.1%} of test, {mark['accuracy']:.1%} of that right" in section
    assert "abstains below a probability of 80.0%" in section
    assert section.count('class="kept"') == 2
    assert section.count("<polyline") == 4
    error = summary["calibration"]["mini"]["test"]["untempered"]["calibration_error"]
    assert f"{error:.4f}" in section
    assert "linear" not in probabilities(summary, ["mini"])
    vain = probabilities(summary_of(abstain_for=0.999)[0], ["mini"])
    assert "No threshold is sure to reach that" in vain


def test_nothing_is_said_of_what_is_not_known():
    assert probabilities({"candidates": {}}, ["mini"]) == ""
    made = make(LABELS, {"linear": 8, "mini": 12})
    older = {name: value for name, value in made.summary.items() if name != "calibration"}
    assert probabilities(older, ["linear", "mini"]) == ""
    parts = {split: honest(rows, 1)[0] for split, rows in {"validation": 50, "test": 0}.items()}
    said = {split: np.full((len(part.ids), 2), 0.5) for split, part in parts.items()}
    found = calibration({"mini": Answers(said, 1.0, Card(**ABOUT, abstain_below=0.8))}, parts, LABELS)
    assert found["mini"]["test"]["coverage_curve"] == []
    assert found["mini"]["test"]["answered"] == {"coverage": 0.0, "accuracy": None, "rows": 0}
    assert found["mini"]["validation"]["answered"]["rows"] == 0
    measures = {s: measure(part.truth, said[s], LABELS, bootstrap=0, seed=1) for s, part in parts.items()}
    assert ">test<" not in probabilities({"candidates": {"mini": measures}, "calibration": found}, ["mini"])
