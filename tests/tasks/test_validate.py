"""The stage as the graph runs it: both reports written, the same bytes each time, errors stop it after that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError as ParameterError

from tasks.validate import Params, run
from wenhuo.errors import ValidationError
from wenhuo.settings import read_yaml

ROOT = Path(__file__).resolve().parents[2]
CHNSENTICORP = ROOT / "../shared/data/chnsenticorp"
SCHEMA = {
    "id": pl.String,
    "text": pl.String,
    "label": pl.String,
    "split": pl.String,
    "origin": pl.String,
    "row": pl.Int64,
    "source": pl.String,
}


def corpus(path: Path, rows: list[dict[str, Any]], **about: Any) -> Path:
    full = [
        {"id": f"i{n}", "split": None, "origin": "x.csv", "row": n + 1, "source": "x"} | row
        for n, row in enumerate(rows)
    ]
    table = pl.DataFrame(full, schema=SCHEMA).to_arrow()
    pq.write_table(table.replace_schema_metadata({b"wenhuo": json.dumps(about, ensure_ascii=False).encode()}), path)
    return path


def validate(folder: Path, path: Path, **params: Any) -> dict[str, Any]:
    """Run the stage in a folder and return what it reports."""
    report = folder / "reports/validation.json"
    page, own = folder / "reports/validation.html", folder / "expectations.yaml"
    if not own.exists():
        folder.mkdir(exist_ok=True)
        own.write_bytes((ROOT / "expectations.yaml").read_bytes())
    run(Params(**params), corpus=path, expectations=own, report=report, page=page)
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return result


SOUND = [{"text": f"第{n}家酒店很干净", "label": "ab"[n % 2]} for n in range(60)]


def test_a_sound_corpus_passes_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = validate(tmp_path, corpus(tmp_path / "c.parquet", SOUND, source="sample", synthetic=True))
    assert (result["success"], result["errors"], result["warnings"]) == (True, 0, 0)
    assert len(result["expectations"]) >= 12
    out = capsys.readouterr()
    assert "validate: 26 expectations, 0 errors, 0 warnings → " in out.out
    assert out.err == ""
    page = (tmp_path / "reports/validation.html").read_text(encoding="utf-8")
    assert "synthetic" in page


def test_errors_stop_the_stage_after_both_reports_are_written(tmp_path: Path) -> None:
    rows = [*SOUND, {"text": "独一无二", "label": "c", "split": "test"}]
    with pytest.raises(ValidationError) as caught:
        validate(tmp_path, corpus(tmp_path / "c.parquet", rows), min_rows=100)
    assert (
        "2 expectations: enough_rows (61 rows); labels_known_in_train (1 row, the first is x.csv row 61)"
        in caught.value.what
    )
    assert "validation.html" in caught.value.hint
    result = json.loads((tmp_path / "reports/validation.json").read_text(encoding="utf-8"))
    assert (result["success"], result["errors"]) == (False, 2)
    page = (tmp_path / "reports/validation.html").read_text(encoding="utf-8")
    assert "Not fit to go on: 2\u00a0errors" in page


def test_warnings_do_not_stop_the_stage(tmp_path: Path) -> None:
    rows = [*SOUND, {"text": "<b>好</b>", "label": "a"}]
    result = validate(tmp_path, corpus(tmp_path / "c.parquet", rows))
    assert (result["success"], result["warnings"]) == (True, 1)


def test_reports_are_the_same_bytes_each_time_and_hold_no_text(tmp_path: Path) -> None:
    secret = "谁都不该看见的一句话"
    rows = [{"text": f"<i>{secret}{n % 9}\u200b", "label": "ab"[n % 2]} for n in range(90)]
    path = corpus(tmp_path / "c.parquet", rows, source="x")
    for name in ("one", "two"):
        validate(tmp_path / name, path)
    for file in ("reports/validation.json", "reports/validation.html"):
        first, second = ((tmp_path / name / file).read_bytes() for name in ("one", "two"))
        assert first == second
        assert secret[1:5].encode() not in first


def test_an_empty_corpus_gives_reports_and_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"enough_rows \(0 rows\)"):
        validate(tmp_path, corpus(tmp_path / "c.parquet", [], label_order=["a", "b"]))
    assert (tmp_path / "reports/validation.html").exists()


def test_the_shipped_parameters_load_and_every_field_is_explained() -> None:
    shipped = read_yaml(ROOT / "params.yaml")["validate"]
    assert set(shipped) == set(Params.model_fields)
    assert Params(**shipped) == Params()
    assert all(field.description for field in Params.model_fields.values())


@pytest.mark.parametrize("values", [{"min_rows": 0}, {"max_blank": 5}, {"max_lables": 3}, {"min_chinese": -0.1}])
def test_unfit_parameters_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Params(**values)


def test_reading_the_parameters_imports_nothing_heavy() -> None:
    heavy = "{'great_expectations', 'polars', 'pandas', 'jinja2'}"
    script = (
        f"import sys, tasks.validate; sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-B", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not CHNSENTICORP.is_dir(), reason="needs ChnSentiCorp in ../shared/data/chnsenticorp")
def test_chnsenticorp_has_333_test_rows_that_stand_in_train(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = []
    for file, split in (("train", "train"), ("dev", "validation"), ("test", "test")):
        lines = (CHNSENTICORP / f"{file}.tsv").read_text(encoding="utf-8").split("\n")[1:]
        pairs = (line.split("\t", 1) for line in lines if line)
        rows += [
            {"id": f"{file}{n}", "text": text, "label": label, "split": split} for n, (label, text) in enumerate(pairs)
        ]
    result = validate(tmp_path, corpus(tmp_path / "c.parquet", rows, source="chnsenticorp"))
    found = {one["name"]: one for one in result["expectations"]}
    assert result["success"]
    assert found["test_apart_from_train"]["observed"] == 333
    assert found["validation_apart_from_train"]["observed"] == 340
    assert result["overlaps"]["repeats_in_train"] == 1358
    assert result["rows"] == {"all": 12000, "train": 9600, "validation": 1200, "test": 1200}
