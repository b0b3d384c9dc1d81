"""The stages `texts` and `pretrain`: their parameters, and a graph in which only what must runs again."""

import re

import polars as pl
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file

from tasks.pretrain import Params
from tests.graph.conftest import make_project, repro  # noqa: F401 - a fixture
from tests.wenhuo.pretraining.conftest import TINY, make_lines
from wenhuo.files import read_json
from wenhuo.graph import locked_key
from wenhuo.settings import SettingsError, parse_sections
from wenhuo.tracking import runs, store
from wenhuo.training import history


def mistakes(**backbones) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_sections({"pretrain": {"backbones": backbones}}, {"pretrain": Params}, where="params.yaml")
    return str(caught.value)


def test_mistakes_in_params_are_named_with_their_place():
    said = mistakes(small={"tokens": 5, "mask": 1.5}, other={"epoch": 1})
    assert "pretrain.backbones.small.mask: input should be less than 1, not 1.5" in said
    assert "pretrain.backbones.other.epoch: unknown parameter (did you mean epochs?)" in said
    assert "give one of epochs, tokens, steps" in mistakes(small={})
    assert "is no name" in mistakes(Groß={"epochs": 1})


def test_a_backbone_does_not_start_from_one_of_this_graph():
    said = mistakes(one={"epochs": 1}, two={"epochs": 1, "start": "data/backbones/one"})
    assert "two starts from data/backbones/one, which this graph makes" in said
    Params.model_validate({"backbones": {"two": {"epochs": 1, "start": "data/backbones/mine"}}})


def change(project, section: str, name: str, entries: dict) -> None:
    yaml = YAML()
    values = yaml.load(project / "params.yaml")
    values[section][name] |= entries
    yaml.dump(values, project / "params.yaml")


def ran(said: str) -> list[str]:
    return re.findall(r"Running stage '(.+)'", said)


@pytest.fixture(scope="module")
def project(make_project):  # noqa: F811
    made = make_project("pretrained")
    (made.parent / "more.txt").write_text("\n".join(make_lines(200)), encoding="utf-8")
    tiny = TINY | {"text": ["../more.txt"], "checkpoint_seconds": 60}
    change(made, "pretrain", "backbones", {"tiny": tiny})
    change(
        made, "encode", "encoders", {"tiny": {"kind": "tokens", "tokenizer": "data/backbones/tiny", "max_tokens": 32}}
    )
    candidate = {"kind": "transformer", "encoder": "tiny", "backbone": "checkpoint", "epochs": 1}
    change(made, "train", "candidates", {"tiny": candidate})
    repro(made, "encode", "train")
    return made


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_only_what_must_runs_again(project):
    assert ran(repro(project, "encode", "train")) == ["source", "texts@tiny"]
    before = {name: read_json(project / "data/encoded" / name / "encoder.json") for name in ("tiny", "characters")}
    assert before["tiny"]["checkpoint"]["commit"].startswith("sha256:")

    change(project, "train", "candidates", {"linear": {"kind": "linear", "encoder": "ngrams", "c": 0.7}})
    assert ran(repro(project, "encode", "train")) == ["source", "texts@tiny", "train@linear"]

    with (project.parent / "more.txt").open("a", encoding="utf-8") as file:
        file.write("\n" + "\n".join(make_lines(200, seed=1)))
    again = ran(repro(project, "encode", "train"))
    assert {"pretrain@tiny", "encode@tiny", "train@tiny"} <= set(again)
    assert not {"split", "train@mini", "train@linear"} & set(again)
    after = {name: read_json(project / "data/encoded" / name / "encoder.json") for name in before}
    assert after["characters"] == before["characters"]
    assert after["tiny"]["checkpoint"]["commit"] != before["tiny"]["checkpoint"]["commit"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_curves_are_in_mlflow_and_the_card_says_what_it_was_made_of(project):
    client = store.connect(project)
    run = runs.find_run(client, locked_key(project, "pretrain@tiny"))
    assert run.info.status == "FINISHED"
    assert run.data.tags["wenhuo.backbone"] == "tiny"
    assert run.data.params["mask"] == "0.15"
    card = read_json(project / "data/backbones/tiny/pretraining.json")
    steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "held_out/loss")]
    assert steps[-1] == card["steps"] == 20
    assert run.data.metrics["held_out/loss"] == card["figures"]["held_out/loss"]
    assert card["text"]["corpus"]["rows"] == len(pl.read_parquet(project / "data/split/train.parquet"))
    assert not list((project / "data/checkpoints").glob("*"))


def use_devices(project, devices: int) -> None:
    yaml = YAML()
    values = yaml.load(project / "params.yaml")
    values["pretrain"]["devices"] = devices
    yaml.dump(values, project / "params.yaml")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "objective"), [("tiny", "masked"), ("detector", "replaced")])
def test_two_processes_learn_what_one_does(project, name, objective):
    if objective != "masked":
        use_devices(project, 1)
        change(project, "pretrain", "backbones", {name: TINY | {"text": ["../more.txt"], "objective": objective}})
        repro(project, f"pretrain@{name}")
    made, curves = project / f"data/backbones/{name}", project / f"reports/pretrain/{name}.csv"
    alone, course = load_file(made / "model.safetensors"), history.read(curves)
    use_devices(project, 2)
    assert f"pretrain@{name}" not in ran(repro(project, f"pretrain@{name}"))
    repro(project, "--force", "--single-item", f"pretrain@{name}")
    for key, weights in load_file(made / "model.safetensors").items():
        assert torch.allclose(weights, alone[key], atol=1e-3), key
    for one, other in zip(course, history.read(curves), strict=True):
        assert (one.step, one.metric) == (other.step, other.metric)
        assert one.value == pytest.approx(other.value, abs=1e-4 if "loss" in one.metric else 0.02)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_missing_file_is_a_clear_error(project):
    change(project, "pretrain", "backbones", {"other": TINY | {"text": ["../nobody/*.txt"]}})
    said = repro(project, "pretrain@other", expect=255)
    assert "error: there is no file ../nobody/*.txt\n  → bring the file, or name another one in params.yaml" in said
