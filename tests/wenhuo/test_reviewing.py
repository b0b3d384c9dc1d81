from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from wenhuo.audit.suspects import SCHEMA
from wenhuo.cli import app
from wenhuo.errors import DataError, SettingsError
from wenhuo.files import write_json

HEADER = "id,given,label,note\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    rows = [(x, "train", f"文本{x}", "负", "正", 0.9, 0.1, n, True, "none") for n, x in enumerate("abc", start=1)]
    for folder in ("reports", "data/split"):
        (tmp_path / folder).mkdir(parents=True)
    pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(tmp_path / "reports/suspects.parquet")
    write_json(tmp_path / "data/split/dataset.json", {"labels": ["正", "负"]})
    (tmp_path / "data/corrections.csv").write_text(HEADER, encoding="utf-8")
    return tmp_path


def review(project: Path, *arguments: str):
    result = CliRunner().invoke(app, ["review", "--root", str(project), *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def decide(project: Path, **decisions: str) -> Path:
    table = pl.read_csv(project / "reports/review.csv", infer_schema=False)
    said = pl.Series("decision", [decisions.get(row, "") for row in table["id"]])
    table.with_columns(said).write_csv(project / "filled.csv")
    return project / "filled.csv"


def test_decisions_become_corrections_and_are_not_asked_again(project: Path):
    assert "3 rows" in review(project)
    told = review(project, str(decide(project, a="keep", b="正")))
    assert "2 decisions: 1 keep, 1 relabel, 0 drop" in told
    assert "make run" in told
    assert (project / "data/corrections.csv").read_text(encoding="utf-8") == HEADER + "a,负,负,\nb,负,正,\n"
    review(project)
    assert pl.read_csv(project / "reports/review.csv")["id"].to_list() == ["c"]
    review(project, "--all", "--top", "2")
    assert pl.read_csv(project / "reports/review.csv")["id"].to_list() == ["a", "b"]
    review(project, str(decide(project, a="删除")))
    assert "a,负,," in (project / "data/corrections.csv").read_text(encoding="utf-8")


def test_nothing_decided_changes_nothing(project: Path):
    review(project)
    assert "no decisions yet" in review(project, str(project / "reports/review.csv"))
    assert (project / "data/corrections.csv").read_text(encoding="utf-8") == HEADER


def test_one_mistake_changes_nothing(project: Path):
    review(project)
    with pytest.raises(DataError, match="row 3"):
        review(project, str(decide(project, a="keep", b="什么")))
    assert (project / "data/corrections.csv").read_text(encoding="utf-8") == HEADER


def test_nothing_left_is_said(project: Path):
    assert "no suspects are left" in review(project, "--split", "test")


def test_wrong_usage_is_clear(project: Path, tmp_path: Path):
    with pytest.raises(SettingsError, match="no such split"):
        review(project, "--split", "dev")
    with pytest.raises(DataError, match="does not exist"):
        review(tmp_path / "elsewhere")
