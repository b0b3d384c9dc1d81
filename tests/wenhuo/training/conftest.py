"""The tiny corpus encoded, and what the tests of training do with it."""

import hashlib
from pathlib import Path

import pytest

from wenhuo.encoding import corpus
from wenhuo.encoding.options import Ngrams, Tokens
from wenhuo.training import candidate, checkpoint, loop
from wenhuo.training.options import TransformerCandidate

SMALL = {"layers": 1, "hidden": 32, "heads": 2, "learning_rate": 0.003, "batch_size": 16, "epochs": 6, "log_steps": 3}


def options(**more):
    return TransformerCandidate(**{"kind": "transformer", "encoder": "characters", **SMALL, **more})


@pytest.fixture(scope="session")
def tokens(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded") / "characters"
    corpus.encode_tokens(Tokens(kind="tokens"), corpus.read_dataset(parts), folder)
    return folder


@pytest.fixture(scope="session")
def ngrams(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded") / "ngrams"
    corpus.encode_ngrams(Ngrams(kind="ngrams"), corpus.read_dataset(parts), folder)
    return folder


def train(folder: Path, encoded: Path, **more):
    model = folder / "model"
    model.mkdir(parents=True, exist_ok=True)
    points = candidate.train_transformer(
        options(**more), 13, encoded, model, folder / "checkpoints", lambda points: None
    )
    return model, points


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class Killed(Exception):  # noqa: N818 - no error
    """Stands for a process that is no more."""


def train_with_a_kill(folder: Path, encoded: Path, monkeypatch, after: int, **more):
    """Train, and be killed when ``after`` checkpoints are complete; go on with nothing but what is on disk."""
    save, count = checkpoint.save, 0

    def save_and_die(*arguments):
        nonlocal count
        save(*arguments)
        count += 1
        if count == after:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", save_and_die)
        patch.setattr(loop, "SAVING_SHARE", 1e9)  # after every step
        with pytest.raises(Killed):
            train(folder, encoded, **more, checkpoint_seconds=0)
    assert list((folder / "checkpoints").glob("step-*"))
    return train(folder, encoded, **more, checkpoint_seconds=0)
