"""Figures of the version and of the linear baseline beside it, each with its place in ``metrics.json``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wenhuo.cards.content import NOTHING, Cell, Figure, Part, Table, cell, code
from wenhuo.cards.drawing import coverage_picture, curve_pictures, reliability_picture
from wenhuo.cards.material import CardMaterial
from wenhuo.evaluation import sections
from wenhuo.evaluation.coverage import FEWEST
from wenhuo.evaluation.page import PARTS, compared
from wenhuo.metrics.classification import FIGURES
from wenhuo.pages.wording import number, percent, plural

NAMES = {"roc_auc": "ROC AUC", "log_loss": "log loss", "brier": "Brier score", "calibration_error": "calibration error"}
ORDER = ("test", "test_leak_free", "validation")
CLASS_FIGURES = ("precision", "recall", "f1")
MOST_CLASSES = 200
THRESHOLDS = 12  # lines of the table of coverage; the page draws all of them


def figure_name(name: str) -> str:
    """How a figure is called: ``macro_f1`` is macro-F1."""
    return NAMES.get(name, name.replace("_f1", "-F1").replace("_", " "))


def bars(material: CardMaterial) -> Part:
    """Both candidates as bars, on the page only."""
    known = [measure for name in material.candidates for measure in material.summary["candidates"][name].values()]
    drawn = all("intervals" in one and "accuracy" in one for one in known)
    return Part("compared", "", instead=compared(material.page) if drawn else NOTHING)


def figures(material: CardMaterial) -> Part:
    """Every figure with its interval, of the version and of the linear baseline."""
    beside = f" beside the linear baseline {code(material.baseline)}" if material.baseline else ""
    kind = "" if material.card.kind != "linear" else " It is a linear model itself."
    said = [f"The candidate {code(material.subject.candidate)}{beside}, with 95 % intervals in brackets.{kind}"]
    said += ["Validation chose it. Test chose nothing, so its figures are what to expect on texts of the same kind."]
    tables = [_split(material, split) for split in ORDER if split in material.figures]
    return Part("figures", "Figures", said, tables=[*tables, *_classes(material)])


def _split(material: CardMaterial, split: str) -> Table:
    own = material.figures[split]
    title, note = PARTS[split]
    rows = f", {plural(own['rows'], 'row')}" if "rows" in own else ""
    lines: list[list[Cell]] = [
        [figure_name(name), *(_figure(material, who, split, name) for who in material.candidates)]
        for name in FIGURES
        if name in own
    ]
    return Table(["Figure", *map(cell, material.candidates)], lines, f"{title}{rows}; {note}")


def _figure(material: CardMaterial, who: str, split: str, name: str) -> Figure:
    measure = material.summary["candidates"][who].get(split, {})
    path = f"candidates/{who}/{split}/{name}"
    return Figure(path, measure.get(name), measure.get("intervals", {}).get(name))


def _classes(material: CardMaterial) -> Iterator[Table]:
    """Precision, recall and F1 of every label on test."""
    found = material.figures.get("test", {}).get("per_class") or {}
    who = material.subject.candidate
    if found and len(found) <= MOST_CLASSES:
        rows: list[list[Cell]] = []
        for label, one in found.items():
            place = f"candidates/{who}/test/per_class/{label}"
            told = [Figure(f"{place}/{name}", one[name]) for name in CLASS_FIGURES]
            rows.append([cell(label), *told, Figure(f"{place}/support", one["support"])])
        yield Table(["Label", "precision", "recall", "F1", "rows"], rows, "Each label on test")


def slices(material: CardMaterial) -> Part | None:
    """Parts of test, by length, source and what else the evaluation looked at."""
    found = material.told("slices")
    if not found:
        return None
    rows: list[list[Cell]] = []
    for place, one in enumerate(found):
        at = f"slices/{material.subject.candidate}/{place}"
        told = [Figure(f"{at}/rows", one["rows"]), Figure(f"{at}/accuracy", one["accuracy"], one.get("interval"))]
        rows.append([cell(one["slice"]), cell(one["by"]), *told, Figure(f"{at}/macro_f1", one.get("macro_f1"))])
    said = ["Accuracy and macro-F1 on parts of test. A wide interval means few rows, and says little."]
    table = Table(["Part of test", "by", "rows", "accuracy", "macro-F1"], rows)
    drawn = sections.slices(material.summary, [material.subject.candidate])
    return Part("slices", "Parts of test", said, tables=[table], instead=drawn)


def error_kinds(material: CardMaterial) -> Part | None:
    """What the errors on test have in common."""
    found = material.told("error_kinds")
    if not found:
        return None
    rows: list[list[Cell]] = []
    for place, one in enumerate(found):
        at = f"error_kinds/{material.subject.candidate}/{place}"
        told: list[Cell] = [Figure(f"{at}/{name}", one[name]) for name in ("rows", "errors", "share")]
        told.append(Figure(f"{at}/rate", one.get("rate"), one.get("interval")))
        rows.append([cell(one["kind"]), *told, cell(one.get("about", ""))])
    said = ["Errors on test by what the rows have in common; a row may be of several kinds."]
    columns = ("Kind", "rows of it", "errors", "of all errors", "error rate", "what it is")
    drawn = sections.error_kinds(material.summary, [material.subject.candidate])
    return Part("error-kinds", "Errors by kind", said, tables=[Table(columns, rows)], instead=drawn)


def robustness(material: CardMaterial) -> Part | None:
    """Accuracy on the same rows when they are written otherwise."""
    told = material.summary.get("robustness") or {}
    by_name = {name: told.get("candidates", {}).get(name) for name in material.candidates}
    own = by_name[material.subject.candidate]
    if not own:
        return None
    tables = [Table(ROBUST, list(_kinds(name, one)), _of(material, name)) for name, one in by_name.items() if one]
    rows = f" {number(told['rows'])} rows" if "rows" in told else " rows"
    said = [f"The same{rows} ({cell(told.get('sample', 'of test'))}), rewritten by rules; their labels stay."]
    drawn = sections.robustness(material.summary, material.candidates)
    return Part("robustness", "Robustness", said, tables=tables, instead=drawn)


ROBUST = ("Texts", "accuracy", "macro-F1", "texts changed", "answers changed", "accuracy lost")
KINDS = {
    "plain": "as they are",
    "typos": "with typos",
    "homophones": "with homophones",
    "traditional": "in traditional characters",
    "no_punctuation": "without punctuation",
}


def _of(material: CardMaterial, name: str) -> str:
    return cell(name) if len(material.candidates) > 1 else ""


def _kinds(name: str, one: Mapping[str, Any]) -> Iterator[list[Cell]]:
    for kind, told in one.items():
        at = f"robustness/candidates/{name}/{kind}"
        accuracy = Figure(f"{at}/accuracy", told["accuracy"], told.get("interval"))
        shares = [Figure(f"{at}/{part}", told.get(part)) for part in ("changed_texts", "changed_answers")]
        line: list[Cell] = [
            KINDS.get(kind, cell(kind)),
            accuracy,
            Figure(f"{at}/macro_f1", told.get("macro_f1")),
            *shares,
        ]
        yield [*line, Figure(f"{at}/fall", told.get("fall"), told.get("fall_interval"))]


def calibration(material: CardMaterial) -> Part | None:
    """Do its probabilities mean what they say, and what is answered from which probability on?"""
    told, test = material.told("calibration") or {}, material.figures.get("test", {})
    if test.get("calibration_error") is None:
        return None
    at = f"candidates/{material.subject.candidate}"
    errors = [
        Figure(f"{at}/{s}/calibration_error", material.figures.get(s, {}).get("calibration_error")) for s in SPLITS
    ]
    said = [
        f"The expected calibration error, the mean distance between a probability and how often it is right, is "
        f"{errors[0].text} on validation and {errors[1].text} on test; 0 would be exact.",
        *_temperature(told),
    ]
    enough = [one for one in told.get("test", {}).get("coverage_curve", ()) if one.get("rows", 0) >= FEWEST]
    drawn = reliability_picture(material.reliability) + coverage_picture(enough)
    lines: list[list[Cell]] = [["of its probabilities", *errors], *_untempered(material.subject.candidate, told)]
    tables = [Table(["Expected calibration error", *SPLITS], lines)]
    tables += list(_coverage(material.subject.candidate, told))
    return Part("calibration", "What its probabilities are worth", said, tables=tables, drawn=_pictures(drawn))


SPLITS = ("validation", "test")


def _pictures(drawn: Any) -> Any:
    from markupsafe import Markup

    return Markup('<div class="pictures">{}</div>').format(drawn) if drawn else NOTHING


def _temperature(told: Mapping[str, Any]) -> list[str]:
    said = []
    if told.get("weights") is not None:
        said.append("It has no temperature of its own: the sum of its members' weights does what one would do.")
    elif told.get("temperature") is not None:
        said.append(f"Temperature, fitted on validation: {told['temperature']:.4f}. 1 changes nothing.")
    if told.get("abstain_below") is not None:
        aim = (
            f", so that {percent(told['abstain_for'])} of its answers are right there"
            if told.get("abstain_for")
            else ""
        )
        said.append(f"Below a probability of {told['abstain_below']:.4f} it gives no label, as validation set it{aim}.")
    return said


def _untempered(who: str, told: Mapping[str, Any]) -> Iterator[list[Cell]]:
    """The error as it would be without the temperature, where that is known."""
    if told.get("weights") is not None:
        return
    known = {split: ((told.get(split) or {}).get("untempered") or {}).get("calibration_error") for split in SPLITS}
    if any(value is not None for value in known.values()):
        places = {split: f"calibration/{who}/{split}/untempered/calibration_error" for split in SPLITS}
        yield ["without the temperature", *(Figure(places[split], known[split]) for split in SPLITS)]


def _coverage(who: str, told: Mapping[str, Any]) -> Iterator[Table]:
    """Coverage against accuracy on test, and what is answered where a threshold is set."""
    rows: list[list[Cell]] = []
    for split in SPLITS:
        answered, at = (told.get(split) or {}).get("answered"), f"calibration/{who}/{split}/answered"
        if answered:
            rows.append([split, *(Figure(f"{at}/{name}", answered[name]) for name in ("coverage", "accuracy", "rows"))])
    if rows:
        yield Table(["Answered at its threshold", "coverage", "accuracy", "rows"], rows)
    curve = (told.get("test") or {}).get("coverage_curve") or []
    step = max(1, -(-len(curve) // THRESHOLDS))
    lines: list[list[Cell]] = []
    for place in range(0, len(curve), step):
        at, one = f"calibration/{who}/test/coverage_curve/{place}", curve[place]
        lines.append([Figure(f"{at}/{name}", one[name]) for name in ("threshold", "coverage", "accuracy", "rows")])
    if lines:
        yield Table(["Answer from", "coverage", "accuracy", "rows"], lines, "Coverage against accuracy on test")


def curves(material: CardMaterial) -> Part | None:
    """ROC and precision-recall curves on test, on the page only."""
    drawn = curve_pictures(material.curves)
    if not drawn:
        return None
    said = ["Each label against the rest, on test; a thick line is an average."]
    return Part("curves", "Curves", said, drawn=_pictures(drawn))
