"""States of the project: contents of dvc.lock, the present one, those kept at registrations, those in git's history.

A state says of every stage instance what it read and wrote, by hash. The content of a hash is looked for in DVC's cache
and in the work tree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wenhuo.errors import GraphError
from wenhuo.keeping import kept_locks
from wenhuo.lineage import CANDIDATES, git

BACKBONES = "data/backbones"
"""Every encoder depends on the whole folder; it uses the one that its parameters name."""
CODE = ("tasks", "wenhuo")
"""Where the code stands that stages name among their dependencies; git keeps it, DVC's cache does not."""


@dataclass(frozen=True)
class Item:
    """A file or folder that a stage read or wrote: its path, DVC's hash (of a folder it ends in ``.dir``), bytes."""

    path: str
    md5: str
    size: int
    files: int = 1

    @property
    def is_folder(self) -> bool:
        """Whether the hash is of a folder's list of files."""
        return self.md5.endswith(".dir")

    @property
    def is_code(self) -> bool:
        """Whether git, not DVC, keeps it."""
        return self.path.split("/")[0] in CODE


@dataclass(frozen=True)
class Made:
    """A stage instance that ran: its name in dvc.lock, its entry there, and its key."""

    stage: str
    entry: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """The hash of its command, parameters and inputs."""
        from wenhuo.graph import stage_key

        return stage_key(self.entry)

    @property
    def name(self) -> str:
        """The stage's name without the instance's."""
        return self.stage.partition("@")[0]

    @property
    def instance(self) -> str:
        """Such as ``mini`` of ``train@mini``."""
        return self.stage.partition("@")[2]

    @property
    def deps(self) -> list[Item]:
        """What it read."""
        return _items(self.entry.get("deps"))

    @property
    def outs(self) -> list[Item]:
        """What it wrote."""
        return _items(self.entry.get("outs"))

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters by dotted name, as dvc.lock has them."""
        return {name: value for part in (self.entry.get("params") or {}).values() for name, value in part.items()}


@dataclass(frozen=True)
class State:
    """A content of dvc.lock.

    Attributes:
        hash: its SHA-256.
        where: ``dvc.lock``, the copy that was kept, or the commit that holds it.
        stages: the stage instances by name.
        present: it is what dvc.lock says now.
    """

    hash: str
    where: str
    stages: dict[str, Made] = field(repr=False)
    present: bool = False

    def maker(self, item: Item) -> Made | None:
        """The stage that wrote a file or folder with this very hash, to this path or, failing that, to another."""
        found = [(made, out) for made in self.stages.values() for out in made.outs if out.md5 == item.md5]
        here = [made for made, out in found if out.path == item.path]
        return next(iter([*here, *(made for made, _ in found)]), None)

    def writer(self, path: str) -> Made | None:
        """The stage that writes to a path, to a folder that it lies in, or to what lies in it."""
        return next((made for made in self.stages.values() if any(_related(out.path, path) for out in made.outs)), None)

    def out(self, path: str) -> Item | None:
        """What stands at a path that a stage writes."""
        return next((out for made in self.stages.values() for out in made.outs if out.path == path), None)

    def upstream(self, made: Made) -> list[Made]:
        """The stages that wrote what a stage read: by hash, and where no hash is equal, by path."""
        found = [one for dep in made.deps if not dep.is_code for one in self._makers(made, dep)]
        return list({one.stage: one for one in found if one.stage != made.stage}.values())

    def _makers(self, made: Made, dep: Item) -> list[Made]:
        maker = self.maker(dep)
        if maker is not None:
            return [maker]
        found = [one for one in self.stages.values() if any(_related(out.path, dep.path) for out in one.outs)]
        if dep.path != BACKBONES:
            return found
        return [one for one in found if f"{BACKBONES}/{one.instance}" in str(made.parameters)]

    def ancestors(self, made: Made) -> list[Made]:
        """All stages upstream, each once."""
        seen: dict[str, Made] = {}
        pending = self.upstream(made)
        while pending:
            one = pending.pop()
            if one.stage not in seen:
                seen[one.stage] = one
                pending += self.upstream(one)
        return list(seen.values())

    def trained(self) -> list[Made]:
        """The instances that made a candidate."""
        return [made for made in self.stages.values() if made.name in CANDIDATES]


def states(root: Path, *, history: bool = True) -> Iterator[State]:
    """Every state that can be read, each once: the present one, the kept ones, those in git's history.

    Args:
        root: the project's folder.
        history: look into git's history too.

    Raises:
        GraphError: a file is no dvc.lock.
    """
    seen = set()
    for where, content in _contents(root, history=history):
        found = hashlib.sha256(content).hexdigest()
        if found not in seen:
            seen.add(found)
            yield State(found, where, _parsed(content, where), present=where == "dvc.lock")


def _contents(root: Path, *, history: bool) -> Iterator[tuple[str, bytes]]:
    if (root / "dvc.lock").exists():
        yield "dvc.lock", (root / "dvc.lock").read_bytes()
    for path in kept_locks(root).values():
        yield f"dvc.lock of {path.stem[:12]}", path.read_bytes()
    if history:
        for commit in git(root, "log", "--format=%H", "--", "dvc.lock").decode().split():
            content = git(root, "show", f"{commit}:./dvc.lock")
            if content:
                yield f"commit {commit[:12]}", content


def _parsed(content: bytes, where: str) -> dict[str, Made]:
    try:
        stages = (YAML(typ="safe").load(content) or {}).get("stages") or {}
        return {name: Made(name, entry) for name, entry in stages.items()}
    except (YAMLError, AttributeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise GraphError(f"{where} cannot be read: {reason}", "restore it, such as by `git checkout`") from None


def _items(entries: Any) -> list[Item]:
    """Each once: a blend of two names its members twice."""
    found = [Item(e["path"], e.get("md5") or "", e.get("size") or 0, e.get("nfiles") or 1) for e in entries or ()]
    return list(dict.fromkeys(found))


def _related(out: str, path: str) -> bool:
    return out == path or path.startswith(f"{out}/") or out.startswith(f"{path}/")
