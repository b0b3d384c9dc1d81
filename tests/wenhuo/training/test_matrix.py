"""Every head under every way of tuning, every objective and every optimizer: trained, saved, and the same elsewhere.

All models are trained here and loaded by one process that has seen nothing but their folders.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from scipy.special import softmax

from tests.wenhuo.models.test_families import families  # noqa: F401 - a fixture
from tests.wenhuo.training.conftest import train
from tests.wenhuo.training.test_tuning import HEADS
from wenhuo.encoding import corpus, tokens
from wenhuo.encoding.options import Tokens
from wenhuo.encoding.store import read_rows
from wenhuo.models import transformer
from wenhuo.models.folder import read_card
from wenhuo.models.heads import AnyHead
from wenhuo.models.temperature import tempered
from wenhuo.models.tuning import AnyTuning
from wenhuo.training.options import Objective, TransformerCandidate

ROOT = Path(__file__).resolve().parents[3]
SHAPE = {"layers": 2, "hidden": 16, "epochs": 1, "batch_size": 60, "precision": "float32"}
TUNED = {
    "full": "full",
    "head": "head",
    "last": {"kind": "last", "layers": 1},
    "bitfit": "bitfit",
    "lora": {"kind": "lora", "rank": 2, "dropout": 0.1},
    "adalora": {"kind": "adalora", "start_rank": 4, "rank": 2, "hold": 0, "settle": 0},
    "ia3": "ia3",
}
OBJECTIVES = {
    "class_weights": {"negative": 1.0, "neutral": 2.0, "positive": 0.5},
    "label_smoothing": 0.1,
    "focal": 2.0,
    "r_drop": 1.0,
    "fgm": 0.05,
}


def matrix() -> dict[str, dict[str, Any]]:
    """The options of each model by a name for its folder."""
    many: dict[str, dict[str, Any]] = {}
    for head in HEADS:
        kind = head if isinstance(head, str) else head["kind"]
        many |= {f"{kind}-{name}": {"head": head, "tune": TUNED[name]} for name in ("full", "head", "lora")}
    many |= {f"tune-{name}": {"tune": given} for name, given in TUNED.items()}
    many |= {f"merged-{n}": {"tune": {"kind": n, "merge": True}} for n in ("lora", "ia3")}
    many |= {f"objective-{name}": {"objective": {name: value}} for name, value in OBJECTIVES.items()}
    many["objective-balanced"] = {"objective": {"class_weights": "balanced"}}
    many["objective-all"] = {"objective": OBJECTIVES}
    many |= {f"optimizer-{name}": {"optimizer": name} for name in ("adamw", "sgd", "adafactor")}
    many |= {f"schedule-{name}": {"schedule": name} for name in ("linear", "cosine", "constant")}
    many["decay"] = {"layer_decay": 0.8, "clip": 0.5}
    many["little-memory"] = {"gradient_checkpointing": True, "tokens_at_once": 300}
    many["by-tokens"] = {"batch_size": None, "batch_tokens": 600}
    return many


MATRIX = matrix()
DECODERS = {f"decoder-{name}": {"head": "last", "tune": TUNED[name]} for name in ("full", "head", "lora")}

LOAD = """
import sys
from pathlib import Path
import numpy as np
from wenhuo import Classifier
texts = Path(sys.argv[1]).read_text(encoding="utf-8").split("\\n")
for folder in map(Path, sys.argv[2:]):
    np.save(folder / "elsewhere.npy", Classifier.load(folder / "model").probabilities(texts))
"""


@pytest.fixture(scope="module")
def models(tokens, parts, families, tmp_path_factory):  # noqa: F811
    """Each model's folder, with what its network said at the end of the training and what it says elsewhere."""
    place = tmp_path_factory.mktemp("matrix")
    texts = corpus.read_dataset(parts).texts("validation")
    (place / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, chosen in MATRIX.items():
            keep_answers(patch, tokens, place / name)
            train(place / name, tokens, **SHAPE | chosen)
        for name, chosen in DECODERS.items():
            keep_answers(patch, families("qwen2"), place / name)
            train(place / name, families("qwen2"), **SHAPE | chosen | {"backbone": "checkpoint", "batch_size": 240})
    names = [*MATRIX, *DECODERS]
    command = [sys.executable, "-c", LOAD, place / "texts.txt", *(place / name for name in names)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    subprocess.run(list(map(str, command)), check=True, env=environment, cwd=place)
    return {name: place / name for name in names}


def keep_answers(patch: pytest.MonkeyPatch, encoded: Path, folder: Path) -> None:
    """Have the network asked about validation when it is about to be saved (which takes an adapted one apart)."""
    save = transformer.save.__wrapped__ if hasattr(transformer.save, "__wrapped__") else transformer.save

    def asked(network: Any, target: Path, *rest: Any) -> None:
        rows = read_rows(encoded / "validation.arrow")
        pad = tokens.load(encoded, Tokens.model_validate(corpus.read_card(encoded)["options"])).pad
        flat = [rows.row(i) for i in range(len(rows))]
        scores = transformer.logits(network.eval(), flat, pad, torch.device("cpu"), torch.float32)
        np.save(folder / "here.npy", softmax(scores.astype(np.float64), axis=1))
        save(network, target, *rest)

    asked.__wrapped__ = save  # type: ignore[attr-defined]
    patch.setattr(transformer, "save", asked)


@pytest.mark.parametrize("name", [*MATRIX, *DECODERS])
def test_it_says_elsewhere_what_it_said_at_the_end_of_its_training(models, name):
    here, elsewhere = (np.load(models[name] / f"{where}.npy") for where in ("here", "elsewhere"))
    assert here.shape == (60, 3)
    assert np.abs(tempered(here, read_card(models[name] / "model").temperature) - elsewhere).max() < 1e-7
    assert here.std(0).max() > 1e-5, "it does not say the same of every row"
    counted = read_card(models[name] / "model").parameters
    assert 0 < counted["trained"] <= counted["all"]


def kinds(union: Any) -> set[str]:
    return {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(get_args(union)[0])}


def test_the_matrix_leaves_nothing_out():
    """A head, a way of tuning, an objective, an optimizer or a schedule that is added must be added here."""
    assert {name.split("-")[0] for name in MATRIX if name.endswith(("-full", "-head", "-lora"))} >= kinds(AnyHead)
    assert set(TUNED) == kinds(AnyTuning)
    assert set(OBJECTIVES) == set(Objective.model_fields)
    for field in ("optimizer", "schedule"):
        tried = {options.get(field) for options in MATRIX.values()}
        assert tried >= set(get_args(TransformerCandidate.model_fields[field].annotation))
