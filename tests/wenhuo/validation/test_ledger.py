from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wenhuo.sifting import ledger
from wenhuo.sifting.ledger import keep_ledger
from wenhuo.text.cleaning import Cleaning
from wenhuo.text.keys import loose_key

TEXTS = ["好 的", "好的", "<b>好的</b>", "", " \u3000", None, "坏", "坏\u200b", "好" * 2000]


def corpus(folder: Path, group: int = 4, order: list[int] | None = None) -> Path:
    rows = len(TEXTS)
    table = pl.DataFrame(
        {
            "id": [f"{9 - n}" for n in range(rows)],
            "text": TEXTS,
            "label": ["b", "a", None, "a", "c", "a", "b", "b", "b"],
            "split": ["train", None, "test", "validation", "train", "train", "train", "test", None],
            "origin": ["z.csv"] * 3 + ["a.csv"] * (rows - 3),
            "row": [1, 2, 3, 1, 1, 1, 10, 9, 2],  # three rows claim one place: ids decide
            "source": ["s"] * rows,
        },
        schema_overrides={"text": pl.String},
    )
    path = folder / "corpus.parquet"
    table[order or list(range(rows))].write_parquet(path, row_group_size=group, use_pyarrow=True)
    return path


def test_rows_follow_origin_row_and_id(tmp_path: Path) -> None:
    kept = keep_ledger(corpus(tmp_path), Cleaning(), tmp_path / "cleaned")
    assert kept.rows["id"].to_list() == list(range(9))
    assert kept.rows["place"].to_list() == [5, 4, 3, 8, 7, 6, 0, 1, 2]
    assert kept.labels == ["a", "b", "c"]
    assert kept.rows["label"].to_list() == [0, 2, 0, 1, 1, 1, 1, 0, None]


@pytest.mark.parametrize("group", [1, 4, 100])
def test_numbers_stand_for_texts_without_white_space(tmp_path: Path, group: int) -> None:
    kept = keep_ledger(corpus(tmp_path, group), Cleaning(), tmp_path / "cleaned").rows.sort("place")
    keys = [loose_key(text or "") for text in TEXTS]
    for one, mine in zip(kept["as_read"], keys, strict=True):
        assert (one is None) == (not mine)
        assert [other == one for other in kept["as_read"]] == [other == mine for other in keys] or not mine
    assert kept["key"][0] == kept["key"][1] == kept["key"][2]
    assert kept["key"][6] == kept["key"][7] != kept["as_read"][7]
    assert kept["size"].to_list() == [len((text or "").encode()) for text in TEXTS]


def test_changes_are_counted_and_only_changed_texts_are_kept_aside(tmp_path: Path) -> None:
    kept = keep_ledger(corpus(tmp_path), Cleaning(), tmp_path / "cleaned", ids=["9", "1", "nobody"])
    assert kept.changed == {"texts": 3, "html": 1, "controls": 1, "width": 1, "unicode": 0, "whitespace": 1}
    aside = pl.read_parquet(tmp_path / "cleaned")["cleaned"].to_list()
    assert aside == [None, None, "好的", None, "", None, None, "坏", None]
    assert kept.named == {"9": 0, "1": 8}


def test_hashes_that_agree_by_half_stay_apart() -> None:
    halves = {"key_0": [7, 7, 7, 3], "key_1": [1, 2, 1, 1]}
    numbers = ledger._numbered(pl.DataFrame(halves, schema=dict.fromkeys(halves, pl.UInt64)), "key")
    assert numbers[0] == numbers[2]
    assert len(np.unique(numbers)) == 3
