"""What ``wenhuo explain`` prints: the text in colours, and all that the colours say once more in words and figures."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wenhuo.explaining.explanation import Explanation, Neighbour, Neighbours, Word, strongest
from wenhuo.pages.wording import excerpt

WORDS = 12
LONGEST_UNREAD = 40  # characters; of more, what is read would scroll away
BAR = 20  # characters of the longest bar
FAINTEST = 0.06  # of the strongest character; less is not coloured
FOR, AGAINST = (232, 120, 46), (74, 144, 200)  # orange and blue, which colour-blind people tell apart


def print_explanation(found: Explanation) -> None:
    """The decision, the text, its strongest words, the nearest train rows, and what else is to be known."""
    console = Console(highlight=False)
    console.print()
    for line in (_decision(found), _sum(found)):
        console.print(line)
    console.print()
    console.print(coloured(found))
    if found.found.characters.any():
        console.print()
        console.print(_words(found))
    if found.neighbours is not None:
        console.print()
        console.print(_neighbours(found.neighbours, console.width))
    if found.notes:
        console.print()
    for note in found.notes:
        console.print(Text(note, "dim"))


def _decision(found: Explanation) -> Text:
    shares = sorted(zip(found.labels, found.found.probabilities, strict=True), key=lambda pair: -pair[1])
    listed = ", ".join(f"{label} {share:.1%}" for label, share in shares[:6])
    abstains = "" if found.predicted is not None else "no answer, "
    return Text.assemble(
        (found.model, "bold"), f": {abstains}{listed}", f", and {len(shares) - 6} more" if len(shares) > 6 else ""
    )


def _sum(found: Explanation) -> Text:
    one = found.found
    said = f"{one.log_odds:+.2f} = {one.without:+.2f} without a text, {one.characters.sum():+.2f} by its characters"
    return Text.assemble(("log-odds of ", ""), (found.label, "bold"), f": {said}", (f"  ({one.method})", "dim"))


def coloured(found: Explanation) -> Text:
    """The text, each character on a ground of what it adds: orange for the label, blue against it.

    Of a long stretch that is not read only its length is shown.
    """
    weights, text = found.found.characters, Text()
    most = float(abs(weights).max()) or 1.0
    for read, run in groupby(range(len(found.text)), lambda place: bool(found.found.read[place])):
        places = list(run)
        if read:
            for place in places:
                text.append(found.text[place], _style(float(weights[place]) / most))
        elif len(places) <= LONGEST_UNREAD:
            text.append(found.text[places[0] : places[-1] + 1], "dim strike")
        else:
            text.append(f" … {len(places):,} characters … ", "dim")
    return text


def _style(share: float) -> str:
    if abs(share) < FAINTEST:
        return ""
    paper = (255, 255, 255)
    ink = FOR if share > 0 else AGAINST
    mixed = (round(p + (i - p) * (0.15 + 0.85 * abs(share))) for p, i in zip(paper, ink, strict=True))
    return f"black on rgb({','.join(map(str, mixed))})"


def _words(found: Explanation) -> Table:
    table = Table("word", f"for {found.label}", "", box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.columns[1].justify = "right"
    shown = strongest(found.words(), WORDS)
    most = max((abs(word.weight) for word in shown), default=1.0)
    for word in shown:
        table.add_row(Text(word.text), f"{word.weight:+.2f}", _bar(word, most))
    return table


def _bar(word: Word, most: float) -> Text:
    length = max(1, round(BAR * abs(word.weight) / most))
    ink = FOR if word.weight > 0 else AGAINST
    return Text(("█" if word.weight > 0 else "▒") * length, f"rgb({','.join(map(str, ink))})")


def _neighbours(near: Neighbours, width: int) -> Table:
    table = Table(
        "cosine", "label", "nearest train rows", box=None, header_style="bold", padding=(0, 2, 0, 0), width=width
    )
    for row in near.rows:
        told = Text(excerpt(row.text))
        told.append(f"  {row.id[:12]}", "dim")
        if row.suggested is not None:
            told.append(f"\n{suspicion(row)}", "yellow")
        table.add_row(f"{row.similarity:.3f}", Text(row.label), told)
    return table


def suspicion(row: Neighbour) -> str:
    """What the audit says of a neighbour's label, a clause."""
    said = f"{'its label looks wrong' if row.flagged else 'its label is in doubt'}: {row.suggested} is suggested"
    return said + {"none": "", "drop": "; left out of training", "relabel": f"; trained as {row.suggested}"}[row.action]
