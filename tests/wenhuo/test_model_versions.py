"""A person's word about the champion: back, by hand, all at once; and what the history says of it."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from tests.judged import NAME, chain, judged_project, judged_template, run  # noqa: F401
from wenhuo import history, versions
from wenhuo.errors import ModelError, TrackingError
from wenhuo.gate import decisions, passport
from wenhuo.keeping import kept_versions
from wenhuo.tracking import promotion, registry
from wenhuo.tracking.registration import Entry, enter

ROOT = Path(__file__).resolve().parents[2]
HERE = Path()


@pytest.fixture
def served(project, monkeypatch):
    """Version 1 served, version 2 serves, version 3 is a challenger."""
    for name in ("fair", "good", "bad"):
        run(name)
    monkeypatch.setattr(versions, "git_user", lambda root: "Li Lei")
    return project


def champion(client) -> int:
    return registry.champion(client, NAME).number


def test_back_to_the_previous_champion(served, capsys):
    versions.rollback(HERE, None, "too many complaints", None)
    assert champion(served) == 1
    assert "version 1 of wenhuo-made is champion again, instead of version 2" in capsys.readouterr().out
    last = chain().decisions[-1]
    assert (last.verdict, last.version, last.before, last.champion) == ("rolled back", 1, 2, 1)
    assert (last.by, last.why) == ("Li Lei", "too many complaints")
    assert last.when.endswith("+00:00")
    tags = {version.number: version.tags for version in registry.versions(served, NAME)}
    assert tags[1]["wenhuo.verdict"] == "rolled back"
    assert tags[2]["wenhuo.verdict"] == "taken back"
    assert tags[2]["wenhuo.reason"] == "Li Lei went back from version 2: too many complaints"
    with pytest.raises(ModelError, match="no champion before this one"):
        versions.rollback(HERE, None, None, None)


def test_a_version_that_never_served_is_no_way_back(served):
    with pytest.raises(ModelError, match="version 3 of wenhuo-made has never been champion"):
        versions.rollback(HERE, 3, None, None)
    with pytest.raises(ModelError, match="has no version 9"):
        versions.rollback(HERE, 9, None, None)
    with pytest.raises(ModelError, match="version 2 of wenhuo-made is the champion already"):
        versions.rollback(HERE, 2, None, None)
    assert champion(served) == 2


@pytest.mark.parametrize("fault", ["missing", "flipped", "answers", "folder"])
def test_what_is_not_whole_does_not_serve_again(served, fault):
    folder = registry.fetch_model(f"models:/{NAME}/1")
    weights, said = folder / "linear.safetensors", "its file linear.safetensors is"
    if fault == "missing":
        (folder / "vocabulary.parquet").unlink()
        said = "its file vocabulary.parquet is missing"
    elif fault == "flipped":
        changed = bytearray(weights.read_bytes())
        changed[-1] ^= 1
        weights.write_bytes(changed)
    elif fault == "answers":  # as another version of a library would do it
        arrays = load_file(weights)
        save_file(arrays | {"weights": arrays["weights"][:, ::-1].copy()}, weights)
        kept = passport.read(folder.parent / "passport.json")
        passport.write(folder.parent / "passport.json", kept.model_copy(update={"files": passport.hashes(folder)}))
        said = "it no longer says what it said"
    else:
        shutil.rmtree(folder.parents[1])
        said = "refused"
    before = Path("reports/decisions.jsonl").read_bytes()
    with pytest.raises(ModelError, match=said) as caught:
        versions.rollback(HERE, None, None, None)
    assert caught.value.hint
    assert champion(served) == 2
    assert Path("reports/decisions.jsonl").read_bytes() == before


def test_a_person_promotes_and_the_gate_s_checks_go_along(served, capsys):
    versions.promote(HERE, 3, "the other two are worse in practice", None)
    assert champion(served) == 3
    last = chain().decisions[-1]
    assert (last.verdict, last.by, last.candidate) == ("promoted", "Li Lei", "bad")
    assert [check["passed"] for check in last.checks if check["name"] == "macro-F1"] == [False]
    assert "warning: the gate said: it is worse than version 2" in capsys.readouterr().out
    assert chain().stack(NAME) == [1, 2, 3]
    versions.rollback(HERE, None, None, None)
    assert champion(served) == 2


def test_who_comes_second_is_told(served, monkeypatch):
    whole = versions._settle

    def slow(root, ruling, verdict):
        registry.make_champion(served, registry.version_numbered(served, NAME, 3))
        return whole(root, ruling, verdict)

    monkeypatch.setattr(versions, "_settle", slow)
    with pytest.raises(TrackingError, match="version 3 became champion while it was decided about"):
        versions.rollback(HERE, None, None, None)
    assert champion(served) == 3


def test_a_broken_chain_names_no_previous_champion(served):
    path = Path("reports/decisions.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":3', 1))
    with pytest.raises(ModelError, match=r"cannot be trusted: line 2 does not follow"):
        versions.rollback(HERE, None, None, None)
    versions.rollback(HERE, 1, "named by hand", None)
    assert champion(served) == 1


def command(*arguments: str, expect: int = 0) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "wenhuo", *arguments], env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == expect, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout + ended.stderr


@pytest.mark.slow
def test_the_commands(served):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command("rollback", "--why", "complaints")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10, "seconds, had it a core to itself"
    told = json.loads(command("history", "--json"))
    assert told["champion"] == 1
    assert [one["version"] for one in told["served"]] == [1, 2, 1]
    assert [one["until"] is None for one in told["served"]] == [False, False, True]
    assert told["served"][0]["until"] == told["served"][1]["since"]
    assert told["notes"] == []
    shown = command("history")
    assert [line.split()[:2] for line in shown.splitlines()[2:5]] == [["1", "fair"], ["2", "good"], ["1", "fair"]]
    assert "now" in shown.splitlines()[4]
    assert "complaints" in shown.splitlines()[4]
    assert "challenger" in command("history", "--all")
    assert command("rollback", expect=1).startswith("error: wenhuo-made has no champion before this one")
    command("promote", "2", expect=2)


def test_the_history_says_what_does_not_fit(served, capsys):
    path = Path("reports/decisions.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    history.history(HERE, None, every=False, machine=False)
    assert "version 3 bears the decision" in capsys.readouterr().out, "a line was cut off at the end"
    path.write_bytes(b"".join(lines) + lines[-1][:40])
    registry.make_champion(served, registry.version_numbered(served, NAME, 3))
    history.history(HERE, None, every=False, machine=False)
    said = capsys.readouterr().out
    assert "line 4 cannot be read: it is cut off" in said
    assert "the registry's champion is 3, the last decision's 2" in said
    assert "found" not in said, "to look changes nothing"


AT_ONCE = """
import os, time
from pathlib import Path
from wenhuo.tracking import promotion, registry, store
from wenhuo.tracking.promotion import Ruling
children = []
for number in range(2, 12):
    child = os.fork()
    if not child:
        client = store.connect()
        version = registry.version_numbered(client, "m", number)
        Path(f"ready-{number}").touch()
        while len(list(Path().glob("ready-*"))) < 10: time.sleep(0.01)
        made = promotion.settle(client, Path("reports"), "m", Ruling("promoted", "it is better", version, 1))
        os._exit(0 if made.verdict == "promoted" else 3 if "became champion while" in made.reason else 9)
    children.append(child)
