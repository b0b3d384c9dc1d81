import json
import random
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError as Mistake

from tasks import clean
from wenhuo.errors import DataError, ValidationError
from wenhuo.settings import read_yaml
from wenhuo.tables import write_table
from wenhuo.text.keys import loose_key

ABOUT = {"source": "tiny", "synthetic": True, "label_order": ["负", "正"]}
OUTPUTS = ("clean.parquet", "removed.parquet", "clusters.parquet", "contradictions.parquet", "clean.json")
INPUTS = {"corpus": "parquet", "validation": "json", "corrections": "csv"}
HEADER = "id,given,label,note\n"

# id, text, label, split: each defect once, said on the right.
ROWS = [
    ("t1", "房间很干净", "正", "train"),
    ("t2", "房间很 干净", "正", "train"),  # repeats t1 but for white space
    ("t3", "ＡＢＣ电池不好", "负", "train"),
    ("t4", "ABC电池不好<br>", "负", "train"),  # repeats t3 after width and html
    ("t5", "屏幕\u200b一般", "正", "train"),  # contradicts t6 and t7 after controls
    ("t6", "屏幕一般", "负", "train"),
    ("t7", "屏幕一般 ", "负", "train"),
    ("t8", "&nbsp;\u3000", "正", "train"),  # blank
    ("t9", "服务热情！", "正", "train"),  # stands in test, and in validation
    ("t10", "早餐丰盛", "正", "train"),  # stands in validation
    ("t11", "体驗很好𠮷", "正", "train"),
    ("v1", "早餐&#20016;盛", "负", "validation"),  # has a copy in train
    ("v2", "服务热情！", "正", "validation"),  # stands in test
    ("v3", "位置方便", "正", "validation"),
    ("v4", "位置方便", "正", "validation"),  # repeats v3: stays
    ("e1", "<b>服务</b>热情！", "正", "test"),  # has a copy in train
    ("e2", "价格太贵", "负", "test"),
    ("e3", "价格太贵", "正", "test"),  # contradicts e2: stays
    ("e4", "\ufeff", "负", "test"),  # blank
]
GONE = {
    "t2": ("repeats an earlier row", "t1"),
    "t4": ("repeats an earlier row", "t3"),
    "t5": ("contradicting labels", "t6"),
    "t6": ("contradicting labels", "t5"),
    "t7": ("contradicting labels", "t5"),
    "t8": ("blank", None),
    "t9": ("stands in test", "e1"),
    "t10": ("stands in validation", "v1"),
    "v2": ("stands in test", "e1"),
    "e4": ("blank", None),
}


def corpus(rows: list[tuple[str, str, str, str | None]]) -> pl.DataFrame:
    named = pl.DataFrame(rows, schema=dict.fromkeys(("id", "text", "label", "split"), pl.String), orient="row")
    return named.with_columns(
        pl.lit("tiny.tsv").alias("origin"), pl.int_range(1, pl.len() + 1).alias("row"), pl.lit("tiny").alias("source")
    )


def run(
    folder: Path, table: pl.DataFrame, *, success: bool = True, corrections: str = HEADER, **params: object
) -> tuple[pl.DataFrame, dict]:
    folder.mkdir(exist_ok=True)
    write_table(folder / "corpus.parquet", table, ABOUT)
    (folder / "validation.json").write_text(json.dumps({"success": success}))
    (folder / "corrections.csv").write_text(corrections, encoding="utf-8")
    names = ("cleaned", "removed", "clusters", "contradictions", "report")
    paths = dict(zip(names, (folder / name for name in OUTPUTS), strict=True))
    given = {name: folder / f"{name}.{ending}" for name, ending in INPUTS.items()}
    clean.run(clean.Params(**params), **given, **paths)
    return pl.read_parquet(folder / "clean.parquet"), json.loads((folder / "clean.json").read_text())


def gone(folder: Path) -> dict[str, tuple[str, str | None]]:
    return {row["id"]: (row["reason"], row["of"]) for row in pl.read_parquet(folder / "removed.parquet").to_dicts()}


def test_every_planted_row_goes_with_its_reason_and_no_other(tmp_path: Path) -> None:
    left, _ = run(tmp_path, corpus(ROWS))
    assert gone(tmp_path) == GONE
    assert left["id"].to_list() == [row[0] for row in ROWS if row[0] not in GONE]
    assert dict(left.select("id", "text").iter_rows())["t3"] == "ABC电池不好"
    assert dict(left.select("id", "text").iter_rows())["t11"] == "体驗很好𠮷"
    assert left.filter("leaked")["id"].to_list() == ["v1", "e1"]


def test_removed_rows_are_kept_as_read(tmp_path: Path) -> None:
    run(tmp_path, corpus(ROWS))
    removed = pl.read_parquet(tmp_path / "removed.parquet")
    assert removed.columns == [
        "id", "text", "label", "split", "origin", "row", "source", "reason", "of", "similarity"
    ]  # fmt: skip
    assert removed.filter(pl.col("id") == "t8")["text"].item() == "&nbsp;\u3000"


