import json
import random
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError as Mistake

from tasks import split
from wenhuo.errors import DataError
from wenhuo.settings import read_yaml
from wenhuo.tables import write_table

ABOUT = {"source": "tiny", "synthetic": True, "label_order": ["负", "正", "中"], "cleaning": {"html": True}}
FILES = ("../split_removed.parquet", "train.parquet", "validation.parquet", "test.parquet", "dataset.json")


def cleaned(count: int = 300, split: str | None = None, label: str | None = None) -> pl.DataFrame:
    texts = [f"第{number}条评论" for number in range(count)]
    return pl.DataFrame(
        {
            "id": [sha256(text.encode()).hexdigest()[:16] for text in texts],
            "text": texts,
            "label": [label or "正负"[number % 2] for number in range(count)],
            "split": pl.Series([split] * count, dtype=pl.String),
            "origin": ["tiny.tsv"] * count,
            "row": range(1, count + 1),
            "leaked": [False] * count,
            "source": ["tiny"] * count,
            "cluster": pl.Series([None] * count, dtype=pl.String),
        }
    )


def run(folder: Path, table: pl.DataFrame, about: dict | None = None, **params: float) -> tuple[dict, dict]:
    folder.mkdir(exist_ok=True)
    write_table(folder / "clean.parquet", table, ABOUT if about is None else about)
    split.run(
        split.Params(**params),
        cleaned=folder / "clean.parquet",
        parts=folder / "split",
        removed=folder / "split_removed.parquet",
        report=folder / "split.json",
    )
    return json.loads((folder / "split/dataset.json").read_text()), json.loads((folder / "split.json").read_text())


def ids(folder: Path, name: str) -> list[str]:
    return pl.read_parquet(folder / f"split/{name}.parquet")["id"].to_list()


def test_the_parts_hold_every_row_once_sorted_by_id(tmp_path: Path) -> None:
    table = cleaned()
    dataset, report = run(tmp_path, table)
    parts = [ids(tmp_path, name) for name in ("train", "validation", "test")]
    assert sorted(row for part in parts for row in part) == sorted(table["id"])
    assert all(part == sorted(part) for part in parts)
    assert dataset["rows"] == report["rows"] == dict(zip(("train", "validation", "test"), map(len, parts), strict=True))
    assert dataset["hash"]["test"] == sha256("\n".join(parts[2]).encode()).hexdigest()
    assert pl.read_parquet(tmp_path / "split/test.parquet").columns == [
        "id",
        "text",
        "label",
        "leaked",
        "origin",
        "row",
        "source",
        "cluster",
    ]
    assert pl.read_parquet(tmp_path / "split_removed.parquet").is_empty()


def test_the_data_set_says_what_it_is(tmp_path: Path) -> None:
    dataset, report = run(tmp_path, cleaned())
    assert dataset["labels"] == ["负", "正"]
    assert (dataset["source"], dataset["synthetic"], dataset["cleaning"]) == ("tiny", True, {"html": True})
    assert report["made"] == {"train": "by hash", "validation": "by hash", "test": "by hash"}
    assert run(tmp_path, cleaned(), ABOUT | {"label_order": None})[0]["labels"] == sorted("正负")


def test_row_order_changes_no_byte(tmp_path: Path) -> None:
    table = cleaned()
    order = list(range(table.height))
    random.Random(5).shuffle(order)
    for name, rows in (("a", table), ("b", table[order])):
        run(tmp_path / name, rows, ABOUT | {"label_order": None})
    assert (tmp_path / "a/split.json").read_bytes() == (tmp_path / "b/split.json").read_bytes()
    for file in FILES:
        assert (tmp_path / "a/split" / file).read_bytes() == (tmp_path / "b/split" / file).read_bytes()


def test_new_rows_move_no_old_row_in_the_files(tmp_path: Path) -> None:
    run(tmp_path / "a", cleaned(300))
    run(tmp_path / "b", cleaned(400))
    for name in ("train", "validation", "test"):
        assert set(ids(tmp_path / "a", name)) <= set(ids(tmp_path / "b", name))


