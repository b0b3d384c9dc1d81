"""Runs written again from DVC's cache alone, and losses that are named."""

import pytest

from wenhuo.graph import locked_key
from wenhuo.keeping import keep_lock, keep_run, keep_version
from wenhuo.tracing.restoring import restore
from wenhuo.tracking import runs, store


@pytest.fixture
def key(toy):
    return locked_key(toy.root, "train@mini")


def shown(toy, key):
    client = store.connect(toy.root)
    run = runs.find_run(client, key)
    return run, [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "train/loss")]


def test_a_run_that_nobody_kept_is_made_of_what_dvc_holds(toy, key, capsys):
    done = restore(toy.root)
    assert (len(done.added), done.lost) == (1, [])
    run, points = shown(toy, key)
    assert points == [(1, 1.0), (2, 0.5), (4, 0.25)]
    assert run.info.status == "FINISHED"
    assert run.data.tags["wenhuo.stage"] == "train@mini"
    assert run.data.tags["wenhuo.rows_train"] == "5"
    assert not {"wenhuo.cpu", "mlflow.source.git.commit"} & run.data.tags.keys()  # nobody knows
    (data,) = run.inputs.dataset_inputs
    assert {tag.key for tag in data.tags} >= {"wenhuo.stage_key", "wenhuo.dvc_md5"}
    again = restore(toy.root)
    assert (again.added, len(again.there)) == ([], 1)


def test_the_run_of_a_blend_says_its_members_and_weights(toy):
    toy.blend()
    assert len(restore(toy.root).added) == 3
    run = runs.find_run(store.connect(toy.root), locked_key(toy.root, "blend@both"))
    assert run.data.params == {
        "kind": "blend",
        "of": "['linear', 'mini']",
        "abstain": "None",
        "weights.linear": "0.4",
        "weights.mini": "0.7",
    }
    assert run.data.tags["wenhuo.candidate"] == "both"
    assert run.data.metrics == {"validation/accuracy": 0.9}


def test_what_was_kept_of_a_run_is_said_and_old_states_are_restored_too(toy, key):
    told = {"stage": "train@mini", "key": key, "name": "mini", "parameters": {"epochs": 3}, "split": {}}
    told |= {"dataset": {"source": "s", "synthetic": True, "rows": {"train": 5}, "hash": {"train": "d" * 64}}}
    keep_run(toy.root, key, told | {"tags": {"wenhuo.stage_key": key, "wenhuo.cpu": "kept"}})
    keep_lock(toy.root)
    toy.fill(more=3)
    assert len(restore(toy.root).added) == 2
    assert shown(toy, key)[0].data.tags["wenhuo.cpu"] == "kept"
    assert [step for step, _ in shown(toy, locked_key(toy.root, "train@mini"))[1]] == [1, 2, 7]


def test_what_is_gone_or_damaged_is_named_and_the_rest_is_restored(toy, key):
    keep_lock(toy.root)
    keep_version(toy.root, "wenhuo-made", 1, {"key": key, "candidate": "mini", "tags": {}, "examples": 0})
    course = next(out["md5"] for out in toy.stages["train@mini"]["outs"] if out["path"].endswith(".csv"))
    toy.fill(more=3)
    kept = toy.root / ".dvc/cache/files/md5" / course[:2] / course[2:]
    kept.chmod(0o644)
    kept.write_text("step,epoch,metric,value\n")
    done = restore(toy.root)
    assert len(done.added) == 1
    assert [lost.split(":")[0] for lost in done.lost] == [
        f"run of train@mini, key {key[:12]}",
        "version 1 of wenhuo-made",
    ]
    assert "gone or damaged" in done.lost[0]
