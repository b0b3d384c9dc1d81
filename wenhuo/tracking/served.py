"""The model as MLflow serves it (``mlflow models serve``): a script that MLflow runs, so it acts when it is run.

A frame with a column ``text`` goes in; a frame with ``label`` (none where the model abstains), ``probability``,
``best`` (the most probable class all the same) and one column a class comes out.
"""

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel


class ServedClassifier(PythonModel):  # type: ignore[misc]
    """A :class:`wenhuo.Classifier` behind MLflow's interface."""

    def load_context(self, context: Any) -> None:
        """Load the model folder that was logged with this script."""
        from wenhuo import Classifier

        self.classifier = Classifier.load(context.artifacts["model"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Classify the column ``text``."""
        found = self.classifier.predict(model_input["text"].tolist())
        rows = [{"label": p.label, "probability": p.probability, "best": p.best, **p.probabilities} for p in found]
        return pd.DataFrame(rows)


set_model(ServedClassifier())
