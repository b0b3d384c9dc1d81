"""The stage as the graph runs it: both reports written, the same bytes each time, errors stop it after that."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError as ParameterError
from typer.testing import CliRunner

from tasks.validate import Params, run
from tests.conftest import PRINT_PEAK
from wenhuo.cli import app
from wenhuo.errors import SettingsError, ValidationError
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


def shifted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with other label shares."""
    return [row | {"label": "a" if n % 4 else "b"} for n, row in enumerate(rows)]


def versions(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "reports/versions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_version_is_compared_with_the_one_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validate(tmp_path, corpus(tmp_path / "c.parquet", SOUND))
    assert "no earlier data version is known" in capsys.readouterr().out
    validate(tmp_path, corpus(tmp_path / "c.parquet", shifted(SOUND)))
    assert "against the previous version 8 expectations, 0 errors, 1 warning → " in capsys.readouterr().out
    drift = json.loads((tmp_path / "reports/drift.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in drift["expectations"] if not one["success"]] == ["drift_labels"]
    assert "Different from the version before" in (tmp_path / "reports/drift.html").read_text(encoding="utf-8")
    assert len(versions(tmp_path)) == 2


def test_the_same_version_again_is_not_a_new_one(tmp_path: Path) -> None:
    first, second = corpus(tmp_path / "c.parquet", SOUND), corpus(tmp_path / "d.parquet", shifted(SOUND))
    for path in (first, first, second, second):
        validate(tmp_path, path)
    assert len(versions(tmp_path)) == 2
    assert json.loads((tmp_path / "reports/drift.json").read_text(encoding="utf-8"))["warnings"] == 1


def test_the_past_changes_no_output(tmp_path: Path) -> None:
    path = corpus(tmp_path / "c.parquet", shifted(SOUND))
    validate(tmp_path / "one", path)
    validate(tmp_path / "two", corpus(tmp_path / "d.parquet", SOUND))
    validate(tmp_path / "two", path)
    for file in ("reports/validation.json", "reports/validation.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_drift_of_level_error_stops_the_stage_until_a_person_accepts(tmp_path: Path) -> None:
    (tmp_path / "expectations.yaml").write_text("levels: {drift_labels: error}\n", encoding="utf-8")
    validate(tmp_path, corpus(tmp_path / "c.parquet", SOUND))
    other = corpus(tmp_path / "c.parquet", shifted(SOUND))
    for _ in range(2):
        with pytest.raises(ValidationError, match=r"drift_labels \(25\.0%\)") as caught:
            validate(tmp_path, other)
        assert "wenhuo accept" in caught.value.hint
        assert len(versions(tmp_path)) == 1
    done = CliRunner().invoke(app, ["accept", "--root", str(tmp_path)])
    assert done.exit_code == 0, done.output
    validate(tmp_path, other)
    assert [set(line) & {"accepted", "rows"} for line in versions(tmp_path)] == [{"rows"}, {"accepted"}, {"rows"}]
    with pytest.raises(ValidationError, match="drift_labels"):
        validate(
            tmp_path,
            corpus(tmp_path / "c.parquet", [row | {"label": "b"} if n else row for n, row in enumerate(SOUND)]),
        )


def test_a_version_that_breaks_an_expectation_is_no_yardstick(tmp_path: Path) -> None:
    validate(tmp_path, corpus(tmp_path / "c.parquet", SOUND))
    with pytest.raises(ValidationError, match="breaks"):
        validate(tmp_path, corpus(tmp_path / "c.parquet", SOUND[:20]))
    assert len(versions(tmp_path)) == 1


def test_a_damaged_history_is_said_and_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validate(tmp_path, corpus(tmp_path / "c.parquet", SOUND))
    history = tmp_path / "reports/versions.jsonl"
    history.write_bytes(b"<<<<<<<\n" + history.read_bytes())
    validate(tmp_path, corpus(tmp_path / "c.parquet", shifted(SOUND)))
    assert "versions.jsonl, line 1: " in capsys.readouterr().out
    assert history.read_bytes().startswith(b"<<<<<<<\n")
    assert "passed over" in (tmp_path / "reports/drift.html").read_text(encoding="utf-8")


def test_mistakes_in_expectations_yaml_are_found_before_the_corpus_is_read(tmp_path: Path) -> None:
    (tmp_path / "expectations.yaml").write_text("levels: {no_htlm: off}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="did you mean no_html"):
        validate(tmp_path, tmp_path / "no.parquet")


FAULTS: list[tuple[str, list[dict[str, Any]], dict[str, Any], set[str]]] = [
    ("a label in test that train lacks", [{"label": "c", "split": "test"}], {}, {"labels_known_in_train"}),
    ("a class of one row", [{"label": "c", "split": "train"}], {}, {"rows_per_label", "labels_in_every_split"}),
    ("999 to 1", [{"label": "a", "split": "train"}] * 900, {}, {"largest_label"}),
    ("a label with a trailing space", [{"label": "a ", "split": "train"}] * 30, {}, {"label_names_differ"}),
    ("a label with a full-width space", [{"label": "a\u3000", "split": "train"}] * 30, {}, {"label_names_differ"}),
    ("one text, two labels", [{"text": "同", "label": name, "split": "train"} for name in "ab"], {}, {"labels_agree"}),
    ("a copy across splits", [{"text": "第0家酒店很干净", "split": "test"}], {}, {"test_apart_from_train"}),
    ("a copy but for spaces", [{"text": " 第0家 酒店很干净", "split": "test"}], {}, {"test_apart_from_train"}),
]


@pytest.mark.parametrize(
    ("more", "params", "expected"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults_of_labels_and_splits_are_said(
    tmp_path: Path, more: list[dict[str, Any]], params: dict[str, Any], expected: set[str]
) -> None:
    sound = [row | {"split": ("train", "train", "test", "test")[n % 4]} for n, row in enumerate(SOUND)]
    added = [{"text": f"又一家{n}", "label": "a"} | row for n, row in enumerate(more)]
    try:
        found = validate(tmp_path, corpus(tmp_path / "c.parquet", [*sound, *added]), **params)
    except ValidationError:
        found = json.loads((tmp_path / "reports/validation.json").read_text(encoding="utf-8"))
    assert expected <= {one["name"] for one in found["expectations"] if not one["success"]}


def test_a_class_missing_from_validation_is_said(tmp_path: Path) -> None:
    rows = [row | {"split": ("train", "train", "validation", "test")[n % 4]} for n, row in enumerate(SOUND)]
    missing = [row for row in rows if (row["split"], row["label"]) != ("validation", "a")]
    missing += [{"text": f"多{n}", "label": "b", "split": "test"} for n in range(9)]
    found = validate(tmp_path, corpus(tmp_path / "c.parquet", missing))
    (verdict,) = (one for one in found["expectations"] if one["name"] == "labels_in_every_split")
    assert not verdict["success"]
    assert verdict["rows"] == sum(row["label"] == "a" for row in missing)


@pytest.mark.slow
def test_a_fresh_clone_knows_the_previous_version_from_the_cache(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    shutil.copyfile(ROOT / "expectations.yaml", tmp_path / "expectations.yaml")
    paths = {"corpus": "c.parquet", "expectations": "expectations.yaml"}
    reports = {"report": "reports/validation.json", "page": "reports/validation.html"}
    options = " ".join(f"--{name} {path}" for name, path in (paths | reports).items())
    stage = {"cmd": f"{sys.executable} -m tasks validate {options}"}
    stage |= {"deps": list(paths.values()), "outs": list(reports.values())}
    (tmp_path / "dvc.yaml").write_text(json.dumps({"stages": {"validate": stage}}), encoding="utf-8")

    def dvc(*arguments: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
        subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=tmp_path, env=environment, check=True)

    dvc("init", "--no-scm", "--quiet")
    corpus(tmp_path / "c.parquet", SOUND)
    dvc("repro")
    (first,) = versions(tmp_path)
    shutil.rmtree(tmp_path / "reports")
    corpus(tmp_path / "c.parquet", shifted(SOUND))
    dvc("repro")
    drift = json.loads((tmp_path / "reports/drift.json").read_text(encoding="utf-8"))
    assert drift["previous"]["corpus"] == first["corpus"]
    assert [one["name"] for one in drift["expectations"] if not one["success"]] == ["drift_labels"]
    assert [line["when"] is None for line in versions(tmp_path)] == [True, False]


@pytest.mark.slow
def test_a_million_rows_are_validated_within_30_seconds_and_a_gigabyte(tmp_path: Path) -> None:
    """On two cores it is 11 s, half of it Great Expectations' import, and 0.8 GB; own expectations among them."""
    rows = [{"text": f"第{n % 900_000}家酒店{n}很干净，房间也大" * 2, "label": "ab"[n % 2]} for n in range(20_000)]
    path = corpus(tmp_path / "part.parquet", rows)
    table = pq.read_table(path)
    with pq.ParquetWriter(tmp_path / "c.parquet", table.schema) as writer:
        for part in range(50):
            ids = pl.Series([f"{part}-{n}" for n in range(len(rows))]).to_arrow().cast("large_string")
            writer.write_table(table.set_column(0, "id", ids))
    expect = "column_values_to_be_between: {column: characters, max_value: 99}"
    own = f"own: {{mine: {{level: warning, because: x, expect: {{{expect}}}}}}}\n"
    (tmp_path / "expectations.yaml").write_text(own, encoding="utf-8")
    script = (
        "import sys; from pathlib import Path; from tasks.validate import Params, run\n"
        "corpus, expectations, report, page = map(Path(sys.argv[1]).joinpath, sys.argv[2:])\n"
        "run(Params(), corpus=corpus, expectations=expectations, report=report, page=page)\n"
    ) + PRINT_PEAK
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path, "c.parquet", "expectations.yaml", "v.json", "v.html"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert time.monotonic() - started < 30
    assert int(done.stdout.split()[-1]) < 1 << 20  # kilobytes
    assert json.loads((tmp_path / "v.json").read_text(encoding="utf-8"))["rows"]["all"] == 1_000_000


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
