"""Model folders: what comes back from disk, and what is refused before any of it is read."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import BertConfig, BertForMaskedLM

from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.errors import ModelError, SourceError
from wenhuo.models import backbones, transformer
from wenhuo.models.heads import Mean
from wenhuo.training import candidate
from wenhuo.training.options import TransformerCandidate


@pytest.fixture
def model(linear_model, tmp_path):
    return Path(shutil.copytree(linear_model, tmp_path / "model"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint as one finds it: a masked language model with its own vocabulary."""
    folder = tmp_path_factory.mktemp("checkpoint") / "bert"
    torch.manual_seed(0)
    letters = "好评满意干净喜欢推荐超值差失望肮脏讨厌退货太贵一般还行普通凑合中等马虎这家酒店房间"
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(letters)]
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertForMaskedLM(BertConfig(vocab_size=len(entries), max_position_embeddings=64, **shape)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}), encoding="utf-8")
    return folder


def test_a_prediction_has_a_label_and_all_probabilities(model):
    [found] = Classifier.load(model).predict(["这个房间很干净，推荐"])
    assert found.label == "positive"
    assert found.probability == max(found.probabilities.values())
    assert sum(found.probabilities.values()) == pytest.approx(1)


def test_raw_texts_are_cleaned_as_in_training(model):
    classifier = Classifier.load(model)
    clean, raw = classifier.probabilities(["这个 房间很干净 A1", "　这个<br/>房间很干\u200b净&nbsp;Ａ１ "])
    assert np.allclose(clean, raw)


def test_no_texts_blank_texts_and_long_texts(model):
    classifier = Classifier.load(model)
    assert classifier.probabilities([]).shape == (0, 3)
    assert classifier.predict([]) == []
    assert np.isfinite(classifier.probabilities(["", "　", "好" * 100_000, "\ud800"])).all()


@pytest.mark.parametrize("name", ["weights.pkl", "pytorch_model.bin", "training_args.bin", "code.py", "x.pt", "x.so"])
def test_pickles_and_code_are_refused(model, name):
    (model / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match=f"refused: {name}"):
        Classifier.load(model)


def test_foreign_code_in_a_configuration_is_refused(model):
    (model / "config.json").write_text('{"model_type": "bert", "auto_map": {"AutoModel": "evil--Model"}}')
    with pytest.raises(ModelError, match="auto_map"):
        Classifier.load(model)


def test_foreign_code_is_found_inside_of_a_configuration_too_and_a_word_of_a_vocabulary_is_none(model):
    (model / "tokenizer.json").write_text('{"model": {"vocab": {"auto_map": 17, "custom_pipelines": 18}}}')
    Classifier.load(model)
    (model / "config.json").write_text('{"text_config": [{"auto_map": {"AutoModel": "evil--Model"}}]}')
    with pytest.raises(ModelError, match=r"config\.json asks for foreign code"):
        Classifier.load(model)


def test_a_pipe_among_the_files_is_refused_and_not_waited_for(model):
    os.mkfifo(model / "config.json")
    with pytest.raises(ModelError, match=r"refused: config\.json"):
        Classifier.load(model)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_weights_of_few_bits_must_be_numbers_too(model, kind):
    from safetensors.torch import save_file as save

    values = torch.ones(4)
    save({"more": values.to(kind)}, model / "more.safetensors")
    Classifier.load(model)
    values[2] = float("nan")
    save({"more": values.to(kind)}, model / "more.safetensors")
    with pytest.raises(ModelError, match="more holds NaN"):
        Classifier.load(model)


def test_a_pickle_that_calls_itself_safetensors_is_refused(model):
    (model / "linear.safetensors").write_bytes(pickle.dumps({"weights": [1.0]}))
    with pytest.raises(ModelError, match="damaged"):
        Classifier.load(model)


def test_weights_that_are_no_numbers_are_refused(model):
    arrays = load_file(model / "linear.safetensors")
    arrays["weights"][0, 0] = np.nan
    save_file(arrays, model / "linear.safetensors")
    with pytest.raises(ModelError, match="NaN"):
        Classifier.load(model)