def test_another_seed_divides_otherwise(tmp_path: Path) -> None:
    run(tmp_path / "a", cleaned())
    run(tmp_path / "b", cleaned(), seed=14)
    assert ids(tmp_path / "a", "test") != ids(tmp_path / "b", "test")


def test_a_published_split_stays(tmp_path: Path) -> None:
    table = pl.concat([cleaned(30, "train"), cleaned(40, "validation")[30:], cleaned(60, "test")[40:]])
    dataset, report = run(tmp_path, table)
    assert dataset["rows"] == {"train": 30, "validation": 10, "test": 20}
    assert set(report["made"].values()) == {"published"}


def test_a_label_that_only_test_has_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    table = pl.concat([cleaned(30, "train"), cleaned(40, "validation")[30:], cleaned(41, "test", "中")[40:]])
    with pytest.raises(DataError, match="label 中 stands in test but not in train"):
        run(tmp_path, table)
    assert not (tmp_path / "split").exists()


def test_a_label_missing_from_validation_is_a_warning(tmp_path: Path) -> None:
    table = pl.concat([cleaned(30, "train"), cleaned(40, "validation", "正")[30:], cleaned(60, "test")[40:]])
    _, report = run(tmp_path, table)
    assert report["warnings"] == ["label 负 is missing from validation: nothing can be said about it there"]


def test_too_few_rows_to_divide_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows for"):
        run(tmp_path, cleaned(2))


def test_near_duplicates_that_would_straddle_are_set_aside_and_written_down(tmp_path: Path) -> None:
    table = cleaned(400)
    pairs = pl.Series([table["id"][number // 2 * 2] if number < 200 else None for number in range(400)])
    _, report = run(tmp_path, table.with_columns(pairs.alias("cluster")))
    removed = pl.read_parquet(tmp_path / "split_removed.parquet")
    parts = {name: pl.read_parquet(tmp_path / f"split/{name}.parquet") for name in ("train", "validation", "test")}
    stands = [(cluster, name) for name, part in parts.items() for cluster in part["cluster"].drop_nulls().unique()]
    assert len({cluster for cluster, _ in stands}) == len(stands) == 100
    assert removed.columns == ["id", "text", "label", "split", "origin", "row", "source", "reason", "of"]
    assert removed.height == sum(sum(splits.values()) for splits in report["removed"].values()) > 10
    assert sorted(removed["id"].to_list() + [row for part in parts.values() for row in part["id"]]) == sorted(
        table["id"]
    )
    kept = dict(stands)
    for placed, reason, of in removed.select("split", "reason", "of").iter_rows():
        assert reason == f"nearly stands in {kept[of]}" != f"nearly stands in {placed}"


def test_many_rows_are_sorted_in_piles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = cleaned(3000)
    run(tmp_path / "one", table)
    monkeypatch.setattr("wenhuo.splitting.parts.PILED", 1000)
    monkeypatch.setattr("wenhuo.splitting.parts.CHUNK", 700)
    run(tmp_path / "piles", table)
    for name in ("train", "validation", "test"):
        one, piles = (pl.read_parquet(tmp_path / folder / f"split/{name}.parquet") for folder in ("one", "piles"))
        assert one.equals(piles)
    assert (tmp_path / "one/split/dataset.json").read_bytes() == (tmp_path / "piles/split/dataset.json").read_bytes()
    assert sorted(path.name for path in (tmp_path / "piles/split").iterdir()) == sorted(FILES[1:])


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks cluster"):
        run(tmp_path, cleaned().drop("cluster"))


def test_mistakes_in_the_parameters_are_found() -> None:
    shipped = read_yaml(Path(__file__).resolve().parents[2] / "params.yaml")["split"]
    assert split.Params().model_dump() == shipped
    for wrong in ({"validation": 0}, {"test": 1}, {"validation": 0.5, "test": 0.5}, {"seed": -1}, {"ratio": 0.1}):
        with pytest.raises(Mistake):
            split.Params(**wrong)
