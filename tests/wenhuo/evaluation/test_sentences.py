"""The sentences of before and after are drawn by rules that the page states, from validation alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from tests.wenhuo.evaluation.conftest import make
from wenhuo.evaluation.sentences import before_and_after, choose, surest
from wenhuo.training import before


@given(some.integers(0, 60), some.sets(some.integers(0, 59)), some.integers(0, 40))
def test_rows_are_shown_as_they_come_and_then_contested_ones(count, odd, shown):
    drawn = [(7 * row + 3) % 60 for row in range(count)]
    contested = [row for row in drawn if row in odd]
    plain, more = choose(drawn, contested, shown)
    assert len(plain) + len(more) == min(shown, count)
    assert not set(plain) & set(more)
    first = shown - round(shown * 0.4)
    assert plain[:first] == drawn[:first], "whatever the models say"
    assert set(more) <= set(contested)
    assert len(more) == min(shown - first, len(set(contested) - set(drawn[:first])))
    assert [row for row in drawn if row in plain] == plain


def test_a_row_is_contested_where_candidates_differ_or_a_right_answer_was_lost():
    agreed = make(["差评", "好评"], {"linear": 0, "mini": 0})
    assert before_and_after(agreed, 20)["contested"] == 0
    lost = make(["差评", "好评"], {"mini": 8})  # before training it called every row 差评
    part = lost.parts["validation"]
    found = before_and_after(lost, 20)
    rows = before.drawn(part.ids, part.truth.tolist())
    assert found["contested"] == sum(row % 8 == 1 and part.truth[row] == 0 for row in rows)
    both = make(["差评", "好评"], {"linear": 8, "mini": 0})
    differ = sum(row % 8 == 1 for row in rows)
    assert before_and_after(both, 20)["contested"] == differ > 0


def test_what_was_said_before_and_after_stands_beside_what_the_baseline_says(material):
    found = before_and_after(material, 20)
    assert found["drawn"] == 100
    part = material.parts["validation"]
    rows = before.drawn(part.ids, part.truth.tolist())
    right = {"linear": sum(r % 8 != 1 for r in rows), "mini": sum(r % 12 != 1 for r in rows)}
    assert found["tallies"] == [
        {"name": "linear", "before": None, "after": right["linear"]},
        {"name": "mini", "before": 50, "after": right["mini"]},  # half of the rows drawn are 差评
    ]
    [plain, contested] = found["groups"]
    assert [row["id"] for row in plain["rows"]] == [part.ids[row] for row in rows[:12]]
    assert [row["label"] for row in plain["rows"]].count("差评") == 6
    for row in [*plain["rows"], *contested["rows"]]:
        place = part.ids.index(row["id"])
        assert row["said"]["linear"]["before"] is None
        assert row["said"]["mini"]["before"]["label"] == "差评"
        assert row["said"]["mini"]["after"]["right"] == (place % 12 != 1)
        assert row["said"]["linear"]["after"]["right"] == (place % 8 != 1)
    assert any(not row["said"]["linear"]["after"]["right"] for row in contested["rows"])


def test_none_of_test_is_shown(material):
    shown = [row["id"] for group in before_and_after(material, 1000)["groups"] for row in group["rows"]]
    assert len(shown) == 100
    assert not {key for key in shown if not key.startswith("validation")}


def test_no_texts_are_given_when_none_are_asked_for(material):
    assert before_and_after(material, 0)["groups"] == []
    assert before_and_after(material, 0)["tallies"]


def test_a_network_of_an_earlier_version_has_no_before():
    old = make(["差评", "好评"], {"linear": 8, "mini": 12}, untrained=False)
    found = before_and_after(old, 5)
    assert [tally["before"] for tally in found["tallies"]] == [None, None]
    assert found["groups"][0]["rows"][0]["said"]["mini"]["before"] is None


def test_the_surest_errors_are_errors_the_surest_first(material):
    rows = surest(material, material.candidates["mini"], 5)
    confidence = [row["confidence"] for row in rows]
    assert len(rows) == 5
    assert confidence == sorted(confidence, reverse=True)
    assert all(row["label"] != row["predicted"] and row["id"].startswith("validation") for row in rows)
    part = material.parts["validation"]
    assert all(np.arange(240)[part.ids.index(row["id"])] % 12 == 1 for row in rows)
