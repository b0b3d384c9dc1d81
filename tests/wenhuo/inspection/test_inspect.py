"""A small data set with planted defects: each is found, said, and written down; nothing else is."""

import csv
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import BAD, GOOD, make_rows
from wenhuo.errors import DataError, SourceError
from wenhuo.inspection.findings import _inflated
from wenhuo.inspection.inspect import inspect_source
from wenhuo.inspection.terminal import inspect_sources
from wenhuo.reading.options import Options

LABELS = {"差": BAD, "好": GOOD}
LEAKED, REPEATED, EDITED = 20, 15, 3
HOSTILE = "=HYPERLINK(1)<script>alert(1)</script>好评如潮的一家店值得再来"


def write_source(folder: Path) -> Path:
    """Train, dev and test files; 20 test rows and 15 of its own rows stand in train again, 3 test rows nearly do."""
    folder.mkdir(parents=True)
    train, dev, test = make_rows(260, LABELS, 0), make_rows(60, LABELS, 1), make_rows(80, LABELS, 2)
    long = [
        ("昨天晚上我们一家人入住这里前台服务员非常热情房间也很干净下次还会再来一次推荐大家" + str(n), "好")
        for n in range(9)
    ]
    pairs = zip(make_rows(2 * EDITED, LABELS, 3), make_rows(2 * EDITED, LABELS, 4), strict=True)
    long = [(f"{first}，再说{second}，就是这样一个地方" + first[::-1], label) for (first, label), (second, _) in pairs]
    test += long[:EDITED]
    edited = [(text[:-2] + "吧", label) for text, label in long[:EDITED]]
    train += [*train[:REPEATED], *test[:LEAKED], *edited, (HOSTILE, "好"), (HOSTILE, "差")]
    for name, rows in {"train": train, "dev": dev, "test": test}.items():
        lines = ["text\tlabel", *(f"{text}\t{label}" for text, label in rows)]
        (folder / f"{name}.tsv").write_text(
            "\n".join(lines + ["没有标签\t"] * (name == "train")) + "\n", encoding="utf-8"
        )
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_source(tmp_path_factory.mktemp("source") / "评论 reviews")


@pytest.fixture(scope="module")
def inspected(source, tmp_path_factory):
    return inspect_source(Options(source=str(source)), tmp_path_factory.mktemp("made") / "out")


def sentences(inspected) -> str:
    return "\n".join(finding.sentence for finding in inspected.findings)


def test_every_planted_defect_is_a_finding(inspected):
    said = sentences(inspected)
    assert f"{LEAKED} of 83 test rows stand in train; {EDITED} more train rows nearly repeat one." in said
    assert f"{REPEATED + 1} of 300 train rows repeat an earlier one." in said
    assert "Texts with several labels: 1 in train." in said
    assert "1 row could not be read: no label 1." in said
    assert "No validation row stands in train, exactly or nearly." in said


def test_the_worst_comes_first(inspected):
    order = {"bad": 0, "warning": 1, "good": 2}
    levels = [order[finding.level] for finding in inspected.findings]
    assert levels == sorted(levels)
    assert levels[0] == 0


def test_rows_are_counted(inspected):
    assert inspected.rows == {"all": 443, "train": 300, "validation": 60, "test": 83}
    assert inspected.labels == 2


def test_tables_hold_the_rows_and_no_formula(inspected):
    tables = {path.stem: path for path in inspected.tables}
    assert {"rejected", "contradictions", "near-duplicates"} <= set(tables)
    with tables["contradictions"].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"][:2] for row in rows] == ["'=", "'="]
    with tables["near-duplicates"].open(encoding="utf-8-sig", newline="") as file:
        assert len({row["cluster"] for row in csv.DictReader(file)}) == EDITED


def test_the_report_for_machines_says_the_same(inspected):
    report = json.loads((inspected.page.parent / "report.json").read_text(encoding="utf-8"))
    assert [finding["sentence"] for finding in report["findings"]] == [f.sentence for f in inspected.findings]
    assert report["cleaning"]["overlaps"]["as_read"]["test_in_train"] == LEAKED
    figures = report["audit"]["published"]["figures"]
    assert set(figures) >= {"as_published", "leak_free_part", "leak_free_training", "without_punctuation"}


def test_markup_in_a_text_stays_text(inspected):
    page = inspected.page.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_nothing_but_the_report_is_left(inspected):
    assert {path.suffix for path in inspected.page.parent.iterdir()} == {".html", ".json", ".csv"}
    assert not [path for path in inspected.page.parent.parent.iterdir() if path.name.startswith(".")]


