import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from wenhuo.audit import features

LETTERS = st.text(alphabet="好不 \t\u3000ABaİß，𠮷e\u0301x1", max_size=12)


def reference(texts: list[str], **more) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True, dtype=np.float32, **more
    ).fit(texts)


@settings(max_examples=60, deadline=None)
@given(st.lists(LETTERS, min_size=2, max_size=8), st.lists(LETTERS, max_size=3))
def test_weights_are_scikit_learns(train, others):
    train = [*train, "好不好", "好不好"]
    counts = features.count([*train, *others])
    chosen = features.weigh(counts[: len(train)])
    expected = reference(train)
    assert len(chosen.columns) == len(expected.vocabulary_)
    assert np.allclose(chosen.of(counts).toarray(), expected.transform([*train, *others]).toarray(), atol=1e-6)


def test_many_texts_are_counted_in_blocks(monkeypatch):
    texts = [f"第{number}条评论{number % 7}" for number in range(40)]
    whole = features.count(texts)
    monkeypatch.setattr(features, "TEXTS_AT_ONCE", 7)
    assert (features.count(texts) != whole).nnz == 0


def test_the_most_frequent_ones_are_kept():
    counts = features.count(["好好好很", "好很", "很x", "x"])
    assert len(features.weigh(counts, features=2).columns) == 2
    assert len(features.weigh(counts).columns) == 4  # 好, 很, 好很, x
    assert len(features.weigh(counts, fewest=1).columns) == counts.shape[1]


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["\ud800好", "好\ud800"]])
def test_nothing_to_count_is_no_crash(texts):
    counts = features.count(texts)
    assert features.weigh(counts).of(counts).shape[0] == len(texts)


def test_a_long_text_counts_by_its_beginning():
    assert features.count(["好" * 100_000]).sum() == 3 * features.CHARACTERS - 3
