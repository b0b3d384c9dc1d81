"""Rows longer than a backbone was pretrained on are counted: what it does beyond is chance."""

import shutil

import pytest

from tests.conftest import BAD, GOOD, NEUTRAL, write_parts
from wenhuo.checkpoints import RECORD, SHIPPED, longest_learnt
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.files import read_json, write_json


def record(start="scratch", tokens=16, **more):
    return {"format": 1, "options": {"start": start, "max_tokens": tokens}, **more}


@pytest.mark.parametrize(
    ("told", "longest"),
    [
        (record(), 16),
        (record("data/first", 8, before=[record()]), 16),
        (record("data/first", 32, before=[record()]), 32),
        (record("hfl/rbt3"), None),  # what that had learnt before is not known
        ({"loss": [1.0]}, None),  # a hub's checkpoint may hold a file of this name
        ([], None),
        (None, None),
    ],
)
def test_every_course_counts(tmp_path, told, longest):
    if told is not None:
        write_json(tmp_path / RECORD, told)
    assert longest_learnt(tmp_path) == longest


def test_the_report_says_how_many_rows_are_longer(tmp_path):
    backbone = shutil.copytree(SHIPPED / "wenhuo-mini", tmp_path / "mini")
    learnt = read_json(backbone / RECORD)
    write_json(backbone / RECORD, {**learnt, "before": [], "options": {"start": "scratch", "max_tokens": 20}})
    labels = {"negative": BAD, "neutral": NEUTRAL, "positive": GOOD}
    dataset = corpus.read_dataset(write_parts(tmp_path / "p", {"train": 60, "validation": 9, "test": 9}, labels))
    options = Tokens(kind="tokens", tokenizer=str(backbone), max_tokens=40)
    report = corpus.encode_tokens(options, dataset, tmp_path / "e")
    longer = [len(text) + 2 > 20 for text in dataset.texts("train")]
    assert 0 < sum(longer) < 60
    assert report["train"]["pretrained_on"] == {"tokens": 20, "longer_share": pytest.approx(sum(longer) / 60)}
    cut = corpus.encode_tokens(options.model_copy(update={"max_tokens": 20}), dataset, tmp_path / "cut")
    assert cut["train"]["pretrained_on"]["longer_share"] == 0
    assert "pretrained_on" not in corpus.encode_tokens(Tokens(kind="tokens"), dataset, tmp_path / "own")["train"]
