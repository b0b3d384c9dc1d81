"""Pretraining ends in equal bytes, killed and resumed or not, in a folder that transformers loads by itself."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from tests.wenhuo.pretraining.conftest import make_lines, options, run
from tests.wenhuo.training.conftest import digest
from wenhuo.errors import DataError, ModelError, SettingsError, SourceError, WenhuoError
from wenhuo.files import read_json, write_json
from wenhuo.pretraining import checkpoint
from wenhuo.pretraining.course import Course
from wenhuo.pretraining.pretrain import assemble, prepare
from wenhuo.pretraining.training import parts as parts_of

ROOT = Path(__file__).resolve().parents[3]

# What the stage does, in a process of its own that can be killed.
PRETRAIN = """
import json, sys
from pathlib import Path
from wenhuo.files import read_json
from wenhuo.pretraining.options import Pretraining
from wenhuo.pretraining.pretrain import pretrain
from wenhuo.training.history import write
options, parts, versions, folder = sys.argv[1:]
made = Path(folder, "made")
made.mkdir()
known = read_json(Path(versions))
points = pretrain(Pretraining.model_validate_json(options), 13, Path(parts), known, Path(folder, "work"), made, len)
write(Path(folder, "curves.csv"), points)
"""


def test_it_learns_and_transformers_loads_the_result(parts, lines, tmp_path):
    made, points = run(tmp_path, parts, text=[str(lines)], steps=150, hidden=32)
    losses = [point.value for point in points if point.metric == "held_out/loss"]
    assert losses[-1] < losses[0] - 0.1
    assert {point.metric for point in points} >= {"train/loss", "train/accuracy", "held_out/accuracy", "tokens"}
    tokenizer, model = AutoTokenizer.from_pretrained(made), AutoModelForMaskedLM.from_pretrained(made)
    given = tokenizer(["今天天气很好", "早餐不错，服务员热情。"], return_tensors="pt", padding=True)
    assert tokenizer.decode(given["input_ids"][0], skip_special_tokens=True) == "今 天 天 气 很 好"
    assert tokenizer.model_max_length == 64
    assert model(**given).logits.shape[-1] == len(tokenizer)
    assert model.get_input_embeddings().weight is model.get_output_embeddings().weight
    states = AutoModel.from_pretrained(made)(**given).last_hidden_state
    assert torch.equal(states, model.base_model(**given).last_hidden_state)
    card = read_json(made / "pretraining.json")
    assert card["steps"] == 150
    assert card["text"]["files"][0]["kept"] == 300
    assert card["sha256"]["model.safetensors"] == digest(made)["model.safetensors"]
    assert card["parameters"] == sum(p.numel() for p in model.parameters())
    assert str(tmp_path) not in json.dumps({key: card[key] for key in card if key != "options"})


def start(folder: Path, parts: Path, chosen) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    (folder / "made").exists() and (folder / "made").rmdir()
    versions = folder / "versions.json"
    write_json(versions, {"files": [{"path": p, "version": "x", "size": 1} for p in chosen.text], "start": None})
    command = [sys.executable, "-c", PRETRAIN, chosen.model_dump_json(), parts, versions, folder]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([str(part) for part in command], env=environment, cwd=folder)


def interrupt(folder: Path, parts: Path, chosen, number: signal.Signals, pattern: str) -> None:
    broken = start(folder, parts, chosen)
    deadline = time.monotonic() + 90
    while not list(folder.glob(pattern)) and broken.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    broken.send_signal(number)
    assert broken.wait(60) != 0
    assert not (folder / "curves.csv").exists()


RICH = {"sentences": "order", "dropout": 0.1, "closest": 0.5, "tokens_at_once": 100, "mask": 0.3}
REPLACED = {"objective": "replaced", "generator": 0.5, "dropout": 0.1, "tokens_at_once": 100, "mask": 0.3}


@pytest.mark.parametrize(
    ("number", "more"),
    [
        (signal.SIGKILL, RICH),
        pytest.param(signal.SIGKILL, REPLACED, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, {}, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, {"sentences": "next", "whole_words": False}, marks=pytest.mark.slow),
    ],
)
def test_killed_and_resumed_equals_undisturbed(parts, lines, tmp_path, number, more):
    chosen = options(text=[str(lines)], steps=None, epochs=3, **more)
    assert start(tmp_path / "whole", parts, chosen).wait(200) == 0
    if not more:
        interrupt(tmp_path / "broken", parts, chosen, signal.SIGKILL, "work/.prepared*")  # while it reads the text
    interrupt(tmp_path / "broken", parts, chosen, number, "work/step-*")
    assert start(tmp_path / "broken", parts, chosen).wait(200) == 0
    assert digest(tmp_path / "whole" / "made") == digest(tmp_path / "broken" / "made")
    assert (tmp_path / "whole" / "curves.csv").read_bytes() == (tmp_path / "broken" / "curves.csv").read_bytes()


@pytest.mark.parametrize("more", [{"sentences": "order", "dropout": 0.1}, REPLACED])
def test_a_kill_after_any_step_changes_nothing(parts, lines, tmp_path, monkeypatch, more):
    whole, points = run(tmp_path / "whole", parts, text=[str(lines)], **more)
    save = checkpoint.save
    died = 0

    class Killed(Exception):  # noqa: N818 - no error
        pass

    def save_and_die(folder, progress, *others):
        nonlocal died
        save(folder, progress, *others)
        if progress.step > died:
            died = progress.step
            raise Killed

    monkeypatch.setattr(checkpoint, "save", save_and_die)
    monkeypatch.setattr("wenhuo.pretraining.training.SAVING_SHARE", 1e9)
    while True:
        try:
            (tmp_path / "broken" / "made").exists() and (tmp_path / "broken" / "made").rmdir()
            made, again = run(tmp_path / "broken", parts, text=[str(lines)], **more)
            break
        except Killed:
            pass
    assert died == 20
    assert digest(made) == digest(whole)
    assert again == points


def test_going_on_from_a_checkpoint(parts, lines, tmp_path):
    first, _ = run(tmp_path / "first", parts, text=[str(lines)], steps=150, hidden=32)
    before = read_json(first / "pretraining.json")["figures"]["held_out/loss"]
    second, points = run(tmp_path / "second", parts, text=[str(lines)], start=str(first), learning_rate=1e-5, steps=3)
    after = next(point.value for point in points if point.metric == "held_out/loss")
    assert after == pytest.approx(before, abs=0.1)
    assert (first / "tokenizer.json").read_bytes() == (second / "tokenizer.json").read_bytes()
    assert AutoModel.from_pretrained(second).config.hidden_size == 32
    third, _ = run(tmp_path / "third", parts, text=[str(lines)], start=str(second), learning_rate=1e-5, steps=2)
    known = [read_json(folder / "pretraining.json") for folder in (first, second, third)]
    assert [course["steps"] for course in known[2]["before"]] == [150, 3]
    assert [len(course["before"]) for course in known] == [0, 1, 2]


def test_what_cannot_be_pretrained_is_a_clear_error(parts, lines, tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    first, _ = run(tmp_path / "first", parts, steps=2)
    decoder = tmp_path / "gpt"
    GPT2LMHeadModel(GPT2Config(vocab_size=200, n_embd=16, n_layer=1, n_head=2)).save_pretrained(decoder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (decoder / name).write_bytes((first / name).read_bytes())
    cases = {
        "decoder": (ModelError, {"start": str(decoder)}, "cannot be pretrained further: a gpt2 is no masked"),
        "nothing": (SourceError, {"start": str(tmp_path / "nobody")}, "there is no checkpoint"),
        "longer": (SettingsError, {"start": str(first), "max_tokens": 100}, "max_tokens is 100, but .* takes 64"),
        "little": (DataError, {"own_text": 0, "text": [str(tmp_path / "few.txt")]}, "no line of text"),
    }
    (tmp_path / "few.txt").write_text("好\n", encoding="utf-8")
    for name, (kind, more, said) in cases.items():
        with pytest.raises(kind, match=said) as caught:
            run(tmp_path / name, parts, **more)
        assert isinstance(caught.value, WenhuoError)
        assert caught.value.hint


def test_files_that_come_between_are_noticed(parts, lines, tmp_path):
    (tmp_path / "other.txt").write_text("\n".join(make_lines(5)), encoding="utf-8")
    with pytest.raises(SourceError, match="other files of text"):
        run(tmp_path / "x", parts, text=[str(tmp_path / "*.txt"), str(lines)])


@pytest.mark.parametrize("more", [{"sentences": "order"}, {"objective": "replaced"}])
def test_parts_of_a_batch_make_its_gradient(parts, lines, tmp_path, more):
    chosen = options(text=[str(lines)], **more)
    prepare(chosen, parts, tmp_path / "prepared")
    training = assemble(chosen, 13, tmp_path, lambda points: None)
    batch = training.text.batch(training.text.plan(0)[0], 0)
    grads = []
    for at_once in (None, 60):
        assert (len(list(parts_of(batch, at_once))) > 1) == (at_once is not None)
        sums = training._gradient(batch, at_once)
        grads.append([sums[0], *(p.grad.clone() for p in training.model.parameters() if p.grad is not None)])
        training.optimizer.zero_grad(set_to_none=True)
    assert grads[0][0] == pytest.approx(grads[1][0], rel=1e-5)
    for one, other in zip(grads[0][1:], grads[1][1:], strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_out_of_memory_halves_what_goes_at_once(parts, lines, tmp_path):
    chosen = options(text=[str(lines)], steps=3)
    prepare(chosen, parts, tmp_path / "prepared")
    training = assemble(chosen, 13, tmp_path, lambda points: None)
    forward = training.model.forward

    def small(batch):
        if batch.ids.size > 100:
            raise torch.OutOfMemoryError
        return forward(batch)

    training.model.forward = small
    training._measure = dict
    assert training.run().tokens_at_once <= 128
    training.model.forward = lambda batch: (_ for _ in ()).throw(torch.OutOfMemoryError())
    with pytest.raises(ModelError, match="out of memory with one row"):
        training._gradient_that_fits(training.text.batch(np.arange(3), 0), checkpoint.Progress())


@pytest.mark.parametrize("limit", [{"steps": 10}, {"tokens": 1000}, {"epochs": 0.5}])
def test_the_rate_rises_and_falls_to_nothing(limit):
    course = Course(options(**{"steps": None, "warmup": 0.2, "learning_rate": 1.0, **limit}), 2000)
    done = [(step, 100 * step) for step in range(11)]
    shares = [course.share(*one) for one in done]
    assert shares == pytest.approx([step / 10 for step in range(11)])
    rates = [course.rate(share) for share in shares]
    assert rates[2] == 1.0
    assert 0 < rates[0] < rates[1] < 1
    assert rates[6] == pytest.approx(0.5)
    assert rates[10] == 0


def test_options_are_checked():
    for wrong, said in (
        ({"steps": None}, "give one of epochs, tokens, steps"),
        ({"tokens": 5}, "give one of"),
        ({"hidden": 30, "heads": 4}, "must divide"),
        ({"max_tokens": 65}, "more than positions"),
        ({"batch_tokens": 16}, "less than max_tokens"),
        ({"own_text": 0}, "there is no text"),
        ({"revision": "main"}, "revision is for checkpoints"),
        ({"objective": "replaced", "sentences": "next"}, "is for objective: masked"),
        ({"embedding": 8}, "is for objective: replaced"),
        ({"objective": "replaced", "embedding": 32}, "from hidden / heads to hidden"),
    ):
        with pytest.raises(ValueError, match=said):
            options(**wrong)
