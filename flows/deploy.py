"""Keep the graph running on a schedule, on this machine: a Prefect server, a work pool, a worker and the deployment.

    python -m flows.deploy start [--cron "* * * * *"] | status | stop

The server listens on 127.0.0.1 only. All it keeps is under ``.prefect/``: its database, logs and the notes of which
processes are ours. ``make deploy`` and ``make deploy-stop`` call this.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from flows import services
from flows.children import GRACE, end, family
from flows.environment import HOME, prefect_settings
from flows.server import answers, ask, serve
from flows.services import Service, ServiceError
from wenhuo.console import say
from wenhuo.errors import exit_code
from wenhuo.settings import read_yaml

FIRST_PORT = 4200
POOL = "wenhuo"
CONFIGURATION = "prefect.yaml"


def start(root: Path, cron: str | None = None) -> None:
    """Start what does not run yet, and hand ``prefect.yaml`` to the server.

    Args:
        root: the project's folder.
        cron: takes the place of the schedules in ``prefect.yaml``, for trying it out.

    Raises:
        ServiceError: something did not start; what had been started is ended again.
        SettingsError: ``prefect.yaml`` cannot be read.
    """
    folder = root / HOME
    server, worker = services.running(folder, "server"), services.running(folder, "worker")
    if server and worker and cron is None:
        say("the deployment is running already")
    else:
        configuration = _configuration(root, cron)
        try:
            if server is None:
                say("starting a Prefect server …")
                server = serve(root, "server", FIRST_PORT)
            _deploy(root, server.url, configuration)
            worker = worker or _start_worker(root, server.url)
        except BaseException:
            stop(root)
            raise
    _report(root, server, worker)


def stop(root: Path) -> bool:
    """End the worker, the runs it started, and the server, and nothing else; True when one of them was alive.

    A run under way is ended first, while the server still hears of it and before the worker would kill it: so its
    stage can save a checkpoint, and it is not left "running", which would keep the next run from starting.
    """
    folder = root / HOME
    server, worker = services.running(folder, "server"), services.running(folder, "worker")
    if server and worker:
        _pause(server.url, True)
        end([member for member in family(worker.pid) if _is_flow_run(member, worker)], GRACE + 10)
    stopped = [services.stop(folder, "worker", grace=10), services.stop(folder, "server", grace=10)]
    return any(stopped)


def status(root: Path) -> bool:
    """Say what runs where; True when server and worker do."""
    folder = root / HOME
    server, worker = services.running(folder, "server"), services.running(folder, "worker")
    if server is None and worker is None:
        say("no deployment is running here; `make deploy` starts one")
        return False
    _report(root, server, worker)
    return server is not None and worker is not None


def main(argv: list[str]) -> int:
    """The command line: 0, or 1 when something did not start or does not run (wrong usage exits with 2)."""
    parser = argparse.ArgumentParser("python -m flows.deploy", description="Run the graph on a schedule, here.")
    parser.add_argument("action", choices=["start", "stop", "status"])
    parser.add_argument("--cron", help="a schedule instead of the one in prefect.yaml")
    parser.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the project's folder (default: here)")
    arguments = parser.parse_args(argv)
    root = arguments.root.resolve()
    return exit_code(lambda: _act(arguments.action, root, arguments.cron or None))


def _act(action: str, root: Path, cron: str | None) -> int:
    if action == "start":
        start(root, cron)
    elif action == "status":
        return 0 if status(root) else 1
    else:
        say("stopped" if stop(root) else "nothing was running")
    return 0


def _deploy(root: Path, url: str, configuration: Path) -> None:
    if not answers(url, f"work_pools/{POOL}"):
        _call(root, url, "work-pool", "create", POOL, "--type", "process")
    _pause(url, False)
    _call(root, url, "--no-prompt", "deploy", "--all", "--prefect-file", str(configuration))


def _start_worker(root: Path, url: str) -> Service:
    say("starting a worker …")
    command = _prefect("worker", "start", "--pool", POOL, "--name", POOL, "--type", "process")
    worker = services.start(root / HOME, "worker", command, env=_environment(root, url), cwd=root, url=url)
    services.wait_until(lambda: _online(url), worker, root / HOME, "the worker")
    return worker


def _configuration(root: Path, cron: str | None) -> Path:
    """``prefect.yaml``, or a copy of it under ``.prefect/`` with another schedule."""
    content = read_yaml(root / CONFIGURATION)
    if cron is None:
        return root / CONFIGURATION
    for deployment in content["deployments"]:
        zones = [schedule.get("timezone", "UTC") for schedule in deployment.get("schedules", [])]
        deployment["schedules"] = [{"cron": cron, "timezone": (zones or ["UTC"])[0]}]
    return _write_copy(root / HOME / CONFIGURATION, content)


def _write_copy(target: Path, content: Any) -> Path:
    from ruamel.yaml import YAML

    target.parent.mkdir(parents=True, exist_ok=True)
    YAML().dump(content, target)
    return target


def _report(root: Path, server: Service | None, worker: Service | None) -> None:
    folder = root / HOME
    for name, service in (("server", server), ("worker", worker)):
        place = f"process {service.pid}, log {services.log_path(folder, name)}" if service else "not running"
        say(f"{name}: {place}")
    if server is None:
        return
    say(f"UI: {server.url}")
    for line in _schedules(server.url):
        say(line)
    prefect = Path(sys.executable).parent / "prefect"
    say(f"run now: PREFECT_API_URL={server.url}/api {prefect} deployment run retrain/retrain")
    say("stop: make deploy-stop")


def _schedules(url: str) -> list[str]:
    found = ask(url, "deployments/filter", {}, "POST")
    lines = []
    for deployment in found if isinstance(found, list) else []:
        crons = [f"{s['schedule'].get('cron')} {s['schedule'].get('timezone')}" for s in deployment["schedules"]]
        lines.append(f"deployment {deployment['name']}: {'; '.join(crons) or 'no schedule'}")
    return lines


def _environment(root: Path, url: str) -> dict[str, str]:
    """Ours, with Prefect's settings where the user has none, and this server's address whatever the user has."""
    return prefect_settings(root) | os.environ | {"PREFECT_API_URL": f"{url}/api", "PYTHONUNBUFFERED": "1"}


def _prefect(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *arguments]


def _call(root: Path, url: str, *arguments: str) -> None:
    """Run a command of Prefect's to its end; its output goes to ``deploy.log``."""
    log = services.log_path(root / HOME, "deploy")
    with log.open("ab") as output:
        done = subprocess.run(
            _prefect(*arguments),
            cwd=root,
            env=_environment(root, url),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise ServiceError(f"`prefect {' '.join(arguments)}` failed: {services.last_line(log)}", f"read {log}")


def _online(url: str) -> bool:
    workers = ask(url, f"work_pools/{POOL}/workers/filter", {}, "POST") or []
    return any(worker["status"] == "ONLINE" for worker in workers)


def _pause(url: str, paused: bool) -> None:
    """Keep the worker from taking new runs, or let it."""
    ask(url, f"work_pools/{POOL}", {"is_paused": paused}, method="PATCH")


def _is_flow_run(process: psutil.Process, worker: Service) -> bool:
    """Whether a process under the worker is a flow run's; those of its stages are the flow's to end."""
    try:
        return process.pid != worker.pid and any("prefect" in Path(part).name for part in process.cmdline())
    except psutil.Error:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
