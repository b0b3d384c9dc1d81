"""What ships is what its card says: its hash, its size, and a network that transformers loads with no code of ours."""

import re
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForMaskedLM, AutoTokenizer

from wenhuo.checkpoints import SHIPPED, locate, longest_learnt
from wenhuo.files import read_json, sha256

NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))
LOAD = """
import sys, transformers
tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
model = transformers.AutoModel.from_pretrained(sys.argv[1])
states = model(**tokenizer("房间很干净", return_tensors="pt")).last_hidden_state
print(tuple(states.shape), states.dtype, "wenhuo" in sys.modules)
"""


def test_the_default_candidate_has_one():
    assert "wenhuo-mini" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_that_of_the_files(name):
    folder = locate(f"builtin:{name}").folder
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert re.search(r"`([0-9a-f]{64})`", card)[1] == sha256(folder / "model.safetensors")
    with safe_open(folder / "model.safetensors", "pt") as weights:
        sizes = [weights.get_slice(key).get_shape() for key in weights.keys()]  # noqa: SIM118 (it is no dict)
    parameters = sum(torch.Size(size).numel() for size in sizes)
    assert f"| parameters | {parameters:,}," in card
    assert parameters <= 12_000_000
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 16_000_000
    assert read_json(folder / "config.json")["max_position_embeddings"] == longest_learnt(folder) == 512
    for heading in ("## How it was made", "## Text", "## Figures", "## What it is bad at"):
        assert heading in card


@pytest.mark.parametrize("name", NAMES)
def test_transformers_alone_loads_it(name):
    done = subprocess.run([sys.executable, "-c", LOAD, SHIPPED / name], capture_output=True, text=True, check=True)
    hidden = read_json(SHIPPED / name / "config.json")["hidden_size"]
    assert done.stdout.strip() == f"(1, 7, {hidden}) torch.float32 False"


def test_it_has_read_chinese():
    """A gap is filled with a character that fits; a network that has learnt nothing names any of 8,000."""
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED / "wenhuo-mini")
    model = AutoModelForMaskedLM.from_pretrained(SHIPPED / "wenhuo-mini").eval()
    for text, fits in (("酒店的房间很[MASK]净", "干"), ("我们去北[MASK]旅游", "京"), ("这本书的内[MASK]很好", "容")):
        given = tokenizer(text, return_tensors="pt")
        place = given["input_ids"][0].tolist().index(tokenizer.mask_token_id)
        with torch.no_grad():
            best = model(**given).logits[0, place].topk(5).indices
        assert fits in tokenizer.convert_ids_to_tokens(best), text


def test_every_character_is_a_token_and_latin_words_are_pieces():
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED / "wenhuo-mini")
    assert tokenizer.tokenize("服务态度") == ["服", "务", "态", "度"]
    pieces = tokenizer.tokenize("xyzzyplugh")
    assert len(pieces) > 1
    assert tokenizer.unk_token not in pieces
