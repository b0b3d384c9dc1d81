import multiprocessing
import random
import socket
from hashlib import sha256

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.conftest import BAD, GOOD, NEUTRAL, make_rows
from wenhuo.audit.options import Auditing
from wenhuo.audit.suspects import CELLS, SCHEMA, find_suspects, rows_looked_at

LABELS = {"negative": BAD, "neutral": NEUTRAL, "positive": GOOD}


def table(rows: list[tuple[str, str]]) -> pl.DataFrame:
    texts, labels = zip(*rows, strict=True)
    ids = [sha256(f"{number} {text}".encode()).hexdigest()[:32] for number, text in enumerate(texts)]
    return pl.DataFrame({"id": ids, "text": texts, "label": labels}).sort("id")


def flipped(rows: pl.DataFrame, share: float, seed: int = 3) -> tuple[pl.DataFrame, set[str]]:
    """The rows with a share of the labels changed, and the ids of those."""
    draw, names = random.Random(seed), sorted(LABELS)
    chosen = set(draw.sample(rows["id"].to_list(), int(share * rows.height)))
    labels = [
        draw.choice([name for name in names if name != label]) if row in chosen else label
        for row, label in rows.select("id", "label").iter_rows()
    ]
    return rows.with_columns(pl.Series("label", labels)), chosen


@pytest.fixture(scope="module")
def noisy() -> tuple[dict[str, pl.DataFrame], set[str], set[str]]:
    train, planted = flipped(table(make_rows(600, LABELS, 1)), 0.1)
    test, in_test = flipped(table(make_rows(90, LABELS, 2)), 0.1)
    return {"train": train, "validation": table(make_rows(60, LABELS, 5)), "test": test}, planted, in_test


def test_planted_flips_are_found_first(noisy):
    tables, planted, in_test = noisy
    found = find_suspects(tables, Auditing()).rows
    train = found.filter(pl.col("split") == "train")
    top = set(train.head(len(planted))["id"])
    assert len(top & planted) >= 0.9 * len(planted)
    flagged = set(train.filter("flagged")["id"])
    assert len(flagged & planted) >= 0.5 * len(planted)  # confident learning is careful
    assert len(flagged & planted) >= 0.9 * len(flagged)
    assert len(set(found.filter(pl.col("split") == "test", "flagged")["id"]) & in_test) >= 7
    assert found["rank"].to_list() == list(range(1, found.height + 1))
    assert (found["given"] != found["suggested"]).all()
    assert found.schema == pl.Schema(SCHEMA)


def test_the_right_label_is_suggested(noisy):
    tables, planted, _ = noisy
    right = dict(table(make_rows(600, LABELS, 1)).select("id", "label").iter_rows())
    found = find_suspects({"train": tables["train"]}, Auditing()).rows.filter(pl.col("id").is_in(list(planted)))
    same = sum(right[row] == suggested for row, suggested in found.select("id", "suggested").iter_rows())
    assert same >= 0.95 * found.height


def test_the_order_of_rows_changes_nothing(noisy):
    tables, _, _ = noisy
    found = find_suspects(tables, Auditing())
    again = find_suspects(
        {split: rows.sample(fraction=1, shuffle=True, seed=7) for split, rows in tables.items()}, Auditing()
    )
    assert_frame_equal(found.rows, again.rows)
    assert found.told == again.told


def test_nothing_about_train_follows_from_validation_and_test(noisy):
    tables, _, _ = noisy
    together = find_suspects(tables, Auditing(extra=0, wrong_labels="drop")).rows.filter(pl.col("split") == "train")
    alone = find_suspects({"train": tables["train"]}, Auditing(extra=0, wrong_labels="drop")).rows
    assert_frame_equal(together.drop("rank"), alone.drop("rank"))


@pytest.mark.parametrize("policy", ["report", "drop", "relabel"])
def test_a_machine_acts_on_flagged_train_rows_only(noisy, policy):
    tables, _, _ = noisy
    found = find_suspects(tables, Auditing(wrong_labels=policy))
    acted = found.rows.filter(pl.col("action") != "none")
    assert set(acted["split"]) <= {"train"}
    assert acted["flagged"].all()
    assert set(acted["action"]) == (set() if policy == "report" else {policy})
    assert found.told["changed"] == acted.height == (0 if policy == "report" else found.told["flagged"]["train"])


