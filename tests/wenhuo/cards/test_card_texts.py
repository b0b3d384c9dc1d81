"""What a card says of the train texts: lengths and scripts, counted."""

import polars as pl
import pytest

from wenhuo.cards.texts import describe_texts


def described(folder, texts):
    pl.DataFrame({"text": texts}, schema={"text": pl.String}).write_parquet(folder / "train.parquet")
    return describe_texts(folder / "train.parquet")


def test_lengths(tmp_path):
    found = described(tmp_path, ["好" * n for n in range(1, 102)])
    assert (found.rows, found.median, found.p99, found.longest) == (101, 51, 100, 101)


def test_no_rows(tmp_path):
    assert described(tmp_path, []) is None


@pytest.mark.parametrize(("texts", "largest", "language"), [
    (["房间很干净, ok", "前台也热情"], "Chinese", "zh"),
    (["部屋はとてもきれいでした", "受付も親切"], "Japanese kana", None),
    (["The room was clean", "Friendly staff 好"], "Latin", None),
    (["방이 깨끗했어요"], "Korean", None),
    (["12345", "!!!"], None, None),
])  # fmt: skip
def test_scripts_and_the_language_that_they_allow_to_claim(tmp_path, texts, largest, language):
    found = described(tmp_path, texts)
    assert next(iter(found.scripts), None) == largest
    assert found.language == language
    assert sum(found.scripts.values()) == pytest.approx(1 if largest else 0, abs=1e-4)


def test_traditional_forms(tmp_path):
    assert described(tmp_path, ["房間很乾淨"]).traditional > 0.3
    assert described(tmp_path, ["房间很干净，前台也热情，下次还来"]).traditional == 0
