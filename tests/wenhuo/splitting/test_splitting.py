from collections import Counter
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.errors import DataError
from wenhuo.splitting.division import Division, census, check_counts, divide, ordered_labels, place, places
from wenhuo.splitting.homes import SPLITS

Row = tuple[str, str, str | None] | tuple[str, str, str | None, str | None]


def division(rows: Sequence[Row], seed: int = 13, validation: float = 0.1, test: float = 0.1) -> Division:
    schema = dict.fromkeys(("text", "label", "split", "cluster"), pl.String)
    table = pl.DataFrame([(*row, None)[:4] for row in rows], schema=schema, orient="row")
    return divide(table.with_columns(places(table["text"], seed)), validation=validation, test=test)


def divided(rows: Sequence[Row], seed: int = 13, validation: float = 0.1, test: float = 0.1) -> list[str]:
    return division(rows, seed, validation, test).split.to_list()


def many(count: int, split: str | None = None) -> list[Row]:
    return [(f"第{number}条评论", "正负"[number % 2], split) for number in range(count)]


def test_places_are_pinned() -> None:
    """Another place for a text would move rows between the splits of everybody's corpus."""
    assert [round(place(key, 13), 6) for key in ("好", "不好", "")] == [0.963817, 0.93202, 0.658383]
    assert place("好", 13) != place("好", 14)


def test_shares_hold_for_all_and_for_each_label() -> None:
    rows = many(20_000)
    splits = divided(rows, validation=0.1, test=0.2)
    for label in "正负":
        own = [split for (_, of, _), split in zip(rows, splits, strict=True) if of == label]
        assert own.count("test") / len(own) == pytest.approx(0.2, abs=0.015)
        assert own.count("validation") / len(own) == pytest.approx(0.1, abs=0.015)


def test_a_published_split_stays() -> None:
    rows = many(50, "train") + many(10, "validation") + many(10, "test")
    assert divided(rows) == [split for _, _, split in rows]


@pytest.mark.parametrize("lacking", ["validation", "test"])
def test_what_a_publisher_lacks_is_cut_from_train(lacking: str) -> None:
    (other,) = {"validation", "test"} - {lacking}
    rows = many(2000, "train") + [("别的", "正", other)] * 5
    made = division(rows, seed=1)
    splits = made.split.to_list()
    assert splits[2000:] == [other] * 5
    assert set(splits[:2000]) == {"train", lacking}
    assert splits[:2000].count(lacking) == pytest.approx(200, abs=50)
    assert made.made == {"train": "published, less what was cut", lacking: "by hash", other: "published"}


def test_a_train_file_alone_is_divided_in_three() -> None:
    assert set(divided(many(200, "train"))) == set(SPLITS)


def test_rows_without_a_split_beside_published_ones_are_train_rows() -> None:
    rows = many(20, "validation") + many(20, "test") + many(20)
    assert divided(rows)[40:] == ["train"] * 20


def test_no_train_rows_is_an_error() -> None:
    with pytest.raises(DataError, match="none for train"):
        divided(many(5, "test") + many(5, "validation"))


def test_a_label_of_one_row_stays_in_train() -> None:
    for number in range(40):
        rows = [*many(300), (f"独一无二{number}", "稀", None)]
        assert divided(rows)[-1] == "train"


corpora = st.lists(st.tuples(st.text("甲乙丙丁 ", max_size=4), st.sampled_from("ab"), st.none()), max_size=30)


def spared(rows: Sequence[Row], seed: int, below: float) -> set[str]:
    """The texts that have a label of which the hash alone would leave nothing in train."""
    learnt = {label for text, label, *_ in rows if place(text.replace(" ", ""), seed) >= below}
    return {text.replace(" ", "") for text, label, *_ in rows if label not in learnt}


@given(corpora, corpora, st.integers(0, 5))
@settings(deadline=None)
def test_adding_rows_moves_no_old_row(old: list[Row], new: list[Row], seed: int) -> None:
    """But for the texts of a label that the hash alone would leave nothing of in train."""
    before, after = divided(old, seed, 0.2, 0.2), divided(old + new, seed, 0.2, 0.2)
    held = spared(old, seed, 0.4) | spared(old + new, seed, 0.4)
    for (text, _, _), was, now in zip(old, before, after, strict=False):
        assert was == now or text.replace(" ", "") in held


@given(corpora, st.randoms(use_true_random=False), st.integers(0, 5))
@settings(deadline=None)
def test_row_order_changes_nothing_and_no_text_straddles(rows: list[Row], random: object, seed: int) -> None:
    splits = divided(rows, seed, 0.2, 0.2)
    by_key: dict[str, set[str]] = {}
    for (text, _, _), split in zip(rows, splits, strict=True):
        by_key.setdefault(text.replace(" ", ""), set()).add(split)
    assert all(len(found) == 1 for found in by_key.values())
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert divided([rows[i] for i in order], seed, 0.2, 0.2) == [splits[i] for i in order]


def test_labels_follow_the_given_order_and_else_the_alphabet() -> None:
    assert ordered_labels(["b", "a", "c"], None) == ["a", "b", "c"]
    assert ordered_labels(["b", "a", "新"], ["c", "b", "a"]) == ["b", "a", "新"]


