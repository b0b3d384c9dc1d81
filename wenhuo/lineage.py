"""What a result was made of, as tags: the same for every run and model version."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wenhuo.files import read_json, sha256

PREFIX = "wenhuo."
FLOW_RUN = "WENHUO_FLOW_RUN"
"""The environment variable in which the flow hands its run's id to the stages it starts."""
ENVIRONMENT_LOCK = Path("constraints.txt")


@dataclass(frozen=True)
class Identity:
    """A stage instance about to run, or one that ran: its name in dvc.yaml and the hash of all it depends on."""

    stage: str
    key: str

    def tags(self) -> dict[str, str]:
        """The tags by which its run is found again, and those that say where and from which code it ran."""
        own = {f"{PREFIX}stage": self.stage, f"{PREFIX}stage_key": self.key}
        flow_run = os.environ.get(FLOW_RUN)
        return own | code_tags() | ({f"{PREFIX}flow_run": flow_run} if flow_run else {})


def identify(stage: str, root: Path = Path()) -> Identity:
    """The identity of a stage that is about to run.

    Raises:
        GraphError: there is no such stage, or one of its inputs is missing.
    """
    from wenhuo.graph import current_key

    return Identity(stage, current_key(root, stage))


def identify_made(stage: str, root: Path = Path()) -> Identity:
    """The identity of a stage whose outputs lie here, from dvc.lock.

    Raises:
        GraphError: dvc.lock has no entry for it.
    """
    from wenhuo.graph import locked_key

    return Identity(stage, locked_key(root, stage))


def code_tags(root: Path = Path()) -> dict[str, str]:
    """The git commit, whether files differ from it (dvc.lock apart: every run rewrites it), the environment's hash."""
    tags = {}
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!dvc.lock")
        tags[f"{PREFIX}git_dirty"] = str(bool(changed)).lower()
    if (root / ENVIRONMENT_LOCK).exists():
        tags[f"{PREFIX}environment_sha256"] = sha256(root / ENVIRONMENT_LOCK)
    return tags


def data_tags(dataset: dict[str, Any], root: Path = Path()) -> dict[str, str]:
    """The source, row counts and hashes of the splits, the validation's verdict, and the hash of dvc.lock.

    Args:
        dataset: what ``dataset.json`` of the split data says.
        root: the project's folder.
    """
    tags = {f"{PREFIX}source": str(dataset["source"]), f"{PREFIX}synthetic": str(dataset["synthetic"]).lower()}
    for split, rows in dataset["rows"].items():
        tags[f"{PREFIX}rows_{split}"] = str(rows)
        tags[f"{PREFIX}data_{split}_sha256"] = dataset["hash"][split]
    report = root / "reports" / "validation.json"
    if report.exists():
        found = read_json(report)
        tags[f"{PREFIX}validation"] = f"{found['errors']} errors, {found['warnings']} warnings"
    return tags


def lock_tag(root: Path = Path()) -> dict[str, str]:
    """The hash of dvc.lock as it is now."""
    lock = root / "dvc.lock"
    return {f"{PREFIX}dvc_lock_sha256": sha256(lock)} if lock.exists() else {}


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
