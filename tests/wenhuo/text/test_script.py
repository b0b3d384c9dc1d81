from pathlib import Path

import opencc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.text.script import simplified

PUBLISHED = Path(__file__).resolve().parents[3] / "../shared/data"
WORDS = Path(opencc.__file__).parent / "dictionary/TSPhrases.txt"


@pytest.mark.parametrize(
    ("text", "converted"),
    [
        ("體驗臺灣的髮型，頭髮與發展", "体验台湾的发型，头发与发展"),
        ("乾燥的乾隆皇帝在乾清宮", "干燥的乾隆皇帝在乾清宫"),
        ("瞭望與瞭解，反覆覆盆子，找藉口", "瞭望与了解，反复覆盆子，找借口"),
        ("皇后在後面，著作與看著", "皇后在后面，著作与看著"),
        ("简体不变，乾清宫也不变 abc １２３ 𠮷", "简体不变，乾清宫也不变 abc １２３ 𠮷"),
        ("半\ud83d個", "半\ud83d个"),
        ("", ""),
    ],
)
def test_words_decide(text: str, converted: str) -> None:
    assert simplified(text) == converted


@given(
    st.lists(st.sampled_from("乾清宮隆燥反覆明瞭藉口沈默船著於則單麼些薴苧後皇后面髮發體，a"), max_size=20).map("".join)
)
@settings(deadline=None)
def test_one_character_becomes_one_and_comes_to_rest(text: str) -> None:
    once = simplified(text)
    assert len(once) == len(text)
    assert simplified(simplified(once)) == simplified(once)  # 薴 → 苧 → 苎 takes two rounds


@pytest.mark.skipif(not WORDS.exists(), reason="this OpenCC comes without the text of its word list")
def test_every_word_of_openccs_list_is_converted_and_stays_converted() -> None:
    words = [line.split("\t") for line in WORDS.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    for word, *choices in words:
        once = simplified(word)
        assert once == choices[0].split()[0] or simplified(once) == once
        assert simplified(once) == once


@pytest.mark.parametrize("folder", ["chnsenticorp", "thucnews_titles"])
def test_simplified_corpora_hardly_change(folder: str) -> None:
    if not (PUBLISHED / folder).exists():
        pytest.skip(f"the published data set {folder} is not beside the project")
    lines = [line for path in (PUBLISHED / folder).iterdir() for line in path.read_text(encoding="utf-8").split("\n")]
    changed = [line for line in lines if simplified(line) != line]
    assert len(changed) < 0.012 * len(lines)
