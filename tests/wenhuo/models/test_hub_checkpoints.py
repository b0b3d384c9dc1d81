"""Checkpoints of a hub: fetched once, recorded with their commit, used without it; what is refused, and how.

The hub's library reads its environment when it is imported, so what asks the hub is a process of its own.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from tests.hub_server import hub_environment, running

ROOT = Path(__file__).resolve().parents[3]
OLD, NEW, PICKLED, FOREIGN, FOREIGN_WORDS = ("a" * 40, "b" * 40, "c" * 40, "d" * 40, "e" * 40)
NAME = "owner/bert"

# What the stages encode and train do with a checkpoint of a hub, and what the model says; a line each.
WORK = """
import json, sys
from pathlib import Path
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.errors import WenhuoError
from wenhuo.models.folder import read_card
from wenhuo.training import candidate
from wenhuo.training.options import TransformerCandidate

parts, folder = map(Path, sys.argv[1:3])
chosen = TransformerCandidate(kind="transformer", encoder="x", backbone="checkpoint", epochs=1, batch_size=240)
for number, line in enumerate(sys.stdin):
    name, revision = json.loads(line)
    encoded, model = folder / f"encoded-{number}", folder / f"model-{number}"
    try:
        options = Tokens(kind="tokens", tokenizer=name, revision=revision, max_tokens=32)
        corpus.encode_tokens(options, corpus.read_dataset(parts), encoded)
        model.mkdir(parents=True)
        candidate.train_transformer(chosen, 13, encoded, model, folder / "checkpoints", lambda points: None)
        candidate.forget(folder / "checkpoints")
        card, said = read_card(model), Classifier.load(model).predict(["房间很干净"])[0].probability
        told = {"backbone": card.backbone, "commit": card.backbone_commit, "said": said}
        told["encoded"] = corpus.read_card(encoded)["checkpoint"]["commit"]
    except WenhuoError as error:
        told = {"error": str(error)}
    print("told", json.dumps(told), flush=True)
"""


class Worker:
    """A process that knows no hub but that at ``port``, and keeps what it fetches under ``home``."""

    def __init__(self, parts: Path, home: Path, name: str, port: int) -> None:
        command = [sys.executable, "-c", WORK, str(parts), str(home / name)]
        environment = hub_environment(port, home) | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=environment, cwd=home, text=True, **pipes)

    def ask(self, name: str, revision: str | None = None) -> dict:
        """What became of a checkpoint."""
        self.process.stdin.write(json.dumps([name, revision]) + "\n")
        self.process.stdin.flush()
        line = next(line for line in self.process.stdout if line.startswith("told "))
        return json.loads(line.removeprefix("told "))

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        assert self.process.wait(60) == 0


def checkpoint_files(folder: Path, seed: int) -> dict[str, bytes]:
    torch.manual_seed(seed)
    entries = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *dict.fromkeys("好评满意干净喜欢推荐超值差失望肮脏讨厌退货"),
    ]
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertForMaskedLM(BertConfig(vocab_size=len(entries), max_position_embeddings=64, **shape)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}), encoding="utf-8")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def commits(tmp_path_factory):
    """The main branch stands at the second commit; other revisions hold what must be refused."""
    old, new = (checkpoint_files(tmp_path_factory.mktemp(f"bert{seed}"), seed) for seed in (1, 2))
    code = {
        "modeling_evil.py": b"raise SystemExit('evil code ran')",
        "tokenization_evil.py": b"raise SystemExit('evil code ran')",
    }
    foreign = {"model_type": "evil", "auto_map": {"AutoConfig": "modeling_evil.C", "AutoModel": "modeling_evil.M"}}
    words = {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["tokenization_evil.T", None]}}
    plain = {name: body for name, body in new.items() if name != "vocab.txt"}
    return {
        NEW: new | code | {"pytorch_model.bin": b"\x80\x04."},
        OLD: old,
        PICKLED: {name: body for name, body in new.items() if name != "model.safetensors"}
        | {"pytorch_model.bin": b"\x80\x04."},
        FOREIGN: new | code | {"config.json": json.dumps(foreign).encode()},
        FOREIGN_WORDS: plain | code | {"tokenizer_config.json": json.dumps(words).encode()},
    }


@pytest.fixture(scope="module")
def told(commits, parts, tmp_path_factory):
    """What a process was told before there was a hub, while there was one, and another process after it had gone."""
    home, found = tmp_path_factory.mktemp("home"), {}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Worker(parts, home, "with", port) as worker:
        found["away at first"] = worker.ask(NAME)
        with running("models", NAME, commits, port) as hub:
            found |= {"newest": worker.ask(NAME), "pinned": worker.ask(NAME, OLD)}
            asked = hub.requests
            found["once more"] = worker.ask(NAME, OLD)
            found["requests"] = hub.requests - asked
            refused = {"pickled": PICKLED, "foreign": FOREIGN, "foreign words": FOREIGN_WORDS, "no revision": "f" * 40}
            found |= {kind: worker.ask(NAME, revision) for kind, revision in refused.items()}
            found["no name"] = worker.ask("owner/none")
    with Worker(parts, home, "without", port) as worker:
        found |= {"newest without": worker.ask(NAME), "pinned without": worker.ask(NAME, OLD)}
        found["other without"] = worker.ask("owner/other")
    found["files"] = {path.name for path in (home / "hub").rglob("*") if path.is_file()}
    return found


def test_a_checkpoint_is_fetched_once_and_recorded_with_its_commit(told):
    for kind, commit in (("newest", NEW), ("pinned", OLD), ("once more", OLD)):
        found = told[kind]
        assert (found["backbone"], found["commit"], found["encoded"]) == (NAME, commit, commit)
    assert told["newest"]["said"] != told["pinned"]["said"] == told["once more"]["said"]
    assert told["requests"] <= 4, "what is here is looked up, if at all, and not fetched again"


def test_without_the_hub_the_same_is_trained_from_what_is_here(told):
    for kind in ("newest", "pinned"):
        assert told[f"{kind} without"] == told[kind]
    assert "cannot be reached for owner/other" in told["other without"]["error"]


def test_neither_code_nor_pickles_are_fetched(told):
    assert "model.safetensors" in told["files"]
    assert not [name for name in told["files"] if name.endswith((".py", ".bin"))]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("away at first", "the hub cannot be reached for owner/bert"),
        ("pickled", "holds no safetensors weights, and wenhuo loads no pickles"),
        ("foreign", "config.json asks for foreign code"),
        ("foreign words", "tokenizer_config.json asks for foreign code"),
        ("no revision", f"no checkpoint {NAME} at revision {'f' * 40}"),
        ("no name", "no checkpoint owner/none"),
    ],
)
def test_what_cannot_be_used_is_told_in_two_lines(told, kind, said):
    error = told[kind]["error"]
    assert said in error
    assert len(error.splitlines()) == 2
    assert "evil code ran" not in error


def test_a_hub_that_is_away_hints_at_its_address(told):
    assert "HF_ENDPOINT" in told["away at first"]["error"].splitlines()[1]