def counts(train: str, validation: str, test: str) -> dict[str, dict[str, int]]:
    return {name: dict(Counter(labels)) for name, labels in zip(SPLITS, (train, validation, test), strict=True)}


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (counts("ab", "a", "abX"), "label X stands in test but not in train"),
        (counts("ab", "aYX", "b"), "labels X, Y stand in validation but not in train"),
        (counts("ab", "", "b"), "no rows for validation"),
        (counts("", "", ""), "no rows for train and validation and test"),
        (counts("aa", "a", "a"), "train holds one label only, a"),
    ],
)
def test_splits_that_cannot_be_used_are_refused(found: dict[str, dict[str, int]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_counts(found)


def test_the_census_counts_and_warns() -> None:
    found = census(counts("aaab", "a", "ab"), ["a", "b"])
    assert found["rows"] == {"train": 4, "validation": 1, "test": 2}
    assert found["shares"]["train"] == pytest.approx(4 / 7)
    assert found["labels"]["b"]["train"] == {"rows": 1, "share": 0.25}
    assert found["labels"]["b"]["validation"] == {"rows": 0, "share": 0.0}
    assert found["warnings"] == ["label b is missing from validation: nothing can be said about it there"]
    assert len(census(counts("a" * 999 + "b", "a", "b"), ["a", "b"])["warnings"]) == 2


TEXTS = [f"评论{number}" for number in range(200)]


def standing(split: str, seed: int = 13) -> list[str]:
    """Texts that the hash puts into a split."""
    return [
        text
        for text, place in zip(TEXTS, divided([(text, "正", None) for text in TEXTS], seed), strict=True)
        if place == split
    ]


def homes(rows: Sequence[Row]) -> list[str | None]:
    return division(rows).home.to_list()


FILLER: list[Row] = [(text, label, None) for text, label in zip(TEXTS[100:], "正负" * 50, strict=True)]


def test_a_cluster_has_its_home_where_most_of_it_stands() -> None:
    few, most = standing("train")[0], standing("test")[:2]
    rows: list[Row] = [(text, "正", None, "c") for text in (few, *most)]
    assert homes(rows + FILLER)[:4] == ["test", None, None, None]
    assert division(rows + FILLER).removed() == {"nearly stands in test": {"train": 1}}


def test_a_tie_is_train() -> None:
    rows: list[Row] = [(standing(split)[0], "正", None, "c") for split in ("test", "train", "validation")]
    assert homes(rows + FILLER)[:3] == ["train", None, "train"]


def test_a_label_keeps_its_last_train_rows() -> None:
    rare, *others = standing("train")[0], *standing("test")[:2]
    rows: list[Row] = [(rare, "稀", None, "c"), *((text, "正", None, "c") for text in others)]
    assert homes(rows + FILLER)[:3] == [None, "train", "train"]


def test_rows_of_a_published_split_are_never_set_aside() -> None:
    cut, *kept = standing("test")[:1] + standing("train")[:2]
    rows: list[Row] = [("别的", "正", "validation", "c"), (cut, "正", "train", "c"), (kept[0], "正", "train", "c")]
    rows += [(text, label, "train", None) for text, label, _ in FILLER]
    made = division(rows, validation=0.1, test=0.2)
    assert made.home[:3].to_list() == [None, "validation", None]
    whole = [(text, "正", split, "c") for text, split in zip(TEXTS, SPLITS * 3, strict=False)]
    assert division(whole).home.null_count() == len(whole)


def test_without_clusters_nothing_is_set_aside() -> None:
    assert division(many(500)).home.null_count() == 500


clustered = st.lists(
    st.tuples(
        st.text("甲乙丙丁", max_size=4), st.sampled_from("ab"), st.none(), st.sampled_from(["c", "d", "e", None])
    ),
    max_size=30,
)


@given(clustered, st.integers(0, 5))
@settings(deadline=None)
def test_splits_never_share_a_cluster(rows: list[Row], seed: int) -> None:
    made = division(rows, seed, 0.2, 0.2)
    stands: dict[str | None, set[str]] = {}
    for row, split, home in zip(rows, made.split, made.home, strict=True):
        if home is None:
            stands.setdefault(row[3], set()).add(split)  # type: ignore[misc]
        assert home != split
    assert all(len(splits) == 1 for cluster, splits in stands.items() if cluster is not None)


@given(clustered, clustered, st.sampled_from([None, "train"]), st.integers(0, 5), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_new_rows_join_clusters_and_move_no_old_row(
    old: list[Row], new: list[Row], given: str | None, seed: int, random: object
) -> None:
    """Old rows may be set aside, or come back to where they stood before; none stands in another split."""
    old, new = ([(text, label, given, cluster) for text, label, _, cluster in rows] for rows in (old, new))  # type: ignore
    order = list(range(len(old) + len(new)))
    random.shuffle(order)  # type: ignore[attr-defined]
    both = [(old + new)[number] for number in order]
    before, after = divided(old, seed, 0.2, 0.2), divided(both, seed, 0.2, 0.2)
    held = spared(old, seed, 0.4) | spared(old + new, seed, 0.4)
    for number, split in zip(order, after, strict=True):
        if number < len(old) and old[number][0] not in held:
            assert split == before[number]


@given(clustered, st.randoms(use_true_random=False), st.integers(0, 5))
@settings(deadline=None)
def test_row_order_changes_nothing_about_who_is_set_aside(rows: list[Row], random: object, seed: int) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    home = division(rows, seed, 0.2, 0.2).home
    assert division([rows[i] for i in order], seed, 0.2, 0.2).home.to_list() == [home[i] for i in order]