def test_the_same_source_gives_the_same_page(source, inspected, tmp_path):
    again = inspect_source(Options(source=str(source)), tmp_path / "again")
    assert again.page.read_bytes() == inspected.page.read_bytes()


def test_without_examples_no_text_is_on_the_page(source, tmp_path):
    found = inspect_source(Options(source=str(source)), tmp_path / "out", shown=0, model=False)
    page = found.page.read_text(encoding="utf-8")
    assert "好评如潮" not in page
    assert "服务员" not in page
    assert not (tmp_path / "out" / "suspects.csv").exists()


def test_a_sound_set_is_called_sound(tmp_path):
    rows = dict(make_rows(400, LABELS, 5))
    (tmp_path / "sound.csv").write_text(
        "text,label\n" + "\n".join(f"{t},{x}" for t, x in rows.items()), encoding="utf-8"
    )
    found = inspect_source(Options(source=str(tmp_path / "sound.csv")), tmp_path / "out", model=False)
    assert {finding.level for finding in found.findings} == {"good"}, sentences(found)


def test_labels_without_rhyme_or_reason_are_called_so(tmp_path):
    draw = random.Random(3)
    rows = {text: draw.choice("甲乙") for text, _ in make_rows(400, LABELS, 6)}
    (tmp_path / "noise.csv").write_text(
        "text,label\n" + "\n".join(f"{t},{x}" for t, x in rows.items()), encoding="utf-8"
    )
    found = inspect_source(Options(source=str(tmp_path / "noise.csv")), tmp_path / "out")
    assert "nothing can be said of wrong labels" in sentences(found)
    assert "look wrong" not in sentences(found)


def test_wrong_labels_of_an_undivided_set_are_rows_of_no_split(tmp_path):
    rows = dict(make_rows(600, LABELS, 7))
    flipped = list(rows)[:30]
    rows |= {text: "差" if rows[text] == "好" else "好" for text in flipped}
    (tmp_path / "flips.csv").write_text(
        "text,label\n" + "\n".join(f"{t},{x}" for t, x in rows.items()), encoding="utf-8"
    )
    found = inspect_source(Options(source=str(tmp_path / "flips.csv")), tmp_path / "out")
    said = [finding for finding in found.findings if "look wrong" in finding.sentence]
    assert len(said) == 1
    assert f"of {len(rows)} rows look wrong" in said[0].sentence


def test_a_missing_source_leaves_nothing_behind(tmp_path):
    with pytest.raises(SourceError, match="there is no file or folder") as raised:
        inspect_source(Options(source=str(tmp_path / "none.csv")), tmp_path / "out")
    assert "ingest" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_columns_in_doubt_are_asked_for_by_the_commands_options(tmp_path):
    (tmp_path / "odd.csv").write_text("a,b,c\n好,1,x\n差,0,y\n", encoding="utf-8")
    with pytest.raises(DataError) as raised:
        inspect_source(Options(source=str(tmp_path / "odd.csv")), tmp_path / "out")
    assert "--text" in raised.value.hint
    assert "ingest." not in str(raised.value)


def test_figures_of_a_sample_are_called_so():
    figure = {"accuracy": 0.9, "macro_f1": 0.9, "rows": 10, "intervals": {"accuracy": [0.8, 1.0]}}
    figures = {"as_published": figure, "leak_free_training": figure}
    for sampled in (True, False):
        published = {"sampled": sampled, "rows": {"train": 9, "test": 9, "leak_free_training": 8}, "figures": figures}
        (finding,) = _inflated({"published": published})
        assert ("a sample of the rows" in finding.sentence) == sampled


def test_the_worst_level_is_returned_and_the_output_is_named_after_the_source(source, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert inspect_sources([str(source)], {"text": None}, None, shown=1, model=False) == "bad"
    assert (tmp_path / "inspection-评论 reviews" / "report.html").exists()
    assert "443 rows" in capsys.readouterr().out


@pytest.mark.slow
def test_the_command_fails_where_it_is_asked_to(source, tmp_path):
    command = [sys.executable, "-m", "wenhuo", "inspect", str(source), "--no-model", "--output", str(tmp_path / "out")]
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([*command, "--fail-on", "bad"], cwd=root, check=False).returncode == 1
    assert subprocess.run(command, cwd=root, check=False).returncode == 0


def test_columns_that_cannot_be_meant_are_a_mistake(source, tmp_path):
    with pytest.raises(Exception, match="text and label are both"):
        inspect_sources([str(source)], {"text": "a", "label": "a"}, tmp_path, shown=1, model=False)
