"""Of more text than there is time for the lines are kept that are most like the data sets that are named."""

import pytest

from wenhuo.errors import DataError, SourceError
from wenhuo.releasing.choosing import choose

REVIEWS = [f"酒店的房间{'很' * (i % 4)}干净，服务员也热情，早餐{i}种" for i in range(60)]
TITLES = [f"第{i}届全国代表大会新闻发布会在京召开" for i in range(60)]
OTHERS = [f"令 x 为图中的节点 {i}，则其度数不小于二，证毕" for i in range(200)]


def chosen(tmp_path, sets: dict[str, list[str]], share: float):
    lines = tmp_path / "lines.txt"
    mixed = [line for trio in zip(REVIEWS[30:], TITLES[30:], OTHERS, strict=False) for line in trio] + OTHERS[30:]
    lines.write_text("".join(f"{line}\n" for line in mixed), encoding="utf-8")
    for name, texts in sets.items():
        (tmp_path / name).write_text("label\ttext\n" + "".join(f"1\t{text}\n" for text in texts), encoding="utf-8")
    report = choose(lines, [str(tmp_path / name) for name in sets], share)
    return mixed, lines.read_text(encoding="utf-8").splitlines(), report


def test_each_data_set_keeps_its_own_in_the_order_of_the_text(tmp_path):
    mixed, kept, report = chosen(tmp_path, {"reviews.tsv": REVIEWS[:30], "titles.tsv": TITLES[:30]}, 30 / 260)
    assert kept == [line for line in mixed if line in REVIEWS or line in TITLES]
    told = [(one["like"], one["texts"], one["lines"]) for one in report["sets"]]  # the headers are texts as well
    assert told == [(f"{tmp_path.name}/reviews.tsv", 32, 30), (f"{tmp_path.name}/titles.tsv", 32, 30)]
    assert (report["of"], report["kept"]) == (260, 60)


def test_a_small_set_is_not_crowded_out(tmp_path):
    _, kept, _ = chosen(tmp_path, {"reviews.tsv": REVIEWS[:30] * 20, "titles.tsv": TITLES[:6]}, 30 / 260)
    assert sum(line in TITLES for line in kept) == 30


def test_the_whole_share_keeps_everything(tmp_path):
    mixed, kept, _ = chosen(tmp_path, {"reviews.tsv": REVIEWS[:3]}, 1.0)
    assert kept == mixed


def test_a_set_without_text_or_without_a_file_is_an_error_and_the_lines_stay(tmp_path):
    (tmp_path / "labels.tsv").write_text("1\n0\n", encoding="utf-8")
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{line}\n" for line in REVIEWS), encoding="utf-8")
    with pytest.raises(DataError, match=r"labels\.tsv has no text to compare"):
        choose(lines, [str(tmp_path / "labels.tsv")], 0.5)
    with pytest.raises(SourceError, match="nothing"):
        choose(lines, [str(tmp_path / "nothing.tsv")], 0.5)
    assert lines.read_text(encoding="utf-8").splitlines() == REVIEWS
