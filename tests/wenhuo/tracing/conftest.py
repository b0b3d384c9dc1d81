"""A project as a graph would leave it, made by hand: dvc.lock, DVC's cache, tables with planted rows; nothing runs."""

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ruamel.yaml import YAML

from wenhuo.encoding.store import EncodedRows, write_rows
from wenhuo.files import write_json
from wenhuo.training.history import Point
from wenhuo.training.history import write as write_history

FIELDS = ("id", "text", "label", "split", "origin", "row", "source")


def row_id(number: int) -> str:
    """The id of row ``number`` of train.tsv."""
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


class Toy:
    """A project's folder that is filled stage by stage.

    Rows 1 to 4 of train.tsv are trained on, row 5 is dropped by the encoder, row 6 repeats row 1, row 7 stands in test;
    row 1 of dev.tsv is validation, of test.tsv is test. Row 9 of train.tsv could not be read.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.stages = root, {}
        (root / "tasks").mkdir()
        (root / "tasks/train.py").write_text("pass\n")
        subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        (root / ".dvc").mkdir()
        (root / ".dvc/config").touch()

    def keep(self, path: str) -> dict:
        """Put what lies at a path into the cache, as DVC does; return its entry for dvc.lock."""
        here = self.root / path
        if here.is_file():
            return {"path": path, "hash": "md5", "md5": self._object(here.read_bytes()), "size": here.stat().st_size}
        files = sorted(file for file in here.rglob("*") if file.is_file())
        listed = [{"md5": self._object(f.read_bytes()), "relpath": f.relative_to(here).as_posix()} for f in files]
        md5 = self._object(json.dumps(listed, sort_keys=True).encode(), ".dir")
        return {"path": path, "hash": "md5", "md5": md5, "size": 9, "nfiles": len(files)}

    def _object(self, content: bytes, ending: str = "") -> str:
        md5 = hashlib.md5(content).hexdigest() + ending
        kept = self.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            kept.write_bytes(content)
            kept.chmod(0o444)
        return md5

    def table(self, path: str, rows: list[dict], *more: str) -> None:
        """Write a Parquet table of rows."""
        kinds = dict.fromkeys((*FIELDS, *more), pl.String) | {"row": pl.Int64}
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(rows, schema=kinds).write_parquet(self.root / path)

    def stage(self, name: str, deps: list[str], outs: list[str], params: dict | None = None) -> None:
        """Add a stage to dvc.lock, as if it had run."""
        known = {out["path"]: out for stage in self.stages.values() for out in stage["outs"]}
        entry = {"cmd": f"python3 -m tasks {name}", "deps": [known.get(dep) or self.keep(dep) for dep in deps]}
        entry["deps"] += [self.keep("tasks/train.py")]
        entry |= {"params": {"params.yaml": params}} if params else {}
        self.stages[name] = entry | {"outs": [self.keep(out) for out in outs]}
        with (self.root / "dvc.lock").open("w", encoding="utf-8") as file:
            YAML().dump({"schema": "2.0", "stages": self.stages}, file)

    def fill(self, more: int = 0) -> None:
        """The stages from source to train@mini; ``more`` rows come on top of train.tsv's."""
        rows = [self.row(n, "train.tsv", "train", row_id(n)) for n in range(1, 8 + more)]
        rows[5] |= {"text": "评论 1"}
        rows += [self.row(1, "dev.tsv", "validation", "a" * 32), self.row(1, "test.tsv", "test", "b" * 32)]
        (self.root / "train.tsv").write_text("".join(f"{row['text']}\n" for row in rows))
        write_json(self.root / "data/source.json", {"sources": [self.source()]})
        self.stage("source", [], ["data/source.json"])
        self.table("data/corpus.parquet", rows)
        self.table("reports/rejected.parquet", [{"origin": "train.tsv", "row": 9, "reason": "no label"}], "reason")
        self.stage("ingest", ["data/source.json"], ["data/corpus.parquet", "reports/rejected.parquet"])
        removed = [rows[5] | {"reason": "repeats an earlier row", "of": row_id(1)}]
        removed += [rows[6] | {"reason": "stands in test", "of": "b" * 32}]
        self.table("data/clean.parquet", rows)
        self.table("reports/removed.parquet", removed, "reason", "of")
        self.stage("clean", ["data/corpus.parquet"], ["data/clean.parquet", "reports/removed.parquet"])
        self.split(rows[:5] + rows[7 : 7 + more], rows[-2:-1], rows[-1:])

    def split(self, train: list[dict], validation: list[dict], test: list[dict]) -> None:
        """The stages split, encode and train."""
        for name, part in {"train": train, "validation": validation, "test": test}.items():
            self.table(f"data/split/{name}.parquet", part)
        about = {"source": "train.tsv", "synthetic": False, "labels": ["好"], "cleaning": {}}
        about |= {"rows": {"train": len(train)}, "hash": {"train": "d" * 64}}
        write_json(self.root / "data/split/dataset.json", about)
        self.table("reports/split_removed.parquet", [], "reason", "of")
        self.stage("split", ["data/clean.parquet"], ["data/split", "reports/split_removed.parquet"])
        seen = [row for row in train if row["row"] != 5]
        for name, part in {"train": seen, "validation": validation}.items():
            ids = [row["id"] for row in part]
            (self.root / "data/encoded/signs").mkdir(parents=True, exist_ok=True)
            offsets = np.arange(len(ids) + 1, dtype=np.int64)
            encoded = EncodedRows(np.zeros(len(ids), np.int32), offsets, np.zeros(len(ids), np.int32))
            write_rows(self.root / f"data/encoded/signs/{name}.arrow", ids, encoded)
        self.stage("encode@signs", ["data/split"], ["data/encoded/signs"])
        (self.root / "models/mini").mkdir(parents=True, exist_ok=True)
        (self.root / "models/mini/weights").write_text(f"of {len(seen)} rows")
        curve = [Point(step, 1.0, "train/loss", 1 / step) for step in (1, 2, len(seen))]
        write_history(self.root / "reports/history/mini.csv", curve)
        made = ["models/mini", "reports/history/mini.csv"]
        self.stage("train@mini", ["data/encoded/signs"], made, {"train.seed": 13})

    def blend(self) -> None:
        """Another training, and a blend of both."""
        for name in ("linear", "both"):
            (self.root / "models" / name).mkdir(parents=True)
            write_json(self.root / f"models/{name}/wenhuo.json", {"members": {"linear": 0.4, "mini": 0.7}})
            write_history(self.root / f"reports/history/{name}.csv", [Point(1, 1.0, "validation/accuracy", 0.9)])
        made = ["models/linear", "reports/history/linear.csv"]
        self.stage("train@linear", ["data/encoded/signs"], made, {"train.seed": 13})
        members = ["models/linear", "models/linear", "models/mini", "models/mini"]  # as dvc.lock has them
        chosen = {"blend.candidates.both": {"of": ["linear", "mini"]}}
        self.stage("blend@both", [*members, "data/split"], ["models/both", "reports/history/both.csv"], chosen)

    def source(self) -> dict:
        """What data/source.json says of train.tsv."""
        content = (self.root / "train.tsv").read_bytes()
        version = f"sha256:{hashlib.sha256(content).hexdigest()}"
        files = [{"path": "train.tsv", "version": version, "size": len(content)}]
        return {"name": "s", "kind": "local", "source": "train.tsv", "files": files, "ignored": []}

    def row(self, number: int, origin: str, split: str, row: str) -> dict:
        """A row of the corpus."""
        text = f"评论 {number}"
        return dict(zip(FIELDS, (row, text, "好", split, origin, number, "s"), strict=True))


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Toy:
    """A project whose graph ran once."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    made = Toy(tmp_path)
    made.fill()
    return made