def test_a_header_that_claims_the_moon_is_refused(model):
    whole = (model / "linear.safetensors").read_bytes()
    (model / "linear.safetensors").write_bytes((2**63).to_bytes(8, "little") + whole[8:])
    with pytest.raises(ModelError, match="damaged"):
        Classifier.load(model)


def test_damaged_or_missing_parts_are_clear_errors(model, tmp_path):
    with pytest.raises(ModelError, match="no model folder"):
        Classifier.load(tmp_path / "nothing")
    whole = (model / "linear.safetensors").read_bytes()
    (model / "linear.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        Classifier.load(model)
    (model / "linear.safetensors").unlink()
    with pytest.raises(ModelError, match="damaged"):
        Classifier.load(model)
    (model / "wenhuo.json").write_text('{"format": 2}')
    with pytest.raises(ModelError, match="does not fit"):
        Classifier.load(model)
    (model / "wenhuo.json").unlink()
    with pytest.raises(ModelError, match=r"no wenhuo\.json"):
        Classifier.load(model)


def test_a_vocabulary_of_another_model_is_refused(model):
    import polars as pl

    table = pl.read_parquet(model / "vocabulary.parquet")
    table.head(3).write_parquet(model / "vocabulary.parquet")
    with pytest.raises(ModelError, match="do not fit the vocabulary"):
        Classifier.load(model)


@pytest.mark.parametrize("head", ["first", "mean"])
def test_a_checkpoint_is_tuned_and_needed_no_more(checkpoint, parts, tmp_path, head):
    options = Tokens(kind="tokens", tokenizer=str(checkpoint), max_tokens=64)
    dataset = corpus.read_dataset(parts)
    corpus.encode_tokens(options, dataset, tmp_path / "encoded")
    chosen = TransformerCandidate(
        kind="transformer", encoder="x", backbone="checkpoint", head=head, epochs=8, learning_rate=0.004, batch_size=16
    )
    (tmp_path / "model").mkdir()
    candidate.train_transformer(
        chosen, 13, tmp_path / "encoded", tmp_path / "model", tmp_path / "c", lambda points: None
    )
    classifier = Classifier.load(tmp_path / "model")
    assert classifier.card.backbone == str(checkpoint)
    truth = dataset.class_ids("test")
    assert (classifier.probabilities(dataset.texts("test")).argmax(1) == truth).mean() > 0.8
    assert not [path for path in (tmp_path / "model").rglob("*") if path.suffix in {".bin", ".pt", ".pkl", ".py"}]


def test_a_checkpoint_of_pickles_is_refused(checkpoint, tmp_path):
    folder = Path(shutil.copytree(checkpoint, tmp_path / "old"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(SourceError, match="no safetensors"):
        backbones.pretrained_backbone(str(folder), None)


def test_an_unknown_architecture_is_refused(checkpoint, tmp_path):
    folder = Path(shutil.copytree(checkpoint, tmp_path / "odd"))
    (folder / "config.json").write_text('{"model_type": "nobody-knows"}')
    with pytest.raises(ModelError, match="cannot be loaded as an encoder"):
        backbones.pretrained_backbone(str(folder), None)


def test_logits_do_not_depend_on_the_order_of_rows(random_numbers):
    torch.manual_seed(0)
    backbone = backbones.scratch_backbone(vocabulary=50, layers=1, hidden=16, heads=2, positions=64, dropout=0.1)
    network = transformer.Network(backbone, Mean(kind="mean"), 3, 0.1).eval()
    rows = [random_numbers.integers(5, 50, size).tolist() for size in random_numbers.integers(1, 60, 40)]
    cpu = torch.device("cpu")
    found = transformer.logits(network, rows, 0, cpu, torch.float32)
    order = random_numbers.permutation(len(rows))
    again = transformer.logits(network, [rows[i] for i in order], 0, cpu, torch.float32)
    assert np.allclose(found[order], again, atol=1e-5)


def test_batches_by_length_hold_every_row_within_the_budget(random_numbers):
    lengths = random_numbers.integers(1, 300, 500)
    found = list(transformer.batches_by_length(lengths, 1000))
    assert sorted(np.concatenate(found)) == list(range(500))
    assert all(len(b) * lengths[b].max() <= 1000 for b in found)
