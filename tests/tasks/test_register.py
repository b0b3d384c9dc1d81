"""The stage register on real models and a real store: every verdict, what it leaves behind, and what a kill leaves."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from tasks import register
from tests.judged import LABELS, NAME, chain, identity, judged_project, judged_template, key_of, run  # noqa: F401
from wenhuo import lineage
from wenhuo.files import read_json, write_json
from wenhuo.gate.options import Comparison, Floors, Limits
from wenhuo.lineage import Identity
from wenhuo.tracking import promotion, registration, registry, runs, store

ROOT = Path(__file__).resolve().parents[2]


def test_first_champion_tie_worse_better_and_again(project, capsys):
    first = run("fair")
    assert (first["version"], first["verdict"], first["champion"]) == (1, "promoted", 1)
    assert first["reason"] == "it is the first champion"
    assert f"register: fair is version 1 of {NAME}: promoted; it is the first champion" in capsys.readouterr().out
    winner = (Path("reports/winner.json")).read_bytes()
    assert run("fair")["reason"] == "it is the champion already"
    assert Path("reports/winner.json").read_bytes() == winner

    worse = run("bad")
    assert (worse["version"], worse["verdict"], worse["champion"]) == (2, "challenger", 1)
    assert "it is worse than version 1, macro-F1 0.3" in worse["reason"]
    better = run("good")
    assert (better["version"], better["verdict"], better["champion"]) == (3, "promoted", 3)
    assert "it beats version 1, macro-F1" in better["reason"]
    assert {check["name"] for check in better["checks"]} >= {"macro-F1", "McNemar", "slices", "classes", "latency"}

    assert [d.verdict for d in chain().decisions] == ["promoted", "challenger", "promoted"]
    assert len({d.test_set for d in chain().decisions}) == 1
    client = store.connect()
    assert registry.champion(client, NAME).number == 3
    tags = {version.number: version.tags for version in registry.versions(client, NAME)}
    assert [tags[n]["wenhuo.verdict"] for n in (1, 2, 3)] == ["promoted", "challenger", "promoted"]
    assert tags[3]["wenhuo.decision"] == chain().last
    assert tags[3]["wenhuo.test_set_sha256"] == chain().decisions[0].test_set


def test_a_tie_keeps_the_champion(project, linear_model):
    run("good")
    folder = Path(shutil.copytree("models/good", "models/twin"))
    arrays = load_file(folder / "linear.safetensors")
    save_file(arrays | {"weights": arrays["weights"] * np.float32(1.0001)}, folder / "linear.safetensors")
    runs.open_run(project, Identity("train@twin", key_of(folder)), "twin", {})
    found = run("twin")
    assert (found["verdict"], found["champion"]) == ("challenger", 1)
    assert "a tie keeps the champion" in found["reason"]


def test_floors_and_limits_hold_a_first_champion_too(project):
    assert "below its floor" in run("bad", floors=Floors(class_f1=0.9))["reason"]
    found = run("bad", limits=Limits(megabytes=0.001, calibration_error=None))
    assert (found["verdict"], found["version"], found["champion"]) == ("challenger", 1, None)
    assert "exceeds the limit" in found["reason"]
    assert run("bad")["verdict"] == "promoted"
    assert len(registry.versions(project, NAME)) == 1


def change_a_test_label():
    tests = pl.read_parquet("parts/test.parquet")
    labels = tests["label"].to_list()
    labels[7] = next(label for label in LABELS if label != labels[7])
    tests.with_columns(pl.Series("label", labels)).write_parquet("parts/test.parquet")


def test_another_test_set_is_refused_until_it_is_frozen_by_hand(project):
    run("fair")
    change_a_test_label()
    found = run("good")
    assert (found["verdict"], found["version"], found["champion"]) == ("refused", None, 1)
    assert "1 of its 300 rows are gone or changed" in found["reason"]
    assert [version.number for version in registry.versions(project, NAME)] == [1], "what is refused is not registered"
    named = found["reason"].split("register.test_set to ")[1]
    assert run("good", test_set=named)["verdict"] == "promoted"
    assert chain().decisions[-1].test_set.startswith(named)
    assert run("bad")["verdict"] == "challenger", "the new champion brought the new test set along"


def test_rows_that_came_to_the_test_set_change_nothing(project):
    run("fair")
    tests = pl.read_parquet("parts/test.parquet")
    more = tests.head(50).with_columns(id=pl.lit("new-") + pl.col("id"), text=pl.col("text") + "了")
    pl.concat([tests, more]).write_parquet("parts/test.parquet")
    assert run("good")["verdict"] == "promoted"
    first, second = chain().decisions
    assert first.test_set == second.test_set
    tests.write_parquet("parts/test.parquet")
    assert run("bad")["verdict"] == "challenger", "the rows frozen first are enough"


def test_unsound_data_are_refused(project):
    write_json(Path("reports/validation.json"), {"errors": 2, "warnings": 0})
    found = run("good")
    assert (found["verdict"], found["version"]) == ("refused", None)
    assert "validation found 2 errors" in found["reason"]
    assert chain().decisions[-1].version is None


def test_a_network_that_is_worse_than_linear_is_refused(project, parts, monkeypatch):
    from wenhuo.encoding import corpus
    from wenhuo.encoding.options import Tokens
    from wenhuo.training import candidate
    from wenhuo.training.options import TransformerCandidate

    corpus.encode_tokens(Tokens(kind="tokens"), corpus.read_dataset(parts), Path("encoded"))
    tiny = {"layers": 1, "hidden": 16, "heads": 2, "epochs": 1, "learning_rate": 1e-6}
    Path("models/net").mkdir()
    chosen = TransformerCandidate(kind="transformer", encoder="x", **tiny)
    candidate.train_transformer(chosen, 13, Path("encoded"), Path("models/net"), Path("c"), lambda points: None)
    monkeypatch.setattr(lineage, "identify_made", lambda stage: Identity(stage, "n" * 64))
    runs.open_run(project, Identity("train@net", "n" * 64), "net", {})
    found = run("net", ["good", "bad"])
    assert (found["verdict"], found["version"]) == ("refused", None)
    assert "worse than the linear baseline good" in found["reason"]


@pytest.mark.parametrize("fault", ["missing", "flipped", "no folder"])
def test_a_champion_that_is_damaged_stays_and_is_said_to_be(project, fault):
    run("fair")
    folder = registry.fetch_model(f"models:/{NAME}/1")
    weights = folder / "linear.safetensors"
    if fault == "missing":
        weights.unlink()
    elif fault == "flipped":
        changed = bytearray(weights.read_bytes())
        changed[-1] ^= 1
        weights.write_bytes(changed)
    else:
        shutil.rmtree(folder.parents[1])
    found = run("good")
    assert (found["verdict"], found["version"], found["champion"]) == ("challenger", 2, 1)
    assert "version 1 stays champion, though it cannot be compared" in found["reason"]


def test_other_labels_cannot_be_compared(project):
    run("fair")
    card = read_json(registry.fetch_model(f"models:/{NAME}/1") / "wenhuo.json")
    known = registration.look_up(registry.champion(project, NAME), "x")
    other = card | {"labels": ["x", "y", "z"]}
    write_json(known.folder / "wenhuo.json", other)
    assert "its file wenhuo.json is damaged" in run("good")["reason"]


def test_a_champion_without_a_passport_is_compared_on_the_same_rows(project, linear_model):
    """As an earlier release registered it."""
    run_id = runs.find_run(project, key_of(Path("models/fair"))).info.run_id
    rows = read_json(Path("parts/dataset.json"))["hash"]["test"]
    tags = {"wenhuo.stage_key": key_of(Path("models/fair")), "wenhuo.data_test_sha256": rows}
    old = registry.register(project, NAME, run_id, Path("models/fair"), ["x"], tags)
    registry.make_champion(project, old)
    found = run("good")
    assert (found["verdict"], found["champion"]) == ("promoted", 2)
    assert [d.verdict for d in chain().decisions] == ["found", "promoted"]
    assert registration.check_whole(old) is False


def test_what_a_person_took_back_is_not_promoted_by_a_run(project):
    run("fair")
    run("good")
    back = promotion.Ruling("rolled back", "back", registry.version_numbered(project, NAME, 1), 2, by="Li", why="slow")
    promotion.settle(project, Path("reports"), NAME, back)
    found = run("good")
    assert (found["verdict"], found["version"], found["champion"]) == ("challenger", 2, 1)
    assert "Li went back from it on 2" in found["reason"]
    assert ": slow; `wenhuo promote 2` makes it champion" in found["reason"]


def test_the_second_of_two_is_told(project, monkeypatch):
    """While `good` is judged against version 1, another process promotes version 2."""
    run("fair")
    assert run("bad")["version"] == 2
    judge = register._judge

    def slow(*arguments):
        found = judge(*arguments)
        registry.make_champion(project, registry.version_numbered(project, NAME, 2))
        return found

    monkeypatch.setattr(register, "_judge", slow)
    found = run("good")
    assert (found["verdict"], found["champion"]) == ("challenger", 2)
    assert "version 2 became champion while it was decided about; run again" in found["reason"]
    monkeypatch.setattr(register, "_judge", judge)
    assert run("good")["verdict"] == "promoted"
    assert len(registry.versions(project, NAME)) == 3
    assert [d.verdict for d in chain().decisions] == ["promoted", "challenger", "found", "challenger", "promoted"]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests import judged
from wenhuo import lineage
from wenhuo.gate import decisions
from wenhuo.tracking import promotion, registry
lineage.identify_made = judged.identity
def die(*arguments, **named): os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "alias": registry.make_champion = die
if sys.argv[1] == "decision": decisions.append = die
if sys.argv[1] == "tags": promotion.tag_versions = die
judged.run("good")
"""


@pytest.mark.parametrize("before", ["alias", "decision", "tags"])
def test_a_kill_is_mended_by_the_next_run_without_a_second_version(project, before):
    script = Path("killed.py")
    script.write_text(KILLED.format(root=str(ROOT)))
    ended = subprocess.run(
        [sys.executable, str(script), before], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert [version.number for version in registry.versions(project, NAME)] == [1]
    assert (registry.champion(project, NAME) is None) == (before == "alias")
    found = run("good")
    assert found["champion"] == found["version"] == 1
    assert [version.number for version in registry.versions(project, NAME)] == [1]
    assert registry.champion(project, NAME).tags["wenhuo.decision"] == chain().last
    assert len(chain().serving(NAME)) == 1
    assert chain().champion(NAME) == 1


def test_mcnemar_may_be_left_out(project):
    run("fair", comparison=Comparison(mcnemar=False))
    assert "McNemar" not in {check["name"] for check in run("good", comparison=Comparison(mcnemar=False))["checks"]}
