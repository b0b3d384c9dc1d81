"""Studies go on: what lost its process is tried again in its place, and what is tried does not depend on it."""

import os
import subprocess
import sys

import pytest
from optuna.trial import Trial, TrialState

from wenhuo.errors import DataError
from wenhuo.search import results, studies
from wenhuo.search.changes import Base
from wenhuo.search.declaration import Search
from wenhuo.search.project import Plan
from wenhuo.training.options import LinearCandidate

SPACE = {"c": {"kind": "float", "low": 0.01, "high": 10, "log": True}, "estimator": ["svm", "logistic"]}


def make_plan(**more) -> Plan:
    from wenhuo.encoding.options import Ngrams

    base = Base("linear", LinearCandidate(kind="linear", encoder="n"), {"n": Ngrams(kind="ngrams")}, 13)
    return Plan("s", Search(**{"candidate": "linear", "space": SPACE} | more), base, "data", {})


def made_up(values):
    return -abs(values["c"] - 2) + (values["estimator"] == "svm")


def lose(study, claimed, monkeypatch):
    """The process that claimed it is no more."""
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    claimed.trial.set_user_attr("process", [int(gone.stdout), 0.0])


def search(root, plan, wanted, monkeypatch, lost=(), interrupted=()):
    """Try values by a made-up score; some places lose their process the first time, some are interrupted."""
    lost, interrupted, tried = list(lost), list(interrupted), []
    study = studies.begin(root, plan)
    while (claimed := studies.claim(root, study, plan, wanted)) is not None:
        tried.append((claimed.place, claimed.values))
        if claimed.place in lost:
            lost.remove(claimed.place)
            lose(study, claimed, monkeypatch)
            study = studies.begin(root, plan)
            assert studies.reclaim(root, study, plan) == 1
        elif claimed.place in interrupted:
            interrupted.remove(claimed.place)
            studies.release(claimed.trial, study, "interrupted")
        else:
            study.tell(claimed.trial, made_up(claimed.values))
    return study, tried


def test_an_interrupted_search_tries_what_an_uninterrupted_one_does(tmp_path, monkeypatch):
    whole, tried = search(tmp_path / "whole", make_plan(), 14, monkeypatch)
    broken, more = search(tmp_path / "broken", make_plan(), 14, monkeypatch, lost=[1, 3, 12], interrupted=[4, 13])
    assert [place for place, _ in tried] == list(range(1, 15))
    assert len(more) == 19
    assert results.results(whole) == results.results(broken)
    assert results.counts(broken) == "14 complete"
    assert len({str(values) for _, values in tried}) > 10
    states = [t.user_attrs.get("lost") for t in broken.get_trials() if t.state is TrialState.FAIL]
    assert sorted(states) == ["interrupted"] * 2 + ["its process was killed"] * 3


def test_it_begins_with_the_candidate_as_it_stands_and_finds_something_better(tmp_path, monkeypatch):
    study, tried = search(tmp_path, make_plan(), 20, monkeypatch)
    assert tried[0] == (1, {"c": 0.5, "estimator": "svm"})
    best = results.chosen(study, None)
    assert best.score > made_up(tried[0][1]) + 1
    assert results.chosen(study, 1).values == tried[0][1]
    shares = results.importance(study)
    assert set(shares) == {"c", "estimator"}
    assert sum(shares.values()) == pytest.approx(1)


def test_more_trials_go_on_where_it_ended(tmp_path, monkeypatch):
    _, tried = search(tmp_path / "a", make_plan(), 12, monkeypatch)
    search(tmp_path / "b", make_plan(), 6, monkeypatch)
    _, more = search(tmp_path / "b", make_plan(trials=12), 12, monkeypatch)
    assert [place for place, _ in more] == list(range(7, 13))
    assert more == tried[6:]
    assert search(tmp_path / "b", make_plan(), 12, monkeypatch)[1] == []


def test_a_trial_that_kills_its_process_again_and_again_counts_as_failed(tmp_path, monkeypatch):
    study, tried = search(tmp_path, make_plan(), 4, monkeypatch, lost=[2, 2, 2])
    assert [place for place, _ in tried] == [1, 2, 2, 2, 3, 4]
    assert len({str(values) for place, values in tried if place == 2}) == 1
    failed = results.results(study)[1]
    assert (failed.state, failed.reason) == ("failed", "its process was killed 3 times")
    assert "failed (its process was killed 3 times)" in failed.line("macro_f1")


