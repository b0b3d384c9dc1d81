import unicodedata

import pytest
import rjieba
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.text.segmentation import segment, stop_words, words


@given(st.text(st.one_of(st.sampled_from("我不喜欢这个酒店的服务，𠮷野家！abc 12.3\n"), st.characters(codec="utf-8"))))
@settings(deadline=None)  # the first call loads the dictionary
def test_joined_words_are_the_text(text: str) -> None:
    assert "".join(segment(text)) == text


@pytest.mark.parametrize("negation", ["不", "没", "没有", "别", "无", "非", "未", "莫"])
def test_negations_are_no_stop_words(negation: str) -> None:
    assert negation not in stop_words()


def test_stop_words_punctuation_and_spaces_go_and_negations_stay() -> None:
    assert words("我不喜欢这个酒店的服务，下次再也不来了！ The BED was OK 👍") == [
        "不", "喜欢", "酒店", "服务", "下次", "再也", "不", "BED", "OK"
    ]  # fmt: skip


def test_stop_words_are_normalised_and_short() -> None:
    assert 100 < len(stop_words()) < 500
    assert all(unicodedata.normalize("NFKC", word) == word.strip() == word.lower() for word in stop_words())


def test_words_added_elsewhere_change_nothing() -> None:
    before = segment("文火慢炖的文本分类器")
    rjieba.add_word("慢炖的文本", 1_000_000, "n")
    assert segment("文火慢炖的文本分类器") == before
