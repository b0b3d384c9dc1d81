"""No line of the text stands in an evaluation set: each that does is left out, listed and counted."""

import gzip
import json

import polars as pl
import pytest

from tests.wenhuo.pretraining.conftest import make_lines
from wenhuo.errors import DataError, SourceError
from wenhuo.releasing.holding_out import COUNTED, hold_out, keys

REVIEWS = ["房间很干净，服务员也热情。", "屏幕有坏点, 不推荐购买!", "位置好找，早餐一般般吧"]


def held(tmp_path, text: list[str], evaluation: dict[str, str], shortest: int = 2):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress("\n".join(text).encode()))
    for name, content in evaluation.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    targets = tmp_path / "lines.txt", tmp_path / "left_out.tsv"
    report = hold_out([str(path)], [str(tmp_path / name) for name in evaluation], shortest, *targets)
    table = pl.read_csv(targets[1], separator="\t", quote_char=None)
    return targets[0].read_text(encoding="utf-8").splitlines(), table, report


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "label\ttext_a\n" + "\n".join(f"1\t{text}" for text in REVIEWS)),
        ("b.txt", "\n".join(f"{text}\t3" for text in REVIEWS)),
        ("c.json", "\n".join(json.dumps({"id": 1, "sentence": text, "label": "好"}) for text in REVIEWS)),
        ("d.csv", "text,label\n" + "\n".join(f'"{text}",1' for text in REVIEWS)),
        ("e.jsonl", "\n".join(json.dumps({"pair": [text, {"x": text}]}, ensure_ascii=False) for text in REVIEWS)),
    ],
)
def test_lines_of_an_evaluation_set_are_left_out_whatever_its_format(tmp_path, name, content):
    own = make_lines(40)
    disguised = [
        REVIEWS[0],
        "  房间 很干净 ，服务员也热情",  # white space and marks aside
        "屏幕有坏点，不推荐购买！！",  # other marks
        "<b>位置好找</b>，早餐一般般吧…\u200b",  # once it is cleaned
    ]
    mixed = [*own[:20], *disguised, *own[20:]]
    lines, table, report = held(tmp_path, mixed, {name: content})
    assert lines == own
    assert table["line"].to_list() == [21, 22, 23, 24]
    assert set(table["stands in"]) == {name}
    assert table.columns == ["file", "line", "stands in", "text"]
    assert report["evaluation"][0]["held_back"] == 4
    counts = {what: report["files"][0][what] for what in COUNTED}
    assert counts == {"lines": 44, "unreadable": 0, "short": 0, "held_back": 4, "kept": 40}


def test_labels_and_parts_of_texts_hold_nothing_back(tmp_path):
    text = ["很好", "负面评价很多", "服务员也热情", "1234567"]
    lines, _, report = held(tmp_path, text, {"a.tsv": "\n".join(f"很好\t{text}\t123" for text in REVIEWS)})
    assert lines == text
    assert report["evaluation"][0]["held_back"] == 0


def test_without_evaluation_sets_everything_is_kept_and_cleaned(tmp_path):
    lines, table, report = held(tmp_path, ["ＡＢＣ１２３<br>很好　很好", "短", "。。。。。。。"], {}, shortest=2)
    assert lines == ["ABC123 很好 很好"]
    assert table.height == 0
    assert report["evaluation"] == []
    assert report["files"][0]["short"] == 2


def test_nothing_left_and_nothing_there_are_clear_errors(tmp_path):
    with pytest.raises(DataError, match="no line of the text is left"):
        held(tmp_path, REVIEWS, {"a.txt": "\n".join(REVIEWS)})
    assert not (tmp_path / "lines.txt").exists()
    with pytest.raises(SourceError, match="there is no file"):
        hold_out([str(tmp_path / "none.txt")], [], 4, tmp_path / "a", tmp_path / "b")


def test_keys_are_letters_and_digits_in_one_case():
    given = pl.Series(["Wi-Fi 很好！", "wifi很好", "𠮷野家……3", "——"])
    assert keys(given).to_list() == ["wifi很好", "wifi很好", "𠮷野家3", ""]
