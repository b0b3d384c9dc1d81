"""What evaluate writes of temperatures and thresholds: for every candidate, on both splits, on the page too."""

import numpy as np
import pytest

from tests.tasks.test_evaluate import Fake, drawn, everything, stage  # noqa: F401 - fixtures
from wenhuo.evaluation import answers
from wenhuo.models.temperature import tempered


class Tempered(Fake):
    """The same classifier with a temperature and a threshold in its card."""

    def __init__(self, folder):
        super().__init__(folder)
        fitted = {"temperature": 2.0, "abstain_below": 0.5, "abstain_for": 0.8} if self.name == "mini" else {}
        self.card = self.card.model_copy(update=fitted)

    def probabilities(self, texts):
        return tempered(super().probabilities(texts), self.card.temperature)


def test_figures_and_page_tell_of_calibration(stage, monkeypatch):  # noqa: F811 - fixtures
    plain = stage.run()
    monkeypatch.setattr(answers, "load", Tempered)
    found = stage.run("again")
    assert list(found["calibration"]) == ["linear", "mini"]
    assert found["winner"] == plain["winner"]
    for split in ("validation", "test"):
        one = found["calibration"]["mini"][split]
        before = plain["candidates"]["mini"][split]
        assert found["candidates"]["mini"][split]["macro_f1"] == before["macro_f1"]
        assert one["untempered"]["calibration_error"] == pytest.approx(before["calibration_error"], abs=2e-6)
        assert one["coverage_curve"][0] == {
            **one["coverage_curve"][0],
            "coverage": 1.0,
            "rows": 60,
            "accuracy": before["accuracy"],
        }
        assert one["answered"]["rows"] == np.floor(60 * one["answered"]["coverage"] + 0.5)
        assert "answered" not in found["calibration"]["linear"][split]
    page = (stage.folder / "again/candidates.html").read_text()
    assert "What the probabilities are worth" in page
    assert "abstains below a probability of 50.0%" in page
    stage.run("same")
    assert everything(stage.folder / "again") == everything(stage.folder / "same")
