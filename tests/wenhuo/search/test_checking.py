"""All mistakes of a search are reported together, before anything is trained; and what a study is about."""

import dataclasses
import re

import polars as pl
import pytest
from ruamel.yaml import YAML

from tests.wenhuo.search.conftest import PARAMETERS, ROOT
from wenhuo.errors import DataError, SettingsError
from wenhuo.search.changes import setting, standing
from wenhuo.search.checking import mistakes
from wenhuo.search.declaration import Search
from wenhuo.search.project import Plan, Training, make_plan, read_bases, read_project

VALUES = YAML(typ="safe").load(PARAMETERS)
BASES = read_bases(VALUES, "params.yaml")


def wrong(candidate="mini", space=None, **more):
    search = Search(candidate=candidate, space=space, **more)
    return mistakes("s", search, BASES.get(candidate), VALUES)


def test_a_blend_is_searched_by_its_members():
    search = Search(candidate="both", space={"abstain": [0.9, 0.95]})
    [said] = mistakes("s", search, None, VALUES, {"both": ["linear", "mini"]})
    assert said == "s.candidate: 'both' is a blend, whose weights are fitted; search its members (linear, mini)"


def test_everything_wrong_is_said_at_once():
    found = wrong(
        space={
            "clean.duplicates": ["keep"],
            "train.candidates.mini.dropout": [0.1],
            "encode.encoders.characters.max_tokens": [16],
            "seed": [1, 2],
            "kind": ["linear"],
            "lerning_rate": [0.1],
            "dropout": {"kind": "float", "low": 0.0, "high": 1.5},
            "encoder.max_tokens": [4, 32],
            "tune.rank": [4],
        }
    )
    said = "\n".join(found)
    assert "s.space.clean.duplicates: belongs to the stage clean" in said
    assert "changes the validation rows" in said
    assert "s.space.train.candidates.mini.dropout: name it as in the candidate's entry (dropout)" in said
    assert "or encoder.max_tokens for the encoder's" in said
    assert "s.space.seed: is nothing to be chosen by a score" in said
    assert "s.space.kind: is nothing" in said
    assert "s.space.lerning_rate: unknown parameter (did you mean learning_rate?)" in said
    assert "s.space.dropout: input should be less than 1, not 1.5" in said
    assert "s.space.encoder.max_tokens: input should be greater than or equal to 8, not 4" in said
    assert "s.space.tune.rank: unknown parameter" in said


def test_combinations_are_tried_and_not_only_single_values():
    assert wrong(space={"hidden": [32, 48], "heads": [2, 4]}) == []
    assert wrong(space={"hidden": [32, 48], "heads": [2, 5]}) == [
        "s.space: heads (5) must divide hidden (32)",
        "s.space: heads (5) must divide hidden (48)",
    ]
    assert wrong(space={"hidden": {"kind": "int", "low": 32, "high": 64}})  # 33 heads of two
    assert wrong(space={"hidden": {"kind": "int", "low": 32, "high": 64, "step": 8}}) == []
    assert wrong(space={"epochs": {"kind": "float", "low": 1, "high": 4}})  # 2.5 epochs
    assert wrong(space={"batch_tokens": [512, 1024]})  # beside the batch_size that stands there
    assert wrong(space={"batch_tokens": [512, 1024], "batch_size": [None]}) == []


def test_a_part_is_not_searched_beside_its_whole():
    (found,) = wrong(space={"head": ["mean", {"kind": "cnn"}], "head.filters": [8]})
    assert "is a part of head" in found
    assert wrong(space={"objective.focal": [0.0, 2.0], "objective.label_smoothing": [0.0, 0.1]}) == []


def test_another_encoder_must_fit_the_candidate():
    (found,) = wrong("linear", {"encoder": ["ngrams", "characters"]})
    assert "a linear needs ngrams" in found
    (found,) = wrong("linear", {"encoder": ["ngrams", "nobody"]})
    assert "there is no 'nobody'" in found
    (found,) = wrong("linear", {"c": [1]}, objective="loss")
    assert "no loss on validation" in found
    (found,) = wrong("nobody", {"c": [1]})
    assert "there is no 'nobody' in train.candidates" in found


def test_many_combinations_are_not_all_tried():
    space = {name: {"kind": "int", "low": 1, "high": 9} for name in ("epochs", "patience", "log_steps", "layers")}
    space |= {"hidden": [32, 64], "heads": [1, 2, 4], "dropout": [0.0, 0.1, 0.2], "warmup": [0.0, 0.1, 2.0]}
    (found,) = wrong(space=space)
    assert found == "s.space.warmup: input should be less than or equal to 1, not 2.0"


