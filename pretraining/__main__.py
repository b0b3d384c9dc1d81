"""Run one stage: ``python3 -m pretraining STAGE --argument value …`` (the commands of ``pretraining/dvc.yaml``)."""

import importlib.util
import os
import sys
from pathlib import Path


def _enter_environment() -> None:
    """Go on in the project's ``.venv`` when ``python3`` is another one, as ``python -m tasks`` does."""
    if importlib.util.find_spec("pydantic") and importlib.util.find_spec("polars"):
        return
    root = Path(__file__).resolve().parents[1]
    python = root / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix) != root / ".venv":
        os.execv(python, [str(python), "-m", "pretraining", *sys.argv[1:]])  # noqa: S606 - no shell is wanted
    sys.exit("error: this Python lacks wenhuo's libraries\n  → run `make setup` in the project's folder")


if __name__ == "__main__":
    _enter_environment()
    from pretraining.command import main

    sys.exit(main(sys.argv[1:]))
