"""The examples in the comments of params.yaml: they load, and together they name every option that there is."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from ruamel.yaml import YAML

from tasks.command import read_parameters
from wenhuo.encoding.options import Ngrams, Tokens
from wenhuo.models.heads import AnyHead
from wenhuo.models.tuning import AnyTuning
from wenhuo.training.options import LinearCandidate, Objective, TransformerCandidate

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (ROOT / "params.yaml").read_text(encoding="utf-8")
UNCOMMENTED = re.sub(r"^    # ", "    ", SHIPPED, flags=re.M)


@pytest.fixture(scope="module")
def tried(tmp_path_factory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("examples") / "params.yaml"
    path.write_text(UNCOMMENTED, encoding="utf-8")
    return read_parameters(path)


def test_the_examples_load_beside_what_is_shipped(tried):
    shipped = read_parameters(ROOT / "params.yaml")
    for section, entries in (("encode", "encoders"), ("train", "candidates")):
        ours, more = (getattr(parameters[section], entries) for parameters in (shipped, tried))
        assert len(more) >= len(ours) + 3
        assert {name: more[name] for name in ours} == ours


def values() -> Any:
    return YAML(typ="safe").load(UNCOMMENTED)


@pytest.mark.parametrize(
    ("section", "kind", "model"),
    [
        ("encoders", "ngrams", Ngrams),
        ("encoders", "tokens", Tokens),
        ("candidates", "linear", LinearCandidate),
        ("candidates", "transformer", TransformerCandidate),
    ],
)
def test_every_option_is_to_be_found_in_the_file(section, kind, model):
    entries = (values()["encode"] | values()["train"])[section].values()
    named = {key for entry in entries if entry["kind"] == kind for key in entry}
    assert set(model.model_fields) == named


def test_every_part_of_the_objective_is_to_be_found_in_the_file():
    objectives = [entry.get("objective", {}) for entry in values()["train"]["candidates"].values()]
    assert {key for objective in objectives for key in objective} == set(Objective.model_fields)


@pytest.mark.parametrize(("option", "union"), [("head", AnyHead), ("tune", AnyTuning)])
def test_every_head_and_way_of_tuning_is_named_beside_its_option(option, union):
    [line] = re.findall(rf"^    #   {option}: .*# (.*)$", SHIPPED, flags=re.M)
    kinds = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(union)[0])}
    assert set(re.findall(r"[a-z0-9]+", re.sub(r"\(.*?\)", "", line))) == kinds
