"""What a comparison says of answers that are known row by row."""

import numpy as np
import polars as pl
import pytest

from wenhuo.comparing.comparison import Answers, Comparison, changed, compare_answers
from wenhuo.comparing.page import render_comparison
from wenhuo.comparing.terminal import most_different, turned, verdict
from wenhuo.metrics.classification import measure

LABELS = ["差评", "中评", "好评"]
ROWS = 120
CHANCE = {"bootstrap": 200, "seed": 3}


def saying(guesses, sure):
    """Probabilities of classes that were guessed, each as sure as is said."""
    found = np.repeat((1 - np.asarray(sure))[:, None] / 2, 3, axis=1)
    found[np.arange(len(guesses)), guesses] = sure
    return found


def answers(old_wrong, new_wrong, rows=ROWS):
    """Both models err on some rows, the old one by taking the next class, the new one the one before."""
    truth = np.arange(rows) % 3
    sure = np.linspace(0.5, 0.9, rows)
    old = np.where(np.isin(np.arange(rows), old_wrong), (truth + 1) % 3, truth)
    new = np.where(np.isin(np.arange(rows), new_wrong), (truth + 2) % 3, truth)
    table = pl.DataFrame(
        {"id": [f"row{n:03}" for n in range(rows)], "text": [f"<b>第{n}句</b>" + "字" * (n % 40) for n in range(rows)]}
    )
    return Answers(table, LABELS, truth, saying(old, sure), saying(new, sure[::-1]))


def compared(old_wrong, new_wrong, examples=5):
    given = answers(old_wrong, new_wrong)
    halves = {"short": np.arange(ROWS) < 60, "source <i>": np.arange(ROWS) >= 60}
    return compare_answers("validation", given, halves, examples=examples, **CHANCE)


def test_rows_are_counted_on_the_side_they_change_to():
    found = compared(old_wrong=[0, 1, 2, 3, 4, 5], new_wrong=[5, 6, 7])
    assert found.turned == {"won": 5, "lost": 2, "moved": 1}
    assert found.same == ROWS - 8
    assert (found.test.only_first, found.test.only_second) == (5, 2)
    assert found.differences["accuracy"].difference == pytest.approx(3 / ROWS, abs=1e-6)
    assert "5 wrong to right, 2 right to wrong, 1 wrong to another" in turned(found)


def test_the_surest_rows_are_shown_first_and_no_more_than_asked_for():
    found = compared(old_wrong=[10, 20, 30, 40], new_wrong=[50, 60], examples=2)
    assert [row.id for row in found.examples["won"]] == ["row010", "row020"]  # the new one is surest of the first rows
    row = found.examples["won"][0]
    assert (row.label, row.old, row.new) == (LABELS[1], LABELS[2], LABELS[1])
    assert row.new_probability > row.old_probability
    assert [row.id for row in found.examples["lost"]] == ["row050", "row060"]
    assert not any(compared([1, 2], [3], examples=0).examples.values())


def test_the_figures_are_those_of_each_model_alone():
    found, given = compared([1, 2, 3], [4]), answers([1, 2, 3], [4])
    assert found.old == measure(given.truth, given.old, LABELS, **CHANCE)
    assert found.new == measure(given.truth, given.new, LABELS, **CHANCE)
    assert found.differences["macro_f1"].first == found.new["macro_f1"]
    for line in found.classes:
        assert line.figure.second == pytest.approx(found.old["per_class"][line.name]["f1"], abs=1e-6)


def test_parts_of_the_rows_are_compared_by_themselves():
    found = compared(old_wrong=[1, 2, 3], new_wrong=[90, 91])
    short, other = found.slices
    assert (short.rows, short.figure.first, short.figure.second) == (60, 1.0, 0.95)
    assert other.figure.difference == pytest.approx(-2 / 60, abs=1e-6)


def test_the_verdict_tells_chance_from_more():
    better = Comparison("a", "b", [compared(old_wrong=range(40), new_wrong=[50])])
    equal = Comparison("a", "b", [compared(old_wrong=[1, 2], new_wrong=[3])])
    assert verdict(better, better.splits[0]).startswith("b has the higher macro-F1")
    assert verdict(equal, equal.splits[0]).startswith("The difference in macro-F1 may be chance")


def test_of_many_classes_those_are_shown_that_differ_most():
    lines = compared([1], [2]).classes * 20
    assert len(most_different(lines)) == 30
    assert most_different(lines[:3]) == lines[:3]


def test_nothing_is_lost_or_counted_twice():
    generator = np.random.default_rng(1)
    truth, old, new = generator.integers(3, size=(3, 500))
    turns = changed(truth, old, new)
    rows = np.concatenate(list(turns.values()))
    assert sorted(rows) == np.flatnonzero(old != new).tolist()


def test_texts_and_names_are_escaped():
    found = Comparison("<script>a</script>", "b", [compared([1, 2, 3], [4])], ["<img src=x>"])
    page = render_comparison(found)
    assert "<script" not in page and "<img" not in page and "<b>第" not in page and "source <i>" not in page
