"""The stage graph as DVC resolves it, and what ``dvc.lock`` says: the one module that talks to DVC's Python API.

DVC has no public API for the graph. ``Repo.index.graph``, ``dvc.repo.reproduce.plan_repro`` and
``dvc.stage.serialize`` are not documented; ``tests/wenhuo/test_graph.py`` pins what is used of them. The raw
``dvc.yaml`` will not do: ``foreach`` and ``matrix`` stand unexpanded there.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dvc.dvcfile import PROJECT_FILE
from dvc.exceptions import DvcException, NotDvcRepoError
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
from dvc.rwlock import RWLockFileCorruptedError
from dvc.stage import PipelineStage
from dvc.stage.serialize import to_single_stage_lockfile
from dvc.utils.serialize import dumps_yaml, load_yaml, parse_yaml_for_update

from wenhuo.errors import GraphError
from wenhuo.files import write_text

T = TypeVar("T")

SECONDS_BETWEEN_TRIES = 1.0
_one_at_a_time = threading.Lock()  # DVC's locks know processes, not threads


@dataclass(frozen=True)
class Stage:
    """One stage instance of the resolved graph.

    Attributes:
        addressing: how DVC names it, such as ``train@mini``.
        name: the stage's name in ``dvc.yaml``, such as ``train``.
        desc: its description, one line.
        meta: its ``meta`` mapping, free for our own use (``retries``, ``retry_delay_seconds``).
        upstream: the addressings of the stages whose outputs it reads.
        always: it runs every time, such as to look at a source (``always_changed``).
    """

    addressing: str
    name: str
    desc: str
    meta: Mapping[str, Any]
    upstream: tuple[str, ...]
    always: bool = False


def stages(root: str | Path) -> list[Stage]:
    """Every stage that ``dvc repro`` would look at, each after those it depends on, in the order of ``dvc repro``.

    Raises:
        GraphError: ``root`` is in no DVC repository, or ``dvc.yaml`` is not valid.
    """
    with _opened(root) as repo:
        graph = get_active_graph(repo.index.graph)
        wanted = collect_stages(repo, [str(Path(repo.root_dir, PROJECT_FILE))])
        return [_stage(graph, stage) for stage in plan_repro(graph, wanted)]


def changed(root: str | Path, only: Collection[str] = (), *, patience: float = 60.0) -> set[str]:
    """The addressings of the stages whose command, parameters, dependencies or outputs differ from ``dvc.lock``.

    A stage with ``always_changed`` is always among them. Costs about 0.1 s and starts no process.

    Args:
        root: the project's folder.
        only: ask about these stages; empty means all.
        patience: how many seconds to wait while another DVC process holds its lock.

    Raises:
        GraphError: as ``stages``, and when the lock is still held after ``patience``.
    """
    with _opened(root) as repo:
        targets = [_find(repo, addressing).addressing for addressing in only]
        report = _patiently(lambda: repo.status(targets=targets or None), patience)
        return {_addressing(stage) for stage in repo.index.stages if stage.addressing in report}


def lock_entry(root: str | Path, addressing: str) -> dict[str, Any]:
    """What ``dvc.lock`` says of a stage: ``cmd``, ``deps``, ``params`` and ``outs`` with their hashes.

    Raises:
        GraphError: the file is missing or damaged, or the stage never ran.
    """
    path, name = _lock_path(Path(root), addressing)
    entry = _lock(path).get("stages", {}).get(name)
    if entry is None:
        raise GraphError(f"{path.name} has no entry for {addressing}", f"run `dvc repro {addressing}` first")
    return dict(entry)


def current_entry(root: str | Path, addressing: str) -> dict[str, Any]:
    """What ``dvc.lock`` will say of a stage that is about to run or running: ``cmd``, ``deps`` and ``params``.

    The dependencies must exist. Takes no lock, so that a stage may ask about itself while DVC runs it.

    Raises:
        GraphError: as ``stages``, and when the stage or one of its dependencies does not exist.
    """
    with _opened(root) as repo:
        stage = _find(repo, addressing)
        stage.save_deps()
        entry = to_single_stage_lockfile(stage)
    return {key: value for key, value in entry.items() if key != "outs"}


def stage_key(entry: Mapping[str, Any]) -> str:
    """The key of a stage's run: SHA-256 over its command, dependencies (with hashes) and parameters, in hexadecimal."""
    identity = {part: entry.get(part) or None for part in ("cmd", "deps", "params")}
    text = json.dumps(identity, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def current_key(root: str | Path, addressing: str) -> str:
    """The key of a stage about to run or running; ``locked_key`` is the same once DVC has written it down.

    So what a run leaves elsewhere, such as in MLflow, can be found again from ``dvc.lock``. Errors: ``current_entry``.
    """
    return stage_key(current_entry(root, addressing))


def locked_key(root: str | Path, addressing: str) -> str:
    """The key of the run whose outputs ``dvc.lock`` holds. Errors: ``lock_entry``."""
    return stage_key(lock_entry(root, addressing))


def locked_content(root: str | Path, addressing: str, path: str) -> Path | None:
    """Where DVC's cache keeps what ``dvc.lock`` says a stage read or wrote at a path; None when it is not there.

    A stage may ask about itself while DVC runs it: its outputs of last time are gone by then, not so the lock's entry
    and the cache. Errors: ``lock_entry``.
    """
    entry = lock_entry(root, addressing)
    known = {item["path"]: item.get("md5") for part in ("deps", "outs") for item in entry.get(part, ())}
    if not known.get(path):
        return None
    with _opened(root) as repo:
        kept = Path(repo.cache.local.oid_to_path(known[path]))
    return kept if kept.is_file() else None


def cache_folder(root: str | Path) -> Path:
    """Where DVC's cache keeps files, each under the first two and the other digits of its MD5.

    Raises:
        GraphError: ``root`` is in no DVC repository.
    """
    with _opened(root) as repo:
        return Path(repo.cache.local.path)


def lock_order(root: str | Path) -> list[str]:
    """The names in ``dvc.lock`` in their order; none when there is no such file."""
    path, _ = _lock_path(Path(root), "")
    return list(_lock(path).get("stages", {})) if path.exists() else []


def order_lock(root: str | Path, order: list[str], *, patience: float = 60.0) -> None:
    """Put the entries of ``dvc.lock`` in the given order; names that it lacks are passed over, others stay at the end.

    DVC appends a new entry when its stage ends, so that stages run side by side would leave another file than one
    after the other.
    """
    if lock_order(root) == order:
        return
    with _opened(root) as repo:
        _patiently(repo.lock.lock, patience)
        try:
            path, _ = _lock_path(Path(root), "")
            content = parse_yaml_for_update(path.read_text(encoding="utf-8"), str(path)) if path.exists() else {}
            entries = content.get("stages", {})
            names = [name for name in order if name in entries]
            names += [name for name in entries if name not in order]
            if names != list(entries):
                content["stages"] = {name: entries[name] for name in names}
                write_text(path, dumps_yaml(content))
        finally:
            repo.lock.unlock()


@contextmanager
def _opened(root: str | Path) -> Iterator[Repo]:
    with _one_at_a_time:
        try:
            with Repo(str(root)) as repo:
                yield repo
        except NotDvcRepoError:
            raise GraphError(f"{root} is in no DVC repository", "run `dvc init` in the project's folder") from None
        except RWLockFileCorruptedError as error:
            hint = "a DVC process was killed while it wrote it: when none is at work, delete it"
            raise GraphError(_one_line(error), hint) from None
        except (DvcException, TypeError) as error:  # DVC meets a date among the parameters with a TypeError
            raise GraphError(_one_line(error), "mend it, then `dvc status` accepts it") from None


def _patiently(ask: Callable[[], T], patience: float) -> T:
    """What ``ask`` returns, asked again each second while another DVC process holds a lock."""
    give_up = time.monotonic() + patience
    while True:
        try:
            return ask()
        except LockError as error:
            if time.monotonic() > give_up:
                what = f"another DVC process is at work in this project: {_one_line(error)}"
                raise GraphError(what, "wait until it has ended, or stop it, and run again") from None
        time.sleep(SECONDS_BETWEEN_TRIES)


def _find(repo: Repo, addressing: str) -> Any:
    for stage in repo.index.stages:
        if _addressing(stage) == addressing:
            return stage
    raise GraphError(f"dvc.yaml has no stage {addressing}", "`dvc stage list` shows their names")


def _addressing(stage: Any) -> str:
    """The stage's name as it is in the project's folder; DVC's own ``addressing`` depends on the working directory."""
    path = Path(stage.path).relative_to(stage.repo.root_dir).as_posix()
    if not isinstance(stage, PipelineStage):
        return path
    return str(stage.name) if path == PROJECT_FILE else f"{path}:{stage.name}"


def _stage(graph: Any, stage: Any) -> Stage:
    addressing = _addressing(stage)
    upstream = tuple(sorted(_addressing(dependency) for dependency in graph.successors(stage)))
    desc = " ".join((stage.desc or "").split())
    name, always = addressing.partition("@")[0], bool(stage.always_changed)
    return Stage(addressing, name, desc, dict(stage.meta or {}), upstream, always)


def _lock_path(root: Path, addressing: str) -> tuple[Path, str]:
    """The lock file of a stage and its name there: ``sub/dvc.yaml:name`` stands in ``sub/dvc.lock``."""
    file, _, name = addressing.rpartition(":")
    return (root / (file or PROJECT_FILE)).with_suffix(".lock"), name


def _lock(path: Path) -> dict[str, Any]:
    try:
        return dict(load_yaml(str(path)))
    except OSError:
        raise GraphError(f"{path} does not exist", "run `dvc repro` first") from None
    except (DvcException, ValueError, UnicodeDecodeError) as error:
        raise GraphError(f"{path}: {_one_line(error)}", "restore it, such as by `git checkout dvc.lock`") from None


def _one_line(error: BaseException) -> str:
    """An error of DVC's and its causes on one line, without advice on how to use DVC or its YAML parser."""
    said: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        text = " ".join(str(cause).split()).partition(" To suppress this check")[0].partition(" Use `dvc remove`")[0]
        if text and text not in " ".join(said):
            said.append(text)
        cause = cause.__cause__
    return ": ".join(said)
