"""A model's passport: whole files that say what they said pass; anything else is named."""

import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest
from safetensors.numpy import load_file, save_file

from wenhuo.errors import ModelError
from wenhuo.gate import passport
from wenhuo.gate.frozen import digests, freeze

FROZEN = freeze(digests([("a", "x", "一"), ("b", "y", "二")]))


@pytest.fixture
def model(linear_model, tmp_path):
    return Path(shutil.copytree(linear_model, tmp_path / "model"))


@pytest.fixture
def kept(model):
    return passport.make(model, FROZEN, ["房间很干净，推荐"])


def test_a_passport_is_read_back_and_the_model_passes(model, kept, tmp_path):
    passport.write(tmp_path / "passport.json", kept)
    assert passport.read(tmp_path / "passport.json") == kept
    assert kept.frozen().hash == kept.test_set == FROZEN.hash
    assert kept.probes[-1].text == "房间很干净，推荐"
    passport.check_files(model, kept)
    passport.check_answers(model, kept)
    assert passport.read(tmp_path / "none.json") is None
    (tmp_path / "passport.json").write_text("{")
    with pytest.raises(ModelError, match=r"passport\.json of the model is damaged"):
        passport.read(tmp_path / "passport.json")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("missing", "wenhuo.json is missing"),
        ("flipped", "linear.safetensors is damaged"),
        ("besides", "x.json does not"),
    ],
)
def test_a_file_that_is_not_as_it_was_is_named(model, kept, fault, said):
    if fault == "missing":
        (model / "wenhuo.json").unlink()
    elif fault == "flipped":
        flipped = bytearray((model / "linear.safetensors").read_bytes())
        flipped[-1] ^= 1
        (model / "linear.safetensors").write_bytes(flipped)
    else:
        (model / "x.json").write_text("{}")
    with pytest.raises(ModelError, match=said):
        passport.check_files(model, kept)


def test_what_git_keeps_of_it_holds_no_row_and_makes_it_again(kept):
    texts = [probe.text for probe in kept.probes[-1:]]
    public = passport.without_texts(kept, len(texts))
    assert texts[0] not in str(public)
    assert kept.test_rows not in str(public)
    assert passport.completed(orjson.loads(orjson.dumps(public)), texts, FROZEN) == kept
    for wrong in ([], [*texts, "more"]):
        with pytest.raises(ModelError, match="not those that it was asked"):
            passport.completed(public, wrong, FROZEN)
    with pytest.raises(ModelError, match="not those that it was asked"):
        passport.completed(public, texts, freeze(digests([("a", "x", "三")])))


def test_other_answers_are_noticed_and_rounding_is_not(model, kept):
    arrays = load_file(model / "linear.safetensors")
    save_file(arrays | {"weights": arrays["weights"] * np.float32(1 + 1e-6)}, model / "linear.safetensors")
    passport.check_answers(model, kept)
    save_file(arrays | {"weights": -arrays["weights"]}, model / "linear.safetensors")
    with pytest.raises(ModelError, match="no longer says what it said"):
        passport.check_answers(model, kept)
