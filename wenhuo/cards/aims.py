"""What the model is for, what the gate said of it, and how to load it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wenhuo.cards.content import Code, Figure, Part, Table, cell, code, plain
from wenhuo.cards.material import CardMaterial
from wenhuo.cards.privacy import address, fit
from wenhuo.pages.wording import number, plural

NAMED = 12  # labels in a sentence
SYNTHETIC = (
    "Synthetic data: its texts were made by a generator, not written by people. Its figures say nothing about real "
    "text, and it is of no use for it."
)
SENTENCE = "房间很干净，前台也热情"


def purpose(material: CardMaterial) -> Part:
    """What it is for: a person's words, and what it does."""
    labels, words = material.labels, material.words
    named = ", ".join(code(label) for label in labels[:NAMED]) + (" and others" if len(labels) > NAMED else "")
    does = f"It gives a text one of {plural(len(labels), 'label')}: {named}. It was trained on {_source(material)}."
    said = [SYNTHETIC] if material.synthetic else []
    said += [plain(words.purpose)] if words.purpose else []
    said += [does] if words.purpose else [does, "Nobody has said yet what it is for (`register.card.purpose`)."]
    said += [f"Contact: {plain(words.contact)}"] if words.contact else []
    return Part("purpose", "What it is for", said, loud=material.synthetic)


def _source(material: CardMaterial) -> str:
    return code(address(material.source)) if material.source else "a source that is not known any more"


def verdict(material: CardMaterial) -> Part:
    """The gate's decision with every check, as it was made; what became of the version later stands elsewhere."""
    decision = material.verdict
    if decision is None:
        said = ["No decision of the gate about this version stands in `reports/decisions.jsonl`."]
        return Part("gate", "What the gate decided", said)
    said = [
        f"On {decision.when[:10]} it was {_outcome(decision.verdict)}: {plain(fit(decision.reason))}.",
        *_champion(material),
        "That is what was decided then. Which version serves now, and since when, `wenhuo history` says.",
    ]
    rows = [[cell(c["name"]), "yes" if c["passed"] else "no", cell(fit(c["reason"]))] for c in decision.checks]
    table = [Table(["Question", "passed", "Answer"], rows)] if rows else []
    return Part("gate", "What the gate decided", said, tables=[*table, *_comparisons(decision.checks)])


def _outcome(word: str) -> str:
    return {"promoted": "made champion", "challenger": "registered and not made champion"}[word]


def _champion(material: CardMaterial) -> list[str]:
    """Which version was champion then."""
    champion = material.champion
    if champion is None:
        return ["There was no other champion then."]
    tags = champion.get("tags", {})
    of = f", the candidate {code(champion['candidate'])}" if "candidate" in champion else ""
    then = tags.get("wenhuo.test_macro_f1")
    told = f"; its macro-F1 on the test set of its own time was {float(then):.4f}" if then else ""
    return [f"The champion then was version {champion['number']}{of}{told}."]


COMPARED = {"macro-F1": "the champion of the time", "linear": "the linear baseline"}


def _comparisons(checks: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    """The figures of the paired comparisons that the gate made, all on the frozen test set."""
    found = {COMPARED[c["name"]]: c["figures"] for c in checks if c.get("figures") and c["name"] in COMPARED}
    if found:
        heads = ["Macro-F1 beside", "its own", "the other's", "difference, 95 % interval unless set otherwise"]
        heads += ["rows only it has right", "rows only the other has", "McNemar's p"]
        rows = [[name, *_compared(told)] for name, told in found.items()]
        yield Table(heads, rows, "The same rows of the frozen test set")


def _compared(told: Mapping[str, Any]) -> list[str]:
    lead = told["first"] - told["second"]
    spread = f"{lead:+.4f} ({told['low']:+.3f} to {told['high']:+.3f})".replace("-", "−")
    counts = [number(int(told[name])) for name in ("only_first", "only_second")]
    return [f"{told['first']:.4f}", f"{told['second']:.4f}", spread, *counts, f"{told['p_value']:.2g}"]


def loading(material: CardMaterial) -> Part:
    """Three ways, each of which works as it stands in the project's folder."""
    uri = material.subject.uri
    python = f'from wenhuo import Classifier\n\nclassifier = Classifier.load("{uri}")\n'
    python += f'print(classifier.predict(["{SENTENCE}"]))'
    served = "import os\n\nimport mlflow\nimport pandas as pd\n\n"
    served += 'mlflow.set_tracking_uri(os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlruns/mlflow.db"))\n'
    served += (
        f'model = mlflow.pyfunc.load_model("{uri}")\nprint(model.predict(pd.DataFrame({{"text": ["{SENTENCE}"]}})))'
    )
    said = ["In the project's folder, with its environment; in a fresh clone after `dvc pull` and `wenhuo restore`."]
    said += ["The first two refuse pickles and foreign code; the third runs the script that MLflow keeps with a model."]
    codes = [
        Code("In a terminal", "sh", f'wenhuo predict --model "{uri}" "{SENTENCE}"'),
        Code("In Python", "python", python),
        Code("With MLflow", "python", served),
    ]
    return Part("load", "How to load it", said, codes=codes)


def headline(material: CardMaterial) -> str:
    """One sentence: what it is and what it reaches on test."""
    subject, test = material.subject, material.figures.get("test", {})
    figure = Figure("", test.get("macro_f1"), test.get("intervals", {}).get("macro_f1"))
    if figure.value is None:
        return f"{subject.model}, version {subject.number}"
    return f"{subject.model}, version {subject.number}: macro-F1 {figure.text} on test"
