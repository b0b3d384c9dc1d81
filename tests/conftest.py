"""A tiny corpus, built in code, that the tests of encoders, models and training share."""

import os
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wenhuo.files import write_json
from wenhuo.text.cleaning import Cleaning

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # two workers on two cores must not spin for each other
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"

PRINT_PEAK = (  # in kilobytes; ru_maxrss will not do: Linux hands the parent's down to a child
    "import re, pathlib\nprint(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])\n"
)

GOOD = ("好评", "满意", "干净", "喜欢", "推荐", "超值")
BAD = ("差评", "失望", "肮脏", "讨厌", "退货", "太贵")
NEUTRAL = ("一般", "还行", "普通", "凑合", "中等", "马虎")
FILLER = "这家酒店的房间前台书本纸张电脑屏幕键盘物流包装服务员我们昨天入住感觉东西"


def make_rows(count: int, labels: dict[str, tuple[str, ...]], seed: int) -> list[tuple[str, str]]:
    """Texts that hold one telling word of their label among filler."""
    draw = random.Random(seed)
    rows = []
    for i in range(count):
        label = list(labels)[i % len(labels)]
        filler = [draw.choice(FILLER) for _ in range(draw.randint(4, 24))]
        filler.insert(draw.randrange(len(filler)), draw.choice(labels[label]))
        rows.append(("".join(filler), label))
    return rows


def write_parts(folder: Path, sizes: dict[str, int], labels: dict[str, tuple[str, ...]]) -> Path:
    """A folder as the stage `split` writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (split, count) in enumerate(sizes.items()):
        rows = make_rows(count, labels, seed)
        table = {
            "id": [f"{split}-{i:05d}" for i in range(count)],
            "text": [t for t, _ in rows],
            "label": [x for _, x in rows],
        }
        frame = pl.DataFrame(table).with_columns(leaked=pl.lit(False), origin=pl.lit("made"), row=pl.int_range(count))
        frame.write_parquet(folder / f"{split}.parquet")
    about = {"labels": sorted(labels), "cleaning": Cleaning().model_dump(), "source": "made", "synthetic": True}
    write_json(folder / "dataset.json", about | {"rows": sizes, "hash": {s: s[0] * 64 for s in sizes}})
    return folder


@pytest.fixture(autouse=True)
def own_store() -> None:
    """No test writes to another's runs, or to those of whoever runs it: what ``mlflow.set_tracking_uri`` sets goes."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 train, 60 validation and 60 test rows of three classes."""
    labels = {"negative": BAD, "neutral": NEUTRAL, "positive": GOOD}
    return write_parts(tmp_path_factory.mktemp("parts"), {"train": 240, "validation": 60, "test": 60}, labels)


@pytest.fixture(scope="session")
def linear_model(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a linear model of the tiny corpus."""
    from wenhuo.encoding import corpus
    from wenhuo.encoding.options import Ngrams
    from wenhuo.training import candidate
    from wenhuo.training.options import LinearCandidate

    folder = tmp_path_factory.mktemp("linear")
    corpus.encode_ngrams(Ngrams(kind="ngrams"), corpus.read_dataset(parts), folder / "encoded")
    (folder / "model").mkdir()
    candidate.train_linear(LinearCandidate(kind="linear", encoder="x", c=5), 13, folder / "encoded", folder / "model")
    return folder / "model"


@pytest.fixture
def random_numbers() -> np.random.Generator:
    return np.random.default_rng(13)
