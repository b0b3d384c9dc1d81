"""What folders of other people may hold, at every door by which a model comes in: refused, and nothing of it ran.

Beside each fault lies a canary: whoever unpickles or runs anything of the folder leaves a file.
"""

import json
import pickle
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import BertConfig, BertForMaskedLM

from tests.judged import NAME, identity, judged_template, key_of, run  # noqa: F401 -- a fixture
from wenhuo import Classifier, lineage, refusing, serving, versions
from wenhuo.comparing.compare import compare
from wenhuo.encoding import tokens
from wenhuo.encoding.options import Tokens
from wenhuo.errors import ModelError, WenhuoError
from wenhuo.explaining.explain import explain
from wenhuo.files import read_json, write_json
from wenhuo.gate.frozen import digests, freeze
from wenhuo.gate.passport import PASSPORT
from wenhuo.lineage import Identity
from wenhuo.models import backbones, transformer
from wenhuo.models.heads import Mean
from wenhuo.text.cleaning import Cleaning
from wenhuo.tracking import registration, registry, runs, store

HERE, CANARY = Path(), "canary"
AUTO = {"auto_map": {"AutoConfig": "evil.C", "AutoModel": "evil.M", "AutoTokenizer": ["evil.T", None]}}


class Evil:
    """Leaves the canary when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return open, (str(self.canary), "w")


def code(canary: Path) -> str:
    return f"open({str(canary)!r}, 'w')\nclass C: pass\nM = T = C\n"


def header(weights: Path, told: dict | bytes, size: int | None = None) -> None:
    """Replace the header of a safetensors file, and the size that it claims to have."""
    told = told if isinstance(told, bytes) else json.dumps(told).encode()
    weights.write_bytes(struct.pack("<Q", len(told) if size is None else size) + told + bytes(64))


def tensor(*offsets: int) -> dict:
    return {"dtype": "F32", "shape": [4], "data_offsets": list(offsets)}


def spoil(weights: Path, value: float) -> None:
    arrays = load_file(weights)
    name = sorted(arrays)[0]
    arrays[name] = np.full_like(arrays[name], value)
    save_file(arrays, weights, metadata={"format": "pt"})


def deep(value: dict) -> str:
    return "[" * 900 + json.dumps(value) + "]" * 900


def no_json(value: dict) -> str:
    """Such as Python alone reads."""
    return json.dumps({"dropout": float("nan"), **value})


WEIGHTS = {
    "a pickle called safetensors": lambda w, c: w.write_bytes(pickle.dumps(Evil(c))),
    "NaN": lambda w, c: spoil(w, float("nan")),
    "infinity": lambda w, c: spoil(w, -float("inf")),
    "a header of 2^63 bytes": lambda w, c: w.write_bytes(struct.pack("<Q", 2**63) + w.read_bytes()[8:]),
    "a header longer than the file": lambda w, c: header(w, {}, 10_000),
    "a header that is no JSON": lambda w, c: header(w, b"{" * 40),
    "a header that is deep": lambda w, c: header(w, b'{"a":' * 60_000),
    "tensors that overlap": lambda w, c: header(w, {"a": tensor(0, 16), "b": tensor(8, 24)}),
    "a tensor beyond the end": lambda w, c: header(w, {"a": tensor(0, 2**40)}),
    "a tensor that ends before it begins": lambda w, c: header(w, {"a": tensor(16, 0)}),
    "a cut-off file": lambda w, c: w.write_bytes(w.read_bytes()[:-9]),
    "an empty file": lambda w, c: w.write_bytes(b""),
}
FOLDERS = {
    "a pickle": lambda f, c: (f / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(c))),
    "a pickle in a folder": lambda f, c: ((f / "more").mkdir(), (f / "more/x.pkl").write_bytes(pickle.dumps(Evil(c)))),
    "code": lambda f, c: ((f / "code").mkdir(), (f / "code/evil.py").write_text(code(c))),
    "a library": lambda f, c: (f / "evil.so").write_bytes(b"\x7fELF"),
    "auto_map": lambda f, c: (f / "config.json").write_text(json.dumps(AUTO)),
    "auto_map, deep inside": lambda f, c: (f / "config.json").write_text(deep(AUTO)),
    "auto_map in what only Python reads": lambda f, c: (f / "config.json").write_text(no_json(AUTO)),
    "a hub's kernel": lambda f, c: (f / "config.json").write_text('{"attn_implementation": "evil/kernel"}'),
    "a folder elsewhere": lambda f, c: (f / "more").symlink_to(f.parent),
    "an unknown kind": lambda f, c: write_json(f / "wenhuo.json", read_json(f / "wenhuo.json") | {"kind": "evil"}),
    "another card": lambda f, c: (f / "wenhuo.json").write_text("[" * 100_000),
}


def refused(door, *given) -> str:
    """What is said at a door, which must be a sentence of ours."""
    with pytest.raises(WenhuoError) as caught:
        door(*given)
    return str(caught.value)


@pytest.fixture(scope="module")
def place(template, tmp_path_factory):
    """A project with the versions 1 and 2, the champion, and a candidate `evil` that is about to be spoilt."""
    root = Path(shutil.copytree(template, tmp_path_factory.mktemp("doors") / "project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(lineage, "identify_made", identity)
        for name in ("fair", "good"):
            run(name)
        shutil.copytree("parts", "data/split")
        yield store.connect()


@pytest.fixture
def evil(place, tmp_path):
    """The folder of the candidate, and version 1's in the store, both whole; they are put back afterwards."""
    kept = registry.fetch_model(f"models:/{NAME}/1")
    shutil.copytree(kept.parent, tmp_path / "kept")
    yield Path(shutil.copytree("models/fair", "models/evil")), kept
    shutil.rmtree("models/evil")
    shutil.rmtree(kept.parent)
    shutil.copytree(tmp_path / "kept", kept.parent)


