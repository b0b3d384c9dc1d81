"""Run one stage: ``python -m tasks STAGE --argument value …`` (the commands of ``dvc.yaml``).

``python -m tasks --help`` lists the stages, ``python -m tasks STAGE --help`` its arguments,
``python -m tasks --check`` reads ``params.yaml`` and reports every mistake in it.
"""

import importlib.util
import os
import sys
from pathlib import Path


def _enter_environment() -> None:
    """Go on in the project's ``.venv`` when ``python3`` is another one: ``.venv/bin/dvc repro`` activates nothing."""
    if importlib.util.find_spec("pydantic") and importlib.util.find_spec("polars"):
        return
    for folder in Path(__file__).resolve().parents:
        python = folder / ".venv" / "bin" / "python"
        if python.exists() and Path(sys.prefix) != folder / ".venv":
            os.execv(python, [str(python), "-m", "tasks", *sys.argv[1:]])  # noqa: S606 - no shell is wanted
    sys.exit(
        "error: this Python lacks wenhuo's libraries\n  → run `make setup`, or activate the environment that has them"
    )


if __name__ == "__main__":
    _enter_environment()
    from tasks.command import main

    sys.exit(main(sys.argv[1:]))