def test_the_report_counts_what_happened(tmp_path: Path) -> None:
    _, report = run(tmp_path, corpus(ROWS))
    assert report["rows"] == {
        "in": {"train": 11, "validation": 4, "test": 4},
        "out": {"train": 3, "validation": 3, "test": 3},
    }
    assert report["removed"] == {
        "blank": {"train": 1, "test": 1},
        "contradicting labels": {"train": 3},
        "repeats an earlier row": {"train": 2},
        "stands in test": {"train": 1, "validation": 1},
        "stands in validation": {"train": 1},
    }
    assert report["leaked"] == {"validation": 1, "test": 1}
    assert report["changed"] == {"texts": 8, "html": 4, "controls": 2, "width": 2, "unicode": 1, "whitespace": 3}
    as_read, normalised = report["overlaps"]["as_read"], report["overlaps"]["normalised"]
    assert (as_read["repeats_in_train"], normalised["repeats_in_train"]) == (2, 4)
    assert (as_read["test_in_train"], normalised["test_in_train"]) == (0, 1)
    assert (as_read["contradictions_in_train"], normalised["contradictions_in_train"]) == (0, 1)


def test_the_table_says_how_it_was_cleaned(tmp_path: Path) -> None:
    run(tmp_path, corpus(ROWS), normalise={"html": False})
    about = json.loads(pq.read_schema(tmp_path / "clean.parquet").metadata[b"wenhuo"])
    assert about == ABOUT | {"cleaning": clean.Params(normalise={"html": False}).normalise.model_dump()}


def test_row_order_changes_no_byte(tmp_path: Path) -> None:
    table = corpus(ROWS)
    run(tmp_path / "a", table)
    order = list(range(len(ROWS)))
    random.Random(3).shuffle(order)
    run(tmp_path / "b", table[order])
    for name in OUTPUTS:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_row_groups_change_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = corpus(ROWS)
    run(tmp_path / "a", table)
    monkeypatch.setattr("wenhuo.tables.pq.write_table", partial(pq.write_table, row_group_size=2))
    run(tmp_path / "b", table)
    for name in OUTPUTS:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_no_split_shares_a_text_with_another(tmp_path: Path) -> None:
    left, _ = run(tmp_path, corpus(ROWS))
    keys = {split: {loose_key(text) for text in part["text"]} for (split,), part in left.group_by("split")}
    assert not keys["train"] & keys["test"]
    assert not keys["train"] & keys["validation"]
    assert not keys["validation"] & keys["test"]


def test_undivided_rows_are_sifted_among_themselves(tmp_path: Path) -> None:
    left, report = run(tmp_path, corpus([(i, text, label, None) for i, text, label, _ in ROWS if i != "v1"]))
    assert left["id"].to_list() == ["t1", "t3", "t9", "t10", "t11", "v3"]
    assert not left["leaked"].any()
    assert report["rows"]["out"] == {"undivided": 6}


def test_majority_keeps_the_commoner_label(tmp_path: Path) -> None:
    run(tmp_path, corpus(ROWS), contradictions="majority")
    found = gone(tmp_path)
    assert (found["t5"], found["t7"]) == (("contradicting labels", "t6"), ("repeats an earlier row", "t6"))
    assert "t6" not in found


def test_what_is_kept_when_asked_to(tmp_path: Path) -> None:
    left, _ = run(tmp_path, corpus(ROWS), contradictions="keep", duplicates="keep", leaks="report")
    assert set(gone(tmp_path)) == {"t8", "e4", "v2"}
    assert left.filter("leaked")["id"].to_list() == ["v1", "e1"]


def test_contradicting_rows_that_are_kept_lose_their_repeats_only(tmp_path: Path) -> None:
    run(tmp_path, corpus(ROWS), contradictions="keep")
    assert {"t5", "t6", "t7"} & set(gone(tmp_path)) == {"t7"}


def test_leaks_can_stop_the_graph(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 train rows stand in test; the first is tiny\.tsv, row 9"):
        run(tmp_path, corpus(ROWS), leaks="fail")
    assert not (tmp_path / "clean.parquet").exists()


def test_a_broken_expectation_stops_the_graph(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="broke an expectation"):
        run(tmp_path, corpus(ROWS), success=False)


def test_an_empty_corpus_passes(tmp_path: Path) -> None:
    left, report = run(tmp_path, corpus([]))
    assert left.is_empty()
    assert report["rows"] == {"in": {}, "out": {}}


def test_defaults_are_those_of_the_parameter_file() -> None:
    shipped = read_yaml(Path(__file__).resolve().parents[2] / "params.yaml")["clean"]
    assert clean.Params().model_dump() == shipped
    with pytest.raises(Mistake):
        clean.Params(duplicates="drop")  # type: ignore[arg-type]
