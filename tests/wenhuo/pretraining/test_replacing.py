"""Replaced-token detection: what the generator draws, what is learnt, what is kept and gone on from."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForPreTraining, AutoTokenizer

from tests.wenhuo.pretraining.conftest import make_lines, options, run
from wenhuo.errors import ModelError
from wenhuo.files import read_json, sha256
from wenhuo.models.backbones import load_backbone
from wenhuo.pretraining.masking import uniform
from wenhuo.pretraining.pretrain import assemble, prepare
from wenhuo.pretraining.replacing import BLOCK, sample

REPLACED = {"objective": "replaced", "hidden": 32, "generator": 0.5}


def value(points, metric: str, at: int) -> float:
    return [point.value for point in points if point.metric == metric][at]


def test_it_learns_both(parts, tmp_path):
    few = tmp_path / "few.txt"
    few.write_text("\n".join(make_lines(20) * 10), encoding="utf-8")
    more = {"text": [str(few)], "own_text": 0, "held_out_tokens": 0, "whole_words": False, "learning_rate": 0.005}
    shape = {"hidden": 64, "heads": 4, "batch_tokens": 512, "steps": 400, "log_steps": 100}
    _, points = run(tmp_path, parts, **REPLACED | more | shape)
    assert value(points, "train/generator_loss", -1) < value(points, "train/generator_loss", 0) - 0.5
    assert value(points, "train/loss", -1) < value(points, "train/loss", 0) - 0.1
    assert value(points, "train/recall", -1) > value(points, "train/recall", 0) + 0.2


def test_the_detector_is_kept_and_transformers_loads_it(parts, lines, tmp_path):
    made, points = run(tmp_path, parts, text=[str(lines)], **REPLACED)
    names = ("loss", "accuracy", "recall", "generator_loss", "generator_accuracy")
    assert {f"{split}/{name}" for split in ("train", "held_out") for name in names} <= {p.metric for p in points}
    model, tokenizer = AutoModel.from_pretrained(made), AutoTokenizer.from_pretrained(made)
    given = tokenizer(["今天天气很好", "早餐不错，服务员热情。"], return_tensors="pt", padding=True)
    states = model(**given).last_hidden_state
    assert states.shape[2] == 32
    assert torch.equal(states, load_backbone(made, "made")(**given).last_hidden_state)
    assert AutoModelForPreTraining.from_pretrained(made)(**given).logits.shape == given["input_ids"].shape
    generator = AutoModelForMaskedLM.from_pretrained(made / "generator")
    assert generator.config.hidden_size == 16
    assert torch.equal(generator.get_input_embeddings().weight, model.get_input_embeddings().weight)
    card = read_json(made / "pretraining.json")
    assert card["architecture"] == {"kind": "electra", "layers": 1}
    assert card["sha256"]["generator/model.safetensors"] == sha256(made / "generator" / "model.safetensors")


def test_replaced_tokens_are_those_of_the_generator_and_the_rest_stays(parts, lines, tmp_path):
    chosen = options(text=[str(lines)], **REPLACED)
    prepare(chosen, parts, tmp_path / "prepared")
    training = assemble(chosen, 13, tmp_path, lambda points: None)
    batch = training.text.batch(training.text.plan(0)[0], 0)
    seen = []
    training.model.inner.electra.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    found, again = training.model(batch), training.model(batch)
    assert torch.equal(*seen)
    shown, whole = seen[0].flatten().numpy(), batch.ids.flatten()
    whole[batch.places] = batch.targets
    changed = np.flatnonzero(shown != whole)
    assert set(changed) <= set(batch.places)
    assert float(found.changed) == float(again.changed) == len(changed)
    assert len(changed) > 0.5 * len(batch.places), "it has learnt nothing yet and hits few"
    assert found.judged == batch.mask.sum()
    assert 0 <= float(found.caught) <= len(changed)


@given(st.integers(1, 400), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_an_entry_is_drawn_as_the_running_sum_says(entries, seed):
    logits = 3 * torch.randn(20, entries, generator=torch.Generator().manual_seed(seed))
    drawn = uniform(seed, np.arange(20))
    ends = logits.double().softmax(-1).cumsum(-1).numpy()
    found = sample(logits, torch.from_numpy(drawn)).numpy()
    rows = np.arange(20)
    assert (drawn < ends[rows, found] + 1e-5).all()
    assert (drawn > np.where(found > 0, ends[rows, found - 1], 0) - 1e-5).all()


def test_entries_come_as_often_as_their_probabilities_say():
    probabilities = torch.zeros(2 * BLOCK)
    probabilities[[3, BLOCK - 1, BLOCK, 2 * BLOCK - 1]] = torch.tensor([0.1, 0.2, 0.3, 0.4])
    drawn = torch.from_numpy(uniform(1, np.arange(20_000)))
    found = sample(probabilities.log().expand(20_000, -1), drawn)
    shares = torch.bincount(found, minlength=2 * BLOCK) / 20_000
    assert torch.allclose(shares, probabilities, atol=0.01)
    assert sample(torch.zeros(0, 300), torch.zeros(0)).shape == (0,)


def test_narrower_embeddings_and_the_beginning_from_counts(parts, lines, tmp_path):
    made, _ = run(tmp_path, parts, text=[str(lines)], steps=3, **REPLACED, embedding=16)
    model = AutoModel.from_pretrained(made)
    assert model.get_input_embeddings().weight.shape[1] == 16
    assert model.config.hidden_size == 32


def test_going_on_takes_the_generator_along_and_does_without_one(parts, lines, tmp_path):
    chosen = REPLACED | {"text": [str(lines)], "steps": 150, "whole_words": False}
    first, points = run(tmp_path / "first", parts, **chosen)
    more = chosen | {"start": str(first), "learning_rate": 1e-5, "steps": 3}
    _, after = run(tmp_path / "second", parts, **more)
    for name in ("held_out/loss", "held_out/generator_loss"):
        assert value(after, name, 0) == pytest.approx(value(points, name, -1), abs=0.1)
    for path in (first / "generator").iterdir():
        path.unlink()
    (first / "generator").rmdir()
    _, after = run(tmp_path / "third", parts, **more)
    assert value(after, "held_out/generator_loss", 0) > value(points, "held_out/generator_loss", -1) + 0.05


def test_what_is_no_electra_is_a_clear_error(parts, lines, tmp_path):
    bert, _ = run(tmp_path / "bert", parts, steps=2)
    with pytest.raises(ModelError, match=r"a bert is no electra\n.*objective: masked"):
        run(tmp_path / "x", parts, text=[str(lines)], start=str(bert), objective="replaced")
