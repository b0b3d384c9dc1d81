"""Training ends in equal bytes, killed and resumed or not, and finds what the tiny corpus holds."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from tests.wenhuo.training.conftest import digest, options, train
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.errors import DataError, SettingsError
from wenhuo.models.scores import accuracy_and_macro_f1
from wenhuo.training import candidate, history, linear, optimizers, states
from wenhuo.training.options import LinearCandidate, TransformerCandidate

ROOT = Path(__file__).resolve().parents[3]

# What a stage does, in a process of its own that can be killed.
TRAIN = """
import json, sys
from pathlib import Path
from wenhuo.training import candidate, history
from wenhuo.training.options import TransformerCandidate
encoded, folder, checkpoints, curves, options = sys.argv[1:]
Path(folder).mkdir()
points = candidate.train_transformer(
    TransformerCandidate(**json.loads(options)), 13, Path(encoded), Path(folder), Path(checkpoints), lambda points: 0)
history.write(Path(curves), points)
"""


def test_a_transformer_learns_the_tiny_corpus_and_test_rows_stay_unseen(tokens, parts, tmp_path):
    assert sorted(path.name for path in tokens.glob("*.arrow")) == ["train.arrow", "validation.arrow"]
    model, points = train(tmp_path, tokens)
    assert {point.metric for point in points} == {
        "train/loss",
        "validation/loss",
        "validation/accuracy",
        "validation/macro_f1",
    }
    dataset = corpus.read_dataset(parts)
    found = Classifier.load(model).probabilities(dataset.texts("test"))
    assert np.allclose(found.sum(1), 1)
    assert (found.argmax(1) == dataset.class_ids("test")).mean() > 0.9


def test_the_weights_are_the_best_epochs(tokens, parts, tmp_path):
    model, points = train(tmp_path, tokens, learning_rate=0.02, patience=10)
    best = max(point.value for point in points if point.metric == "validation/macro_f1")
    dataset = corpus.read_dataset(parts)
    predicted = Classifier.load(model).probabilities(dataset.texts("validation")).argmax(1)
    assert accuracy_and_macro_f1(dataset.class_ids("validation"), predicted)[1] == pytest.approx(best)


def test_it_stops_early_without_progress(tokens, tmp_path):
    _, points = train(tmp_path, tokens, learning_rate=1e-9, patience=2, epochs=6)
    assert sum(point.metric == "validation/macro_f1" for point in points) == 3


def test_equal_seeds_give_equal_bytes(tokens, tmp_path):
    first, _ = train(tmp_path / "a", tokens, epochs=2)
    second, _ = train(tmp_path / "b", tokens, epochs=2)
    assert digest(first) == digest(second)


def start(folder: Path, tokens: Path, chosen: TransformerCandidate) -> subprocess.Popen:
    command = [sys.executable, "-c", TRAIN, tokens, folder / "model", folder / "checkpoints", folder / "curves.csv"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    folder.mkdir(exist_ok=True)
    (folder / "model").exists() and (folder / "model").rmdir()
    return subprocess.Popen([*map(str, command), chosen.model_dump_json()], env=environment, cwd=folder)


PLAIN = {"epochs": 40, "patience": 40, "learning_rate": 0.001}
RICH = {
    "epochs": 25,
    "patience": 25,
    "layers": 2,
    "tune": {"kind": "adalora", "start_rank": 4, "rank": 2},
    "head": {"kind": "cnn", "filters": 8},
    "objective": {"r_drop": 0.5, "fgm": 0.05, "class_weights": "balanced"},
    "tokens_at_once": 200,
}


def interrupt(folder: Path, tokens: Path, chosen: TransformerCandidate, number: signal.Signals) -> None:
    broken = start(folder, tokens, chosen)
    deadline = time.monotonic() + 90
    while not list((folder / "checkpoints").glob("step-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    broken.send_signal(number)
    assert broken.wait(60) != 0
    assert not (folder / "curves.csv").exists()
    assert list((folder / "checkpoints").glob("step-*")), "killed before the first checkpoint"


@pytest.mark.parametrize(
    ("number", "more"),
    [
        (signal.SIGKILL, PLAIN),
        pytest.param(signal.SIGTERM, PLAIN, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, RICH, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, RICH, marks=pytest.mark.slow),
    ],
)
def test_killed_and_resumed_equals_undisturbed(tokens, tmp_path, number, more):
    chosen = options(checkpoint_seconds=0, **more)
    whole = start(tmp_path / "whole", tokens, chosen)
    assert whole.wait(200) == 0
    interrupt(tmp_path / "broken", tokens, chosen, number)
    resumed = start(tmp_path / "broken", tokens, chosen)
    assert resumed.wait(200) == 0
    assert digest(tmp_path / "whole" / "model") == digest(tmp_path / "broken" / "model")
    assert (tmp_path / "whole" / "curves.csv").read_bytes() == (tmp_path / "broken" / "curves.csv").read_bytes()


def test_a_half_written_checkpoint_is_passed_over(tmp_path):
    (tmp_path / ".step-000000009.x").mkdir()
    (tmp_path / "step-000000003").mkdir()
    assert states.latest(tmp_path).name == "step-000000003"
    assert states.latest(tmp_path / "nothing") is None


def test_a_loss_that_is_no_number_is_a_clear_error(tokens, tmp_path):
    with pytest.raises(DataError, match=r"the loss is (nan|inf).*\n.*learning_rate"):
        train(tmp_path, tokens, learning_rate=1e30, clip=1e30, warmup=0)


def test_rows_longer_than_the_backbone_are_a_clear_error(parts, tmp_path):
    class Network:
        max_positions = 512

    with pytest.raises(SettingsError, match="takes 512 tokens"):
        candidate._check_length(Network.max_positions, Tokens(kind="tokens", max_tokens=600))


def test_the_learning_rate_rises_and_falls():
    chosen = options(learning_rate=1.0, warmup=0.2)
    rates = [optimizers.learning_rate(step, 10, chosen) for step in range(10)]
    assert rates == pytest.approx([0.5, 1.0, 1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125])


@pytest.mark.parametrize("estimator", ["svm", "logistic"])
def test_a_linear_model_learns_and_loads(ngrams, parts, tmp_path, estimator):
    chosen = LinearCandidate(kind="linear", encoder="ngrams", estimator=estimator, c=5)
    points = candidate.train_linear(chosen, 13, ngrams, tmp_path)
    assert {point.metric for point in points} == {
        f"{split}/{name}" for split in ("train", "validation") for name in ("accuracy", "macro_f1")
    }
    dataset = corpus.read_dataset(parts)
    found = Classifier.load(tmp_path).probabilities(dataset.texts("test"))
    assert np.allclose(found.sum(1), 1)
    assert (found.argmax(1) == dataset.class_ids("test")).mean() > 0.9


@pytest.mark.parametrize("classes", [2, 4])
def test_calibrated_probabilities_equal_scikit_learns(random_numbers, classes):
    from scipy.sparse import csr_matrix

    labels = np.arange(200, dtype=np.int32) % classes
    rows = csr_matrix(random_numbers.normal(size=(200, 20)) + np.eye(20)[labels] * 2)
    chosen = LinearCandidate(kind="linear", encoder="x")
    ours = linear.fit(rows, labels, classes, chosen, 13).probabilities(rows)
    folds = StratifiedKFold(5, shuffle=True, random_state=13)
    theirs = CalibratedClassifierCV(LinearSVC(C=0.5, random_state=13), cv=folds, ensemble=False).fit(rows, labels)
    assert np.allclose(ours, theirs.predict_proba(rows), atol=0.01)


def test_a_class_of_one_row_and_of_none(random_numbers):
    from scipy.sparse import csr_matrix

    rows = csr_matrix(random_numbers.normal(size=(11, 4)))
    labels = np.array([0, 1] * 5 + [2], dtype=np.int32)
    chosen = LinearCandidate(kind="linear", encoder="x")
    assert linear.fit(rows, labels, 3, chosen, 13).probabilities(rows).shape == (11, 3)
    with pytest.raises(DataError, match="class 3 has no row"):
        linear.fit(rows, labels, 4, chosen, 13)


def test_scores_equal_scikit_learns(random_numbers):
    truth, predicted = random_numbers.integers(0, 4, 50).astype(np.int32), random_numbers.integers(0, 5, 50)
    accuracy, macro_f1 = accuracy_and_macro_f1(truth, predicted)
    assert accuracy == (truth == predicted).mean()
    assert macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_curves_come_back(tmp_path):
    points = [history.Point(3, 0.1, "train/loss", 0.1 + 0.2), history.Point(4, 0.2, "validation/loss", 1e-9)]
    history.write(tmp_path / "x.csv", points)
    assert history.read(tmp_path / "x.csv") == points


def test_options_are_checked():
    with pytest.raises(ValueError, match="must divide"):
        options(hidden=30, heads=4)
    assert json.loads(options().model_dump_json())["kind"] == "transformer"
