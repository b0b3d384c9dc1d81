import random
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError as Mistake

from wenhuo.near.options import NearDuplicates
from wenhuo.near.search import Near, find

LONG = "这家酒店的位置非常好离地铁站只有几分钟的路程房间也很干净"


def found(texts: Sequence[str | None], folder: Path, **options: object) -> Near:
    near = find([pl.Series(texts, dtype=pl.String)], NearDuplicates(**options), folder)  # type: ignore[arg-type]
    assert not list(folder.iterdir())
    return near


@pytest.mark.parametrize(
    "other",
    [
        LONG + "！",
        "，".join(LONG),
        " " + LONG.replace("酒店", "酒 店"),
        "這家酒店的位置非常好離地鐵站只有幾分鐘的路程房間也很乾淨",
    ],
)
def test_punctuation_space_and_script_make_no_difference(other: str, tmp_path: Path) -> None:
    near = found([LONG, "别的什么也不是", other], tmp_path)
    assert near.cluster.tolist() == [0, -1, 0]
    assert near.similarity[[0, 2]].tolist() == [1, 1]
    assert np.isnan(near.similarity[1])


def test_case_and_width_make_no_difference(tmp_path: Path) -> None:
    assert found(["Windows 7 很好", "ｗｉｎｄｏｗｓ７很好"], tmp_path).cluster.tolist() == [0, 0]


def test_texts_that_folding_empties_are_near_their_exact_copies_alone(tmp_path: Path) -> None:
    near = found(["！！", "。。。", "! !", "！ ！", "", "  ", None, ""], tmp_path)
    assert near.cluster.tolist() == [0, -1, -1, 0, -1, -1, -1, -1]


def test_short_texts_are_near_only_when_they_are_the_same(tmp_path: Path) -> None:
    near = found(["好", "好的", "坏", "好！", "好的，", "好好"], tmp_path, characters=3)
    assert near.cluster.tolist() == [0, 1, -1, 0, 1, -1]


def test_the_similarity_is_the_true_one(tmp_path: Path) -> None:
    near = found(["甲乙丙丁戊己庚辛壬癸", "甲乙丙丁戊己庚辛壬鬼"], tmp_path)
    assert near.similarity.tolist() == pytest.approx([(9 + 8) / (11 + 10)] * 2)
    assert (near.pairs, near.edges.tolist(), near.texts) == (1, [[0, 1]], 2)


columns = st.lists(st.one_of(st.none(), st.text("甲乙丙丁，👍 \U00020000", max_size=8)), max_size=25)


@given(values=columns, size=st.integers(1, 7), characters=st.sampled_from([2, 3]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_chunks_change_nothing(tmp_path: Path, values: list[str | None], size: int, characters: int) -> None:
    options = NearDuplicates(characters=characters)
    column = pl.Series(values, dtype=pl.String)
    whole = find([column], options, tmp_path)
    pieces = find((column.slice(start, size) for start in range(0, len(column), size)), options, tmp_path)
    assert whole.cluster.tolist() == pieces.cluster.tolist()
    np.testing.assert_array_equal(whole.similarity, pieces.similarity)
    np.testing.assert_array_equal(whole.edges, pieces.edges)


def test_without_a_threshold_only_what_folds_to_the_same_is_found(tmp_path: Path) -> None:
    near = found([LONG, LONG[:-1], LONG + "。"], tmp_path, threshold=None)
    assert near.cluster.tolist() == [0, -1, 0]


def test_a_crowd_of_near_copies_is_one_cluster(tmp_path: Path) -> None:
    """More than 20 share each bucket, so that not every pair is compared."""
    base = "".join(chr(0x4E00 + number) for number in range(120))
    rows = [base[:place] + "变" + base[place + 1 :] for place in range(0, 120, 2)]
    near = found([*rows, "另一篇", base], tmp_path)
    assert near.cluster.tolist() == [0] * 60 + [-1, 0]
    assert near.similarity[:60].min() > 0.9
    assert near.unlooked > 0


def test_no_more_is_found_than_comparing_all_finds_and_hardly_less(tmp_path: Path) -> None:
    draw = random.Random(3)
    base = ["".join(draw.choices("的一是了我不人在他有这个上们来到时大地为子中你说生国年", k=30)) for _ in range(40)]
    rows = [text[:place] + text[place + draw.randint(0, 3) :] for text in base for place in (0, 5, 11, 20)]
    grams = [{text[at : at + size] for size in (1, 2) for at in range(len(text) - size + 1)} for text in rows]
    true = {
        (left, right): len(grams[left] & grams[right]) / len(grams[left] | grams[right])
        for left, right in combinations(range(len(rows)), 2)
    }
    expected = {pair for pair, similarity in true.items() if similarity >= 0.7 and rows[pair[0]] != rows[pair[1]]}
    near = found(rows, tmp_path)
    edges = {(int(left), int(right)) for left, right in near.edges}
    firsts = {(rows.index(rows[left]), rows.index(rows[right])) for left, right in expected}
    assert edges <= firsts
    assert len(edges) >= 0.97 * len(firsts) > 20
    assert near.pairs == len(edges)


def test_options_have_limits() -> None:
    for wrong in ({"threshold": 0.2}, {"threshold": 1.1}, {"characters": 4}, {"permutations": 8}, {"ngrams": 2}):
        with pytest.raises(Mistake):
            NearDuplicates(**wrong)  # type: ignore[arg-type]
