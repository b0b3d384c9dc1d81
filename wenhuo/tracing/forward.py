"""From a model to all it came from: stages, parameters, code, data, and at the end the files of the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wenhuo.errors import WenhuoError
from wenhuo.files import read_json
from wenhuo.lineage import LOCK, PREFIX
from wenhuo.splits import SPLITS
from wenhuo.tracing import rows
from wenhuo.tracing.project import COMMIT, Project, Version
from wenhuo.tracing.states import Item, Made, State
from wenhuo.tracing.tree import Node

CIRCUMSTANCES = {
    "commit": COMMIT,
    "uncommitted changes": f"{PREFIX}git_dirty",
    "dvc.lock": LOCK,
    "environment": f"{PREFIX}environment_sha256",
    "flow run": f"{PREFIX}flow_run",
    "processor": f"{PREFIX}cpu",
    "GPU": f"{PREFIX}gpu",
    "threads": f"{PREFIX}threads",
    "Python": f"{PREFIX}python",
}
"""What a version or run says of when and where it was made, as people call it."""
DATA = {
    "source": f"{PREFIX}source",
    "removed": f"{PREFIX}rows_removed",
    "corrected": f"{PREFIX}rows_corrected",
    "validation": f"{PREFIX}validation",
}


@dataclass
class Walk:
    """One way upstream, on which every stage is shown once.

    Attributes:
        project: that is looked into.
        listing: show every row and not only how many come from where.
        seen: stages that were shown, by key.
        steps: state and stage of each, in the order they were met.
    """

    project: Project
    listing: bool = False
    seen: set[str] = field(default_factory=set)
    steps: list[tuple[State, Made]] = field(default_factory=list)


def version_node(walk: Walk, version: Version) -> Node:
    """A version and all it came from."""
    state = walk.project.state_of(version)
    facts = {"aliases": list(version.aliases), "candidate": version.tags.get(f"{PREFIX}candidate"), "key": version.key}
    node = Node("version", version.title, facts).add(*told(version.tags))
    node.add(Node("run", f"run {version.run}", _figures(walk.project, version.run)) if version.run else None)
    return node.add(*_training(walk, state, version.key))


def run_node(walk: Walk, run: str, shown: Mapping[str, Any]) -> Node:
    """A run and all it came from."""
    key = shown["tags"].get(f"{PREFIX}stage_key", "")
    node = Node("run", f"run {run}", {"name": shown["name"], "key": key} | _measured(shown)).add(*told(shown["tags"]))
    state = next((state for state, _ in walk.project.made_by(key)), None)
    for version in walk.project.versions_of(key):
        node.add(Node("version", version.title, {"aliases": list(version.aliases)}))
    return node.add(*_training(walk, state, key))


def stage_node(walk: Walk, state: State, made: Made) -> Node:
    """A stage, what it wrote, and all it came from."""
    if made.key in walk.seen:
        return Node("stage", made.stage, {"see": "above", "key": made.key})
    walk.seen.add(made.key)
    walk.steps.append((state, made))
    node = Node("stage", made.stage, {"key": made.key}, detail={"command": made.entry.get("cmd")})
    node.add(_parameters(made), *(_out(walk, state, out) for out in made.outs), _code(made))
    return node.add(*(_input(walk, state, made, dep) for dep in made.deps if not dep.is_code))


def file_node(walk: Walk, state: State, path: str) -> Node:
    """A file that a stage wrote, and all it came from.

    Raises:
        WenhuoError: no stage writes it.
    """
    made = state.writer(path)
    if made is None:
        raise WenhuoError(f"no stage in {state.where} writes {path}", "`dvc stage list` shows what they write")
    item = state.out(path)
    facts = _about(item) if item else {}
    return Node("file", path, facts | {"of": state.where}).add(stage_node(walk, state, made))


def told(tags: Mapping[str, str]) -> list[Node]:
    """What a run or version says of itself, in two lines: where it was made, and of which data."""
    made = {called: tags.get(tag) for called, tag in CIRCUMSTANCES.items()}
    data: dict[str, Any] = {called: tags.get(tag) for called, tag in DATA.items()}
    for split in SPLITS:
        count, digest = tags.get(f"{PREFIX}rows_{split}"), tags.get(f"{PREFIX}data_{split}_sha256")
        data[split] = {"rows": int(count), "ids": digest} if count and digest else None
    return [Node("made", "made", made), Node("data", "data", data)]


def _training(walk: Walk, state: State | None, key: str) -> list[Node]:
    made = next((one for one in state.stages.values() if one.key == key), None) if state else None
    if state is None or made is None:
        return [Node("problem", f"no dvc.lock at hand knows the stage with the key {key[:12]}", {"key": key})]
    found = stage_node(walk, state, made)
    found.facts["of"] = state.where
    return [found]


def _figures(project: Project, run: str) -> dict[str, Any]:
    from wenhuo.tracking.views import run_told

    shown = run_told(project.root, run)
    return {"name": shown["name"]} | _measured(shown) if shown else {}


def _measured(shown: Mapping[str, Any]) -> dict[str, float]:
    wanted = ("validation_final/macro_f1", "test/macro_f1", "test/accuracy")
    return {name: shown["metrics"][name] for name in wanted if name in shown["metrics"]}


def _parameters(made: Made) -> Node | None:
    given = {name: _masked(value) for name, value in made.parameters.items() if value is not None}
    return Node("parameters", "parameters", given) if given else None


def _masked(value: Any) -> Any:
    """A parameter without the passwords and tokens that a source's address may hold."""
    if isinstance(value, dict):
        return {name: _masked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if not isinstance(value, str) or "://" not in value:
        return value
    from wenhuo.reading.remote import without_secrets

    return without_secrets(value)


def _code(made: Made) -> Node | None:
    code = {dep.path: dep.md5 for dep in made.deps if dep.is_code}
    return Node("code", f"code: {', '.join(code)}", detail={"files": code}) if code else None


def _out(walk: Walk, state: State, out: Item) -> Node:
    """What a stage wrote, with what is said of it where it is a table or report of ours."""
    node = Node("file", f"→ {out.path}", _about(out))
    read = _READERS.get(out.path)
    return read(walk, state, out, node) if read else node


def _input(walk: Walk, state: State, made: Made, dep: Item) -> Node:
    maker = state.maker(dep)
    if maker is not None:
        return stage_node(walk, state, maker)
    elsewhere = [(s, m) for s in walk.project.states if (m := s.maker(dep)) is not None]
    if elsewhere:
        found = stage_node(walk, *elsewhere[0])
        found.facts["of"] = elsewhere[0][0].where
        return found
    if state.writer(dep.path) is None or dep.is_folder:
        return _leaf(walk, state, dep)
    what = f"{dep.path}: {made.stage} read another content than {state.where} says was written"
    return Node("problem", what, _about(dep))


def _leaf(walk: Walk, state: State, dep: Item) -> Node:
    """A file that no stage writes, or a folder in which several do."""
    inside = [m for m in state.stages.values() if any(out.path.startswith(f"{dep.path}/") for out in m.outs)]
    return Node("file", f"← {dep.path}", _about(dep)).add(*(stage_node(walk, state, made) for made in inside))


def _about(item: Item) -> dict[str, Any]:
    return {"md5": item.md5, "bytes": item.size, "files": item.files if item.is_folder else None}


def _gone(item: Item) -> Node:
    what = f"its content is gone or damaged, in DVC's cache and here ({item.md5[:12]}); `dvc pull` may bring it"
    return Node("problem", what, {"md5": item.md5})


def _splits(walk: Walk, state: State, out: Item, node: Node) -> Node:
    """Rows of each split, and from which files of the source they come."""
    for split in SPLITS:
        part = walk.project.contents.file(out, f"{split}.parquet")
        if part is None:
            return node.add(_gone(out))
        counted = rows.origins(part)
        kept = Node("rows", f"{split} {sum(counted.values()):,} rows", {"from": counted})
        node.add(kept.add(*(_row(row) for row in rows.listed(part))) if walk.listing else kept)
    return node


def _row(row: Mapping[str, Any]) -> Node:
    return Node("row", row["id"], {"place": f"{row['origin']}:{row['row']}", "label": row["label"]})


def _source(walk: Walk, state: State, out: Item, node: Node) -> Node:
    """The files of the source, each in its version."""
    found = _json(walk, out)
    if found is None:
        return node.add(_gone(out))
    for source in found.get("sources", [found]):
        files = [
            Node("file", file["path"], {"version": file["version"], "bytes": file["size"]}) for file in source["files"]
        ]
        node.add(Node("source", str(source["source"]), {"kind": source["kind"]}).add(*files))
    return node


def _cleaning(walk: Walk, state: State, out: Item, node: Node) -> Node:
    found = _json(walk, out) or {}
    node.facts["removed"] = {reason: sum(parts.values()) for reason, parts in found.get("removed", {}).items()}
    corrected = found.get("corrections", {})
    node.facts["corrected"] = {name: corrected.get(name) for name in ("relabelled", "taken_out") if name in corrected}
    return node


def _validation(walk: Walk, state: State, out: Item, node: Node) -> Node:
    found = _json(walk, out) or {}
    node.facts |= {name: found[name] for name in ("errors", "warnings") if name in found}
    return node


def _json(walk: Walk, item: Item) -> dict[str, Any] | None:
    path: Path | None = walk.project.contents.file(item)
    return dict(read_json(path)) if path else None


_READERS = {
    rows.PARTS: _splits,
    "data/source.json": _source,
    "reports/clean.json": _cleaning,
    "reports/validation.json": _validation,
}
"""Reports of which a line is worth reading here."""
