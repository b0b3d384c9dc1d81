import polars as pl
import pytest

from wenhuo.text.keys import chinese_share, is_chinese, loose_key, loose_keys


def test_the_key_has_no_white_space() -> None:
    assert loose_key(" 好\u3000的\xa0吗\r\n\t?\x1f\u2028") == "好的吗?"


def test_columns_and_texts_have_the_same_keys() -> None:
    every = ["一" + chr(code) + "二" for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    table = pl.DataFrame({"text": every}).with_columns(loose_keys(pl.col("text")).alias("key"))
    assert table["key"].to_list() == [loose_key(text) for text in every]


@pytest.mark.parametrize("char", "中臺㐀鿿𠀀𠮷𪚥𰻞〇豈")
def test_ideographs_are_chinese(char: str) -> None:
    assert is_chinese(char)


@pytest.mark.parametrize("char", ["a", "，", "の", "ア", "한", "1", "👍", "", "中文"])
def test_other_characters_are_not(char: str) -> None:
    assert not is_chinese(char)


def test_the_share_leaves_white_space_out() -> None:
    assert chinese_share("中 文 ab\n") == 0.5
    assert chinese_share(" \u3000") == 0.0
    assert chinese_share("𠮷") == 1.0
