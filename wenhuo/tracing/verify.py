"""Hash every file on the way anew: in the work tree, in DVC's cache, and the copies that MLflow serves.

DVC trusts a cache object that is still read-only, and the work tree's files as long as size and time stay; so does
``dvc status``. What is damaged there is only found by reading it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wenhuo.files import read_json, sha256
from wenhuo.tracing.forward import Walk
from wenhuo.tracing.objects import Contents
from wenhuo.tracing.project import Version
from wenhuo.tracing.states import Item, Made, State
from wenhuo.tracing.tree import Node


@dataclass(frozen=True)
class Finding:
    """Something that is not what it should be.

    Attributes:
        where: the file.
        what: is wrong with it.
        of: what it belongs to.
        harmless: it was only changed since, and what it was is kept elsewhere.
    """

    where: str
    what: str
    of: str = ""
    harmless: bool = False


def verify(walk: Walk) -> tuple[Node, bool]:
    """Hash what a walk met; return what was found, and whether nothing is damaged."""
    checked, findings = 0, list[Finding]()
    for item, state in _items(walk):
        found = list(_check(walk.project.contents, item, state))
        findings += found
        checked += 1
    for state, made in walk.steps:
        findings += _source_files(walk, state, made)
    findings += _served(walk)
    unique = list(dict.fromkeys(findings))
    harmful = [one for one in unique if not one.harmless]
    title = f"{checked:,} files and folders hashed: " + (
        f"{len(harmful):,} no longer match" if harmful else "all match"
    )
    node = Node("problem" if harmful else "verified", title, {"checked": checked, "damaged": len(harmful)})
    return node.add(*(_node(one) for one in sorted(unique, key=lambda one: (one.harmless, one.where)))), not harmful


def _node(finding: Finding) -> Node:
    kind = "changed" if finding.harmless else "problem"
    return Node(kind, finding.where, {"what": finding.what, "of": finding.of})


def _items(walk: Walk) -> Iterator[tuple[Item, State]]:
    """Everything that the stages on the way read and wrote, each content once."""
    seen = set()
    for state, made in walk.steps:
        for item in (*made.outs, *made.deps):
            if (item.path, item.md5) not in seen:
                seen.add((item.path, item.md5))
                yield item, state


def _check(contents: Contents, item: Item, state: State) -> Iterator[Finding]:
    expected = _expected(contents, item.path)
    written = not item.is_code and state.writer(item.path) is not None
    here = contents.root / item.path
    matches = here.exists() and _matches(contents, here, item)
    if written:
        yield from _objects(contents, item, state, elsewhere=matches)
    if expected == item.md5 and not matches and (here.exists() or not written):
        yield Finding(item.path, _difference(contents, here, item), state.where)
    elif expected != item.md5 and not matches and not written:
        yield Finding(item.path, "is another now than then; git has what it was", state.where, harmless=True)


def _expected(contents: Contents, path: str) -> str | None:
    """What dvc.lock says the work tree holds."""
    stages = contents.present.stages.values() if contents.present else ()
    return next((i.md5 for made in stages for i in (*made.outs, *made.deps) if i.path == path), None)


def _matches(contents: Contents, here: Path, item: Item) -> bool:
    if item.is_folder != here.is_dir():
        return False
    return (contents.folder_md5(here)[0] if item.is_folder else contents.md5(here)) == item.md5


def _difference(contents: Contents, here: Path, item: Item) -> str:
    """Which files of a folder differ, where that can be told."""
    if not here.exists():
        return "is missing"
    then = contents.members(item) if item.is_folder else None
    if not then or not here.is_dir():
        return f"no longer matches: its hash was {item.md5[:12]}"
    now = contents.folder_md5(here)[1]
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    return f"no longer matches: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"


def _objects(contents: Contents, item: Item, state: State, *, elsewhere: bool) -> Iterator[Finding]:
    """The objects in the cache that hold a content: damaged, or gone while the work tree does not have it either."""
    if not item.is_folder:
        yield from _object(contents, item.md5, item.path, elsewhere=elsewhere)
        return
    listed = contents.object(item.md5)
    if not listed.exists():
        if not elsewhere and not _is_gathered(state, item):
            yield Finding(item.path, f"is gone from DVC's cache ({item.md5[:12]}); `dvc pull` may bring it", "")
        return
    if contents.md5(listed) + ".dir" != item.md5:
        yield Finding(_shown(contents, listed), "no longer matches its name: the list of a folder's files", item.path)
        return
    for name, md5 in (contents.members(item) or {}).items():
        yield from _object(contents, md5, f"{item.path}/{name}", elsewhere=elsewhere)


def _is_gathered(state: State, item: Item) -> bool:
    """A folder that several stages write into, which is no object of its own."""
    return any(out.path.startswith(f"{item.path}/") for made in state.stages.values() for out in made.outs)


def _object(contents: Contents, md5: str, path: str, *, elsewhere: bool) -> Iterator[Finding]:
    kept = contents.object(md5)
    if not kept.exists():
        if not elsewhere:
            yield Finding(path, f"is gone from DVC's cache ({md5[:12]}); `dvc pull` may bring it")
    elif contents.md5(kept) != md5:
        hint = "delete it, then `dvc commit`" if elsewhere else "delete it, then `dvc pull` or `dvc repro`"
        yield Finding(_shown(contents, kept), f"no longer matches its name; {hint}", path)


def _shown(contents: Contents, path: Path) -> str:
    root = contents.root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _source_files(walk: Walk, state: State, made: Made) -> Iterator[Finding]:
    """The files of a local source: another version than was read makes it another corpus."""
    if made.stage != "source" or not made.outs:
        return
    written = walk.project.contents.file(made.outs[0])
    sources = read_json(written).get("sources", []) if written else []
    for source in sources:
        if source["kind"] != "local":
            continue
        for file in source["files"]:
            yield from _source_file(walk, state, str(source["source"]), file)


def _source_file(walk: Walk, state: State, source: str, file: dict[str, Any]) -> Iterator[Finding]:
    base = walk.project.root / source.removeprefix("file://")
    path = base / file["path"] if base.is_dir() else base
    kind, _, digest = str(file["version"]).partition(":")
    if kind != "sha256" or base.is_dir() != (base / file["path"]).exists() or not path.is_file():
        if not path.is_file():
            yield Finding(f"{source}: {file['path']}", "is no longer there", state.where, harmless=True)
        return
    if sha256(path) != digest:
        what = "is another version now than the one that was read"
        yield Finding(f"{source}: {file['path']}", what, state.where, harmless=not state.present)


def _served(walk: Walk) -> Iterator[Finding]:
    """The files that MLflow keeps of the versions on the way, where it keeps them on this machine."""
    keys = {made.key: (state, made) for state, made in walk.steps}
    for version in walk.project.versions:
        if version.key in keys and version.source:
            model = next((out for out in keys[version.key][1].outs if out.path.startswith("models/")), None)
            if model is not None:
                yield from _copy(walk.project.contents, version, model)


def _copy(contents: Contents, version: Version, model: Item) -> Iterator[Finding]:
    from wenhuo.tracking.views import local_model

    folder, members = local_model(contents.root, version.source), contents.members(model)
    if folder is None or members is None:
        return
    for name, md5 in members.items():
        path = folder / name
        if not path.is_file():
            yield Finding(_shown(contents, path), "is missing", version.title)
        elif contents.md5(path) != md5:
            yield Finding(_shown(contents, path), "no longer matches the model that was registered", version.title)