def test_what_a_person_has_settled_is_not_asked_again(noisy):
    tables, planted, _ = noisy
    settled = sorted(planted)[:20]
    found = find_suspects(tables, Auditing(wrong_labels="drop"), settled)
    assert not set(found.rows["id"]) & set(settled)
    assert found.told["settled"] == 20


def test_only_the_top_is_listed(noisy):
    tables, _, _ = noisy
    found = find_suspects(tables, Auditing(extra=3))
    assert found.rows.height == sum(found.told["flagged"].values()) + 3
    assert found.rows.filter(~pl.col("flagged")).height == 3


def test_near_copies_do_not_vouch_for_each_other():
    rows = make_rows(300, {"negative": BAD, "positive": GOOD}, 1)
    copies = [(f"好评好评，这家店真不错{mark}", "negative") for mark in "。！~…，"]
    train = table(rows + copies).with_columns(
        cluster=pl.when(pl.col("text").str.contains("这家店真不错")).then(pl.lit("c")).otherwise(None)
    )
    found = find_suspects({"train": train}, Auditing(extra=0)).rows
    assert found["text"].str.contains("这家店真不错").sum() == len(copies)


def test_four_of_ten_labels_flipped_is_no_crash():
    train, _ = flipped(table(make_rows(400, LABELS, 1)), 0.4)
    found = find_suspects({"train": train}, Auditing(wrong_labels="drop"))
    assert found.told["flagged"]["train"] > 0
    left = train.join(found.rows.filter(pl.col("action") == "drop"), on="id", how="anti")
    assert set(left["label"]) == set(LABELS)


def test_labels_of_a_few_rows_are_named_and_not_judged():
    rows = [*make_rows(200, LABELS, 1), ("独一无二的一行", "rare"), ("两行之一", "two"), ("两行之二", "two")]
    found = find_suspects({"train": table(rows), "test": table([("另一行", "rare"), ("满意", "positive")])}, Auditing())
    assert found.told["unjudged_labels"] == {"rare": 1, "two": 2}
    assert not set(found.rows["given"]) & {"rare", "two"}


@pytest.mark.parametrize("rows", [[("好", "a")] * 30, [("好", "a"), ("坏", "b")], [(f"好{i}", "a") for i in range(30)]])
def test_with_one_label_nothing_is_compared_and_that_is_said(rows):
    found = find_suspects({"train": table(rows), "test": table(rows[:1])}, Auditing(wrong_labels="drop"))
    assert found.rows.is_empty()
    assert found.rows.schema == pl.Schema(SCHEMA)
    assert "fewer than two labels" in found.told["reason"]


def test_texts_without_anything_in_common_are_no_crash():
    rows = [(chr(0x4E00 + number), "ab"[number % 2]) for number in range(40)]
    found = find_suspects({"train": table(rows), "test": table([("", "a")])}, Auditing())
    assert found.told["flagged"] == {"train": 0, "test": 0}


@pytest.mark.slow
def test_five_hundred_labels():
    draw = random.Random(3)
    rows = [(f"{chr(0x4E00 + label)}类的标题{draw.random()}", f"第{label}类") for label in range(500) for _ in range(6)]
    rows[7] = (rows[7][0], "第400类")
    found = find_suspects({"train": table(rows)}, Auditing())
    assert rows[7][0] in set(found.rows.head(20)["text"])


def test_work_is_bounded_by_a_sample_of_the_hashed_ids(noisy):
    tables, _, _ = noisy
    found = find_suspects(tables, Auditing(max_rows=100))
    assert found.told["rows"]["train"] == 600
    assert found.told["looked_at"] == {"train": 100, "validation": 60, "test": 90}
    assert set(found.rows.filter(pl.col("split") == "train")["id"]) <= set(tables["train"]["id"].sort()[:100])
    assert rows_looked_at(2, 50_000) == 50_000
    assert rows_looked_at(1000, 50_000) == CELLS // 1000


def test_nothing_is_sent_and_no_process_is_started(noisy, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("not here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(multiprocessing, "Pool", refuse)
    monkeypatch.setattr("os.fork", refuse)
    find_suspects(noisy[0], Auditing())
