"""``wenhuo history``: which version served when, who decided that, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wenhuo.console import say
from wenhuo.errors import TrackingError
from wenhuo.gate import decisions
from wenhuo.gate.decisions import Chain
from wenhuo.lineage import PREFIX
from wenhuo.versions import REPORTS, model_of

TIMES = ("version", "candidate", "from", "until", "by", "why")
DECIDED = ("when", "verdict", "version", "candidate", "by", "why")


@dataclass(frozen=True)
class Served:
    """A version's time as champion; ``until`` is None while it is that."""

    version: int
    candidate: str | None
    since: str
    until: str | None
    by: str
    why: str


def history(root: Path, model: str | None, *, every: bool, machine: bool) -> None:
    """Print which version served when.

    Args:
        root: the project's folder.
        model: the registered model; None for that of the last run.
        every: print every decision, and not only those that changed the champion.
        machine: print JSON.
    """
    name, chain = model_of(root, model), decisions.read(root / REPORTS)
    champion, notes = _registered(root, name, chain)
    notes = [*chain.broken, *chain.torn, *notes]
    if machine:
        made = [decision.model_dump() | {"hash": decision.hash} for decision in chain.of(name)]
        times = [asdict(one) for one in served(chain, name)]
        told = {"model": name, "champion": champion, "served": times, "decisions": made, "notes": notes}
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    print_history(name, chain, every)
    for note in notes:
        say(f"history: warning: {note}")


def served(chain: Chain, model: str) -> list[Served]:
    """The times of the champions, the oldest first."""
    changes, candidates, found = chain.serving(model), _candidates(chain, model), []
    for decision, following in zip(changes, [*changes[1:], None], strict=True):
        if decision.champion is not None:
            until = following.when if following else None
            number, why = decision.champion, decision.why or decision.reason
            found.append(Served(number, candidates.get(number), decision.when, until, decision.by, why))
    return found


def print_history(model: str, chain: Chain, every: bool) -> None:
    """Print the champions' times, or every decision, as a table."""
    rows = _decided(chain, model) if every else _times(chain, model)
    table = Table(*(DECIDED if every else TIMES), box=None, header_style="bold", padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False)
    console.print(Text.assemble((model, "bold"), "" if rows else ": nothing has been decided yet"))
    if rows:
        console.print(table)


def _times(chain: Chain, model: str) -> list[tuple[str, ...]]:
    return [
        (str(one.version), one.candidate or "?", _short(one.since), _short(one.until) or "now", one.by, one.why)
        for one in served(chain, model)
    ]


def _decided(chain: Chain, model: str) -> list[tuple[str, ...]]:
    return [
        (_short(d.when), d.verdict, str(d.version or "-"), d.candidate or "?", d.by, d.reason) for d in chain.of(model)
    ]


def _short(when: str | None) -> str:
    """A time to the second, in UTC."""
    return "" if when is None else when.replace("T", " ").removesuffix("+00:00")


def _candidates(chain: Chain, model: str) -> dict[int, str]:
    return {d.version: d.candidate for d in chain.of(model) if d.version is not None and d.candidate}


def _registered(root: Path, name: str, chain: Chain) -> tuple[int | None, list[str]]:
    """The champion that the registry has, and where it and the decisions disagree."""
    from wenhuo.tracking import registry, store

    try:
        client = store.connect(root)
        champion, versions = registry.champion(client, name), registry.versions(client, name)
    except TrackingError as error:
        return chain.champion(name), [f"the registry was not asked: {error.what}"]
    number = champion.number if champion else None
    hashes, notes = {decision.hash for decision in chain.decisions}, []
    if number != chain.champion(name):
        notes.append(f"the registry's champion is {number or 'none'}, the last decision's {chain.champion(name)}")
    for version in versions:
        decided = version.tags.get(f"{PREFIX}decision")
        if decided and decided not in hashes:
            said = "lines are missing, or it was decided elsewhere"
            notes.append(f"version {version.number} bears the decision {decided[:12]}, which stands in no line: {said}")
    return number, notes
