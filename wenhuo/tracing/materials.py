"""Files of a state brought back under their names, each hashed on the way: from DVC's cache, or from the work tree."""

from __future__ import annotations

import shutil
from pathlib import Path

from wenhuo.errors import DataError
from wenhuo.tracing.objects import Contents
from wenhuo.tracing.states import Item, Made, State


def bring(contents: Contents, item: Item, below: str, target: Path) -> Path:
    """Copy what an item, or a file or folder below it, was to a place.

    Args:
        contents: where contents are found.
        item: the file or folder.
        below: a file or folder in it; empty for all of it.
        target: the file or folder to make.

    Raises:
        DataError: a file is gone or damaged.
    """
    members = contents.members(item)
    chosen = [name for name in members or {} if name == below or not below or name.startswith(f"{below}/")]
    if members is None or not chosen:
        raise _gone(item, below)
    for name in chosen:
        place = target if name == below else target / name.removeprefix(f"{below}/" if below else "")
        place.parent.mkdir(parents=True, exist_ok=True)
        found = contents.file(item, name)
        if found is None:
            raise _gone(item, name)
        shutil.copyfile(found, place)
    return target


def _gone(item: Item, name: str) -> DataError:
    what = f"{item.path}{'/' if name else ''}{name} ({item.md5[:12]}) is gone or damaged in DVC's cache"
    return DataError(what, "`dvc pull` may bring it")


def evaluated(contents: Contents, state: State) -> Made | None:
    """The evaluation of a state, when it measured just the models that the state's trainings made."""
    made = state.stages.get("evaluate")
    dep = next((dep for dep in made.deps if dep.path == "models"), None) if made else None
    if dep is None:
        return None
    files: dict[str, str] = {}
    for out in (out for one in state.trained() for out in one.outs if out.path.startswith("models/")):
        folder = out.path.removeprefix("models/")
        files |= {f"{folder}/{name}": md5 for name, md5 in (contents.members(out) or {}).items()}
    return made if contents.listed_md5(files) == dep.md5 else None
