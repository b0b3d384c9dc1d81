import json
import shutil
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError as Mistake

from tasks import audit, encode
from tests.conftest import BAD, GOOD, NEUTRAL, make_rows
from wenhuo.encoding.options import Ngrams
from wenhuo.files import write_json
from wenhuo.settings import read_yaml
from wenhuo.tables import write_table
from wenhuo.text.keys import loose_key

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
LABELS = {"negative": BAD, "neutral": NEUTRAL, "positive": GOOD}
OTHER = {"negative": "positive", "neutral": "negative", "positive": "neutral"}
PLANTED = 24
SIZES = {"train": 360, "validation": 60, "test": 60}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A corpus with published splits, 24 wrong labels in train and 6 in test, and 10 test rows that stand in train."""
    parts = {}
    for seed, (split, count) in enumerate(SIZES.items()):
        rows = make_rows(count, LABELS, seed)
        wrong = {"train": PLANTED, "test": 6}.get(split, 0)
        rows = [(text, OTHER[label] if number < wrong else label) for number, (text, label) in enumerate(rows)]
        if split == "test":
            rows[-10:] = make_rows(SIZES["train"], LABELS, 0)[-10:]
        table = pl.DataFrame(rows, schema=["text", "label"], orient="row")
        ids = [sha256(f"{split}{text}".encode()).hexdigest()[:32] for text in table["text"]]
        parts[split] = table.with_columns(id=pl.Series(ids), split=pl.lit(split)).sort("id")
    write_table(tmp_path / "corpus.parquet", pl.concat(parts.values()), {"source": "made"})
    left = parts["train"].filter(~pl.col("text").is_in(parts["test"]["text"].implode()))
    for split, table in (parts | {"train": left}).items():
        write_table(tmp_path / f"split/{split}.parquet", table.drop("split"))
    about = {"labels": sorted(LABELS), "rows": {split: table.height for split, table in parts.items()}, "cleaning": {}}
    write_json(tmp_path / "split/dataset.json", about)
    (tmp_path / "corrections.csv").write_text("id,given,label,note\n", encoding="utf-8")
    return tmp_path


def run(project: Path, **params) -> tuple[pl.DataFrame, dict]:
    audit.run(
        audit.Params(**params),
        corpus=project / "corpus.parquet",
        parts=project / "split",
        corrections=project / "corrections.csv",
        suspects=project / "suspects.parquet",
        report=project / "audit.json",
    )
    return pl.read_parquet(project / "suspects.parquet"), json.loads((project / "audit.json").read_bytes())


def encoded(project: Path, name: str) -> tuple[dict[str, bytes], dict]:
    params = encode.Params(encoders={"ngrams": Ngrams(kind="ngrams")})
    encode.run(
        params,
        name="ngrams",
        parts=project / "split",
        suspects=project / "suspects.parquet",
        encoded=project / name,
        report=project / f"{name}.json",
    )
    files = {path.name: path.read_bytes() for path in sorted((project / name).iterdir())}
    return files | {"report": (project / f"{name}.json").read_bytes()}, json.loads(files["encoder.json"])


def labels(project: Path, name: str, split: str) -> dict[str, int]:
    import pyarrow as pa

    table = pa.ipc.open_file(project / name / f"{split}.arrow").read_all()
    return dict(zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True))


def test_planted_labels_are_listed_and_written_the_same_again(project: Path):
    found, report = run(project)
    first = (project / "suspects.parquet").read_bytes(), (project / "audit.json").read_bytes()
    run(project)
    assert first == ((project / "suspects.parquet").read_bytes(), (project / "audit.json").read_bytes())
    assert report["suspects"]["flagged"]["train"] == found.filter(pl.col("split") == "train", "flagged").height
    wrong = {text for text, _ in make_rows(360, LABELS, 0)[:PLANTED]}
    top = found.filter(pl.col("split") == "train").head(PLANTED)
    assert len(set(top["text"]) & wrong) >= 0.8 * PLANTED
    assert {"train", "test"} <= set(found["split"])


def test_published_figures_tell_the_leaks(project: Path):
    _, report = run(project)
    published = report["published"]
    assert published["rows"] == {"train": 360, "test": 60, "leak_free_training": 350}
    assert published["figures"]["leak_free_part"]["rows"] == 50
    assert published["figures"]["as_published"]["rows"] == 60
    test = pl.read_parquet(project / "split/test.parquet")
    assert published["test_hash"] == sha256("\n".join(test["id"]).encode()).hexdigest()
    for figures in published["figures"].values():
        low, high = figures["intervals"]["accuracy"]
        assert low <= figures["accuracy"] <= high


def test_without_a_published_test_set_nothing_is_claimed(project: Path):
    corpus = pl.read_parquet(project / "corpus.parquet").with_columns(split=pl.lit(None, pl.String))
    write_table(project / "corpus.parquet", corpus)
    _, report = run(project)
    assert report["published"] is None
    assert "no test set of its own" in report["not_published"]


def test_by_default_training_is_what_it_would_be_without_an_audit(project: Path):
    run(project)
    with_suspects, _ = encoded(project, "a")
    pl.read_parquet(project / "suspects.parquet").head(0).write_parquet(project / "suspects.parquet")
    without, _ = encoded(project, "b")
    assert with_suspects == without


def test_dropped_rows_are_not_learnt_from(project: Path):
    found, report = run(project, wrong_labels="drop")
    _, card = encoded(project, "a")
    gone = set(found.filter(pl.col("action") == "drop")["id"])
    everything = set(pl.read_parquet(project / "split/train.parquet")["id"])
    assert set(labels(project, "a", "train")) == everything - gone
    assert len(gone) == report["suspects"]["changed"] >= PLANTED / 2
    assert card["dataset"]["suspects"] == {"drop": len(gone)}
    assert card["dataset"]["rows"]["train"] == len(everything) - len(gone)
    assert json.loads((project / "a.json").read_bytes())["suspects"] == {"drop": len(gone)}


def test_relabelled_rows_bear_the_suggested_label_and_only_in_train(project: Path):
    run(project)
    encoded(project, "before")
    found, _ = run(project, wrong_labels="relabel")
    encoded(project, "after")
    before, after = labels(project, "before", "train"), labels(project, "after", "train")
    names = sorted(LABELS)
    changed = {row: names[label] for row, label in after.items() if label != before[row]}
    acted = found.filter(pl.col("action") == "relabel")
    assert changed == dict(acted.select("id", "suggested").iter_rows())
    assert labels(project, "before", "validation") == labels(project, "after", "validation")


def test_labels_of_validation_and_test_are_never_changed_by_a_machine(project: Path):
    parts = {split: (project / f"split/{split}.parquet").read_bytes() for split in SIZES}
    found, _ = run(project, wrong_labels="relabel")
    assert found.filter(pl.col("flagged"), pl.col("split") == "test").height
    forged = found.with_columns(action=pl.lit("relabel"))  # even if the table said so
    forged.filter(pl.col("split") != "train").write_parquet(project / "suspects.parquet")
    _, card = encoded(project, "a")
    assert "suspects" not in card["dataset"]
    assert {split: (project / f"split/{split}.parquet").read_bytes() for split in SIZES} == parts


def test_what_a_person_decided_stays(project: Path):
    found, _ = run(project, wrong_labels="drop")
    first = found.filter(pl.col("action") == "drop")["id"][0]
    given = found.filter(pl.col("id") == first)["given"][0]
    (project / "corrections.csv").write_text(f"id,given,label,note\n{first},{given},{given},\n", encoding="utf-8")
    found, report = run(project, wrong_labels="drop")
    assert first not in set(found["id"])
    assert report["suspects"]["settled"] == 1


def test_a_sample_is_said_to_be_one(project: Path, capsys: pytest.CaptureFixture[str]):
    _, report = run(project, max_rows=100)
    assert report["suspects"]["rows"]["train"] == 350
    assert report["suspects"]["looked_at"]["train"] == 100
    assert report["published"]["sampled"]
    assert "looked at 100 of 350 train rows, a sample" in capsys.readouterr().out


def test_corpora_that_cannot_be_judged_are_no_crash(project: Path, capsys: pytest.CaptureFixture[str]):
    train = pl.read_parquet(project / "split/train.parquet").with_columns(label=pl.lit("negative"))
    write_table(project / "split/train.parquet", train)
    found, report = run(project)
    assert found.is_empty()
    assert "fewer than two labels" in report["suspects"]["reason"]
    assert "no labels were judged" in capsys.readouterr().out
    shutil.copy(project / "split/test.parquet", project / "split/train.parquet")
    write_table(project / "split/validation.parquet", train.head(0))
    run(project)


def test_the_parameters() -> None:
    assert audit.Params().model_dump() == read_yaml(ROOT / "params.yaml")["audit"]
    for wrong in ({"wrong_labels": "fix"}, {"folds": 1}, {"max_rows": 0}, {"extra": -1}, {"seed": 1}):
        with pytest.raises(Mistake):
            audit.Params(**wrong)


def published(folder: Path, separator: str, text: int, label: int, header: bool, ending: str) -> pl.DataFrame:
    parts = []
    for name, split in (("train", "train"), ("dev", "validation"), ("test", "test")):
        lines = (folder / f"{name}.{ending}").read_text(encoding="utf-8").split("\n")[header:]
        cells = [line.strip("\r").split(separator) for line in lines if line.strip()]
        ids = [sha256(f"{split} {number}".encode()).hexdigest() for number in range(len(cells))]
        table = {"id": ids, "text": [row[text] for row in cells], "label": [row[label] for row in cells]}
        parts.append(pl.DataFrame(table).with_columns(split=pl.lit(split)))
    return pl.concat(parts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layout", "expected", "rows"),
    [
        ("chnsenticorp", ("\t", 1, 0, True, "tsv"), (0.9267, 0.9100, 0.8717), 7578),
        ("thucnews_titles", ("\t", 0, 1, False, "txt"), (0.9032, 0.9030, 0.9025), None),
    ],
)
def test_the_yardsticks_of_published_data_sets(name, layout, expected, rows):
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not here")
    from wenhuo.audit.published import published_figures

    corpus = published(DATA / name, *layout)
    found, reason = published_figures(corpus, 50_000)
    assert reason is None
    accuracy = [found["figures"][key]["accuracy"] for key in ("as_published", "leak_free_part", "leak_free_training")]
    assert accuracy == pytest.approx(expected, abs=0.005)
    if rows:
        assert found["rows"]["leak_free_training"] == rows
        leaked = {loose_key(text) for text in corpus.filter(pl.col("split") == "train")["text"]}
        test = corpus.filter(pl.col("split") == "test")["text"]
        assert found["figures"]["leak_free_part"]["rows"] == sum(loose_key(text) not in leaked for text in test)
