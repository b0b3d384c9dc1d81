"""What ``wenhuo trace WHAT`` does: find out what is meant, walk, verify where asked, and show it."""

from __future__ import annotations

import re
from pathlib import Path

from wenhuo.errors import DataError, GraphError, WenhuoError
from wenhuo.files import read_json, sha256
from wenhuo.lineage import PREFIX, git
from wenhuo.tracing import backward, forward
from wenhuo.tracing.forward import Walk
from wenhuo.tracing.project import Project, Version, open_project
from wenhuo.tracing.tree import Node, as_json, draw
from wenhuo.tracing.verify import verify

ADDRESS = re.compile(r"(?:models:/)?(?P<name>[^/:@]+)?(?:/(?P<number>\d+)|@(?P<alias>[^/@]+))$")
PLACE = re.compile(r"(?P<origin>.+):(?P<row>\d+)$")
ROW = re.compile(r"[0-9a-f]{32}$")


def trace(root: Path, what: str, *, listing: bool = False, machine: bool = False, check: bool = False) -> bool:
    """Say what something came from, or what came from it.

    Args:
        root: the project's folder.
        what: a version, alias, run, stage, file, row, content or commit; see docs/trace.md.
        listing: show every row.
        machine: print JSON.
        check: hash every file on the way anew.

    Returns:
        Whether all that was hashed is what it should be.

    Raises:
        WenhuoError: nothing here is called so.
    """
    walk = Walk(open_project(root), listing)
    nodes = _find(walk, what)
    sound = True
    if check:
        found, sound = verify(walk)
        nodes.append(found)
    nodes += [Node("problem", sentence) for sentence in dict.fromkeys(walk.project.trouble)]
    if machine:
        print(as_json(nodes[0] if len(nodes) == 1 else Node("trace", what, {}, nodes)))
    else:
        for node in nodes:
            draw(node)
    return sound


def _find(walk: Walk, what: str) -> list[Node]:
    """What is meant, in the order: stage, version, file, row, run, content, commit."""
    for ask in (_stage, _version, _file, _place, _row, _run, _content, _commit):
        found = ask(walk, what)
        if found:
            return found
    raise WenhuoError(
        f"nothing here is called {what}",
        "give a version (name/3), champion, a run's id, a stage (train@mini), a file, a row (its id or train.tsv:17), "
        "a hash, or a commit",
    )


def _stage(walk: Walk, what: str) -> list[Node]:
    for state in walk.project.states:
        for made in state.stages.values():
            if made.stage == what or (len(what) >= backward.SHORTEST_HASH and made.key.startswith(what)):
                node = forward.stage_node(walk, state, made)
                node.facts["of"] = state.where
                versions = walk.project.versions_of(made.key)
                return [node.add(*(Node("version", one.title, {"aliases": list(one.aliases)}) for one in versions))]
    return []


def _version(walk: Walk, what: str) -> list[Node]:
    """``name/3``, ``models:/name/3``, ``name@champion``, ``champion``, ``3``."""
    plain = f"@{what}" if what == "champion" else f"/{what}" if what.isdecimal() else what
    asked = ADDRESS.match(plain)
    if asked is None or (walk.project.root / what).exists():
        return []
    name, number, alias = asked["name"] or _usual(walk.project), asked["number"], asked["alias"]
    found = [one for one in walk.project.versions if name in (None, one.name) and _is(one, number, alias)]
    if len({one.name for one in found}) > 1:
        raise DataError(f"{what} is in doubt: {', '.join(one.title for one in found)}", "name the model too")
    if not found and what.startswith("models:/"):
        known = ", ".join(one.title for one in walk.project.versions)
        raise DataError(f"there is no {what}", f"there is {known}" if known else "`make run` registers one")
    return [forward.version_node(walk, one) for one in found]


def _is(version: Version, number: str | None, alias: str | None) -> bool:
    return version.number == int(number) if number else alias in version.aliases


def _usual(project: Project) -> str | None:
    """The model that the last run registered."""
    winner = project.root / "reports" / "winner.json"
    return str(read_json(winner)["registered_model"]) if winner.exists() else None


def _file(walk: Walk, what: str) -> list[Node]:
    """What a stage wrote: what it came from. Another file that is here: what came from its content."""
    project, root = walk.project, walk.project.root.resolve()
    path = Path(what)
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    state = next((state for state in project.states if state.writer(name)), None)
    if state is not None:
        return [forward.file_node(walk, state, name)]
    here = project.root / path
    if not here.is_file():
        return []
    digests = project.contents.md5(here), sha256(here)
    found = next(filter(None, (backward.hash_node(project, digest) for digest in digests)), None)
    if found is None:
        raise DataError(f"no stage that is known here read {what} as it is now", "`git log` and `dvc diff` may help")
    return [found]


def _place(walk: Walk, what: str) -> list[Node]:
    asked = PLACE.match(what)
    if asked is None or what.startswith("models:"):
        return []
    return backward.row_nodes(walk.project, backward.find_rows(walk.project, asked["origin"], int(asked["row"])))


def _row(walk: Walk, what: str) -> list[Node]:
    if not ROW.match(what) or not backward.is_row(walk.project, what):
        return []
    return backward.row_nodes(walk.project, [what])


def _run(walk: Walk, what: str) -> list[Node]:
    from wenhuo.tracking.views import run_told

    shown = run_told(walk.project.root, what) if ROW.match(what) else None
    if shown is None:
        return []
    if not shown["tags"].get(f"{PREFIX}stage_key"):
        raise DataError(f"run {what} bears no stage's key", "wenhuo did not make it")
    return [forward.run_node(walk, what, shown)]


def _content(walk: Walk, what: str) -> list[Node]:
    plain = what.partition(":")[2] if what.startswith(("md5:", "sha256:")) else what
    for state in walk.project.states:
        if len(plain) >= backward.SHORTEST_HASH and state.hash.startswith(plain):
            node = Node("state", f"dvc.lock {state.hash}", {"in": state.where})
            return [node.add(*(forward.stage_node(walk, state, made) for made in reversed(state.stages.values())))]
    found = backward.hash_node(walk.project, plain)
    return [found] if found else []


def _commit(walk: Walk, what: str) -> list[Node]:
    said = git(walk.project.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{what}^{{commit}}")
    commit = said.decode().strip()
    if not commit:
        return []
    found = backward.tagged_node(walk.project, commit)
    if found is None:
        raise GraphError(
            f"nothing that is known here was made at commit {commit[:12]}", "`git log -- dvc.lock` may help"
        )
    return [found]
