"""Cards of versions built in code: every figure is known, and some of what is shown means harm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.wenhuo.evaluation.conftest import make
from wenhuo.cards.material import CardMaterial, Subject
from wenhuo.cards.options import CardWords
from wenhuo.cards.texts import Texts
from wenhuo.evaluation.material import Material
from wenhuo.gate.decisions import Decision

NAMES = {"mini": 12, "linear": 8}
KEY = "c" * 64
TEXTS = Texts(700, 18, 60, 90, {"Chinese": 0.98, "Latin": 0.02}, 0.001)
COMPARED = {"first": 0.91, "second": 0.88, "low": 0.01, "high": 0.05, "only_first": 30, "only_second": 9}
DECISION = Decision(
    when="2026-11-20T08:00:00+00:00",
    model="wenhuo-评论",
    verdict="promoted",
    reason="it beats version 2, macro-F1 0.9100 to 0.8800",
    version=3,
    before=2,
    champion=3,
    test_set="f" * 64,
    checks=[
        {"name": "macro-F1", "passed": True, "reason": "it beats version 2", "figures": COMPARED | {"p_value": 0.001}},
        {"name": "latency", "passed": False, "reason": "it takes 1200 milliseconds"},
    ],
)
COURSE = [(0.2, 0.99, 1.0, 240), (0.5, 0.97, 0.6, 144), (0.9, 0.8, 0.2, 48), (0.99, None, 0.0, 0)]
CALIBRATION = {
    "temperature": 1.3125,
    "abstain_below": 0.625,
    "abstain_for": 0.95,
    **{
        split: {
            "coverage_curve": [
                {"threshold": t, "accuracy": a, "coverage": c, "rows": rows} for t, a, c, rows in COURSE
            ],
            "untempered": {"log_loss": 0.41, "calibration_error": 0.0525},
            "answered": {"coverage": 0.85, "accuracy": 0.975, "rows": 204},
        }
        for split in ("validation", "test")
    },
}
RUN = {
    "stage": "train@mini",
    "parameters": {
        "seed": 13,
        "head": {"kind": "mean"},
        "encoder": {"kind": "tokens", "tokenizer": "/home/li/secret/bert"},
    },
    "tags": {
        "mlflow.source.git.commit": "a" * 40,
        "wenhuo.git_dirty": "false",
        "wenhuo.cpu": "A processor",
        "wenhuo.threads": "2",
        "wenhuo.python": "3.11.7",
        "wenhuo.environment_sha256": "e" * 64,
    },
}
REPORTS: dict[str, dict[str, Any]] = {
    "ingest": {"rows": 1000, "rejected": 2, "reasons": {"blank label": 2}},
    "validation": {},
    "clean": {
        "rows": {"in": {"train": 800}, "out": {"train": 700}},
        "removed": {"stands in test": {"train": 60}, "repeats an earlier row": {"train": 40}},
        "corrections": {"relabelled": 3, "taken_out": 1},
        "changed": {"texts": 17},
    },
    "split": {"labels": {"差评": {"train": {"rows": 12}}, "好评": {"train": {"rows": 688}}}},
    "audit": {"suspects": {"flagged": {"test": 5}, "looked_at": {"test": 240}}},
}


def material_of(labels: list[str], **changes: Any) -> CardMaterial:
    """The card of version 3, a small transformer beside a linear baseline."""
    page = make(labels, NAMES)
    summary = dict(page.summary) | {"calibration": dict.fromkeys(NAMES, CALIBRATION)}
    test, guesses = page.parts["test"], page.candidates["mini"].guesses("test")
    pairs = [(labels[t], labels[g]) for t, g in zip(test.truth.tolist(), guesses.tolist(), strict=True)]
    told = {
        "subject": Subject("wenhuo-评论", 3, "mini", KEY, {"wenhuo.dvc_lock_sha256": "d" * 64}, examples=3),
        "words": CardWords(),
        "summary": summary,
        "baseline": "linear",
        "card": page.candidates["mini"].answers.card,
        "run": RUN,
        "measured": {},
        "reports": REPORTS,
        "verdict": DECISION,
        "champion": {
            "name": "wenhuo-评论",
            "number": 2,
            "candidate": "old",
            "tags": {"wenhuo.test_macro_f1": "0.880000"},
        },
        "shown": 20,
        "page": Material(summary, {"validation": page.parts["validation"]}, page.candidates),
        "confusion": [(*pair, pairs.count(pair)) for pair in sorted(set(pairs))],
        "curves": {"roc": [(label, [(0.0, 0.0), (0.1, 0.8), (1.0, 1.0)]) for label in labels[:6]]},
        "reliability": [(0.6, 0.5, 40), (0.9, 0.92, 200)],
        "texts": TEXTS,
    }
    return CardMaterial(**(told | changes))


def without(material: CardMaterial, *keys: str) -> CardMaterial:
    """As an older release's metrics.json would make it."""
    summary = {name: value for name, value in material.summary.items() if name not in keys}
    return replace(material, summary=summary, page=replace(material.page, summary=summary))


@pytest.fixture(scope="package")
def card() -> CardMaterial:
    return material_of(["差评", "好评"])