def damage(fault: str, folder: Path, canary: Path) -> None:
    if fault in WEIGHTS:
        WEIGHTS[fault](folder / "linear.safetensors", canary)
    else:
        FOLDERS[fault](folder, canary)


def enter(client, folder: Path) -> None:
    """As a restoration registers what DVC's cache holds."""
    entry = registration.Entry(NAME, "evil", folder, "e" * 64, {"wenhuo.stage_key": "e" * 64})
    registration.enter(client, Path("reports"), entry, freeze(digests([("a", "x", "一")])))


@pytest.mark.parametrize("fault", [*WEIGHTS, *FOLDERS])
def test_no_door_lets_it_in(place, evil, tmp_path, fault):
    (folder, kept), canary = evil, tmp_path / CANARY
    before = Path("reports/decisions.jsonl").read_bytes()
    for one in (folder, kept):
        damage(fault, one, canary)
    for key in ("e" * 64, key_of(folder)):
        runs.open_run(place, Identity("train@evil", key), "evil", {})
    address = f"models:/{NAME}/1"
    for model in (folder, address):
        refused(Classifier.load, model)
        refused(lambda model: list(serving.classify(["房间很干净"], str(model))), model)
        refused(lambda model: explain("房间很干净", str(model), label=None, neighbours=0, among=0), model)
        refused(lambda model: compare("good", str(model), examples=0, bootstrap=100, seed=1), model)
    if key_of(folder) != key_of(Path("models/fair")):  # else it is version 1 already, whatever lies beside its weights
        refused(run, "evil")
    refused(enter, place, folder)
    for move in (versions.rollback, versions.promote):
        given = (HERE, None, "why", None) if move is versions.rollback else (HERE, 1, "why", None)
        assert "version 1 of wenhuo-made is refused: " in refused(move, *given)
    (kept.parent / PASSPORT).unlink()  # as beside the versions of earlier releases
    assert "version 1 of wenhuo-made is refused" in refused(versions.rollback, HERE, None, "why", None)
    assert registry.champion(place, NAME).number == 2
    assert [version.number for version in registry.versions(place, NAME)] == [1, 2]
    assert Path("reports/decisions.jsonl").read_bytes() == before
    assert not canary.exists()


def test_a_champion_that_was_spoilt_stays_until_a_person_decides(place, tmp_path):
    kept = registry.fetch_model(f"models:/{NAME}/2")
    FOLDERS["a pickle"](kept, tmp_path / CANARY)
    assert "pytorch_model.bin does not belong to it" in run("bad")["reason"]
    (kept.parent / PASSPORT).unlink()
    assert "pytorch_model.bin is neither weights nor configuration" in run("bad")["reason"]
    assert registry.champion(place, NAME).number == 2
    assert not (tmp_path / CANARY).exists()


