"""What is kept beside a registered model, so that it can be trusted later: ``passport.json``.

The hash of every file of its folder, what it says of some probe sentences, and the rows of the test set that it was
measured on. Before a version becomes champion again its files must be those, and it must say what it said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
from pydantic import Field, ValidationError

from wenhuo.errors import ModelError
from wenhuo.files import sha256, write_json
from wenhuo.gate.frozen import Frozen
from wenhuo.models.classifier import Classifier
from wenhuo.settings import Section

PASSPORT = "passport.json"
TOLERANCE = 0.005
"""By so much a probability may differ: other processors move it by less than 0.001, a damaged weight that matters moves
it by more. Files are compared to the byte anyway."""
DIGITS = 6
PROBES = (
    "房间很干净，前台也热情，下次还来。",
    "太失望了，电池一天就没电，客服也不理人！",
    "还行吧，价格一般，没有什么特别的。",
    "物流很快，包装完好；就是說明書寫得不清楚。",
    "Great value for money, but the screen scratches easily.",
    "２０２４年買的ｉＰａｄ，用到現在都沒問題👍",
    "股市今日收盘上涨1.2%，成交量创三个月新高",
    "？？？",
    "",
)
"""Sentences of our own, so that a model can be tried without keeping anybody's text."""


class OtherAnswersError(ModelError):
    """A model whose files may be whole, and that no longer says what it said."""


class Probe(Section):
    """A text and the probability of each label."""

    text: str
    probabilities: list[float]


class Passport(Section):
    """What ``passport.json`` holds."""

    format: Literal[1] = 1
    labels: list[str]
    files: dict[str, str] = Field(description="Path below the folder to SHA-256, in hexadecimal.")
    probes: list[Probe]
    test_set: str = Field(description="The hash of the test set that it was measured on.")
    test_rows: str = Field(description="The digests of its rows, packed.")

    def frozen(self) -> Frozen | None:
        """The test set; None where it cannot be read."""
        try:
            return Frozen.unpack(self.test_rows)
        except ValueError:
            return None


def make(folder: Path, frozen: Frozen, texts: Sequence[str] = ()) -> Passport:
    """The passport of a model.

    Args:
        folder: the model's.
        frozen: the test set that it was measured on.
        texts: probe sentences besides our own.
    """
    model, asked = Classifier.load(folder), [*PROBES, *texts]
    said = model.probabilities(asked).round(DIGITS).tolist()
    probes = [Probe(text=text, probabilities=row) for text, row in zip(asked, said, strict=True)]
    packed = {"test_set": frozen.hash, "test_rows": frozen.packed()}
    return Passport(labels=model.labels, files=hashes(folder), probes=probes, **packed)


def without_texts(passport: Passport, examples: int) -> dict[str, Any]:
    """What of a passport may stand in git: all but the last texts, which are rows of the corpus, and the digests.

    Args:
        passport: of a model.
        examples: how many of its probe sentences, the last ones, are rows of test.
    """
    own = passport.probes[: len(passport.probes) - examples]
    answers = [probe.probabilities for probe in passport.probes[len(own) :]]
    kept = passport.model_dump(include={"labels", "files", "test_set"})
    return kept | {"probes": [probe.model_dump() for probe in own], "answers": answers}


def completed(kept: Mapping[str, Any], texts: Sequence[str], frozen: Frozen) -> Passport:
    """The passport of which :func:`without_texts` was kept.

    Args:
        kept: of it.
        texts: the rows of test that were asked.
        frozen: the test set.

    Raises:
        ModelError: they do not belong together.
    """
    answers = [{"text": text, "probabilities": row} for text, row in zip(texts, kept["answers"], strict=False)]
    if len(texts) != len(kept["answers"]) or kept["test_set"] != frozen.hash:
        raise ModelError("the test rows at hand are not those that it was asked", "`dvc pull` may bring them")
    told = {name: kept[name] for name in ("labels", "files", "test_set")}
    return Passport.model_validate(told | {"probes": [*kept["probes"], *answers], "test_rows": frozen.packed()})


def hashes(folder: Path) -> dict[str, str]:
    """The hash of every file of a folder, by its path below it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def write(path: Path, passport: Passport) -> None:
    """Write a passport."""
    write_json(path, passport.model_dump())


def read(path: Path) -> Passport | None:
    """The passport in a file; None where there is no such file, as beside the models of earlier releases.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return Passport.model_validate(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (orjson.JSONDecodeError, ValidationError):
        raise ModelError(f"{path.name} of the model is damaged", "restore the model's files") from None


def check_files(folder: Path, passport: Passport) -> None:
    """Compare every file with its hash.

    Raises:
        ModelError: one is missing, changed, or stands there besides.
    """
    found, hint = hashes(folder), "restore the file, or choose another version (`wenhuo history`)"
    missing = sorted(passport.files.keys() - found.keys())
    changed = sorted(name for name in passport.files.keys() & found.keys() if passport.files[name] != found[name])
    besides = sorted(found.keys() - passport.files.keys())
    for names, what in ((missing, "is missing"), (changed, "is damaged"), (besides, "does not belong to it")):
        if names:
            more = f", and {len(names) - 1} more" if len(names) > 1 else ""
            raise ModelError(f"its file {names[0]} {what}{more}", hint)


def check_answers(folder: Path, passport: Passport) -> None:
    """Ask the probe sentences again.

    Raises:
        ModelError: the model cannot be loaded.
        OtherAnswersError: it says something else.
    """
    model = Classifier.load(folder)
    said = model.probabilities([probe.text for probe in passport.probes])
    apart = np.abs(said - np.array([probe.probabilities for probe in passport.probes]))
    if model.labels != passport.labels or apart.max(initial=0) > TOLERANCE:
        worst = passport.probes[int(apart.max(axis=1).argmax())].text
        raise OtherAnswersError(
            f"it no longer says what it said when it was registered: by {apart.max():.4f} apart on “{worst[:40]}”",
            "look for other versions of libraries than constraints.txt names",
        )
