"""Encoders and decoders of every family that is promised: trained, saved, loaded again, they predict the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hub

from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.errors import ModelError, SettingsError
from wenhuo.models import backbones
from wenhuo.training import candidate
from wenhuo.training.options import TransformerCandidate

VOCABULARY = 120
SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
ENCODERS = {
    "albert": lambda v: hub.AlbertModel(hub.AlbertConfig(vocab_size=v, embedding_size=8, **SHAPE)),
    "roberta": lambda v: hub.RobertaModel(hub.RobertaConfig(vocab_size=v, pad_token_id=0, **SHAPE)),
    "deberta-v2": lambda v: hub.DebertaV2Model(
        hub.DebertaV2Config(
            vocab_size=v,
            relative_attention=True,
            position_buckets=8,
            pos_att_type=["c2p", "p2c"],
            position_biased_input=False,
            **SHAPE,
        )
    ),
    "modernbert": lambda v: hub.ModernBertModel(
        hub.ModernBertConfig(
            vocab_size=v, pad_token_id=0, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3, **SHAPE
        )
    ),
    "ernie": lambda v: hub.ErnieModel(hub.ErnieConfig(vocab_size=v, **SHAPE)),
    "electra": lambda v: hub.ElectraModel(hub.ElectraConfig(vocab_size=v, embedding_size=8, **SHAPE)),
    "distilbert": lambda v: hub.DistilBertModel(
        hub.DistilBertConfig(vocab_size=v, dim=16, n_layers=2, n_heads=2, hidden_dim=32)
    ),
}
DECODERS = {
    "qwen2": lambda v: hub.Qwen2Model(hub.Qwen2Config(vocab_size=v, num_key_value_heads=1, **SHAPE)),
    "llama": lambda v: hub.LlamaModel(hub.LlamaConfig(vocab_size=v, num_key_value_heads=2, **SHAPE)),
    "gpt2": lambda v: hub.GPT2Model(hub.GPT2Config(vocab_size=v, n_embd=16, n_layer=2, n_head=2)),
}
FAMILIES = ENCODERS | DECODERS
NO_BIASES = {"llama", "modernbert"}
SHARED = {"albert"}


def write_tokenizer(folder: Path, texts: list[str], name: str) -> int:
    """A tokenizer of characters as the family has it: a decoder's adds no special tokens and has no padding."""
    if name not in DECODERS:
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        entries = [*special, *sorted(set("".join(texts)))]
        (folder / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
        (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}', encoding="utf-8")
        if name == "modernbert":  # it has a fast tokenizer and no other
            plain = hub.BertTokenizer(vocab={entry: i for i, entry in enumerate(entries)})
            names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
            hub.PreTrainedTokenizerFast(tokenizer_object=plain.backend_tokenizer, **names).save_pretrained(folder)
        return len(entries)
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>"],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(texts, trainer)
    hub.PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>").save_pretrained(folder)
    return made.get_vocab_size()


@pytest.fixture(scope="module")
def families(parts, tmp_path_factory):
    """A tiny checkpoint of each family with the tiny corpus encoded by it, made when first asked for."""
    made, dataset = {}, corpus.read_dataset(parts)

    def make(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name) / "checkpoint"
            folder.mkdir()
            size = write_tokenizer(folder, dataset.texts("train"), name)
            torch.manual_seed(0)
            FAMILIES[name](size).save_pretrained(folder)
            options = Tokens(kind="tokens", tokenizer=str(folder), max_tokens=64)
            corpus.encode_tokens(options, dataset, folder.parent / "encoded")
            made[name] = folder.parent / "encoded"
        return made[name]

    return make


def train(folder: Path, encoded: Path, **more):
    values = {"epochs": 1, "batch_size": 240, "learning_rate": 0.01, "calibrate": "none", **more}
    chosen = TransformerCandidate(kind="transformer", encoder="x", backbone="checkpoint", **values)
    folder.mkdir(parents=True)
    return candidate.train_transformer(chosen, 13, encoded, folder, folder.parent / "c", lambda points: None)


def assert_it_comes_back(model: Path, points, parts):
    dataset = corpus.read_dataset(parts)
    truth = dataset.class_ids("validation")
    found = Classifier.load(model).probabilities(dataset.texts("validation"))
    loss = -np.log(found[np.arange(len(truth)), truth]).mean()
    assert loss == pytest.approx(next(p.value for p in points if p.metric == "validation/loss"), abs=5e-5)
    assert np.isfinite(Classifier.load(model).probabilities(["", "　", "好" * 300])).all()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("tune", ["full", "head", "last", "lora", "ia3", "bitfit"])
def test_a_family_trains_saves_and_predicts_the_same(families, parts, tmp_path, name, tune):
    given = {"kind": "last", "layers": 1} if tune == "last" else tune
    more = {"tune": given, "head": "last" if name in DECODERS else "mean", "layer_decay": 0.9}
    if (name in NO_BIASES and tune == "bitfit") or (name in SHARED and tune == "last"):
        with pytest.raises(SettingsError, match=r"this backbone has none|share their weights"):
            train(tmp_path / "m", families(name), **more)
        return
    points = train(tmp_path / "m", families(name), **more)
    assert_it_comes_back(tmp_path / "m", points, parts)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_merged_adapter_predicts_what_it_did_apart(families, parts, tmp_path, name):
    texts = corpus.read_dataset(parts).texts("test")
    found = []
    for merge in (False, True):
        train(tmp_path / str(merge), families(name), tune={"kind": "lora", "merge": merge}, batch_size=60)
        found.append(Classifier.load(tmp_path / str(merge)).probabilities(texts))
    assert np.allclose(*found, atol=1e-5)
    assert found[0].std(0).max() > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_objectives_and_savings_work_in_every_family(families, parts, tmp_path, name):
    more = {
        "objective": {"r_drop": 1.0, "fgm": 0.05},
        "gradient_checkpointing": name != "albert",
        "tokens_at_once": 2000,
    }
    points = train(tmp_path / "m", families(name), head={"kind": "mix", "layers": 2}, **more)
    assert_it_comes_back(tmp_path / "m", points, parts)


def test_checkpointing_that_a_family_lacks_is_a_clear_error(families, tmp_path):
    with pytest.raises(SettingsError, match="no gradient_checkpointing for albert"):
        train(tmp_path / "m", families("albert"), gradient_checkpointing=True)


@pytest.mark.parametrize("name", FAMILIES)
def test_padding_does_not_change_what_a_family_says(families, name):
    folder = families(name).parent / "checkpoint"
    from wenhuo.models import transformer
    from wenhuo.models.heads import Last

    network = transformer.Network(backbones.pretrained_backbone(str(folder), None), Last(kind="last"), 3, 0.0).eval()
    rows = [[7, 8, 9], [7, 8, 9, 10, 11, 12, 13]]
    with torch.no_grad():
        together = network(*transformer.pad_rows(rows, 0))
        alone = network(*transformer.pad_rows(rows[:1], 0))
    assert torch.allclose(together[0], alone[0], atol=1e-5)


def test_a_stored_model_of_a_decoder_holds_no_code(families, tmp_path):
    train(tmp_path / "m", families("gpt2"), head="last", tune="lora")
    endings = {path.suffix for path in (tmp_path / "m").rglob("*") if path.is_file()}
    assert endings <= {".json", ".safetensors", ".txt"}
    assert "auto_map" not in json.loads((tmp_path / "m" / "backbone" / "config.json").read_text())


def test_an_encoder_with_a_decoder_is_refused(tmp_path):
    config = hub.T5Config(vocab_size=50, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    hub.T5Model(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="an encoder with a decoder"):
        backbones.pretrained_backbone(str(tmp_path), None)
