"""The stage that reads the source, on files with planted faults and on published data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tasks import ingest, source
from tasks.ingest import Params
from tests.conftest import PRINT_PEAK
from wenhuo.errors import DataError, SourceError
from wenhuo.reading.ingest import read_source
from wenhuo.reading.options import Options
from wenhuo.settings import read_yaml

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "../shared/data"


class Ran:
    """A finished run of both stages: the tables and the report."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def corpus(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "corpus.parquet")

    @property
    def rejected(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "rejected.parquet")

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_bytes())
        return report

    @property
    def about(self) -> dict[str, Any]:
        about: dict[str, Any] = json.loads(pq.read_schema(self.folder / "corpus.parquet").metadata[b"wenhuo"])
        return about


def _ingest(params: Params, folder: Path) -> None:
    ingest.run(
        params,
        fingerprint=folder / "source.json",
        corpus=folder / "corpus.parquet",
        rejected=folder / "rejected.parquet",
        report=folder / "report.json",
    )


def _run(folder: Path, **params: Any) -> Ran:
    source.run(Params(**params), fingerprint=folder / "source.json")
    _ingest(Params(**params), folder)
    return Ran(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three splits in three encodings and formats, with faults."""
    made = tmp_path / "source"
    made.mkdir()
    usual = "这家酒店的房间很干净，服务态度也非常好，下次还会再来"
    train = [f"{usual}{n},{n % 2}" for n in range(40)]
    train[4], train[9] = "没有标签", f'"{usual}没有结束,1'
    (made / "train.csv").write_bytes(("text,label\n" + "\n".join(train) + "\n").encode("gb18030"))
    dev = "".join(json.dumps({"text": f"第{n}条", "label": float(n % 2)}) + "\n" for n in range(10))
    (made / "dev.jsonl").write_text(dev + '{"text": null, "label": 1}\n', encoding="utf-8")
    test = "".join(f"第{n}条\t{n % 2} \u3000\r\n" for n in range(10))
    (made / "test.txt").write_bytes(test.encode("utf-16"))
    return made


def test_every_row_is_read_or_set_apart(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = _run(tmp_path / "out", source=str(folder), label_names={0: "差评", 1: "好评"})
    assert ran.corpus.group_by("split").len().sort("split").rows() == [("test", 10), ("train", 38), ("validation", 10)]
    assert set(ran.corpus["label"]) == {"差评", "好评"}
    assert ran.corpus["id"].n_unique() == 58
    assert ran.rejected.select("origin", "row", "reason").rows() == [
        ("train.csv", 6, "missing columns"),
        ("train.csv", 11, "quotes do not match"),
        ("dev.jsonl", 11, "no text"),
    ]
    about = {"source": str(folder), "synthetic": False, "label_order": ["差评", "好评"], "sources": ["source"]}
    assert ran.about == about
    assert set(ran.corpus["source"]) == set(ran.rejected["source"]) == {"source"}
    report = ran.report
    assert (report["rows"], report["rejected"]) == (58, 3)
    assert report["splits"] == {"train": 38, "validation": 10, "test": 10}
    assert list(report["labels"]) == ["差评", "好评"]
    assert [file["encoding"] for file in report["files"].values()] == ["GB18030", "UTF-8", "UTF-16LE with BOM"]
    assert report["reasons"] == {"missing columns": 1, "no text": 1, "quotes do not match": 1}
    said = capsys.readouterr().out.splitlines()[1:]
    assert len(said) == 3
    assert "58 rows" in said[0]
    assert "nothing known" in said[2]


def test_the_same_source_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for out in ("one", "two"):
        _run(tmp_path / out, source=str(folder))
    for name in ("source.json", "corpus.parquet", "rejected.parquet", "report.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_a_new_file_name_or_row_order_leaves_the_ids(folder: Path, tmp_path: Path) -> None:
    before = _run(tmp_path / "one", source=str(folder)).corpus
    lines = (folder / "test.txt").read_bytes().decode("utf-16").splitlines()
    (folder / "test.txt").unlink()
    (folder / "testing-0.tsv").write_text("\n".join(reversed(lines)) + "\n", encoding="utf-8")
    after = _run(tmp_path / "two", source=str(folder)).corpus
    key = ["text", "label", "split", "id"]
    # the same text and label in two splits are the first and the second such row by the order of reading
    assert before.select(key).sort(key).rows() == after.select(key).sort(key).rows()


def test_too_many_rejected_rows_fail_after_everything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("text,label\n" + "好,1\n" * 9 + "坏\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"1 of 10 rows .* \(missing columns 1\)") as error:
        _run(tmp_path / "out", source=str(file))
    assert "rejected.parquet" in error.value.hint
    ran = Ran(tmp_path / "out")
    assert (ran.rejected.height, ran.corpus.height, ran.report["rejected"]) == (1, 9, 1)
    assert _run(tmp_path / "out", source=str(file), max_rejected=0.1).corpus.height == 9


def test_a_label_without_a_name_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("text,label\n好,1\n坏,0\n怪,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"file.csv, row 4: the label '2' has no name"):
        _run(tmp_path / "out", source=str(file), label_names=["negative", "positive"])
    assert not (tmp_path / "out" / "corpus.parquet").exists()


def test_a_source_that_changed_after_the_fingerprint_is_refused(folder: Path, tmp_path: Path) -> None:
    params = Params(source=str(folder))
    source.run(params, fingerprint=tmp_path / "source.json")
    (folder / "dev.jsonl").write_text('{"text": "好", "label": 1}\n', encoding="utf-8")
    with pytest.raises(SourceError, match="changed") as error:
        _ingest(params, tmp_path)
    assert "run again" in error.value.hint
    assert not (tmp_path / "corpus.parquet").exists()


def test_without_a_fingerprint_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"source\.json does not exist"):
        _ingest(Params(), tmp_path)


def test_a_text_column_taken_for_the_label_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "file.tsv"
    file.write_text("text\tlabel\n" + "".join(f"好\t第{n}条\n" for n in range(10_001)), encoding="utf-8")
    with pytest.raises(DataError, match="more than 10,000 different values"):
        _run(tmp_path / "out", source=str(file))


def test_the_sample(tmp_path: Path) -> None:
    ran = _run(tmp_path, source="sample")
    assert ran.about["synthetic"] is True
    assert ran.report["rows"] > 3000
    assert any(file["encoding"] == "GB18030" for file in ran.report["files"].values())


def test_params_are_those_of_params_yaml() -> None:
    shipped = read_yaml(ROOT / "params.yaml")["ingest"]
    assert Params.model_validate(shipped).model_dump() == shipped == Params().model_dump()
    assert all(field.description for field in Params.model_fields.values())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"source": ""}, "at least 1 character"),
        ({"source": "hf://name"}, "is not hf://owner/name"),
        ({"text": "a", "label": "a"}, "both the column a"),
        ({"columns": ["a"]}, "at least two different columns"),
        ({"columns": ["a", "b"], "text": "c"}, "the column c is not among columns: a, b"),
        ({"label_names": []}, "give a mapping"),
        ({"label_names": ["a", "a"]}, "twice"),
        ({"label_names": {0: 1}}, "a name must be a text, not 1"),
        ({"label_names": 3}, "give a mapping"),
        ({"max_rejected": 2}, "less than or equal to 1"),
        ({"encoding": "gbk"}, "Extra inputs"),
    ],
)
def test_mistakes_in_params(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Params(**params)


def test_keys_of_label_names_are_spelled_like_labels() -> None:
    assert Params(label_names={0: "a", 1.0: "b", " 2 ": "c"}).label_names == {"0": "a", "1": "b", "2": "c"}


def test_the_command_prints_an_error_in_two_lines(tmp_path: Path) -> None:
    file = tmp_path / "空 的.csv"
    file.touch()
    (tmp_path / "params.yaml").write_text(f"ingest: {{source: '{file}'}}\n", encoding="utf-8")
    command = (
        "import sys; from pathlib import Path; from tasks import command, ingest, source\n"
        "from wenhuo.errors import WenhuoError\n"
        "from wenhuo.settings import read_yaml\n"
        "params = ingest.Params(**read_yaml(Path(sys.argv[1]) / 'params.yaml')['ingest'])\n"
        "at = Path(sys.argv[1])\n"
        "source.run(params, fingerprint=at / 's')\n"
        "try: ingest.run(params, fingerprint=at / 's', corpus=at / 'c', rejected=at / 'r', report=at / 'j')\n"
        "except WenhuoError as error: sys.exit(f'error: {error}')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == ["error: 空 的.csv is empty", "  → give a file with rows"]


def test_several_sources(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = tmp_path / "更多.jsonl"
    more.write_text('{"评": "好", "类": 1}\n{"评": "好", "类": 1}\n{"评": "坏"}\n', encoding="utf-8")
    books = {"source": str(more), "text": "评", "label": "类", "label_names": ["否", "是"]}
    both = {"酒店": {"source": str(folder)}, "书": books}
    alone = _run(tmp_path / "one", source=str(folder))
    ran = _run(tmp_path / "two", source=both, max_rejected=0.1)
    assert ran.corpus.group_by("source").len().sort("source").rows() == [("书", 2), ("酒店", 58)]
    assert ran.corpus["source"].null_count() == 0
    assert ran.corpus.filter(source="酒店")["id"].to_list() == alone.corpus["id"].to_list()
    assert ran.rejected.filter(source="书").rows() == [(more.name, 3, "missing columns", '{"评": "坏"}', "书")]
    assert ran.about["sources"] == ["酒店", "书"]
    assert (ran.about["source"], ran.about["label_order"]) == ("酒店 + 书", ["否", "是"])
    assert {name: found["rows"] for name, found in ran.report["sources"].items()} == {"酒店": 58, "书": 2}
    assert f"书: {more.name}" in ran.report["files"]
    assert "by source: 酒店 58, 书 2" in capsys.readouterr().out


def test_labels_named_otherwise_in_one_source(tmp_path: Path) -> None:
    """Files of one source must agree on what 0 and 1 mean; another source may name them otherwise."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(path: Path, names: list[str]) -> None:
        path.parent.mkdir(exist_ok=True)
        feature = {"label": {"names": names, "_type": "ClassLabel"}}
        about = {"huggingface": json.dumps({"info": {"features": feature}})}
        pq.write_table(pa.table({"text": ["一"], "label": [1]}).replace_schema_metadata(about), path)

    write(tmp_path / "a/1.parquet", ["负", "正"])
    write(tmp_path / "b/1.parquet", ["bad", "good"])
    ran = _run(tmp_path / "out", source=[str(tmp_path / "a"), str(tmp_path / "b")])
    assert ran.corpus["label"].to_list() == ["正", "good"]
    write(tmp_path / "a/2.parquet", ["正", "负"])
    with pytest.raises(DataError, match="names its labels 正, 负, the files before it 负, 正"):
        _run(tmp_path / "out", source=str(tmp_path / "a"))


def test_reading_without_a_project(folder: Path, tmp_path: Path) -> None:
    account = read_source(Options(source=str(folder)), tmp_path / "looked at")
    assert (account.rows, account.rejected) == (58, 3)
    left = {path.name for path in (tmp_path / "looked at").iterdir()}
    assert left - {".source-cache.json"} == {"corpus.parquet", "rejected.parquet"}


GRAPH = """
stages:
  source:
    cmd: python3 ingest.py source
    always_changed: true
    outs: [data/source.json]
  ingest:
    cmd: python3 ingest.py ingest
    deps: [data/source.json]
    outs: [data/corpus.parquet]
"""
INGEST = """
import sys
from pathlib import Path
from tasks import ingest, source
params = ingest.Params(source={"甲": "raw/*.csv"})
at = Path("data/source.json")
if sys.argv[1] == "source":
    source.run(params, fingerprint=at)
else:
    report = Path("reports/ingest.json")
    ingest.run(params, fingerprint=at, corpus=Path("data/corpus.parquet"), rejected=Path("reports/r"), report=report)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A DVC project of the first two stages."""
    root = tmp_path / "项目"
    (root / "raw").mkdir(parents=True)
    (root / "dvc.yaml").write_text(GRAPH, encoding="utf-8")
    (root / "ingest.py").write_text(INGEST, encoding="utf-8")
    (root / "raw" / "1.csv").write_text("text,label\n一,1\n二,0\n三,1\n", encoding="utf-8")
    _dvc(root, "init", "-q", "--no-scm")
    return root


def _dvc(root: Path, *arguments: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1", "PATH": path}
    command = [sys.executable, "-m", "dvc", *arguments]
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _changes(root: Path) -> dict[str, Any]:
    changes: dict[str, Any] = json.loads((root / "reports/changes.json").read_bytes())
    return changes


def test_changes_since_the_version_that_dvc_lock_names(project: Path) -> None:
    _dvc(project, "repro")
    assert _changes(project) == {"unknown": "dvc.lock names none"}
    (project / "raw/1.csv").write_text("text,label\n一,0\n二,0\n", encoding="utf-8")
    (project / "raw/2.csv").write_text("text,label\n新,1\n", encoding="utf-8")
    _dvc(project, "repro")
    found = _changes(project)
    assert found["rows"] == {"before": 3, "now": 3}
    assert [found[kind] for kind in ("added", "removed", "relabelled", "moved")] == [1, 1, 1, 0]
    assert found["files"] == {"added": ["甲: 2.csv"], "removed": [], "changed": ["甲: 1.csv"]}
    before = (project / "dvc.lock").read_bytes()
    _dvc(project, "repro")
    assert (project / "dvc.lock").read_bytes() == before
    assert _changes(project) == found, "nothing ran"
    shutil.rmtree(project / ".dvc/cache")
    (project / "raw/1.csv").unlink()
    _dvc(project, "repro")
    assert "dvc pull" in _changes(project)["unknown"]


@pytest.mark.slow
def test_memory_follows_a_chunk_and_not_the_source(tmp_path: Path) -> None:
    """Ten times the rows (30 MB more text) may cost what is kept for each row: eight bytes, and a bounded row group."""
    peaks = []
    for rows in (40_000, 400_000):
        file = tmp_path / f"{rows}.tsv"
        with file.open("w", encoding="utf-8") as out:
            out.write("text\tlabel\n")
            out.writelines(f"这家酒店的房间很干净，服务态度也好{n}，下次再来\t{n % 3}\n" for n in range(rows))
        command = (
            "import sys; from pathlib import Path; from tasks import ingest, source\n"
            "params, at = ingest.Params(source=sys.argv[1]), Path(sys.argv[2])\n"
            "source.run(params, fingerprint=at / 's')\n"
            "ingest.run(params, fingerprint=at / 's', corpus=at / 'c', rejected=at / 'r', report=at / 'j')\n"
        ) + PRINT_PEAK
        ended = subprocess.run(
            [sys.executable, "-c", command, str(file), str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(ended.stdout.splitlines()[-1]) / 1024)
    assert peaks[1] - peaks[0] < 40, peaks


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published data sets are not beside the repository")
class TestPublished:
    """Real files: every row is read."""

    def test_chnsenticorp(self, tmp_path: Path) -> None:
        ran = _run(tmp_path, source=str(PUBLISHED / "chnsenticorp"), text="text_a", label="label")
        assert ran.report["splits"] == {"train": 9600, "validation": 1200, "test": 1200}
        assert ran.rejected.height == 0
        assert ran.corpus.height == 12_000
        assert _run(tmp_path, source=str(PUBLISHED / "chnsenticorp")).report["rows"] == 12_000

    def test_thucnews_titles(self, tmp_path: Path) -> None:
        folder = PUBLISHED / "thucnews_titles"
        ran = _run(tmp_path, source=str(folder), label_names=str(folder / "class.txt"))
        assert ran.report["splits"] == {"train": 33_590, "validation": 10_000, "test": 10_000}
        assert ran.about["label_order"] == (folder / "class.txt").read_text().split()
        assert set(ran.corpus["label"]) == set(ran.about["label_order"])

    def test_eprstmt(self, tmp_path: Path) -> None:
        ran = _run(tmp_path, source=str(PUBLISHED / "eprstmt_fewshot"))
        assert ran.report["splits"] == {"train": 160, "validation": 160, "test": 610}
