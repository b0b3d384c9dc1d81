"""The pool of probabilities, and a blend's folder: whole by itself, in another process, the same to the last bit."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax

from wenhuo import Classifier
from wenhuo.files import write_json
from wenhuo.models.blend import blended
from wenhuo.models.folder import Card, count_parameters, read_card
from wenhuo.models.temperature import tempered

TEXTS = ["房间很干净，满意", "失望，太贵", "一般般", ""]


@st.composite
def said(draw, fewest=2, most=4):
    """What some models say of the same rows, now and then with a probability of 0, and their weights."""
    rows, classes, count = draw(st.integers(0, 4)), draw(st.integers(2, 5)), draw(st.integers(fewest, most))
    scores = arrays(np.float64, (rows, classes), elements=st.floats(-900, 900))  # softmax makes zeros of far ones
    members = [softmax(draw(scores), axis=1) for _ in range(count)]
    return members, draw(st.lists(st.floats(0, 3), min_size=count, max_size=count))


@given(said())
def test_rows_are_probabilities_whatever_is_0(case):
    members, weights = case
    found = blended(members, weights)
    assert found.shape == members[0].shape
    assert np.isfinite(found).all() and (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(1)


@given(said(2, 2))
def test_weights_of_1_and_0_are_the_first_member_to_the_last_bit(case):
    (first, second), _ = case
    assert blended([first, second], [1, 0]).tobytes() == first.tobytes()
    assert blended([second, first], [0, 1]).tobytes() == first.tobytes()


@given(said(), st.randoms(use_true_random=False))
def test_the_order_of_the_members_changes_nothing(case, draw):
    members, weights = case
    order = draw.sample(range(len(members)), len(members))
    moved = blended([members[place] for place in order], [weights[place] for place in order])
    assert moved == pytest.approx(blended(members, weights), abs=1e-9)


@given(said(2, 2), st.floats(0.1, 3))
def test_the_sum_of_the_weights_is_the_inverse_of_a_temperature(case, weight):
    (first, _), _ = case
    assert blended([first, first], [weight / 2, weight / 2]) == pytest.approx(tempered(first, 1 / weight), abs=1e-6)


def test_the_logarithms_are_added_up():
    first, second = np.array([[0.7, 0.2, 0.1]]), np.array([[0.5, 0.1, 0.4]])
    wanted = first**0.6 * second**0.9
    assert blended([first, second], [0.6, 0.9]) == pytest.approx(wanted / wanted.sum())


def test_two_that_are_sure_of_different_things_leave_a_row_of_numbers():
    first, second = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert blended([first, second], [0.5, 0.5]) == pytest.approx(np.array([[0.5, 0.5]]))
    assert blended([first, second], [0, 0]) == pytest.approx(np.array([[0.5, 0.5]]))


@pytest.fixture
def folder(linear_model, tmp_path):
    """A blend of two copies of a linear model, one of which is less sure."""
    made, card = tmp_path / "both", read_card(linear_model)
    for name, degrees in {"one": card.temperature, "two": 2.5}.items():
        shutil.copytree(linear_model, made / "members" / name)
        write_json(
            made / "members" / name / "wenhuo.json", card.model_copy(update={"temperature": degrees}).model_dump()
        )
    kept = card.model_dump(include={"labels", "cleaning", "trained_on"})
    write_json(made / "wenhuo.json", Card(kind="blend", members={"one": 0.5, "two": 0.75}, **kept).model_dump())
    return made


def test_a_folder_answers_with_its_members_at_their_own_temperatures(folder):
    members = [Classifier.load(folder / "members" / name).probabilities(TEXTS) for name in ("one", "two")]
    found = Classifier.load(folder)
    assert found.probabilities(TEXTS).tobytes() == blended(members, [0.5, 0.75]).tobytes()
    assert found.labels == Classifier.load(folder / "members/one").labels
    assert found.probabilities([]).shape == (0, 3)
    one = count_parameters(folder / "members/one", read_card(folder / "members/one"))
    assert count_parameters(folder, read_card(folder)) == {name: 2 * count for name, count in one.items()}


def test_a_folder_that_was_moved_says_the_same_in_another_process(folder, tmp_path):
    here = Classifier.load(folder).probabilities(TEXTS)
    shutil.move(folder, tmp_path / "elsewhere")
    program = (
        "import sys; from wenhuo import Classifier\n"
        f"print(Classifier.load(sys.argv[1]).probabilities({TEXTS!r}).tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "elsewhere")], capture_output=True, text=True, check=True
    )
    assert np.frombuffer(bytes.fromhex(done.stdout.strip())).reshape(here.shape) == pytest.approx(here, abs=1e-12)


def test_each_member_is_loaded_once(folder, monkeypatch):
    from wenhuo.models import linear

    loaded = []
    load = linear.load
    monkeypatch.setattr(linear, "load", lambda place: loaded.append(place.name) or load(place))
    model = Classifier.load(folder)
    model.predict(TEXTS)
    model.predict(TEXTS)
    assert loaded == ["one", "two"]
