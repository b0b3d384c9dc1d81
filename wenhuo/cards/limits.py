"""Limits that follow from what is known: of the data, of the measurement, of the model."""

from __future__ import annotations

from collections.abc import Iterator

from wenhuo.cards.content import Part, code, plain
from wenhuo.cards.material import CardMaterial
from wenhuo.cards.measured import KINDS
from wenhuo.encoding.options import EncoderOptions, Tokens
from wenhuo.pages.wording import percent, plural

FEW = 50  # train rows of a label; with fewer its figures on new texts are a matter of luck
LOST = 0.02  # accuracy; a fall of less is not worth a warning
TRADITIONAL = 0.02  # of the Chinese characters; sound simplified texts hold about 0.2 % of such forms


def limits(material: CardMaterial) -> Part:
    """What the model does not know, and what its figures do not say."""
    words = material.words.limits
    said = [plain(words)] if words else []
    points = [*_labels(material), *_texts(material), *_lengths(material), *_time(material)]
    points += [*_writing(material), *_measurement(material)]
    return Part("limits", "Limits", said, points)


def _labels(material: CardMaterial) -> Iterator[str]:
    several, below = plural(len(material.labels), "label"), (material.told("calibration") or {}).get("abstain_below")
    unless = f", unless its probability lies below {below:.4f}" if below else ""
    yield f"It knows {several} and no other: a text to which none applies gets one of them all the same{unless}."
    told = material.reports["split"].get("labels") or {}
    counts = {label: (told.get(label, {}).get("train") or {}).get("rows") for label in material.labels}
    rare = {label: rows for label, rows in counts.items() if rows is not None and rows < FEW}
    if rare:
        named = ", ".join(f"{code(label)} ({rows})" for label, rows in list(rare.items())[:5])
        more = " and others" if len(rare) > 5 else ""
        yield f"Fewer than {FEW} train rows stand behind {named}{more}: expect little of it there."


def _texts(material: CardMaterial) -> Iterator[str]:
    texts = material.texts
    if material.synthetic:
        yield "Its texts were made by a generator: it knows that generator's words and nothing of how people write."
    if texts is None:
        yield "Its train texts are gone, so nothing can be said of their script and length."
        return
    scripts = ", ".join(f"{name} {percent(part)}" for name, part in texts.scripts.items()) or "no letters at all"
    yield (
        f"It has read {plural(texts.rows, 'text')} in these scripts (shares of the letters): {scripts}. What is "
        "written in another script or language is foreign to it."
    )
    if texts.language == "zh" and texts.traditional < TRADITIONAL:
        converts = material.card.cleaning.script == "simplified"
        otherwise = "these are converted before it reads them" if converts else "it has hardly seen any of these"
        yield f"{percent(texts.traditional)} of its Chinese characters are traditional forms; {otherwise}."


def _lengths(material: CardMaterial) -> Iterator[str]:
    texts, own = material.texts, material.card.encoder
    if texts is not None:
        yield (
            f"Half of its train texts have up to {plural(texts.median, 'character')}, one in a hundred {texts.p99:,} "
            f"or more, the longest {texts.longest:,}. Much shorter and longer texts are foreign to it."
        )
    if own is not None:
        yield _reads("it", own)
    for name, member in material.members.items():
        if member.encoder is not None:
            yield _reads(f"its member {code(name)}", member.encoder)


def _reads(who: str, encoder: EncoderOptions) -> str:
    """What a model sees of a text through its encoder."""
    if isinstance(encoder, Tokens) and encoder.keep == "windows":
        return f"A text of more than {plural(encoder.max_tokens, 'token')} {who} reads in overlapping windows."
    if isinstance(encoder, Tokens):
        kept = {"head": "the beginning", "tail": "the end", "head_tail": "beginning and end"}[encoder.keep]
        return f"Of a text of more than {plural(encoder.max_tokens, 'token')} {who} reads {kept} alone."
    seen = "which short strings of characters or words a text holds, and not how they follow one another"
    return f"{who[0].upper()}{who[1:]} sees {seen}."


def _time(material: CardMaterial) -> Iterator[str]:
    yield "When and by whom its texts were written is not recorded: words and things that came since are new to it."
    sources = [one["source"] for one in material.reports["validation"].get("sources") or []]
    if len(sources) > 1:
        named = ", ".join(map(code, sources[:8])) + (" and others" if len(sources) > 8 else "")
        yield f"It has been measured on texts of these sources, and on no others: {named}."
    elif sources:
        yield "All its texts come from one source; on texts of another kind expect less than its figures say."


def _writing(material: CardMaterial) -> Iterator[str]:
    """Ways of writing that cost it accuracy."""
    robust = (material.summary.get("robustness") or {}).get("candidates", {}).get(material.subject.candidate) or {}
    for kind, told in robust.items():
        fall = told.get("fall")
        if kind != "plain" and fall is not None and fall >= LOST:
            yield f"Texts {KINDS.get(kind, plain(kind))} cost it {100 * fall:.1f} points of accuracy."


def _measurement(material: CardMaterial) -> Iterator[str]:
    """What the figures cannot say."""
    test = material.figures.get("test", {})
    interval = (test.get("intervals") or {}).get("accuracy")
    if test.get("accuracy") == 1:  # a bootstrap of rows without an error says nothing: the rule of three (Hanley 1983)
        most = percent(min(1.0, 3 / test["rows"]))
        yield f"None of its {plural(test['rows'], 'test row')} is wrong; of others of their kind up to {most} may be."
    elif interval:
        wide = 100 * (interval[1] - interval[0]) / 2
        yield f"With {plural(test['rows'], 'test row')} its accuracy is known to about ±{wide:.1f} points."
    if "test_leak_free" in material.figures:
        leaked = test["rows"] - material.figures["test_leak_free"]["rows"]
        removed = "stands in test" in material.reports["clean"].get("removed", {})
        seen = "It was not trained on those copies" if removed else "It may have been trained on those copies"
        yield (
            f"{plural(leaked, 'test row')} had a copy in the source's train rows. {seen}; the figures without these "
            "rows stand beside the others."
        )
    suspects = material.reports["audit"].get("suspects") or {}
    flagged, looked = ((suspects.get(name) or {}).get("test") for name in ("flagged", "looked_at"))
    if flagged and looked:
        yield (
            f"The labels of {flagged:,} of {plural(looked, 'test row')} look wrong ({percent(flagged / looked)}). "
            "Errors on such rows may be the label's, so small differences between good models mean nothing."
        )
