"""What a result was made of and where, as tags: the same for every run and model version."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wenhuo.errors import GraphError
from wenhuo.files import read_json, sha256

PREFIX = "wenhuo."
LOCK = f"{PREFIX}dvc_lock_sha256"
CANDIDATES = ("train", "blend")
"""The stages whose instances make candidates, each a model under ``models/`` with the instance's name."""
FLOW_RUN = "WENHUO_FLOW_RUN"
"""The environment variable in which the flow hands its run's id to the stages it starts."""
ENVIRONMENT_LOCK = Path("constraints.txt")
WRITTEN_BY_RUNS = ("dvc.lock", "reports")
"""Files in git that every run rewrites or adds to: they make no commit dirty."""


@dataclass(frozen=True)
class Identity:
    """A stage instance about to run, or one that ran: its name in dvc.yaml and the hash of all it depends on.

    Attributes:
        stage: such as ``train@mini``.
        key: of its command, parameters and inputs.
        in_graph: DVC runs it, so that dvc.lock names its key.
        made: it ran before; what the code and the machine are now says nothing about it.
    """

    stage: str
    key: str
    in_graph: bool = False
    made: bool = False

    def tags(self) -> dict[str, str]:
        """The tags by which its run is found again, and those that say where and from which code it runs."""
        return self.names() | circumstances()

    def names(self) -> dict[str, str]:
        """The tags by which its run is found again."""
        return {f"{PREFIX}stage": self.stage, f"{PREFIX}stage_key": self.key}


def identify(stage: str, root: Path = Path()) -> Identity:
    """The identity of a stage that is about to run.

    Raises:
        GraphError: there is no such stage, or one of its inputs is missing.
    """
    from wenhuo.graph import current_key

    return Identity(stage, current_key(root, stage), in_graph=True)


def identify_made(stage: str, root: Path = Path()) -> Identity:
    """The identity of a stage whose outputs lie here, from dvc.lock.

    Raises:
        GraphError: dvc.lock has no entry for it.
    """
    from wenhuo.graph import locked_key

    return Identity(stage, locked_key(root, stage), in_graph=True, made=True)


def candidate_stage(name: str, kind: str) -> str:
    """The stage instance that makes a candidate, such as ``train@mini``.

    Args:
        name: the candidate's.
        kind: of its model, as its card says.
    """
    return f"{'blend' if kind == 'blend' else 'train'}@{name}"


def circumstances(root: Path = Path()) -> dict[str, str]:
    """Code, environment, machine and flow, as they are now."""
    flow_run = os.environ.get(FLOW_RUN)
    return code_tags(root) | hardware_tags() | ({f"{PREFIX}flow_run": flow_run} if flow_run else {})


def code_tags(root: Path = Path()) -> dict[str, str]:
    """The git commit, whether files differ from it (those that runs write apart), the environment's hash."""
    tags = {}
    commit = _line(git(root, "rev-parse", "HEAD"))
    if commit:
        tags["mlflow.source.git.commit"] = commit
        apart = [f":!{path}" for path in WRITTEN_BY_RUNS]
        changed = git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *apart)
        tags[f"{PREFIX}git_dirty"] = str(bool(changed)).lower()
    if (root / ENVIRONMENT_LOCK).exists():
        tags[f"{PREFIX}environment_sha256"] = sha256(root / ENVIRONMENT_LOCK)
    return tags


def hardware_tags() -> dict[str, str]:
    """The processor's model, the GPUs' where the driver names any, how many threads there may be, Python's version."""
    tags = {f"{PREFIX}cpu": _processor(), f"{PREFIX}threads": _threads()}
    tags[f"{PREFIX}python"] = platform.python_version()
    gpus = [_after(path, "Model") for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))]
    return tags | ({f"{PREFIX}gpu": ", ".join(gpus)} if gpus else {})


def data_tags(
    dataset: Mapping[str, Any], root: Path = Path(), reports: Mapping[str, Path | None] | None = None
) -> dict[str, str]:
    """The source, row counts and hashes of the splits, removed and corrected rows, the validation's verdict.

    Args:
        dataset: what ``dataset.json`` of the split data says.
        root: the project's folder.
        reports: the reports ``validation`` and ``clean``, where they do not lie in that folder.
    """
    tags = {f"{PREFIX}source": str(dataset["source"]), f"{PREFIX}synthetic": str(dataset["synthetic"]).lower()}
    for split, rows in dataset["rows"].items():
        tags[f"{PREFIX}rows_{split}"] = str(rows)
        tags[f"{PREFIX}data_{split}_sha256"] = dataset["hash"][split]
    given = reports or {name: root / "reports" / f"{name}.json" for name in ("validation", "clean")}
    told = {name: read_json(path) for name, path in given.items() if path is not None and path.exists()}
    if "validation" in told:
        tags[f"{PREFIX}validation"] = (
            f"{told['validation']['errors']} errors, {told['validation']['warnings']} warnings"
        )
    return tags | (_cleaning_tags(told["clean"]) if "clean" in told else {})


def split_tags(root: Path = Path()) -> dict[str, str]:
    """The key of the stage that made the splits, and DVC's hash of them, as dvc.lock has it; none without one."""
    from wenhuo.graph import lock_entry, stage_key

    try:
        entry = lock_entry(root, "split")
    except GraphError:
        return {}
    parts: dict[str, Any] = next((out for out in entry.get("outs", ()) if out["path"] == "data/split"), {})
    return {f"{PREFIX}stage_key": stage_key(entry), f"{PREFIX}dvc_md5": str(parts.get("md5", ""))}


def _cleaning_tags(told: Mapping[str, Any]) -> dict[str, str]:
    """How many rows went, by reason, and how many labels people corrected."""
    removed = {reason: sum(parts.values()) for reason, parts in told.get("removed", {}).items()}
    by_reason = f" ({', '.join(f'{count} {reason}' for reason, count in removed.items())})" if removed else ""
    corrected = told.get("corrections", {})
    changes = f"{corrected.get('relabelled', 0)} relabelled, {corrected.get('taken_out', 0)} taken out"
    return {f"{PREFIX}rows_removed": f"{sum(removed.values())}{by_reason}", f"{PREFIX}rows_corrected": changes}


def lock_tag(root: Path = Path()) -> dict[str, str]:
    """The hash of dvc.lock as it is now, of which a copy is kept, so that it can be looked up later."""
    from wenhuo.keeping import keep_lock

    found = keep_lock(root)
    return {LOCK: found} if found else {}


def git_user(root: Path = Path()) -> str:
    """The name of git's user; empty where there is none."""
    return _line(git(root, "config", "user.name"))


def git(root: Path, *arguments: str) -> bytes:
    """What git says in a folder; nothing where there is no git, no repository, or no answer."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except OSError:
        return b""
    return done.stdout if done.returncode == 0 else b""


def _line(said: bytes) -> str:
    return said.decode("utf-8", "replace").strip()


def _processor() -> str:
    return _after(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine()


def _threads() -> str:
    """What OpenMP was told, or the cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return os.environ.get("OMP_NUM_THREADS") or str(cores)


def _after(path: Path, field: str) -> str:
    """The value of the first line ``field : value`` of a file of the kernel's; empty when there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.split(":")[0].strip() == field), "")
