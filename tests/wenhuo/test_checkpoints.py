"""A checkpoint's folder is known by its content, as a hub's by its commit."""

import json

import pytest
from transformers import BertConfig, BertModel

from wenhuo.checkpoints import CONTENT, content_hash, locate
from wenhuo.errors import SourceError
from wenhuo.models.backbones import pretrained_backbone


@pytest.fixture
def folder(tmp_path):
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=50, **shape)).save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def test_the_content_counts_and_not_what_is_no_part_of_it(folder):
    before = locate(str(folder)).commit
    assert before.startswith(CONTENT)
    (folder / "README.md").write_text("a page", encoding="utf-8")
    (folder / "events.out").write_bytes(b"1")
    assert content_hash(folder) == before
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"hidden_dropout_prob": 0.3}), encoding="utf-8")
    assert content_hash(folder) != before


def test_a_folder_that_has_changed_is_not_trained_on(folder):
    commit = locate(str(folder)).commit
    pretrained_backbone(str(folder), commit)
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(SourceError, match=r"and not sha256:.*\n.*dvc repro"):
        pretrained_backbone(str(folder), commit)
    pretrained_backbone(str(folder), "main")  # a hub's revision says nothing of a folder
    pretrained_backbone(str(folder), None)