print(sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


@pytest.mark.slow
def test_of_ten_processes_that_promote_at_once_one_does_and_nine_are_told(project):
    project.create_registered_model("m")
    for number in range(1, 12):
        project.create_model_version("m", f"file:///nowhere/{number}")
    first = promotion.Ruling("promoted", "first", registry.version_numbered(project, "m", 1), None)
    promotion.settle(project, Path("reports"), "m", first)
    ended = subprocess.run(
        [sys.executable, "-c", AT_ONCE], env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(ended.stdout) == [0] + [3] * 9
    made = chain().of("m")
    assert len(made) == 11
    assert sorted(d.version for d in made) == list(range(1, 12))
    [winner] = [d.version for d in made[1:] if d.verdict == "promoted"]
    assert registry.champion(project, "m").number == winner
    assert {d.champion for d in made[1:]} == {winner}
    assert made[1].version == winner, "the one that came first"
    by_number = {version.number: version.tags["wenhuo.decision"] for version in registry.versions(project, "m")}
    assert by_number == {d.version: d.hash for d in made}


def test_where_no_model_is_registered(tmp_path):
    with pytest.raises(ModelError, match="no model is registered here yet"):
        versions.rollback(tmp_path, None, None, None)
    decisions.append(tmp_path / "reports", {"model": "only", "verdict": "refused", "reason": "x"})
    assert versions.model_of(tmp_path, None) == "only"


def test_what_is_registered_again_keeps_its_passport(project, capsys):
    run("fair")
    (told,) = kept_versions(HERE)
    first = passport.read(registry.fetch_model(f"models:/{NAME}/1").parent / passport.PASSPORT)
    texts = [probe.text for probe in first.probes[-told["examples"] :]]
    assert told["examples"] == 3
    assert not any(text in str(told) for text in texts)
    project.delete_model_version(NAME, "1")
    entry = Entry(NAME, "fair", Path("models/fair"), told["key"], told["tags"], texts)
    again = enter(project, Path("reports"), entry, first.frozen(), told["passport"])
    assert passport.read(registry.fetch_model(again.uri).parent / passport.PASSPORT) == first
    assert "old passport" not in capsys.readouterr().out

    project.delete_model_version(NAME, str(again.number))
    told["passport"]["answers"][0] = told["passport"]["answers"][0][::-1]  # as other versions of libraries would
    again = enter(project, Path("reports"), entry, first.frozen(), told["passport"])
    assert "fair comes back with its old passport, but it no longer says what it said" in capsys.readouterr().out
    with pytest.raises(ModelError, match="it no longer says what it said"):
        versions.promote(HERE, again.number, "let us see", None)
    project.delete_model_version(NAME, str(again.number))
    told["passport"]["files"]["wenhuo.json"] = "0" * 64
    with pytest.raises(ModelError, match=r"its file wenhuo\.json is damaged"):
        enter(project, Path("reports"), entry, first.frozen(), told["passport"])
