"""Environment variables of Prefect and of the processes that the flows start.

Prefect reads its settings when it is imported, so that a command calls ``prepare`` before that.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FLOW_RUN = "WENHUO_FLOW_RUN"
"""Holds the Prefect flow run's id in the environment of every stage that the flow starts."""
HOME = ".prefect"


def prepare(root: Path, **more: str) -> None:
    """Set what Prefect needs in this process, where the user has not: its home inside the project, no telemetry.

    Args:
        root: the project's folder.
        more: further variables that the user's own go before.
    """
    for name, value in (prefect_settings(root) | more).items():
        os.environ.setdefault(name, value)


def prefect_settings(root: Path) -> dict[str, str]:
    """Prefect's settings for this project: all it keeps is under ``.prefect/``, and it tells nobody."""
    return {
        "PREFECT_HOME": str(root / HOME),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "DO_NOT_TRACK": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # a first start takes 12 s on a quiet machine, 60 s on a busy one; the default is 20
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    }


def child_environment(flow_run: str) -> dict[str, str]:
    """The environment of a stage's process: ours, our interpreter first on the path, and the flow run's id."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    wait_policy = os.environ.get("OMP_WAIT_POLICY", "passive")  # stages side by side: spinning threads cost 20-fold
    return os.environ | {
        "PATH": path,
        "OMP_WAIT_POLICY": wait_policy,
        "DVC_NO_ANALYTICS": "1",
        "PYTHONUNBUFFERED": "1",
        FLOW_RUN: flow_run,
    }
