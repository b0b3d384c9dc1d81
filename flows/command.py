"""The command line of ``python -m flows.retrain``. Imports Prefect only after its environment is prepared."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from flows import environment
from wenhuo.console import say
from wenhuo.errors import WenhuoError


def main(argv: list[str]) -> int:
    """Run the graph once; the exit code is 0, or 1 when a stage failed (wrong usage exits with 2)."""
    arguments = _parser().parse_args(argv)
    root = arguments.root.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_complain("stopped", 128 + signal.SIGTERM)))
    began = time.monotonic()
    try:
        _check(root, arguments.target)
        if arguments.if_changed and _up_to_date(root):
            say(f"retrain: everything is up to date, {time.monotonic() - began:.1f} s")
            return 0
        state = _run(root, arguments)
    except WenhuoError as error:
        return _complain(str(error))
    except ModuleNotFoundError as error:
        return _complain(f"this Python lacks {error.name}\n  → run .venv/bin/python -m flows.retrain")
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    if not state.is_completed():
        return _complain(str(state.message))
    say(f"retrain: {state.message}, {time.monotonic() - began:.1f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m flows.retrain", description="Rebuild what changed, as a Prefect flow.")
    parser.add_argument("--jobs", type=_positive, default=2, metavar="N", help="stages side by side (default: 2)")
    parser.add_argument("--target", action="append", default=[], metavar="STAGE", help="build this and its upstream")
    parser.add_argument("--if-changed", action="store_true", help="start Prefect only when a stage has something to do")
    parser.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the project's folder (default: here)")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)


def _check(root: Path, targets: list[str]) -> None:
    """Say what is wrong with the graph or the targets before a server is started."""
    from flows.execution import select
    from wenhuo.graph import stages

    select(stages(root), targets)


def _up_to_date(root: Path) -> bool:
    from flows.freshness import up_to_date

    return up_to_date(root)


def _run(root: Path, arguments: argparse.Namespace) -> Any:
    environment.prepare(root, PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL")  # what matters is printed here
    os.environ["PREFECT_API_URL"] = _server(root)
    _check_server()
    from flows.retrain import retrain, terminal

    terminal.set(True)
    return retrain(targets=arguments.target or None, jobs=arguments.jobs, root=str(root), return_state=True)


def _server(root: Path) -> str:
    """The API of the user's server, else of the one that ``make deploy`` started here, else of one for this run."""
    from flows.server import temporary
    from flows.services import running

    deployed = running(root / environment.HOME, "server")
    url = os.environ.get("PREFECT_API_URL") or (f"{deployed.url}/api" if deployed else None)
    say(f"retrain: with Prefect at {url}" if url else "retrain: with a temporary Prefect server")
    return url or f"{temporary(root)}/api"


def _check_server() -> None:
    from prefect.client.orchestration import get_client

    from flows.services import ServiceError

    with get_client(sync_client=True) as client:
        failure = client.api_healthcheck()
    if failure is not None:
        what = f"Prefect at {os.environ['PREFECT_API_URL']} does not answer: {failure}"
        raise ServiceError(what, "start it, or unset PREFECT_API_URL")


def _complain(what: str, code: int = 1) -> int:
    print(f"error: {what}", file=sys.stderr, flush=True)
    return code
