"""From a row, a content, a commit or a state to every model made from it: what a request for deletion asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from wenhuo.errors import DataError
from wenhuo.keeping import kept_runs
from wenhuo.lineage import PREFIX
from wenhuo.tracing import rows
from wenhuo.tracing.project import COMMIT, Project, Version
from wenhuo.tracing.rows import Standing
from wenhuo.tracing.states import Made, State
from wenhuo.tracing.tree import Node

TRAINED, PRETRAINED, CHOSEN, MEASURED = "trained on it", "its backbone read it", "chosen by it", "measured on it"
NO, UNKNOWN = "no", "unknown"
OF_COPY = {one: f"{one[:-2]}the same text" for one in (TRAINED, CHOSEN, MEASURED)}
OF_COPY[PRETRAINED] = "its backbone read the same text"
"""Of a row that was taken out because another one has its text: what that other one was to the model."""
RANK = [*(word for one in (TRAINED, PRETRAINED, CHOSEN, MEASURED) for word in (one, OF_COPY[one])), UNKNOWN, NO]
"""From the most to the least that a model can have to do with a row."""
SHORTEST_HASH = 7


def row_nodes(project: Project, ids: Iterable[str]) -> list[Node]:
    """Rows, and of every model whether it saw them."""
    return [_row(project, row) for row in ids]


def _row(project: Project, row: str) -> Node:
    standings = {state.hash: rows.stand(state, project.contents, row) for state in project.states}
    read = next((one.read for one in standings.values() if one.read), None)
    place = f"{read['origin']}:{read['row']}" if read else "no corpus at hand has it"
    node = Node("row", row, {"place": place, "label": read["label"] if read else None})
    node.add(*_tellings(project.states, standings))
    return node.add(*_models(project, lambda state, made: _dealt(project, state, made, standings[state.hash])))


def find_rows(project: Project, origin: str, number: int) -> list[str]:
    """The ids that were read at a place of the source, in any state: another version may have another row there.

    Raises:
        DataError: no state read a row there.
    """
    found = [row for state in project.states for row in rows.ids_at(state, project.contents, origin, number)]
    if not found:
        reasons = [rows.rejected_at(state, project.contents, origin, number) for state in project.states]
        why = next((f": it could not be read ({reason})" for reason in reasons if reason), "")
        raise DataError(
            f"no corpus at hand has {origin}:{number}{why}",
            "a row is called by its line, and the header is line 1; reports/ingest.json names the files",
        )
    return list(dict.fromkeys(found))


def is_row(project: Project, row: str) -> bool:
    """Whether the corpus of any state has a row with this id."""
    return any(rows.stand(state, project.contents, row).read for state in project.states)


def _tellings(states: Iterable[State], standings: dict[str, Standing]) -> list[Node]:
    """What became of the row, once for states in which the same did."""
    told: dict[str, Node] = {}
    for state in states:
        standing = standings[state.hash]
        node = Node("state", _fate(standing), {"in": [], "corrected to": standing.label})
        node.add(*(_copy(copy) for copy in standing.copies))
        if standing.removed and standing.removed["of"]:
            node.facts["the same text as"] = standing.removed["of"]
        told.setdefault(f"{node.name} {standing.copies}", node).facts["in"].append(state.where)
    return list(told.values())


def _copy(copy: dict[str, Any]) -> Node:
    place = f"{copy['origin']}:{copy['row']}"
    return Node("row", copy["id"], {"place": place, "removed from": copy["split"], "because it": copy["reason"]})


def _fate(standing: Standing) -> str:
    if standing.unknown and standing.split is None and standing.removed is None:
        return (
            f"cannot be told: {', '.join(standing.unknown)} is gone or damaged in DVC's cache; `dvc pull` may bring it"
        )
    if standing.removed:
        return f"removed: {standing.removed['reason']}"
    if standing.split:
        return f"in {standing.split}"
    return "read, and in no split" if standing.read else "not in the corpus"


def _dealt(project: Project, state: State, made: Made, standing: Standing) -> str:
    """What a training has to do with a row, or with the one that stayed in its place."""
    verdict, removed = _seen(project, state, made, standing), standing.removed
    if verdict != NO or not removed or not removed["of"] or removed["reason"].startswith("nearly"):
        return verdict
    of_copy = _seen(project, state, made, rows.stand(state, project.contents, removed["of"]))
    return OF_COPY.get(of_copy, of_copy)


def _seen(project: Project, state: State, made: Made, standing: Standing) -> str:
    """What a training has to do with a row; a blend has what its members have."""
    members = [one for one in state.upstream(made) if one.name == "train"] if made.name == "blend" else []
    if members:
        return min((_seen(project, state, one, standing) for one in members), key=RANK.index)
    trained = rows.read_by(project.contents, made, standing.id)
    if trained is not None and trained["train"]:
        return TRAINED
    gone = any(path.startswith(rows.PARTS) for path in standing.unknown)
    if trained is None and (standing.split == "train" or (gone and standing.split is None)):
        return TRAINED if standing.split == "train" else UNKNOWN
    if standing.split == "train" and any(one.name == "pretrain" for one in state.ancestors(made)):
        return PRETRAINED
    if trained is not None and trained["validation"]:
        return CHOSEN
    if standing.split in ("validation", "test"):
        return CHOSEN if standing.split == "validation" else MEASURED
    return UNKNOWN if gone else NO


def _models(project: Project, ask: Callable[[State, Made], str]) -> list[Node]:
    """Every version and every other training, with the most that it has to do with what was asked about."""
    nodes = []
    for key, places in project.trainings().items():
        verdict = min((ask(state, made) for state, made in places), key=RANK.index)
        state, made = places[0]
        versions = project.versions_of(key)
        nodes += [_version(version, verdict) for version in versions]
        if not versions:
            nodes.append(Node("model", made.stage, {"verdict": verdict, "key": key, "of": state.where}))
    unexplained = {version.key for version in project.versions} - set(project.trainings())
    nodes += [_version(one, UNKNOWN) for one in project.versions if one.key in unexplained]
    return sorted(nodes, key=lambda node: (RANK.index(node.facts["verdict"]), node.kind != "version", node.name))


def _version(version: Version, verdict: str) -> Node:
    facts = {"verdict": verdict, "aliases": list(version.aliases), "candidate": version.tags.get(f"{PREFIX}candidate")}
    return Node("version", version.title, {**facts, "key": version.key})


def hash_node(project: Project, digest: str) -> Node | None:
    """A content by the beginning of its hash, and every model made from it; None when no state knows it."""
    if len(digest) < SHORTEST_HASH:
        return None
    named: dict[str, set[str]] = {}
    for state in project.states:
        for stage, path in _mentions(project, state, digest):
            named.setdefault(state.hash, set()).add(stage)
            named.setdefault("paths", set()).add(path)
    if not named:
        return None
    node = Node("file", digest, {"paths": sorted(named["paths"])})
    return node.add(*_models(project, lambda state, made: _descends(state, made, named.get(state.hash, set()))))


def _descends(state: State, made: Made, stages: set[str]) -> str:
    line = {made.stage, *(one.stage for one in state.ancestors(made))}
    return TRAINED if line & stages else NO


def _mentions(project: Project, state: State, digest: str) -> list[tuple[str, str]]:
    """Stages that read or wrote a content, and its path: whole, in a folder, or a file of the source."""
    found = []
    for made in state.stages.values():
        for item in (*made.deps, *made.outs):
            if item.md5.startswith(digest):
                found.append((made.stage, item.path))
            elif item.is_folder and not item.is_code:
                members = project.contents.members(item) or {}
                found += [
                    (made.stage, f"{item.path}/{name}") for name, md5 in members.items() if md5.startswith(digest)
                ]
        if made.stage == "source":
            found += [("source", path) for path in _source_files(project, made, digest)]
    return found


def _source_files(project: Project, made: Made, digest: str) -> list[str]:
    from wenhuo.files import read_json

    path = project.contents.file(made.outs[0]) if made.outs else None
    sources = read_json(path).get("sources", []) if path else []
    return [f["path"] for one in sources for f in one["files"] if digest in str(f["version"]).partition(":")[2][:64]]


def tagged_node(project: Project, commit: str) -> Node | None:
    """A commit, and what was made at it: runs and versions; None when nothing was."""
    from wenhuo.tracking.views import runs_with

    node = Node("commit", f"commit {commit}")
    for version in project.versions:
        if version.tags.get(COMMIT) == commit:
            dirty = version.tags.get(f"{PREFIX}git_dirty")
            facts = {"aliases": list(version.aliases), "uncommitted changes": dirty, "key": version.key}
            node.add(Node("version", version.title, facts))
    kept = {one["key"]: one for one in kept_runs(project.root) if one["tags"].get(COMMIT) == commit}
    node.add(*(Node("stage", one["stage"], {"key": key}) for key, one in kept.items()))
    for run in runs_with(project.root, COMMIT, commit):
        if run["tags"].get(f"{PREFIX}stage_key") not in kept:
            node.add(
                Node("run", f"run {run['run']}", {"name": run["name"], "stage": run["tags"].get(f"{PREFIX}stage")})
            )
    return node if node.children else None
