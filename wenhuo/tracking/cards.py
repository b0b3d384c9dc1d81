"""The card of a version in MLflow: files among its run's artifacts, and the version's description."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from wenhuo.cards.making import PLACE, MadeCard
from wenhuo.errors import TrackingError
from wenhuo.files import write_text
from wenhuo.lineage import PREFIX
from wenhuo.tracking import registry
from wenhuo.tracking.registry import Version
from wenhuo.tracking.store import first_line

CARD = f"{PREFIX}card"
"""The tag that says which card a version has, so that giving it the same again costs nothing."""


def has_card(version: Version) -> bool:
    """Whether a version has a card, whichever."""
    return CARD in version.tags


def publish(client: MlflowClient, version: Version, made: MadeCard) -> bool:
    """Give a version its card; return whether it had another one or none.

    Raises:
        TrackingError: MLflow does not answer.
    """
    if version.tags.get(CARD) == made.digest:
        return False
    try:
        with tempfile.TemporaryDirectory() as place:
            for name, content in made.files.items():
                write_text(Path(place, name), content)
                client.log_artifact(version.run_id, str(Path(place, name)), PLACE)
        client.update_model_version(version.name, str(version.number), made.description)
        registry.set_tags(client, version, {CARD: made.digest})
    except MlflowException as error:
        raise TrackingError(f"MLflow did not take the card: {first_line(error)}", "run `wenhuo card`") from None
    return True
