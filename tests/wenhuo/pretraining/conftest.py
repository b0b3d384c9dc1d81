"""Texts without labels beside the tiny corpus, and what the tests of pretraining do with them."""

import random
from pathlib import Path

import polars as pl
import pytest

from wenhuo.pretraining import pretrain
from wenhuo.pretraining.options import Pretraining

WORDS = (
    "今天",
    "天气",
    "很好",
    "我们",
    "公园",
    "散步",
    "早餐",
    "不错",
    "服务员",
    "热情",
    "房间",
    "干净",
    "wifi",
    "电影",
    "好看",
)
MARKS = "，。！？；"
TINY = {
    "layers": 1,
    "hidden": 16,
    "heads": 2,
    "positions": 64,
    "max_tokens": 32,
    "vocabulary": 200,
    "batch_tokens": 256,
    "held_out_tokens": 300,
    "measurements": 3,
    "log_steps": 5,
    "steps": 20,
    "learning_rate": 0.01,
    "checkpoint_seconds": 0,
}


def make_lines(count: int, seed: int = 0) -> list[str]:
    """Lines of sentences of words."""
    draw = random.Random(seed)
    return [
        "".join(
            "".join(draw.choices(WORDS, k=draw.randint(2, 5))) + draw.choice(MARKS) for _ in range(draw.randint(1, 5))
        )
        for _ in range(count)
    ]


def options(**more) -> Pretraining:
    return Pretraining.model_validate(TINY | more)


def run(folder: Path, parts: Path, **more):
    """Pretrain into ``folder/made``; return it and the curves."""
    chosen = options(**more)
    versions = {"files": [{"path": path, "version": "sha256:0", "size": 1} for path in chosen.text], "start": None}
    made = folder / "made"
    made.mkdir(parents=True)
    return made, pretrain.pretrain(chosen, 13, parts, versions, folder / "work", made, lambda points: None)


@pytest.fixture
def lines(tmp_path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(make_lines(300)) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def measured(parts) -> list[str]:
    """The texts of validation and test."""
    return [text for name in ("validation", "test") for text in pl.read_parquet(parts / f"{name}.parquet")["text"]]
