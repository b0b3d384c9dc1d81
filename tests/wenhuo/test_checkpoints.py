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


def test_built_in_checkpoints_are_folders_of_the_package(folder, monkeypatch):
    monkeypatch.setattr("wenhuo.checkpoints.SHIPPED", folder.parent)
    found = locate("builtin:bert")
    assert found.folder == folder
    assert found.commit == content_hash(folder)
    assert pretrained_backbone("builtin:bert", found.commit).config.hidden_size == 16
    with pytest.raises(SourceError, match=r"no built-in checkpoint builtin:bart\n.*builtin:bert"):
        locate("builtin:bart")
    for climbing in ("builtin:../bert", "builtin:", f"builtin:{folder}"):
        with pytest.raises(SourceError, match="no built-in checkpoint"):
            locate(climbing)


def test_a_copy_without_built_in_checkpoints_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("wenhuo.checkpoints.SHIPPED", tmp_path / "nothing")
    with pytest.raises(SourceError, match="this copy of wenhuo has none"):
        locate("builtin:wenhuo-mini")
