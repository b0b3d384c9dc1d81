"""The curve by tokens of pretraining: tokens of all courses count, every network is measured on the same rows."""

import json
import shutil

import pytest

from benchmarks import backbone_course, backbone_runs, training_data
from benchmarks.backbone_course import draw, linear, networks, points, tokens_seen
from benchmarks.backbone_runs import Suite
from benchmarks.training_data import Corpus
from tests.wenhuo.pretraining.conftest import run
from wenhuo.files import read_json


@pytest.fixture(scope="module")
def checkpoint(parts, tmp_path_factory):
    return run(tmp_path_factory.mktemp("toy"), parts, steps=2)[0]


@pytest.fixture
def kept(checkpoint, tmp_path):
    record = read_json(checkpoint / "pretraining.json")
    for name, tokens, before in (("late", 7, [100, 20]), ("early", 3, [])):
        shutil.copytree(checkpoint, tmp_path / "course" / name)
        told = record | {"tokens": tokens, "before": [{"tokens": count} for count in before]}
        (tmp_path / "course" / name / "pretraining.json").write_text(json.dumps(told))
    return tmp_path / "course"


def test_networks_are_found_once_and_ordered_by_the_tokens_of_all_their_courses(checkpoint, kept):
    found = networks([kept, kept / "early"], checkpoint)
    assert [tokens_seen(path) for path in found] == sorted([3, tokens_seen(checkpoint), 127])


def test_the_first_point_has_seen_nothing_and_few_shot_splits_have_one_seed(checkpoint, kept, tmp_path, monkeypatch):
    asked = []

    def measure(suite, starts):
        asked.append((suite.checkpoint.name, list(suite.tasks), suite.seeds, starts))
        return {name: {"all": {start: {"mean": 0.9} for start in starts}} for name in suite.tasks}

    monkeypatch.setattr(backbone_course, "measure", measure)
    suite = Suite(checkpoint, {"toy": [None], "few": [None, None]}, 4, tmp_path)
    course = points(networks([kept], checkpoint), suite)
    assert course[0] == {"tokens": 0, "tasks": {"toy": {"mean": 0.9}, "few": {"mean": 0.9}}}
    assert [point["tokens"] for point in course] == sorted([0, 3, tokens_seen(checkpoint), 127])
    assert asked[:2] == [
        (checkpoint.name, ["toy"], 4, ["from nothing"]),
        (checkpoint.name, ["few"], 1, ["from nothing"]),
    ]
    assert {starts for _, _, _, (starts,) in asked[2:]} == {"pretrained"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_curve_of_toy_size(checkpoint, kept, tmp_path, monkeypatch):
    monkeypatch.setattr(backbone_runs, "course", lambda rows: {"epochs": 1, "batch_size": 16})
    corpus = Corpus("toy", "made texts", training_data.made((200, 40, 40), 2, 20, 0.5))
    rates = {"pretrained": (0.001,), "from nothing": (0.001,)}
    suite = Suite(checkpoint, {"chnsenticorp": [corpus]}, 2, tmp_path / "work", 2, (50,), rates)
    course = points(networks([kept], checkpoint), suite)
    assert all(len(point["tasks"]["chnsenticorp"]["runs"]) == 2 for point in course)
    draw(course, linear(suite), tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000
