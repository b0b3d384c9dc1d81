"""The parts of the search for near-duplicates, each by itself."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.near.candidates import NEIGHBOURS, SMALL, candidates, shared
from wenhuo.near.folding import fold
from wenhuo.near.shingles import FOUND, bands, buckets, longest, sets, similarities


def folded(text: str) -> str:
    return fold(pl.Series([text])).codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ａｂ C，１２。", "abc12"),
        ("髮發体體", "发发体体"),
        ("你好\u200b\u3000 \ufeff！", "你好"),
        ("👍🏽♥\ufe0f★", "👍♥★"),
        ("C++ = 5%", "c5"),
        ("\U00020000\U0010ffff", "\U00020000\U0010ffff"),
        ("…——～", ""),
    ],
)
def test_folding_keeps_what_counts(text: str, left: str) -> None:
    assert folded(text) == left


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert folded(folded(text)) == folded(text)


@given(st.lists(st.text("甲乙丙\U00020000\U0010ffff", max_size=7), min_size=1, max_size=6), st.integers(1, 3))
def test_similarities_are_exact(texts: list[str], n: int) -> None:
    rows = sets(fold(pl.Series(texts)), n)
    own = [{text[at : at + size] for size in range(1, n + 1) for at in range(len(text) - size + 1)} for text in texts]
    assert np.diff(rows.indptr).tolist() == [len(grams) for grams in own]
    for left, right in combinations(range(len(texts)), 2):
        if own[left] | own[right]:
            (similarity,) = similarities(rows, np.array([left]), np.array([right]))
            assert similarity == len(own[left] & own[right]) / len(own[left] | own[right])


def test_sketches_see_the_longest_grams() -> None:
    grams = longest(fold(pl.Series(["甲乙丙", "甲", "甲乙"])), 2)
    assert np.diff(grams.offsets).tolist() == [2, 1, 1]
    assert grams.values[0] == grams.values[3]


def test_sketches_are_pinned() -> None:
    """Another library or version that hashes otherwise would find other pairs near the threshold."""
    texts = fold(pl.Series(["这家酒店的位置非常好", "键盘手感不错"]))
    assert buckets(longest(texts, 2), 2, 4, 13).tolist() == PINNED


PINNED = [[1723223132, 2265884606], [1981401912, 3720234025]]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_bands_find_a_pair_at_the_threshold(threshold: float, n: int) -> None:
    count, length = bands(threshold, n, 256)
    assert count * length <= 256
    changed = (1 - threshold) / (1 + threshold) * 2 * n / (n + 1)
    assert 1 - (1 - ((1 - changed) / (1 + changed)) ** length) ** count >= FOUND - 1e-6


def test_two_texts_share_a_bucket_as_often_as_they_should() -> None:
    draw = np.random.default_rng(5)
    pairs = [draw.choice(20_000, 40, replace=False) + 0x4E00 for _ in range(3000)]
    texts = [
        chr_text for row in pairs for chr_text in ("".join(map(chr, row)), "".join(map(chr, [*row[:30], *row[:10:-1]])))
    ]
    grams = longest(fold(pl.Series(texts)), 1)
    band = buckets(grams, 20, 1, 13)
    rows = sets(fold(pl.Series(texts)), 1)
    expected = similarities(rows, np.arange(0, len(texts), 2), np.arange(1, len(texts), 2)).mean()
    assert (band[:, ::2] == band[:, 1::2]).mean() == pytest.approx(expected, abs=0.01)


@given(st.lists(st.integers(0, 3), max_size=120), st.randoms(use_true_random=False))
def test_candidates_are_pairs_of_a_bucket_and_none_comes_twice(values: list[int], random: object) -> None:
    band = np.array(values, np.uint32)
    other = np.array([random.randrange(5) for _ in values], np.uint32)  # type: ignore[attr-defined]
    found = shared(band, other)
    pairs = [(int(a), int(b)) for left, right in candidates(found) for a, b in zip(left, right, strict=True)]
    assert len(set(pairs)) == len(pairs)
    assert all(left < right and band[left] == band[right] for left, right in pairs)
    sizes = np.bincount(band, minlength=1) if len(band) else np.zeros(1, int)
    every = int((sizes * (sizes - 1) // 2).sum())
    assert len(pairs) + found.unlooked() == every
    if sizes.max() <= SMALL:
        assert len(pairs) == every
    assert len(pairs) <= (SMALL - 1) / 2 * len(values) + NEIGHBOURS * len(values)
