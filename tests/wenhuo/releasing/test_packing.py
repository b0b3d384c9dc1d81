"""What ships: halves that load as exactly those numbers in float32, small enough, with a card that is true."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from tests.wenhuo.pretraining.conftest import run
from wenhuo.checkpoints import locate
from wenhuo.encoding.options import Tokens
from wenhuo.encoding.tokens import from_checkpoint
from wenhuo.errors import ModelError, SourceError
from wenhuo.files import read_json, sha256, write_json
from wenhuo.models.backbones import pretrained_backbone
from wenhuo.releasing.card import Release, read_sources
from wenhuo.releasing.packing import Limits, pack

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ({"repository": "a/b", "commit": "c" * 40, "licence": "MIT", "kind": "news", "characters": "1200"},)
HELD_OUT = {
    "files": [{"file": "x.txt", "lines": 10, "held_back": 3}],
    "evaluation": [{"file": "test.tsv", "texts": 7, "held_back": 3}],
    "chosen": {"share": 0.25, "of": 7, "kept": 2, "sets": [{"like": "a/train.tsv", "texts": 5, "lines": 2}]},
}
RELEASE = Release("tiny", "A tiny one.", "Apache-2.0", ("Everything.",), SOURCES, HELD_OUT, figures=(("x", "90.1"),))


@pytest.fixture(scope="module", params=["masked", "replaced"])
def backbone(request, parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return run(folder, parts, objective=request.param, steps=3)[0]


@pytest.fixture(scope="module")
def packed(backbone, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "tiny"
    told = read_json(backbone / "tokenizer_config.json")
    write_json(backbone / "tokenizer_config.json", told | {"is_local": True, "local_files_only": True})
    pack(backbone, folder, RELEASE)
    return folder


def test_halves_load_as_the_same_numbers_in_float32(backbone, packed):
    learnt, stored = load_file(backbone / "model.safetensors"), load_file(packed / "model.safetensors")
    model = AutoModel.from_pretrained(packed)
    loaded = model.state_dict()
    prefix = f"{model.base_model_prefix}."
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32}
    for name, tensor in stored.items():
        assert tensor.dtype == torch.float16
        assert torch.equal(tensor, learnt[name].half())
    for name, tensor in loaded.items():
        if "pooler" in name:  # BertModel makes a new one, which nothing of ours uses
            continue
        assert torch.equal(tensor, stored[prefix + name].float()), name
    assert "local" not in (packed / "tokenizer_config.json").read_text(encoding="utf-8")
    assert (packed / "model.safetensors").stat().st_mode & 0o444 == 0o444
    assert (packed / "model.safetensors").stat().st_size < 0.6 * (backbone / "model.safetensors").stat().st_size


def test_transformers_alone_loads_it_and_we_load_the_same(packed, monkeypatch):
    script = (
        "import sys, torch, transformers\n"
        "model = transformers.AutoModel.from_pretrained(sys.argv[1])\n"
        "tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "states = model(**tokenizer('今天天气很好', return_tensors='pt')).last_hidden_state\n"
        "print(states.dtype, float(states.double().sum()), 'wenhuo' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", script, packed], capture_output=True, text=True, check=True).stdout
    monkeypatch.setattr("wenhuo.checkpoints.SHIPPED", packed.parent)
    model = pretrained_backbone("builtin:tiny", locate("builtin:tiny").commit)
    tokenizer = from_checkpoint(Tokens(kind="tokens", tokenizer="builtin:tiny"))
    assert tokenizer.checkpoint == {"name": "builtin:tiny", "commit": locate(str(packed)).commit}
    given = tokenizer.inner("今天天气很好", return_tensors="pt")
    kind, total, ours = said.split()
    assert (kind, ours) == ("torch.float32", "False")
    assert float(model(**given).last_hidden_state.double().sum()) == pytest.approx(float(total), abs=1e-4)


def test_the_card_says_what_it_was_made_of_and_its_hash_is_the_files(backbone, packed):
    card = (packed / "README.md").read_text(encoding="utf-8")
    assert re.search(r"`([0-9a-f]{64})`", card)[1] == sha256(packed / "model.safetensors")
    parameters = int(re.search(r"\| parameters \| ([\d,]+)", card)[1].replace(",", ""))
    assert parameters == sum(tensor.numel() for tensor in load_file(packed / "model.safetensors").values())
    for said in (
        "7 lines that remained, 2 were",
        "25% most like",
        "a/train.tsv (5 texts)",
        "1,200 characters",
        "| a/b | `cccccccccc` | MIT | news | 1,200 |",
        "test.tsv (7 texts, 3 lines)",
    ):
        assert said in card
    assert "| x | 90.1 |" in card
    assert "- Everything." in card
    record = read_json(packed / "pretraining.json")
    assert record["packed"] == sha256(packed / "model.safetensors")
    assert f"It saw {record['tokens']:,} tokens." in card
    assert "| 1 | " in card
    assert "| 2 | " not in card


def test_the_card_tells_of_every_course(backbone, tmp_path):
    pack(backbone, tmp_path / "first", RELEASE)
    further = tmp_path / "further"
    shutil.copytree(backbone, further)
    known = read_json(tmp_path / "first" / "pretraining.json")
    text = known["text"] | {"chosen": HELD_OUT["chosen"]}
    options = known["options"] | {"join": True, "max_tokens": 48}
    again = read_json(backbone / "pretraining.json") | {"before": [known], "text": text, "options": options}
    write_json(further / "pretraining.json", again)
    pack(further, tmp_path / "second", RELEASE)
    card = (tmp_path / "second" / "README.md").read_text(encoding="utf-8")
    seen = f"{2 * known['tokens']:,} tokens in 2 courses"
    assert f"It saw {seen}, each going on from the weights of the one before." in card
    rows = [row for row in card.splitlines() if row.startswith(("| 1 |", "| 2 |"))]
    assert len(rows) == 2
    assert f"`{known['packed'][:12]}`" in rows[0]
    assert "2 of 7 lines" in rows[1]
    assert "rows of at most 48 tokens, short lines joined" in rows[1]
    assert "joined" not in rows[0]


def test_what_is_too_large_or_broken_does_not_ship(backbone, tmp_path):
    with pytest.raises(ModelError, match=r"more than 1,000\n.*smaller"):
        pack(backbone, tmp_path / "x", RELEASE, Limits(parameters=1000))
    with pytest.raises(ModelError, match="bytes, more than 1,000"):
        pack(backbone, tmp_path / "x", RELEASE, Limits(bytes=1000))
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in backbone.iterdir():
        if path.is_file():
            (broken / path.name).write_bytes(path.read_bytes())
    for bad in (float("nan"), 1e6):
        tensors = load_file(backbone / "model.safetensors")
        next(iter(tensors.values())).view(-1)[0] = bad
        save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ModelError, match="half precision cannot"):
            pack(broken, tmp_path / "x", RELEASE)
    assert not (tmp_path / "x").exists()


def test_a_table_of_sources(tmp_path):
    path = tmp_path / "SOURCES.tsv"
    path.write_text("repo\tcommit\tlicence\tkind\tsource\tcharacters\na/b\tabc\tMIT\tnews\tx\t12\n", encoding="utf-8")
    assert read_sources(path)[0]["repository"] == "a/b"
    path.write_text("name\ta\nb\tc\n", encoding="utf-8")
    with pytest.raises(SourceError, match="lacks the columns repository, licence"):
        read_sources(path)


@pytest.mark.slow
def test_a_wheel_holds_what_ships(packed, tmp_path):
    listed = subprocess.run(["git", "ls-files", "-z", "wenhuo"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in [*filter(None, listed.stdout.split("\0")), "pyproject.toml", "README.md", "LICENSE"]:
        if (ROOT / name).is_file():
            (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "src" / name).write_bytes((ROOT / name).read_bytes())
    target = tmp_path / "src" / "wenhuo" / "backbones" / "tiny"
    target.mkdir(parents=True)
    for path in packed.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(command, cwd=tmp_path / "src", check=True, capture_output=True)
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert {f"wenhuo/backbones/tiny/{path.name}" for path in packed.iterdir()} <= names
