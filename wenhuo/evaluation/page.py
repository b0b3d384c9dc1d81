"""The page of candidates: who wins and why, what each was and is, and what they say about the same sentences.

One page that needs no network. Each section is a function of the material that returns markup; a section about which
there is nothing to say is empty. The same material gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from wenhuo.blending.options import Blend
from wenhuo.evaluation.confusions import confusions
from wenhuo.evaluation.courses import DRAWING, courses
from wenhuo.evaluation.coverage import probabilities
from wenhuo.evaluation.material import Material, Shown
from wenhuo.evaluation.sections import error_kinds, robustness, slices
from wenhuo.evaluation.sentences import before_and_after, surest
from wenhuo.evaluation.verdict import headline, reasons
from wenhuo.pages import sections
from wenhuo.pages.bars import bar, start_below
from wenhuo.pages.page import fragment, render_page
from wenhuo.training.options import LinearCandidate, TransformerCandidate

PARTS = {
    "validation": ("Validation", "chooses the winner"),
    "test": ("Test", "chooses nothing"),
    "test_leak_free": ("Test without leaks", "rows that do not stand in the source's train"),
}
FOOTER = Markup(
    "The same figures as data: <code>reports/metrics.json</code>, <code>reports/plots/</code>, "
    "<code>reports/errors/</code>, <code>reports/history/</code>."
)


def render_candidates(material: Material, *, shown: int) -> str:
    """The page.

    Args:
        material: what is shown.
        shown: sentences, and errors of each candidate, shown with their texts; 0 shows no text at all.
    """
    summary, names = material.summary, list(material.candidates)
    about = {
        "rows": {"all": sum(summary["rows"].values())},
        "labels": {"number": len(summary["labels"])},
        "source": summary["source"],
        "synthetic": summary["synthetic"],
    }
    parts = [
        why(material),
        compared(material),
        sentences(material, shown),
        trained(material),
        training(material),
        confusions(material),
        slices(summary, names),
        error_kinds(summary, names),
        robustness(summary, names),
        probabilities(summary, names),
        errors(material, shown),
    ]
    top = sections.header("candidates", headline(summary), about, good=True)
    return render_page(f"Candidates: {summary['source']}", top, parts, FOOTER)


def _linear(material: Material) -> set[str]:
    return {name for name, one in material.candidates.items() if isinstance(one.options, LinearCandidate)}


def why(material: Material) -> Markup:
    """Who wins and why."""
    return fragment("sections/why.html", reasons=reasons(material.summary, _linear(material)))


def compared(material: Material) -> Markup:
    """Macro-F1 and accuracy of every candidate with intervals: on validation, on test, on test without leaks."""
    measures, winner = material.summary["candidates"], material.summary["winner"]
    held = [split for split in PARTS if all(split in one for one in measures.values())]
    figures = [one[split] for one in measures.values() for split in held if one[split]["macro_f1"] is not None]
    start = start_below((one["intervals"].get("macro_f1") or [one["macro_f1"]])[0] for one in figures)
    parts = [
        {
            "title": PARTS[split][0],
            "note": PARTS[split][1],
            "rows": next(iter(measures.values()))[split]["rows"],
            "lines": [_compared(name, one[split], start) for name, one in measures.items()],
        }
        for split in held
    ]
    return fragment("sections/compared.html", parts=parts, start=start, winner=winner)


def _compared(name: str, measure: Mapping[str, Any], start: float) -> dict[str, Any]:
    drawn = {
        figure: None
        if measure[figure] is None
        else {"value": measure[figure], **bar(measure[figure], measure["intervals"].get(figure), start)}
        for figure in ("macro_f1", "accuracy")
    }
    return {"name": name, **drawn}


def sentences(material: Material, shown: int) -> Markup:
    """What the untrained and the trained networks, and what is no network beside them, say about the same rows."""
    found = before_and_after(material, shown)
    if not found["drawn"]:
        return Markup()
    networks = {name: isinstance(one.options, TransformerCandidate) for name, one in material.candidates.items()}
    columns = [{"name": name, "network": network} for name, network in networks.items()]
    return fragment("sections/before.html", columns=columns, shown=shown, **found)


def trained(material: Material) -> Markup:
    """What each candidate is, and how many of its parameters were trained."""
    counted = material.summary["parameters"]
    lines = [{"name": name, **_described(one), "counts": counted[name]} for name, one in material.candidates.items()]
    return fragment("sections/trained.html", lines=lines)


def _described(one: Shown) -> dict[str, str]:
    if isinstance(one.options, Blend):
        weights = (one.answers.card.members or {}).items()
        return {"model": " + ".join(f"{weight:.2f} × {name}" for name, weight in weights), "head": "", "tune": ""}
    if isinstance(one.options, LinearCandidate):
        kind = "SVM" if one.options.estimator == "svm" else "logistic regression"
        return {"model": f"{kind} on {one.options.encoder}", "head": "", "tune": ""}
    if one.options.backbone == "scratch":
        model = f"from nothing: {one.options.layers} × {one.options.hidden}"
    else:
        commit = one.answers.card.backbone_commit
        model = f"{one.answers.card.backbone}" + (f" @ {commit[:12]}" if commit else "")
    return {"model": model, "head": one.options.head.kind, "tune": one.options.tune.kind}


def training(material: Material) -> Markup:
    """The course of each training beside the linear baseline."""
    scores = {name: material.summary["candidates"][name]["validation"]["macro_f1"] for name in _linear(material)}
    known = sorted((-score, name) for name, score in scores.items() if score is not None)
    baseline = (known[0][1], -known[0][0]) if known else None
    drawn = courses(material.candidates, baseline)
    return fragment("sections/courses.html", courses=drawn, drawing=DRAWING) if drawn else Markup()


def errors(material: Material, shown: int) -> Markup:
    """The validation rows that each candidate gets wrong most surely."""
    if not shown:
        return Markup()
    found = [{"name": name, "rows": surest(material, one, shown)} for name, one in material.candidates.items()]
    found = [one for one in found if one["rows"]]
    return fragment("sections/errors.html", candidates=found) if found else Markup()