def test_values_become_a_candidate_and_its_encoder():
    made = setting(BASES["mini"], {"head": "max", "objective.focal": 2.0, "encoder.max_tokens": 16})
    assert made.candidate.head.kind == "max"
    assert made.candidate.objective.focal == 2.0
    assert made.candidate.hidden == 32
    assert made.encoder.max_tokens == 16
    with pytest.raises(SettingsError, match=r"space\.dropout"):
        setting(BASES["mini"], {"dropout": 2})


def plan(base="mini", data="d", **more):
    declared = {"candidate": base, "space": {"learning_rate": [0.1, 0.003], "encoder.max_tokens": [16, 32]}} | more
    return Plan("s", Search(**declared), BASES[base], data, {})


def test_a_study_is_about_its_data_what_is_fixed_and_the_space():
    key = plan().key
    assert plan(trials=99).key == key
    changed = [plan(data="e"), plan(seed=14), plan(objective="loss"), plan(space={"learning_rate": [0.1]})]
    base = BASES["mini"]
    other = base.candidate.model_copy(update={"dropout": 0.3})
    changed.append(dataclasses.replace(plan(), base=dataclasses.replace(base, candidate=other)))
    cut = base.encoders["characters"].model_copy(update={"keep": "head"})
    changed.append(dataclasses.replace(plan(), base=dataclasses.replace(base, encoders={"characters": cut})))
    changed.append(dataclasses.replace(plan(), base=dataclasses.replace(base, seed=14)))
    assert len({key, *(one.key for one in changed)}) == len(changed) + 1
    searched = base.candidate.model_copy(update={"learning_rate": 0.1})
    assert dataclasses.replace(plan(), base=dataclasses.replace(base, candidate=searched)).key == key


def test_the_candidate_as_it_stands_is_found_in_the_space():
    search = plan(
        space={"learning_rate": {"kind": "float", "low": 0.001, "high": 0.01}, "head": ["max", "mean"]}
    ).search
    assert standing(BASES["mini"], search) == {"learning_rate": 0.003, "head": "mean"}
    search = plan(space={"learning_rate": [0.1], "head": ["max", "mean"]}).search
    assert standing(BASES["mini"], search) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"high: 10,": "high: -10,", "head: [mean,": "head: mean #"},
            ["2 mistakes", "linear.space.c", "mini.space.head"],
        ),
        (
            {"kind: cnn": "kind: nn", "candidate: linear": "candidate: liner"},
            ["2 mistakes", "'liner'", "mini.space.head"],
        ),
        ({"linear:\n": "Linear:\n"}, ["'Linear': no name for a search"]),
        ({"trials: 6": "trails: 6"}, ["did you mean trials?"]),
    ],
)
def test_a_project_reports_the_mistakes_of_all_searches(project, changes, said):
    assert list(read_project(project)) == ["linear", "mini"]
    text = (project / "search.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    (project / "search.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_project(project)
    for part in said:
        assert part in str(caught.value)


def test_the_shipped_searches_and_those_of_the_page_are_sound():
    shipped = read_project(ROOT)
    assert {"linear", "mini"} <= set(shipped)
    page = (ROOT / "docs/search.md").read_text(encoding="utf-8")
    (declared,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    for name, values in YAML(typ="safe").load(declared).items():
        search = Search.model_validate(values)
        _, base = shipped[search.candidate]
        assert mistakes(name, search, base, ()) == []
        assert standing(base, search)


def test_what_is_missing_is_said(project):
    with pytest.raises(SettingsError, match="there is no search 'nobody'"):
        make_plan(project, "nobody")
    with pytest.raises(SettingsError, match="name one of several"):
        make_plan(project, None)
    (project / "data/split/dataset.json").unlink()
    with pytest.raises(DataError, match="not prepared"):
        make_plan(project, "linear")
    (project / "search.yaml").unlink()
    with pytest.raises(SettingsError, match=r"search\.yaml does not exist"):
        make_plan(project, "linear")


def test_other_rows_make_another_study(project):
    before = make_plan(project, "linear").key
    assert make_plan(project, "linear").key == before
    test = project / "data/split/test.parquet"
    test.write_bytes(b"nobody looks")
    assert make_plan(project, "linear").key == before
    suspects = {"id": ["train-00000"], "split": ["train"], "suggested": ["neutral"], "action": ["drop"]}
    pl.DataFrame(suspects).write_parquet(project / "reports/suspects.parquet")
    dropped = make_plan(project, "linear").key
    train = pl.read_parquet(project / "data/split/train.parquet")
    train.head(100).write_parquet(project / "data/split/train.parquet")
    assert len({before, dropped, make_plan(project, "linear").key}) == 3


def test_the_seed_that_is_left_out_is_the_stages():
    from tasks.train import Params

    assert Training.model_fields["seed"].default == Params.model_fields["seed"].default
