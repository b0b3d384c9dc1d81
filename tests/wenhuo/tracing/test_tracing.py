"""Trace, both ways, over a project made by hand; what is damaged is found and named."""

import json
import subprocess

import pytest

from tests.wenhuo.tracing.conftest import row_id
from wenhuo.errors import WenhuoError
from wenhuo.graph import locked_key
from wenhuo.keeping import keep_lock, keep_run, keep_version
from wenhuo.tracing.command import trace

NAME = "wenhuo-made"


def ask(toy, capsys, what, **options):
    """What trace prints as JSON, and whether all was sound."""
    sound = trace(toy.root, what, machine=True, **options)
    return json.loads(capsys.readouterr().out), sound


def below(node, kind):
    """Every node of a kind, the root too."""
    found = [node] if node["kind"] == kind else []
    return found + [one for child in node.get("children", ()) for one in below(child, kind)]


def verdicts(node):
    """What models have to do with what was asked about."""
    return {one["name"]: one["verdict"] for one in below(node, "version") + below(node, "model")}


def register(toy, number, key=None):
    """As the stage register leaves it."""
    tags = {"wenhuo.dvc_lock_sha256": keep_lock(toy.root), "wenhuo.candidate": "mini"}
    key = key or locked_key(toy.root, "train@mini")
    keep_version(toy.root, NAME, number, {"key": key, "candidate": "mini", "tags": tags, "examples": 0})


def problems(node):
    return {one["name"]: one.get("what", "") for one in below(node, "problem")}


@pytest.mark.parametrize("what", [f"{NAME}/1", f"models:/{NAME}/1", "train@mini", "models/mini", "models/mini/weights"])
def test_a_model_leads_to_the_rows_and_files_it_came_from(toy, capsys, what):
    register(toy, 1)
    found, _ = ask(toy, capsys, what)
    stages = {one["name"] for one in below(found, "stage")}
    assert stages == {"source", "ingest", "clean", "split", "encode@signs", "train@mini"}
    assert {one["name"]: one["from"] for one in below(found, "rows")}["train 5 rows"] == {"train.tsv": 5}
    assert "train.tsv" in {one["name"] for one in below(found, "file")}
    key = next(one["key"] for one in below(found, "stage") if one["name"] == "train@mini")
    assert key == locked_key(toy.root, "train@mini")


def test_a_blend_leads_to_its_members_each_once(toy, capsys):
    toy.blend()
    found, _ = ask(toy, capsys, "blend@both")
    named = [one["name"] for one in found["children"] if one["kind"] == "stage"]
    assert sorted(named) == ["split", "train@linear", "train@mini"]


@pytest.mark.parametrize(
    ("what", "verdict"),
    [("train.tsv:1", "trained on it"), ("train.tsv:5", "no"), ("dev.tsv:1", "chosen by it")],
)
def test_a_blend_has_seen_what_its_members_have(toy, capsys, what, verdict):
    toy.blend()
    found, _ = ask(toy, capsys, what)
    assert verdicts(found) == dict.fromkeys(["train@linear", "train@mini", "blend@both"], verdict)


def test_every_row_on_request(toy, capsys):
    found, _ = ask(toy, capsys, "train@mini", listing=True)
    rows = {one["name"]: one["place"] for one in below(found, "row")}
    assert rows[row_id(3)] == "train.tsv:3"
    assert len(rows) == 7


@pytest.mark.parametrize(
    ("what", "verdict", "fate"),
    [
        ("train.tsv:1", "trained on it", "in train"),
        ("../somewhere/train.tsv:1", "trained on it", "in train"),
        ("train.tsv:5", "no", "in train"),  # the encoder left it out
        ("train.tsv:6", "trained on the same text", "removed: repeats an earlier row"),
        ("train.tsv:7", "measured on the same text", "removed: stands in test"),
        ("dev.tsv:1", "chosen by it", "in validation"),
        ("test.tsv:1", "measured on it", "in test"),
    ],
)
def test_a_row_leads_to_the_models_that_saw_it(toy, capsys, what, verdict, fate):
    register(toy, 1)
    found, _ = ask(toy, capsys, what)
    assert verdicts(found) == {f"{NAME}/1": verdict}
    assert below(found, "state")[0]["name"] == fate
    again, _ = ask(toy, capsys, found["name"])
    assert again == found


def test_copies_of_a_row_are_named_both_ways(toy, capsys):
    found, _ = ask(toy, capsys, "train.tsv:1")
    assert [one["place"] for one in below(found, "row")[1:]] == ["train.tsv:6"]
    copy, _ = ask(toy, capsys, "train.tsv:6")
    assert below(copy, "state")[0]["the same text as"] == row_id(1)


def test_old_versions_are_asked_in_the_state_they_were_made_in(toy, capsys):
    register(toy, 1)
    toy.fill(more=3)
    register(toy, 2)
    found, _ = ask(toy, capsys, "train.tsv:8")
    assert verdicts(found) == {f"{NAME}/1": "no", f"{NAME}/2": "trained on it"}
    assert [one["name"] for one in below(found, "state")] == ["in train", "not in the corpus"]
    first, _ = ask(toy, capsys, f"{NAME}/1")
    assert {"train 5 rows"} <= {one["name"] for one in below(first, "rows")}


def test_a_state_that_only_git_keeps_is_found(toy, capsys):
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "add", "dvc.lock"], cwd=toy.root, check=True)
    subprocess.run(["git", *author, "commit", "-qm", "first"], cwd=toy.root, check=True)
    key = locked_key(toy.root, "train@mini")
    toy.fill(more=3)
    found, _ = ask(toy, capsys, "train.tsv:8")
    assert {one["key"]: one["verdict"] for one in below(found, "model")}[key] == "no"


