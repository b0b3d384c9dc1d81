"""Which files of a folder are which split."""

from __future__ import annotations

import pytest

from wenhuo.errors import SourceError
from wenhuo.reading.folder import choose_files


@pytest.mark.parametrize(
    ("names", "expected", "ignored"),
    [
        (["test.tsv", "train.tsv", "dev.tsv"], ["train.tsv:train", "dev.tsv:validation", "test.tsv:test"], []),
        (["train.txt", "test.txt", "class.txt", "README.md"], ["train.txt:train", "test.txt:test"], ["class.txt"]),
        (
            ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "validation-00000-of-00001.parquet"],
            [
                "train-00000-of-00002.parquet:train",
                "train-00001-of-00002.parquet:train",
                "validation-00000-of-00001.parquet:validation",
            ],
            [],
        ),
        (["reviews_train.csv", "reviews_test.csv"], ["reviews_train.csv:train", "reviews_test.csv:test"], []),
        (
            ["训练集.csv", "验证集.csv", "测试集.csv"],
            ["训练集.csv:train", "验证集.csv:validation", "测试集.csv:test"],
            [],
        ),
        (
            ["a.csv", "b.jsonl", "class.txt", "README.txt", ".hidden.csv"],
            ["a.csv:None", "b.jsonl:None"],
            ["README.txt", "class.txt"],
        ),
        (["Train.CSV", "VAL.csv"], ["Train.CSV:train", "VAL.csv:validation"], []),
        (["contest.csv", "trainer.csv"], ["contest.csv:None", "trainer.csv:None"], []),
        (["a b;$(c).csv"], ["a b;$(c).csv:None"], []),
        (["train.csv.gz", "test.tsv.xz", "a.tar.gz"], ["train.csv.gz:train", "test.tsv.xz:test"], []),
        (["train.zip", "test.csv", "more.zip"], ["train.zip:train", "test.csv:test"], ["more.zip"]),
        (["train_and_test.zip"], ["train_and_test.zip:None"], []),
        (["train/a.csv", "test/a.csv"], ["train/a.csv:train", "test/a.csv:test"], []),
        (["train/dev.csv", "train/rest.csv"], ["train/rest.csv:train", "train/dev.csv:validation"], []),
        (["a/.b/train.csv", "a/train.csv", "b/train.csv"], ["a/train.csv:train", "b/train.csv:train"], []),
    ],
)
def test_splits_by_name(names: list[str], expected: list[str], ignored: list[str]) -> None:
    choice = choose_files(names, "folder")
    assert [f"{file.name}:{file.split}" for file in choice.files] == expected
    assert choice.ignored == ignored


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "it is empty"),
        (["notes.md", "data.rar"], "found: data.rar, notes.md"),
        (["train.csv", "train.tsv", "test.csv"], "train.csv, train.tsv are in doubt"),
        (["train.csv", "dev.csv", "val.csv"], "dev.csv, val.csv are in doubt"),
        (["train-test.csv"], "names two splits"),
        (["reviews.csv", "reviews.jsonl"], "are in doubt"),
        (["train.csv", "train.csv.gz"], "are in doubt"),
        (["a/train.csv", "a/train.zip"], "are in doubt"),
    ],
)
def test_doubt_is_an_error_that_lists_what_is_there(names: list[str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        choose_files(names, "folder")