def test_a_linear_model_is_looked_through_without_torch(linear_model, monkeypatch):
    monkeypatch.setattr(refusing, "_bad_in_torch", lambda path, keys: list(keys))
    Classifier.load(linear_model)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a transformer, and a checkpoint of the same make."""
    folder = tmp_path_factory.mktemp("whole")
    options = Tokens(kind="tokens", vocabulary=200, max_tokens=16)
    tokenizer = tokens.from_corpus(["房间很干净", "房间太脏"] * 2, options)
    tokens.save(tokenizer, folder / "model")
    size = len(tokenizer.inner)
    torch.manual_seed(1)
    backbone = backbones.scratch_backbone(vocabulary=size, layers=1, hidden=16, heads=2, positions=16, dropout=0.0)
    head = Mean(kind="mean")
    transformer.save(transformer.Network(backbone, head, 2, 0.0), folder / "model")
    card = {"kind": "transformer", "labels": ["a", "b"], "cleaning": Cleaning().model_dump(), "trained_on": {}}
    write_json(folder / "model/wenhuo.json", card | {"encoder": options.model_dump(), "head": head.model_dump()})
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertForMaskedLM(BertConfig(vocab_size=size, **shape)).save_pretrained(folder / "checkpoint")
    shutil.copy(folder / "model/vocab.txt", folder / "checkpoint")
    write_json(folder / "checkpoint/tokenizer_config.json", {"tokenizer_class": "BertTokenizer"})
    return folder


def change(path: Path, **values: object) -> None:
    write_json(path, (read_json(path) if path.exists() else {}) | values)


def adapter(folder: Path, canary: Path) -> None:
    """transformers would leave this folder, and load the network that an adapter's configuration names."""
    other = Path(shutil.copytree(folder, folder.parent / "other"))
    (other / "evil.py").write_text(code(canary))
    change(other / "config.json", model_type="evil", **AUTO)
    change(folder / "adapter_config.json", base_model_name_or_path=str(other), peft_type="LORA")


NETWORKS = {
    "an unknown model_type": lambda f, c: change(f / "config.json", model_type="evil"),
    "no model_type": lambda f, c: (f / "config.json").write_text("{}"),
    "a configuration that is none": lambda f, c: (f / "config.json").write_text("[1"),
    "another size": lambda f, c: change(f / "config.json", hidden_size="many"),
    "auto_map beside a known model_type": lambda f, c: (change(f / "config.json", **AUTO), (f / "evil.txt").touch()),
    "a hub's kernel": lambda f, c: change(f / "config.json", _attn_implementation="evil/kernel"),
    "an adapter of another network": adapter,
    **{name: lambda f, c, spoil=spoil: spoil(f / "model.safetensors", c) for name, spoil in WEIGHTS.items()},
}


@pytest.mark.parametrize("fault", NETWORKS)
def test_a_transformer_with_such_a_backbone_is_refused(whole, tmp_path, fault):
    folder = Path(shutil.copytree(whole / "model", tmp_path / "model"))
    Classifier.load(folder)
    NETWORKS[fault](folder / "backbone", tmp_path / CANARY)
    with pytest.raises(ModelError):
        Classifier.load(folder)
    refused(lambda: explain("房间很干净", str(folder), label=None, neighbours=0, among=0))
    assert not (tmp_path / CANARY).exists()


@pytest.mark.parametrize(
    "name", ["vocab.txt", "head.safetensors", "backbone/config.json", "backbone/model.safetensors"]
)
def test_a_part_that_is_gone_is_a_clear_error(whole, tmp_path, name):
    folder = Path(shutil.copytree(whole / "model", tmp_path / "model"))
    (folder / name).unlink()
    with pytest.raises(ModelError, match=r"missing|damaged|cannot be loaded"):
        Classifier.load(folder)


@pytest.mark.parametrize("fault", [*NETWORKS, "a pickle instead of weights", "a tokenizer with code"])
def test_such_a_checkpoint_is_refused(whole, tmp_path, fault):
    folder, canary = Path(shutil.copytree(whole / "checkpoint", tmp_path / "checkpoint")), tmp_path / CANARY
    (folder / "evil.py").write_text(code(canary))  # beside a checkpoint it may lie: nobody opens it
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(canary)))
    opened = (
        lambda: backbones.pretrained_backbone(str(folder), None),
        lambda: tokens.from_checkpoint(Tokens(kind="tokens", tokenizer=str(folder))),
    )
    for door in opened:
        door()
    if fault in NETWORKS:
        NETWORKS[fault](folder, canary)
    elif fault == "a pickle instead of weights":
        (folder / "model.safetensors").unlink()
    else:
        change(folder / "tokenizer_config.json", tokenizer_class="T", **AUTO)
    refused(opened[0])
    if fault in ("auto_map beside a known model_type", "a hub's kernel", "a tokenizer with code"):
        refused(opened[1])
    assert not canary.exists()