def test_what_the_cache_no_longer_has_is_unknown_and_not_no(toy, capsys):
    register(toy, 1)
    old = {out["md5"] for stage in ("split", "encode@signs") for out in toy.stages[stage]["outs"]}
    toy.fill(more=3)
    register(toy, 2)
    for md5 in old:
        (toy.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    found, _ = ask(toy, capsys, "train.tsv:2")
    assert verdicts(found) == {f"{NAME}/1": "unknown", f"{NAME}/2": "trained on it"}
    assert any("gone or damaged in DVC's cache" in one["name"] for one in below(found, "state"))


@pytest.mark.parametrize("path", ["data/split", "data/corpus.parquet"])
def test_a_content_leads_to_the_models_made_from_it(toy, capsys, path):
    register(toy, 1)
    md5 = next(out["md5"] for stage in toy.stages.values() for out in stage["outs"] if out["path"] == path)
    toy.fill(more=3)
    register(toy, 2)
    found, _ = ask(toy, capsys, md5[:12])
    assert verdicts(found) == {f"{NAME}/1": "trained on it", f"{NAME}/2": "no"}


def test_a_file_of_the_source_and_a_file_in_a_folder_are_contents_too(toy, capsys):
    register(toy, 1)
    version = toy.source()["files"][0]["version"]
    part = toy.keep("data/split/train.parquet")["md5"]
    for what in (version, part, "train.tsv", "tasks/train.py"):
        found, _ = ask(toy, capsys, what)
        assert verdicts(found) == {f"{NAME}/1": "trained on it"}


def test_a_row_that_could_not_be_read_and_what_nobody_knows(toy):
    with pytest.raises(WenhuoError, match=r"could not be read \(no label\)"):
        trace(toy.root, "train.tsv:9")
    with pytest.raises(WenhuoError, match="nothing here is called"):
        trace(toy.root, "nothing-such")


def test_all_is_sound_until_a_byte_of_a_read_only_object_flips(toy, capsys):
    found, sound = ask(toy, capsys, "train@mini", check=True)
    assert sound
    assert not below(found, "problem")
    md5 = toy.keep("data/split/train.parquet")["md5"]
    kept = toy.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    content = bytearray(kept.read_bytes())
    content[-20] ^= 1
    kept.chmod(0o644)
    kept.write_bytes(content)
    kept.chmod(0o444)
    found, sound = ask(toy, capsys, "train@mini", check=True)
    assert not sound
    named = {name: one for name, one in problems(found).items() if name.startswith(".dvc")}
    assert list(named) == [kept.relative_to(toy.root).as_posix()]
    assert "no longer matches" in next(iter(named.values()))


def test_a_changed_output_a_changed_source_and_lost_objects_are_named(toy, capsys):
    (toy.root / "models/mini/weights").write_text("other")
    (toy.root / "train.tsv").write_text("other\n")
    lost = toy.stages["clean"]["outs"][0]["md5"]
    (toy.root / ".dvc/cache/files/md5" / lost[:2] / lost[2:]).unlink()
    (toy.root / "data/clean.parquet").unlink()
    found, sound = ask(toy, capsys, "train@mini", check=True)
    assert not sound
    said = problems(found)
    assert "weights" in said["models/mini"]
    assert "another version" in said["train.tsv: train.tsv"]
    assert "gone" in said["data/clean.parquet"]


def test_an_old_state_differs_from_the_work_tree_and_that_is_no_damage(toy, capsys):
    register(toy, 1)
    toy.fill(more=3)
    _, sound = ask(toy, capsys, f"{NAME}/1", check=True)
    assert sound


def test_the_tree_in_the_terminal_names_what_matters(toy, capsys):
    register(toy, 1)
    trace(toy.root, f"{NAME}/1")
    said = capsys.readouterr().out
    for word in (f"{NAME}/1", "train@mini", "data/split", "from train.tsv 5", "tasks/train.py"):
        assert word in said


@pytest.mark.parametrize(("used", "verdict"), [("small", "its backbone read it"), ("other", "no")])
def test_a_backbone_that_was_pretrained_on_a_row_counts_where_it_is_used(toy, capsys, used, verdict):
    for name in ("small", "other"):
        (toy.root / f"data/backbones/{name}").mkdir(parents=True)
        (toy.root / f"data/backbones/{name}/weights").write_text(name)
    toy.stage("pretrain@small", ["data/split"], ["data/backbones/small"])
    toy.keep("data/backbones")
    tokens = {"encode.encoders.signs": {"tokenizer": f"data/backbones/{used}"}}
    toy.stage("encode@signs", ["data/split", "data/backbones"], ["data/encoded/signs"], tokens)
    found, _ = ask(toy, capsys, "train.tsv:5")
    assert verdicts(found) == {"train@mini": verdict}


def test_a_commit_leads_to_what_was_made_at_it(toy, capsys):
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *author, "commit", "-qm", "first", "--allow-empty"], cwd=toy.root, check=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=toy.root, capture_output=True, text=True, check=True)
    key, commit = locked_key(toy.root, "train@mini"), done.stdout.strip()
    with pytest.raises(WenhuoError, match="nothing that is known here was made at commit"):
        trace(toy.root, "HEAD")
    keep_run(toy.root, key, {"stage": "train@mini", "key": key, "tags": {"mlflow.source.git.commit": commit}})
    found, _ = ask(toy, capsys, commit[:10])
    assert [(one["name"], one["key"]) for one in below(found, "stage")] == [("train@mini", key)]
