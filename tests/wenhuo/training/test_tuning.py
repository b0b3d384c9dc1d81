"""What is trained changes, what is frozen keeps every bit, and all of it comes back from disk and from a kill."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load_file

from tests.wenhuo.training.conftest import digest, options, train, train_with_a_kill
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.store import read_rows
from wenhuo.errors import ModelError, SettingsError
from wenhuo.models import backbones, transformer
from wenhuo.models.folder import read_card
from wenhuo.models.heads import Mean
from wenhuo.models.tuning import AnyTuning
from wenhuo.training import candidate, features, optimizers, states, trainable

TUNED = {
    "full": "full",
    "head": "head",
    "last": {"kind": "last", "layers": 1},
    "bitfit": "bitfit",
    "lora": {"kind": "lora", "rank": 4, "dropout": 0.1},
    "adalora": {"kind": "adalora", "start_rank": 4, "rank": 2},
    "ia3": "ia3",
}
HEADS = [
    "first",
    "mean",
    "max",
    "last",
    "mix",
    {"kind": "concat", "layers": 2},
    {"kind": "cnn", "filters": 8},
    "attention",
]
SHAPE = {"layers": 2, "epochs": 2}


def tuning(given):
    return TypeAdapter(AnyTuning).validate_python(given)


def tiny_network(layers=3):
    torch.manual_seed(0)
    backbone = backbones.scratch_backbone(vocabulary=40, layers=layers, hidden=8, heads=2, positions=32, dropout=0.1)
    return transformer.Network(backbone, Mean(kind="mean"), 3, 0.1)


def untrained(encoded: Path, chosen):
    """The backbone as it was before training: from the same seed."""
    from wenhuo.encoding import tokens
    from wenhuo.encoding.options import Tokens
    from wenhuo.training import loop

    card = corpus.read_card(encoded)
    encoder = Tokens.model_validate(card["options"])
    loop.seed_everything(13)
    return candidate._backbone(chosen, encoder, card, len(tokens.load(encoded, encoder).inner)).state_dict()


@pytest.mark.parametrize("name", TUNED)
def test_what_is_frozen_keeps_every_bit_and_the_card_counts_the_rest(tokens, tmp_path, name):
    model, _ = train(tmp_path, tokens, tune=TUNED[name], **SHAPE)
    before = untrained(tokens, options(tune=TUNED[name], **SHAPE))
    after = load_file(model / "backbone" / "model.safetensors")
    changed = {key for key, value in after.items() if not torch.equal(value, before[key])}
    expected = {
        "full": set(after),
        "last": {key for key in after if key.startswith("encoder.layer.1.")},
        "bitfit": {key for key in after if key.endswith("bias")},
    }.get(name, set())
    unread = {"embeddings.token_type_embeddings.weight", "embeddings.position_embeddings.weight"}
    keyless = {key for key in after if key.endswith("key.bias")}  # softmax does not see it, so its gradient is rounding
    assert changed - unread - keyless == expected - unread - keyless
    counted = read_card(model).parameters
    head = sum(value.numel() for value in load_file(model / "head.safetensors").values())
    adapter = model / "adapter" / "adapter_model.safetensors"
    beside = sum(value.numel() for value in load_file(adapter).values()) if adapter.exists() else 0
    trained = sum(after[key].numel() for key in expected)
    assert counted["trained"] == head + beside + trained
    assert counted["all"] >= counted["trained"]
    assert adapter.exists() == (name in {"lora", "adalora", "ia3"})


@pytest.mark.parametrize("name", TUNED)
def test_killed_and_resumed_equals_undisturbed(tokens, tmp_path, monkeypatch, name):
    more = {"tune": TUNED[name], "patience": 9, **SHAPE}
    whole, points = train(tmp_path / "whole", tokens, **more)
    broken, resumed = train_with_a_kill(tmp_path / "broken", tokens, monkeypatch, 22, **more)
    assert digest(whole) == digest(broken)
    assert points == resumed


@pytest.mark.parametrize("kind", ["lora", "adalora", "ia3"])
def test_a_merged_adapter_predicts_the_same_and_needs_no_peft(tokens, parts, tmp_path, kind):
    texts, exact = corpus.read_dataset(parts).texts("test"), SHAPE | {"calibrate": "none"}
    apart, _ = train(tmp_path / "apart", tokens, tune=TUNED[kind] if kind != "ia3" else {"kind": kind}, **exact)
    given = {"kind": kind} if kind == "ia3" else TUNED[kind]
    merged, _ = train(tmp_path / "merged", tokens, tune=given | {"merge": True}, **exact)
    assert not (merged / "adapter").exists()
    assert read_card(merged).adapter is None
    ours, theirs = (Classifier.load(model).probabilities(texts) for model in (apart, merged))
    assert np.allclose(ours, theirs, atol=1e-5)
    backbone = Classifier.load(apart)
    assert not np.array_equal(ours, np.full_like(ours, ours[0])), backbone


@pytest.mark.parametrize("kind", ["lora", "adalora", "ia3"])
def test_peft_itself_loads_the_adapter(tokens, tmp_path, kind):
    from peft import PeftModel
    from transformers import AutoModel

    model, _ = train(tmp_path, tokens, tune=TUNED[kind], **SHAPE)
    card = read_card(model)
    ours = transformer.load(model, card.head, 3, card.adapter)
    plain = AutoModel.from_pretrained(model / "backbone", add_pooling_layer=False)
    theirs = PeftModel.from_pretrained(plain, model / "adapter").eval()
    batch = dict(zip(("input_ids", "attention_mask"), transformer.pad_rows([[2, 9, 8, 3], [2, 3]], 0), strict=True))
    with torch.no_grad():
        assert torch.equal(ours.backbone(**batch).last_hidden_state, theirs(**batch).last_hidden_state)
    config = (model / "adapter" / "adapter_config.json").read_text()
    assert json.loads(config)["base_model_name_or_path"] is None
    assert str(tmp_path) not in config


def test_adalora_takes_ranks_away(tokens, tmp_path):
    model, _ = train(tmp_path, tokens, tune=TUNED["adalora"], **SHAPE)
    weights = load_file(model / "adapter" / "adapter_model.safetensors")
    ranks = [int((value != 0).sum()) for name, value in weights.items() if name.endswith("lora_E")]
    assert sum(ranks) == pytest.approx(2 * len(ranks), abs=1)
    assert len(set(ranks)) > 1


def test_training_the_head_on_kept_features_equals_freezing_the_backbone(tokens, tmp_path):
    rows = read_rows(tokens / "train.arrow")
    for head in HEADS:
        chosen = options(head=head, tune="head", layers=2)
        torch.manual_seed(0)
        backbone = backbones.scratch_backbone(vocabulary=200, layers=2, hidden=32, heads=2, positions=256, dropout=0.1)
        network = transformer.Network(backbone, chosen.head, 3, 0.0).eval()
        cpu, path = torch.device("cpu"), tmp_path / f"{head}.npy"
        values = features.compute(network, rows, 0, cpu, torch.float32, path)
        from wenhuo.training.sources import Features, Tokens

        kept, fresh = (
            Features(network.head, rows, values, "mean", cpu, torch.float32),
            Tokens(network, rows, 0, "mean", cpu, torch.float32),
        )
        positions = np.array([3, 17, 100, 42])
        assert torch.allclose(kept.scores(positions), fresh.scores(positions), atol=1e-5), head
        assert np.allclose(kept.all_scores(), fresh.all_scores(), atol=1e-5), head
        gradients = []
        for source in (kept, fresh):
            network.zero_grad()
            source.scores(positions).square().sum().backward()
            gradients.append([p.grad.clone() for p in network.head.parameters()])
        assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(*gradients, strict=True)), head


def test_layers_have_depths_and_learning_rates():
    network = tiny_network(layers=3)
    depths = trainable.depth_of_parameters(network)
    assert depths["backbone.embeddings.word_embeddings.weight"] == 0
    assert depths["backbone.encoder.layer.0.attention.self.query.weight"] == 1
    assert depths["backbone.encoder.layer.2.output.dense.bias"] == 3
    assert depths["head.out.weight"] == 4
    groups = optimizers.parameter_groups(network, options(layer_decay=0.5, layers=3))
    assert sorted({group["share"] for group in groups}) == [0.0625, 0.125, 0.25, 0.5, 1.0]
    counted = sum(p.numel() for group in groups for p in group["params"])
    assert counted == trainable.count(network)["trained"]
    assert all(p.ndim > 1 for g in groups for p in g["params"] if g["weight_decay"])


def test_layer_wise_decay_moves_lower_layers_less(tokens, tmp_path):
    more = {"layers": 2, "epochs": 1, "optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.05, "weight_decay": 0.0}
    before = untrained(tokens, options(**more))
    moved = {}
    for decay in (1.0, 0.1):
        model, _ = train(tmp_path / str(decay), tokens, layer_decay=decay, **more)
        after = load_file(model / "backbone" / "model.safetensors")
        moved[decay] = (
            after["encoder.layer.0.output.dense.weight"] - before["encoder.layer.0.output.dense.weight"]
        ).norm()
    assert moved[0.1] < 0.2 * moved[1.0]


def test_what_cannot_be_trained_is_a_clear_error(tokens, tmp_path):
    with pytest.raises(SettingsError, match="the last 3 layers of 2"):
        train(tmp_path / "a", tokens, tune={"kind": "last", "layers": 3}, layers=2)
    with pytest.raises(SettingsError, match="no linear layer of this backbone ends in nothing"):
        train(tmp_path / "b", tokens, tune={"kind": "lora", "targets": ["nothing"]})
    with pytest.raises(SettingsError, match="steps are too few"):
        train(tmp_path / "c", tokens, tune=TUNED["adalora"], batch_size=10_000, epochs=2)
    for wrong in (
        {"tune": "head", "objective": {"fgm": 1.0}},
        {"tune": "lora", "backbone_files": "reference"},
        {"tune": {"kind": "lora", "merge": True}, "backbone": "checkpoint", "backbone_files": "reference"},
        {"tune": "full", "backbone": "checkpoint", "backbone_files": "reference"},
        {"tune": {"kind": "adalora", "start_rank": 4, "rank": 4}},
        {"tune": {"kind": "ia3", "targets": ["key"]}},
        {"tune": "some"},
    ):
        with pytest.raises(ValidationError):
            options(**wrong)


def test_a_damaged_or_foreign_adapter_is_refused(tokens, tmp_path):
    model, _ = train(tmp_path, tokens, tune=TUNED["lora"], layers=1, epochs=1)
    path = model / "adapter" / "adapter_model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    with pytest.raises(ModelError, match="damaged"):
        Classifier.load(model)
    path.unlink()
    with pytest.raises(ModelError, match="damaged"):
        Classifier.load(model)
    path.write_bytes(whole)
    (model / "adapter" / "adapter_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="refused"):
        Classifier.load(model)


def test_a_checkpoint_takes_only_what_training_changes(tokens, tmp_path, monkeypatch):
    from wenhuo.training import checkpoint

    sizes = []
    save = checkpoint.save

    def look(folder, *rest):
        save(folder, *rest)
        sizes.append(sum(path.stat().st_size for path in states.latest(folder).rglob("*")))

    monkeypatch.setattr(checkpoint, "save", look)
    for name in ("full", "bitfit"):
        train(tmp_path / name, tokens, tune=name, hidden=64, epochs=1, checkpoint_seconds=0)
    assert sizes[-1] < sizes[0] / 10


@pytest.fixture
def own_checkpoint(tmp_path):
    from transformers import BertConfig, BertModel

    folder = tmp_path / "bert"
    torch.manual_seed(0)
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"好评满意干净喜欢推荐超值差失望肮脏讨厌退货太贵一般还行"]
    entries = list(dict.fromkeys(entries))
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(entries), max_position_embeddings=300, **shape)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["head", "lora"])
def test_a_backbone_may_be_named_instead_of_copied(own_checkpoint, parts, tmp_path, name):
    from wenhuo.encoding.options import Tokens

    dataset = corpus.read_dataset(parts)
    corpus.encode_tokens(Tokens(kind="tokens", tokenizer=str(own_checkpoint)), dataset, tmp_path / "encoded")
    more = {"backbone": "checkpoint", "tune": TUNED[name], "epochs": 1}
    copied, _ = train(tmp_path / "copied", tmp_path / "encoded", **more)
    named, _ = train(tmp_path / "named", tmp_path / "encoded", **more, backbone_files="reference")
    assert not (named / "backbone").exists()
    texts = dataset.texts("test")
    expected = Classifier.load(copied).probabilities(texts)
    assert np.array_equal(Classifier.load(named).probabilities(texts), expected)
    weights = own_checkpoint / "model.safetensors"
    shutil.copyfile(weights, tmp_path / "kept")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match="not those that the model was trained on"):
        Classifier.load(named)
    assert np.array_equal(Classifier.load(copied).probabilities(texts), expected)
