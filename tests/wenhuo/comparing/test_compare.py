"""``wenhuo compare``: two real models of a project, other labels, what is said beside, the terminal, JSON, the page."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from tests.conftest import BAD, GOOD, write_parts
from tests.wenhuo.pages.test_pages import CHROMIUM, browser, opened  # noqa: F401 - a fixture
from wenhuo.cli import app
from wenhuo.comparing.compare import compare
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Ngrams
from wenhuo.errors import DataError, ModelError, SettingsError
from wenhuo.models.classifier import Classifier
from wenhuo.training import candidate
from wenhuo.training.options import LinearCandidate

PLAIN = {"examples": 5, "bootstrap": 100, "seed": 1}


@pytest.fixture
def rough(project):
    """A model that errs: trained on a dozen rows of two of the three labels, and another one."""
    labels = {"negative": BAD, "great": GOOD}
    parts = write_parts(project / "other", {"train": 24, "validation": 4, "test": 4}, labels)
    corpus.encode_ngrams(Ngrams(kind="ngrams"), corpus.read_dataset(parts), project / "encoded")
    (project / "models/rough").mkdir()
    options = LinearCandidate(kind="linear", encoder="x")
    candidate.train_linear(options, 1, project / "encoded", project / "models/rough")
    return project / "models/rough"


def test_two_candidates_are_compared_on_validation_and_test(project):
    found = compare("linear", "mini", **PLAIN)
    assert (found.old, found.new) == ("linear", "mini")
    assert [split.name for split in found.splits] == ["validation", "test"]
    for split in found.splits:
        assert split.rows == 60 and sum(split.turned.values()) + split.same == 60
        assert not split.slices or all(line.rows < 60 for line in split.slices)
    assert any("Test chooses nothing" in note for note in found.notes)


def test_a_model_does_not_differ_from_itself(project):
    found = compare("linear", "models/linear", ("validation",), **PLAIN)
    [split] = found.splits
    assert split.same == 60 and split.test.p_value == 1
    assert split.differences["macro_f1"].interval == (0, 0)
    assert (found.old, found.new) == ("linear", "models/linear")
    again = compare("linear", "linear", ("validation",), **PLAIN)
    assert (again.old, again.new) == ("linear (old)", "linear (new)")


def test_texts_of_test_are_shown_only_to_those_who_ask_for_it_alone(project, rough):
    both = compare("linear", "rough", **PLAIN)
    assert [any(split.examples.values()) for split in both.splits] == [True, False]
    assert any(compare("linear", "rough", ("test",), **PLAIN).splits[0].examples.values())


def test_other_labels_are_compared_by_name_and_said(project, rough):
    found = compare("linear", "rough", ("validation",), **PLAIN)
    notes = "\n".join(found.notes)
    assert "rough does not know the label neutral: it gets 20 rows wrong by that alone" in notes
    assert "rough does not know the label positive" in notes
    assert "rough knows labels that the data lack: great" in notes
    [split] = found.splits
    classifier, truth = Classifier.load(rough), corpus.read_dataset(project / "data/split").tables["validation"]
    said = [prediction.label for prediction in classifier.predict(truth["text"].to_list())]
    right = sum(a == b for a, b in zip(said, truth["label"], strict=True))
    assert split.new["accuracy"] == pytest.approx(right / 60, abs=1e-6)
    assert {line.name for line in split.classes} == {"negative", "neutral", "positive"}


def test_a_model_of_other_rows_is_said_to_be_one(project):
    about = json.loads((project / "data/split/dataset.json").read_text())
    (project / "data/split/dataset.json").write_text(json.dumps(about | {"hash": {"train": "x"}}))
    notes = compare("linear", "mini", **PLAIN).notes
    assert sum("trained on other rows" in note for note in notes) == 2


def test_what_cannot_be_compared_is_refused(project):
    with pytest.raises(ModelError, match="no model nothing"):
        compare("linear", "nothing", **PLAIN)
    with pytest.raises(SettingsError, match="not compared on it"):
        compare("linear", "mini", ("train",), **PLAIN)
    shutil.rmtree(project / "data")
    with pytest.raises(DataError, match="no split data"):
        compare("linear", "mini", **PLAIN)


def test_the_terminal_names_figures_parts_and_texts(project, rough):
    arguments = ["compare", "linear", "rough", "--bootstrap", "100", "--split", "validation", "--examples", "3"]
    said = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert said.exit_code == 0, said.output
    for words in ("validation: 60 rows", "macro-F1", "McNemar", "3 classes, F1", "right to wrong (3 of", "→ reports"):
        assert words in said.output
    silent = CliRunner().invoke(app, [*arguments[:-1], "0"], env={"COLUMNS": "160"})
    page = (project / "reports/comparison.html").read_text()
    for text in corpus.read_dataset(project / "data/split").texts("validation"):
        assert text not in silent.output and text not in page


def test_json_holds_all_of_it_and_nothing_else(project):
    said = CliRunner().invoke(app, ["compare", "linear", "mini", "--json", "--bootstrap", "100"])
    found = json.loads(said.stdout)
    assert list(found["splits"]) == ["validation", "test"]
    assert found["splits"]["test"]["test"]["p_value"] <= 1
    assert len(found["splits"]["test"]["differences"]["macro_f1"]["interval"]) == 2


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize(
    "settings", [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}}]
)
def test_the_page_is_drawn_and_asks_for_nothing(project, rough, browser, settings):  # noqa: F811
    CliRunner().invoke(app, ["compare", "linear", "rough", "--bootstrap", "100"])
    path = project / "reports/comparison.html"
    page, asked, complaints = opened(browser, path, **settings)
    assert (asked, complaints) == ([path.as_uri()], [])
    points = [box for point in page.locator("svg.pair circle").all() if (box := point.bounding_box())]
    assert len(points) >= 10 and all(box["width"] > 5 for box in points)
    assert page.locator("circle.worse").count() >= 2  # macro-F1 and accuracy of a model that errs
    assert page.locator("#validation-changed ~ details tbody tr").count() >= 5
    assert page.locator("#test-changed ~ details").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.close()


def test_what_a_model_leaves_unanswered_is_said_and_changes_no_figure(project):
    plain = compare("linear", "mini", **PLAIN)
    assert not any("abstains" in note for note in plain.notes)
    card = json.loads((project / "models/linear/wenhuo.json").read_text())
    (project / "models/linear/wenhuo.json").write_text(json.dumps(card | {"abstain_below": 0.9}))
    found = compare("linear", "mini", **PLAIN)
    assert found.splits == plain.splits
    [note] = [note for note in found.notes if "abstains" in note]
    said = Classifier.load("models/linear").predict(corpus.read_dataset(project / "data/split").texts("validation"))
    share = sum(one.label is not None for one in said) / 60
    assert f"linear abstains below 90.0%: it answers {share:.1%} of validation" in note