def test_a_trial_in_hand_is_left_alone_and_a_place_that_did_not_count_is_free(tmp_path, monkeypatch):
    plan = make_plan()
    study = studies.begin(tmp_path, plan)
    one, two = (studies.claim(tmp_path, study, plan, 3) for _ in range(2))
    assert studies.reclaim(tmp_path, study, plan) == 0
    assert [one.place, two.place] == [1, 2]
    studies.fail(one.trial, study, "a mistake", counts=False)
    again, three = (studies.claim(tmp_path, study, plan, 3) for _ in range(2))
    assert [again.place, three.place] == [1, 3]
    assert studies.claim(tmp_path, study, plan, 3) is None
    assert study.get_trials()[0].user_attrs["process"][0] == os.getpid()


def test_one_that_was_killed_while_it_was_claimed_frees_its_place(tmp_path, monkeypatch):
    plan = make_plan()
    study = studies.begin(tmp_path, plan)
    number = study.ask({path: space.distribution() for path, space in plan.search.space.items()}).number
    assert studies.reclaim(tmp_path, study, plan) == 1
    assert study.get_trials()[number].state is TrialState.FAIL
    assert studies.claim(tmp_path, study, plan, 3).place == 1


def test_a_study_is_found_by_what_it_is_about(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="nothing has been tried yet"):
        studies.find(tmp_path, make_plan())
    search(tmp_path, make_plan(), 2, monkeypatch)
    assert len(results.results(studies.find(tmp_path, make_plan(trials=99)))) == 2
    with pytest.raises(DataError, match="of other data, other fixed parameters"):
        studies.find(tmp_path, make_plan(seed=14))
    with pytest.raises(DataError, match="trial 9 has not been completed"):
        results.chosen(studies.find(tmp_path, make_plan()), 9)


def test_the_least_loss_is_the_best(tmp_path, monkeypatch):
    study, _ = search(tmp_path, make_plan(objective="loss"), 12, monkeypatch)
    scores = [result.score for result in results.ranked(study)]
    assert scores == sorted(scores)
    assert results.chosen(study, None).score == min(scores)


def test_trials_behind_the_median_end_early(tmp_path):
    plan = make_plan(prune="median")
    study = studies.begin(tmp_path, plan)
    for _ in range(6):
        claimed = studies.claim(tmp_path, study, plan, 10)
        for epoch in (1, 2, 3):
            claimed.trial.report(0.5 + epoch / 10, epoch)
        study.tell(claimed.trial, 0.8)
    claimed = studies.claim(tmp_path, study, plan, 10)
    claimed.trial.report(0.1, 1)
    assert not claimed.trial.should_prune()  # most of the first epoch is warm-up
    claimed.trial.report(0.2, 2)
    assert claimed.trial.should_prune()
    study.tell(claimed.trial, state=TrialState.PRUNED)
    assert results.results(study)[-1].line("macro_f1").startswith("trial 7: macro-F1 0.2000, ended after epoch 2; c ")


def test_a_table_of_all_trials(tmp_path, monkeypatch):
    study, _ = search(tmp_path, make_plan(), 3, monkeypatch)
    results.write_trials(study, tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "trial,state,score,epochs,c,estimator,reason"
    assert lines[1] == f"1,complete,{made_up({'c': 0.5, 'estimator': 'svm'})},0,0.5,svm,"
    assert len(lines) == 4
    assert isinstance(study.get_trials()[0].number, int)
    assert Trial(study, 1).user_attrs["place"] == 1


def test_a_picture_of_it(tmp_path, monkeypatch):
    from wenhuo.search.pictures import draw

    study, _ = search(tmp_path, make_plan(), 10, monkeypatch)
    for matter in ({}, results.importance(study)):
        draw(tmp_path / "s.png", "search s", results.results(study), matter, "macro_f1")
        assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    draw(tmp_path / "s.png", "search s", [], {}, "loss")
