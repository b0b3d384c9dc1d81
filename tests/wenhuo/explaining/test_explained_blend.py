"""What explains a blend: its own log-odds, to the last bit of what its members' characters add."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit, softmax

from tests.wenhuo.explaining.test_linear import TEXTS, fitted
from wenhuo import Classifier
from wenhuo.encoding.options import Ngrams
from wenhuo.explaining.blend import OpenedBlend, shares_of
from wenhuo.explaining.explain import explain
from wenhuo.files import write_json
from wenhuo.models.blend import blended
from wenhuo.models.folder import Card, read_card

OPTIONS = Ngrams(kind="ngrams", shortest=1, longest=3, min_rows=1)


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(0, 10**6), st.integers(2, 5), st.lists(st.floats(0, 2), min_size=2, max_size=3))
def test_the_characters_add_up_to_the_change_in_the_blends_log_odds(text, seed, classes, weights):
    members = {str(n): fitted(seed + n, OPTIONS, classes, calibrated=bool(n % 2)) for n in range(len(weights))}
    opened = OpenedBlend(members, weights, "0")
    said = [member.attribute(text, None).probabilities[None] for member in members.values()]
    for label in range(classes):
        found = opened.attribute(text, label)
        assert found.gap == pytest.approx(0, abs=1e-6) and found.complete
        assert found.probabilities == pytest.approx(blended(said, weights)[0], abs=1e-9)
        assert found.log_odds == pytest.approx(logit(found.probabilities[label]), abs=1e-6)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=6), st.data())
def test_shares_times_what_scores_change_by_is_what_the_log_odds_change_by(scores, data):
    begun, reached = np.array(scores).T
    label = data.draw(st.integers(0, len(scores) - 1))
    shares = shares_of(begun, reached, label)
    change = logit(softmax(reached)[label]) - logit(softmax(begun)[label])
    assert shares @ (reached - begun) == pytest.approx(change, abs=1e-4)
    assert shares[label] == 1 and shares.sum() == pytest.approx(0, abs=1e-9)


@pytest.fixture
def both(project):
    """A blend of the project's two candidates."""
    folder = project / "models/both"
    for name in ("linear", "mini"):
        shutil.copytree(project / "models" / name, folder / "members" / name)
    kept = read_card(project / "models/mini").model_dump(include={"labels", "cleaning", "trained_on"})
    write_json(folder / "wenhuo.json", Card(kind="blend", members={"linear": 0.7, "mini": 0.4}, **kept).model_dump())
    return folder


@pytest.mark.parametrize("label", [None, "neutral"])
def test_a_blend_of_both_kinds_is_explained_as_it_answers(both, label):
    text = "这家酒店的房间很干净，服务员，失望"
    found = explain(text, "both", label=label, neighbours=2, among=50)
    [said] = Classifier.load(both).predict([text])
    assert found.predicted == said.label and found.label == (label or said.label)
    one = found.found
    assert one.probabilities == pytest.approx(list(said.probabilities.values()), abs=1e-6)
    assert one.log_odds == pytest.approx(logit(said.probabilities[found.label]), abs=1e-4)
    assert one.complete and one.characters.any()
    assert "0.70 × linear: contributions" in one.method and "0.40 × mini: integrated gradients" in one.method
    assert found.neighbours.looked_at == 50 and "mini" in found.neighbours.kind


def test_a_blend_of_weights_1_and_0_is_explained_as_its_first_member_alone(both):
    """For a network of two classes to the last point; of three, on another way to the same sum."""
    card = read_card(both)
    write_json(both / "wenhuo.json", card.model_copy(update={"members": {"linear": 0.0, "mini": 1.0}}).model_dump())
    found, alone = (
        explain("房间干净，失望", name, label="positive", neighbours=0, among=0) for name in ("both", "mini")
    )
    assert found.found.log_odds == pytest.approx(alone.found.log_odds, abs=1e-4)
    assert found.found.without == pytest.approx(alone.found.without, abs=1e-4)
    assert np.corrcoef(found.found.characters, alone.found.characters)[0, 1] > 0.9
