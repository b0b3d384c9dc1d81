"""The registry: a model a data source, a version for each winner, the alias ``champion`` for the one in use."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema

from wenhuo.checkpoints import BUILT_IN, SHIPPED
from wenhuo.errors import ModelError, TrackingError
from wenhuo.files import read_json
from wenhuo.lineage import PREFIX
from wenhuo.models.folder import CARD, REFERENCE
from wenhuo.tracking.store import connect, first_line, tracking_uri

CHAMPION = "champion"
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow answers where there is no such model or version, and where a model lacks an alias."""
LONGEST_TAG = 5000
DESCRIPTION = "A text classifier made by wenhuo; see its versions' tags."
NEEDED = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "scipy", "scikit-learn", "polars", "pyarrow")
NEEDED_BY_TEXT = ("pydantic", "orjson", "rjieba", "ruamel.yaml", "rich", "huggingface-hub")


@dataclass(frozen=True)
class Version:
    """A registered version: its number, its tags and the key of the stage that trained it."""

    name: str
    number: int
    run_id: str
    tags: dict[str, str]

    @property
    def key(self) -> str:
        """The key of the stage that trained it."""
        return self.tags.get(f"{PREFIX}stage_key", "")

    @property
    def uri(self) -> str:
        """The address under which :meth:`wenhuo.Classifier.load` finds it."""
        return f"models:/{self.name}/{self.number}"


def _version(found: ModelVersion) -> Version:
    return Version(found.name, int(found.version), found.run_id, dict(found.tags))


def champion(client: MlflowClient, name: str) -> Version | None:
    """The version that bears the alias ``champion``, if there is one.

    Raises:
        TrackingError: MLflow does not answer, which must not be taken for there being none.
    """
    try:
        return _version(client.get_model_version_by_alias(name, CHAMPION))
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise _away(error) from None


def version_numbered(client: MlflowClient, name: str, number: int) -> Version:
    """A version by its number.

    Raises:
        ModelError: there is none.
        TrackingError: MLflow does not answer.
    """
    try:
        return _version(client.get_model_version(name, str(number)))
    except MlflowException as error:
        if error.error_code in ABSENT:
            hint = "`wenhuo history --all` shows those there are"
            raise ModelError(f"{name} has no version {number}", hint) from None
        raise _away(error) from None


def versions(client: MlflowClient, name: str) -> list[Version]:
    """All versions of a model, the oldest first; none where there is no such model."""
    return sorted(map(_version, client.search_model_versions(f"name = '{name}'")), key=lambda version: version.number)


def set_tags(client: MlflowClient, version: Version, tags: dict[str, str]) -> None:
    """Set those tags of a version that have another value now."""
    for name, value in tags.items():
        if version.tags.get(name) != value[:LONGEST_TAG]:
            client.set_model_version_tag(version.name, str(version.number), name, value[:LONGEST_TAG])


def _away(error: MlflowException) -> TrackingError:
    return TrackingError(f"MLflow does not answer: {first_line(error)}", "look at its server, and run again")


def make_champion(client: MlflowClient, chosen: Version) -> None:
    """Move the alias ``champion`` to a version, in one step."""
    client.set_registered_model_alias(chosen.name, CHAMPION, str(chosen.number))


def version_of(client: MlflowClient, name: str, key: str) -> Version | None:
    """The version that was made by the stage with this key, if it is registered."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{PREFIX}stage_key` = '{key}'")
    return min(map(_version, found), key=lambda v: v.number, default=None)


def register(
    client: MlflowClient,
    name: str,
    run_id: str,
    folder: Path,
    example: Sequence[str],
    tags: dict[str, str],
    record: Path | None = None,
) -> Version:
    """Log a model folder to its run and register it; a model that is registered already is not registered again.

    Args:
        client: of the store.
        name: of the registered model.
        run_id: the run of the candidate.
        folder: the model's folder.
        example: texts that show what the model takes.
        tags: of the version; ``wenhuo.stage_key`` is among them.
        record: a file to keep beside the folder, see :mod:`wenhuo.gate.record`.

    Of two processes that register the same at once both may find nothing: hold :func:`wenhuo.gate.decisions.locked`.
    """
    known = version_of(client, name, tags[f"{PREFIX}stage_key"])
    if known is not None:
        return known
    logged = _log_model(client, run_id, folder, example, record)
    try:
        client.create_registered_model(name, description=DESCRIPTION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    cut = {key: value[:LONGEST_TAG] for key, value in tags.items()}
    made = client.create_model_version(name, logged.model_uri, run_id, tags=cut, model_id=logged.model_id)
    return _version(made)


def _log_model(client: MlflowClient, run_id: str, folder: Path, example: Sequence[str], record: Path | None) -> Any:
    """Log the folder as a pyfunc made of a script and files: nothing is pickled."""
    import pandas as pd

    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    mlflow.set_tracking_uri(client.tracking_uri)
    with tempfile.TemporaryDirectory() as place, mlflow.start_run(run_id=run_id):
        library = library_for(folder, Path(place))
        return mlflow.pyfunc.log_model(
            name="model",
            python_model=str(library / "tracking" / "served.py"),
            artifacts={"model": str(folder)} | ({"record": str(record)} if record else {}),
            code_paths=[str(library)],
            signature=signature(),
            input_example=pd.DataFrame({"text": list(example)}),
            pip_requirements=[f"{package}=={version(package).split('+')[0]}" for package in NEEDED + NEEDED_BY_TEXT],
        )


def library_for(folder: Path, place: Path) -> Path:
    """A copy of this package under ``place`` that serves the model in ``folder`` without an installation.

    A backbone that ships is copied only for a model that refers to it, or has a member that does, and so has no weights
    of its own.
    """
    library = Path(__file__).parents[1]
    wanted = {read_json(path)["name"].removeprefix(BUILT_IN) for path in folder.rglob(REFERENCE)}

    def left_out(parent: str, names: list[str]) -> set[str]:
        unwanted = {name for name in names if name == "__pycache__" or name.startswith(".")}
        return unwanted | (set(names) - wanted if Path(parent) == SHIPPED else set())

    return Path(shutil.copytree(library, place / library.name, ignore=left_out))


def signature() -> ModelSignature:
    """A column of texts in; a label (none where the model abstains), its probability and the best class out."""
    label = ColSpec(DataType.string, "label", required=False)
    certain = [ColSpec(DataType.double, "probability"), ColSpec(DataType.string, "best")]
    return ModelSignature(inputs=Schema([ColSpec(DataType.string, "text")]), outputs=Schema([label, *certain]))


def fetch_model(uri: str, root: Path = Path()) -> Path:
    """The folder of a registered model, brought here when the registry keeps it elsewhere. None of its code is run.

    Args:
        uri: ``models:/name@alias`` or ``models:/name/version``.
        root: the project's folder.

    Raises:
        ModelError: there is no such version, or its files are gone.
        TrackingError: MLflow does not answer.
    """
    connect(root)
    mlflow.set_tracking_uri(tracking_uri(root))
    try:
        fetched = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        raise ModelError(
            f"{uri} cannot be fetched: {first_line(error)}",
            "`make run` registers a champion; `make ui` shows what there is",
        ) from None
    found = sorted(fetched.glob(f"artifacts/*/{CARD}"))
    if len(found) != 1:
        raise ModelError(f"{uri} holds no model of wenhuo", "give the name of a model that wenhuo registered")
    return found[0].parent
