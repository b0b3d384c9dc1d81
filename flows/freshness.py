"""Is there anything to do? Asked before Prefect is started, which costs more than the answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from flows.environment import child_environment
from wenhuo.graph import changed, stages


def up_to_date(root: Path) -> bool:
    """Whether no stage has anything to do, once those that always run have run.

    They are run here, and are cheap by design; when one fails, the answer is no, and the flow shows why.
    """
    always = [stage for stage in stages(root) if stage.always]
    names = {stage.addressing for stage in always}
    if changed(root) - names or any(stage.upstream for stage in always):
        return False
    return all(_runs(root, name) for name in sorted(names)) and not changed(root) - names


def _runs(root: Path, name: str) -> bool:
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--quiet", "--single-item", name]
    return subprocess.run(command, cwd=root, env=child_environment(""), check=False).returncode == 0
